"""Measure a model on impressions that it has not seen: a training job that takes the model as a channel.

Prints the metrics for the job's metric definitions, and writes them as evaluation.json: into the output, and as this
job's "model", so that whoever gets the one or the other finds them.
"""

import argparse
import json
import math
import os
import sys
from pathlib import Path

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from charts import charts
from impressions import BadDataError
from model import click_probabilities, load, read_features
from tracking import Tracking


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--slices", default="format,device", help="features by whose values the AUC is also measured")
    for name, variable, default in [
        ("--model", "SM_CHANNEL_MODEL", "/opt/ml/input/data/model"),
        ("--evaluation", "SM_CHANNEL_EVALUATION", "/opt/ml/input/data/evaluation"),
        ("--model-dir", "SM_MODEL_DIR", "/opt/ml/model"),
        ("--output-data-dir", "SM_OUTPUT_DATA_DIR", "/opt/ml/output/data"),
    ]:
        parser.add_argument(name, type=Path, default=os.environ.get(variable, default))
    return parser.parse_args()


def measure(clicks: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Return the measures of this trade.

    Calibration is predicted by actual clicks: bids are made with it, so it must be about 1. Normalized entropy is the
    loss by that of always saying the average rate: below 1 the model knows something.
    """
    rate, loss = float(clicks.mean()), float(log_loss(clicks, probabilities, labels=[0, 1]))
    always_the_rate = -(rate * math.log(rate) + (1 - rate) * math.log(1 - rate))
    return {
        "auc": float(roc_auc_score(clicks, probabilities)),
        "logloss": loss,
        "normalized_entropy": loss / always_the_rate,
        "calibration": float(probabilities.mean()) / rate,
    }


def main() -> None:
    args = parse_arguments()
    made, clicks = read_features(args.evaluation)
    probabilities = click_probabilities(load(args.model), made)
    metrics = measure(clicks, probabilities)
    print("\n".join(f"evaluation:{name}={value:.4f}" for name, value in metrics.items()), flush=True)

    slices = {
        f"{feature}={value}": {"impressions": len(at), "auc": float(roc_auc_score(clicks[at], probabilities[at]))}
        for feature in args.slices.split(",")
        for value, at in sorted(made.groupby(feature).indices.items())
        if len(set(clicks[at])) == 2
    }
    document = {"impressions": len(clicks), "clicks": int(clicks.sum()), "metrics": metrics, "slices": slices}
    for folder in (args.model_dir, args.output_data_dir):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "evaluation.json").write_text(json.dumps(document, indent=2) + "\n")
    Tracking().log_charts(charts("evaluation", clicks, probabilities))


if __name__ == "__main__":
    try:
        main()
    except BadDataError as error:
        Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output"), "failure").write_text(f"{error}\n")
        sys.exit(f"{error}")
