"""The model and the channels it is trained on, as the programs hand them to each other."""

import tarfile
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from features import words
from impressions import LABEL, BadDataError

NAME = "model.joblib"


def save(model: Pipeline, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / NAME)


def load(folder: Path) -> Pipeline:
    """Load the model from a folder, where it is in the model.tar.gz that a training job has made, or unpacked."""
    if (folder / NAME).is_file():
        return joblib.load(folder / NAME)
    archives = sorted(folder.glob("**/model.tar.gz"))
    if len(archives) != 1:
        raise BadDataError(f"{folder}: there are {len(archives)} model.tar.gz; give the model of one training job")
    with tarfile.open(archives[0]) as archive:
        for member in archive:
            if Path(member.name) == Path(NAME) and (file := archive.extractfile(member)):
                return joblib.load(file)
    raise BadDataError(f"{archives[0]}: there is no {NAME} in it; is it the model of train.py?")


def read_features(channel: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the features and labels of all files of a channel."""
    files = sorted(channel.glob("**/*.csv.gz"))
    if not files:
        raise BadDataError(f"{channel}: there are no features (*.csv.gz) in this channel")
    made = pd.concat([pd.read_csv(path, dtype="str", keep_default_na=False) for path in files], ignore_index=True)
    if LABEL not in made:
        raise BadDataError(f"{channel}: the column {LABEL} is missing; there are {', '.join(made.columns)}")
    labels = made[LABEL].astype("int").to_numpy()
    if len(set(labels)) < 2:
        raise BadDataError(f"{channel}: nobody clicked, or everybody did: there is nothing to learn or measure")
    return made, labels


def click_probabilities(model: Pipeline, made: pd.DataFrame) -> np.ndarray:
    return model.predict_proba(words(made))[:, 1]
