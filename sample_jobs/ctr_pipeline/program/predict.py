"""Score a batch of impressions: a processing job, each host for its share of the logs.

A log's scores have the log's name, so that no two hosts write the same file. Rows that cannot be scored are left out
and counted.
"""

import argparse
import sys
from pathlib import Path

import pandas as pd

from features import features
from impressions import BadDataError, day_of, logs_in, problems, read_log
from model import click_probabilities, load


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, default=Path("/opt/ml"))
    return parser.parse_args()


def run(root: Path) -> str:
    """Score this host's share; return a sentence about it."""
    batch, output = root / "processing/input/batch", root / "processing/output/scores"
    model = load(root / "processing/input/model")
    scored = left_out = 0
    logs = logs_in(batch)
    for path in logs:
        rows, cut_short = read_log(path, labelled=False)
        good = rows[problems(rows, day_of(path)) == ""]
        scores = pd.DataFrame({"impression_id": good["impression_id"]})
        scores["click_probability"] = click_probabilities(model, features(good)).round(6)
        target = output / path.relative_to(batch).with_name(path.name.split(".")[0] + ".csv.gz")
        target.parent.mkdir(parents=True, exist_ok=True)
        scores.to_csv(target, index=False)
        scored += len(good)
        left_out += cut_short + len(rows) - len(good)
    return f"{scored} impressions of {len(logs)} files are scored, {left_out} rows left out."


def main() -> int:
    args = parse_arguments()
    try:
        message, exit_code = run(args.root), 0
    except BadDataError as error:
        message, exit_code = str(error), 1
    print(message, file=sys.stderr if exit_code else sys.stdout, flush=True)
    (args.root / "output").mkdir(parents=True, exist_ok=True)
    (args.root / "output/message").write_text(message + "\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
