"""How well probabilities tell clicks from the rest, as charts in the form that the SageMaker SDK's `Run` writes.

Those are the documents of its log_confusion_matrix, log_roc_curve and log_precision_recall; so whatever shows the
SDK's charts shows these.
"""

from typing import Any

import numpy as np
from sklearn.metrics import auc, average_precision_score, confusion_matrix, precision_recall_curve, roc_curve

POINTS = 400  # of a curve; a day's impressions make thousands that nobody could tell apart


def charts(of: str, clicks: np.ndarray, probabilities: np.ndarray) -> list[dict[str, Any]]:
    """Return the charts of some impressions; their titles begin with what these are `of`."""
    wrong, right, _ = roc_curve(clicks, probabilities)
    precision, recall, _ = precision_recall_curve(clicks, probabilities)
    called = probabilities >= threshold(clicks, probabilities)
    return [
        {
            "type": "ConfusionMatrix",
            "version": 0,
            "title": f"{of}-confusion-matrix",
            "confusionMatrix": confusion_matrix(clicks, called).tolist(),
        },
        {
            "type": "ROCCurve",
            "version": 0,
            "title": f"{of}-roc-curve",
            "falsePositiveRate": thinned(wrong),
            "truePositiveRate": thinned(right),
            "areaUnderCurve": float(auc(wrong, right)),
        },
        {
            "type": "PrecisionRecallCurve",
            "version": 0,
            "title": f"{of}-precision-recall",
            "precision": thinned(precision),
            "recall": thinned(recall),
            "averagePrecisionScore": float(average_precision_score(clicks, probabilities)),
            "noSkill": float(clicks.mean()),
        },
    ]


def threshold(clicks: np.ndarray, probabilities: np.ndarray) -> float:
    """Return from which probability on as many impressions are called clicks as there were clicks.

    Hardly an ad is ever clicked with a probability of a half, so that would call none of them a click.
    """
    return float(np.quantile(probabilities, 1 - clicks.mean()))


def thinned(values: np.ndarray) -> list[float]:
    """Return at most so many of the values, evenly spread, the first and the last among them."""
    kept = np.linspace(0, len(values) - 1, min(POINTS, len(values))).round().astype(int)
    return [float(value) for value in values[kept]]
