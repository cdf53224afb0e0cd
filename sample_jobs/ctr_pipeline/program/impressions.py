"""Raw impression logs: read them, and say which rows are of no use and why."""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

CUT_SHORT = "the line is cut short"
COLUMNS = [
    "impression_id",
    "timestamp",
    "site",
    "ad_id",
    "category",
    "format",
    "position",
    "device",
    "os",
    "country",
    "segment",
    "seen_before",
    "bid_price",
    "viewability",
]
LABEL = "clicked"


class BadDataError(Exception):
    """The data cannot be used; the text is for whoever has to get better data."""


def logs_in(folder: Path) -> list[Path]:
    """Return the logs that this host was given; none, if there are more hosts than files."""
    return sorted(path for path in folder.glob("**/*.gz") if path.is_file())


def read_log(path: Path, *, labelled: bool = True) -> tuple[pd.DataFrame, int]:
    """Return the rows of a log with all values as text, "" where there is none; and how many lines were cut short."""
    columns = [*COLUMNS, LABEL] if labelled else COLUMNS
    try:
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
            rows = list(json_rows(file, columns) if path.name.endswith(".jsonl.gz") else csv_rows(file, columns))
    except (OSError, EOFError) as error:
        raise BadDataError(f"the file cannot be unpacked ({error})") from error
    whole = [row for row in rows if row is not None]
    return pd.DataFrame(whole, columns=columns, dtype="str"), len(rows) - len(whole)


def json_rows(lines: Iterable[str], columns: list[str]) -> Iterator[list[str] | None]:
    for line in lines:
        try:
            row = json.loads(line)
            yield ["" if row[name] is None else str(row[name]) for name in columns]
        except (ValueError, KeyError, TypeError):
            yield None


def csv_rows(lines: Iterable[str], columns: list[str]) -> Iterator[list[str] | None]:
    """Yield rows, line by line: a quote that was never closed spoils one line, not all that follow."""
    lines = iter(lines)
    header = next(csv.reader([next(lines, "")]), [])
    for line in lines:
        values = next(csv.reader([line]), [])
        row = dict(zip(header, values, strict=False))
        yield [row[name] for name in columns] if len(values) == len(header) and row.keys() >= set(columns) else None


def problems(rows: pd.DataFrame, day: str) -> pd.Series:
    """Return for each row what is wrong with it, or ""; the first thing, if there are several."""
    time = pd.to_datetime(rows["timestamp"], format="%Y-%m-%dT%H:%M:%SZ", errors="coerce")
    price = pd.to_numeric(rows["bid_price"], errors="coerce")
    found = {
        "impression_id is missing": rows["impression_id"] == "",
        "impression_id is there already": rows["impression_id"].duplicated(),
        "timestamp is not like 2026-03-01T00:00:00Z": time.isna(),
        "timestamp is of another day": time.dt.strftime("%Y-%m-%d") != day,
        "site or ad_id is missing": (rows["site"] == "") | (rows["ad_id"] == ""),
        "bid_price is not a positive number": ~(price > 0),
    }
    if LABEL in rows:
        found["clicked is neither 0 nor 1"] = ~rows[LABEL].isin(["0", "1"])
    return pd.Series(np.select(list(found.values()), list(found), default=""), index=rows.index, dtype="str")


def day_of(path: Path) -> str:
    """Return the day that a log is of: the folder `day=2026-03-01` that it is in says so."""
    name = path.parent.name
    if not name.startswith("day="):
        raise BadDataError("the file is in no folder of a day, such as day=2026-03-01")
    return name.removeprefix("day=")
