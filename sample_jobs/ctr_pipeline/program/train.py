"""Train a model of clicks: logistic regression on hashed features, under the SageMaker Training Toolkit.

The toolkit turns hyperparameters into arguments and the container's directories into SM_* variables. The job's
Environment says how good a model must be to be kept.
"""

import argparse
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline

from charts import charts, threshold
from features import words
from impressions import BadDataError
from model import read_features, save
from tracking import Tracking

BATCH = 8192  # impressions
CLASSES = np.array([0, 1])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--hash-bits", type=int, default=18)
    parser.add_argument("--seed", type=int, default=0)
    for name, variable, default in [
        ("--train", "SM_CHANNEL_TRAIN", "/opt/ml/input/data/train"),
        ("--validation", "SM_CHANNEL_VALIDATION", "/opt/ml/input/data/validation"),
        ("--model-dir", "SM_MODEL_DIR", "/opt/ml/model"),
    ]:
        parser.add_argument(name, type=Path, default=os.environ.get(variable, default))
    return parser.parse_args()


def learn(classifier: SGDClassifier, impressions: Any, clicks: np.ndarray) -> float:
    """Learn from a batch; return the loss on it before that. A model that knows nothing says the average rate."""
    knows = hasattr(classifier, "coef_")
    before = classifier.predict_proba(impressions)[:, 1] if knows else np.full(len(clicks), clicks.mean())
    classifier.partial_fit(impressions, clicks, classes=CLASSES)
    return float(log_loss(clicks, before, labels=CLASSES))


def main() -> None:
    args = parse_arguments()
    train, train_clicks = read_features(args.train)
    validation, validation_clicks = read_features(args.validation)
    print(f"read {len(train)} impressions to train on and {len(validation)} to validate with", flush=True)

    hasher = FeatureHasher(2**args.hash_bits, input_type="string")
    train_x, validation_x = hasher.transform(words(train)), hasher.transform(words(validation))
    classifier = SGDClassifier(
        loss="log_loss",
        alpha=1e-6,
        learning_rate="constant",
        eta0=args.learning_rate,
        average=True,
        random_state=args.seed,
    )
    tracking = Tracking()
    tracking.log_parameters(
        train_impressions=len(train), validation_impressions=len(validation), train_click_rate=train_clicks.mean()
    )
    shuffled = np.random.default_rng(args.seed)
    batches = math.ceil(len(train) / BATCH)
    predicted, auc = np.empty(0), 0.0
    for epoch in range(1, args.epochs + 1):
        orders = np.array_split(shuffled.permutation(len(train)), batches)
        losses = [learn(classifier, train_x[order], train_clicks[order]) for order in orders]
        tracking.log_metrics("train:progressive_logloss", losses, first_step=(epoch - 1) * batches)

        fitted, predicted = (classifier.predict_proba(one)[:, 1] for one in (train_x, validation_x))
        auc = roc_auc_score(validation_clicks, predicted)
        print(
            f"epoch={epoch}"
            f" train:logloss={log_loss(train_clicks, fitted):.4f}"
            f" train:auc={roc_auc_score(train_clicks, fitted):.4f}"
            f" validation:logloss={log_loss(validation_clicks, predicted):.4f}"
            f" validation:auc={auc:.4f}",
            flush=True,
        )

    tracking.log_parameters(threshold=threshold(validation_clicks, predicted))
    tracking.log_charts(charts("validation", validation_clicks, predicted))
    required = float(os.environ.get("MINIMUM_AUC", "0.5"))
    if auc < required:
        raise BadDataError(f"validation:auc is {auc:.4f}, and MINIMUM_AUC asks for {required}: the model is not kept")
    save(make_pipeline(hasher, classifier), args.model_dir)


if __name__ == "__main__":
    try:
        main()
    except BadDataError as error:
        # The toolkit keeps a failure file that is already there, and SageMaker makes it the job's FailureReason.
        Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output"), "failure").write_text(f"{error}\n")
        sys.exit(f"{error}")
