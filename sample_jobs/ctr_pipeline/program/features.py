"""What the model sees of an impression: a few words, each a column's name and value, and pairs of them.

Nothing here depends on other rows, so that any host can do it for its share, and scoring does the same as training.
"""

import math

import numpy as np
import pandas as pd

from impressions import LABEL

AS_THEY_ARE = ["site", "ad_id", "category", "format", "position", "device", "os", "country", "segment"]
PAIRS = [("segment", "category"), ("format", "position"), ("device", "format"), ("country", "category")]
MISSING = "missing"


def features(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the features of impressions without problems, and their label if they have one."""
    made = rows[["impression_id", *AS_THEY_ARE]].replace("", MISSING)
    time = pd.to_datetime(rows["timestamp"], format="%Y-%m-%dT%H:%M:%SZ")
    made["hour"] = time.dt.hour.astype("str")
    made["seen_before"] = bucket(np.log2(1 + number(rows["seen_before"])))
    made["bid_price"] = bucket(np.log2(number(rows["bid_price"])))
    made["viewability"] = bucket(10 * number(rows["viewability"]))
    for one, other in PAIRS:
        made[f"{one}*{other}"] = made[one] + "*" + made[other]
    if LABEL in rows:
        made[LABEL] = rows[LABEL]
    return made


def words(made: pd.DataFrame) -> list[list[str]]:
    """Return each row's features as words for a FeatureHasher: `site=site000.example`."""
    names = [name for name in made.columns if name not in ("impression_id", LABEL)]
    return np.column_stack([(f"{name}=" + made[name].astype("str")).to_numpy(dtype=object) for name in names]).tolist()


def number(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce")


def bucket(values: pd.Series) -> pd.Series:
    """Return whole numbers as text: a linear model can then learn any curve over them."""
    return values.map(lambda value: str(math.floor(value)) if math.isfinite(value) else MISSING)
