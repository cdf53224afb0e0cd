"""Make features of raw impression logs: a processing job, on as many hosts as there are.

Each host reads its share of the logs. Before any feature is written the hosts put together what they rejected, so that
all of them see a dirty day and the first one can report on it. The day goes to evaluation, the one before it to
validation, those before that to training.
"""

import argparse
import json
import sys
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from cluster import Cluster
from features import features
from impressions import CUT_SHORT, BadDataError, day_of, logs_in, problems, read_log

SPLITS = ("train", "validation", "evaluation")
PROBLEMS_NAMED = 3


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--day", type=date.fromisoformat, required=True, help="the day to evaluate with")
    parser.add_argument("--max-rejected", type=float, default=0.05, help="share of a file's rows")
    parser.add_argument("--root", type=Path, default=Path("/opt/ml"))
    return parser.parse_args()


def split_of(log_day: str, day: date) -> str:
    """Return what a day's impressions are for; "" for days to come, which a model of this day must not know."""
    age = day - date.fromisoformat(log_day)
    if age < timedelta(0):
        return ""
    return {0: "evaluation", 1: "validation"}.get(age.days, "train")


def read_and_check(path: Path) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the good rows of a log, and how many rows it has for each problem ("": good ones)."""
    rows, cut_short = read_log(path)
    found = problems(rows, day_of(path))
    counts = Counter(found.to_list())
    if cut_short:
        counts[CUT_SHORT] = cut_short
    return rows[found == ""], dict(counts)


def check_quality(quality: dict[str, dict[str, int]], max_rejected: float) -> None:
    """Refuse the data if more than a share of any file's rows is rejected."""
    if not quality:
        raise BadDataError("There are no logs (*.gz) in the input.")
    shares = {name: 1 - counts.get("", 0) / max(1, sum(counts.values())) for name, counts in quality.items()}
    worst = max(shares, key=lambda name: shares[name])
    if shares[worst] <= max_rejected:
        return
    rows = sum(quality[worst].values())
    reasons = Counter({problem: count for problem, count in quality[worst].items() if problem})
    named = ", ".join(f"{problem} ({count / rows:.1%})" for problem, count in reasons.most_common(PROBLEMS_NAMED))
    bad = sum(share > max_rejected for share in shares.values())
    raise BadDataError(
        f"{worst}: {shares[worst]:.1%} of its {rows} rows are rejected, {max_rejected:.0%} may be: {named}. "
        f"Files over the limit: {bad} of {len(shares)}."
    )


def write_features(parts: dict[str, list[pd.DataFrame]], output: Path, host: str) -> None:
    """Write one file a split, with the host in its name: all hosts' outputs go to the same prefix."""
    for split in SPLITS:
        (output / split).mkdir(parents=True, exist_ok=True)
        if parts[split]:
            path = output / split / f"part-{host}.csv.gz"
            pd.concat(parts[split]).to_csv(path, index=False, compression={"method": "gzip", "compresslevel": 1})


def report(quality: dict[str, dict[str, int]], seconds: float) -> dict:
    rejected: Counter[str] = Counter()
    for counts in quality.values():
        rejected.update({problem: count for problem, count in counts.items() if problem})
    rows = sum(sum(counts.values()) for counts in quality.values())
    return {"files": len(quality), "rows": rows, "rejected": dict(rejected.most_common()), "seconds": round(seconds, 1)}


def run(root: Path, cluster: Cluster, day: date, max_rejected: float) -> str:
    """Preprocess this host's share; return a sentence about the whole."""
    started = time.monotonic()
    raw, output = root / "processing/input/raw", root / "processing/output"
    parts: dict[str, list[pd.DataFrame]] = {split: [] for split in SPLITS}
    own: dict[str, dict[str, int]] = {}
    for path in logs_in(raw):
        name = path.relative_to(raw).as_posix()
        try:
            if split := split_of(day_of(path), day):
                rows, own[name] = read_and_check(path)
                parts[split].append(features(rows))
        except BadDataError as error:
            own[name] = {str(error): 1}  # all hosts learn of it below
        print(f"{cluster.current}: {name}: {own.get(name, 'of a day to come')}", flush=True)

    quality = {name: counts for value in cluster.gather(own).values() for name, counts in value.items()}
    check_quality(quality, max_rejected)
    write_features(parts, output, cluster.current)
    summary = report(quality, time.monotonic() - started)
    if cluster.is_first:
        (output / "report").mkdir(parents=True, exist_ok=True)
        document = {**summary, "quality": dict(sorted(quality.items()))}
        (output / "report/quality.json").write_text(json.dumps(document, indent=2) + "\n")
    rejected = sum(summary["rejected"].values())
    return f"{summary['rows']} rows of {summary['files']} files, {rejected} of them rejected."


def main() -> int:
    args = parse_arguments()
    cluster = Cluster.read(args.root / "config/resourceconfig.json")
    try:
        message, exit_code = run(args.root, cluster, args.day, args.max_rejected), 0
    except BadDataError as error:
        message, exit_code = str(error), 1
    print(f"{cluster.current}: {message}", file=sys.stderr if exit_code else sys.stdout, flush=True)
    # One host speaks for all: a job fails if any host does, and its ExitMessage is what all of them wrote, joined.
    if not cluster.is_first:
        return 0
    (args.root / "output").mkdir(parents=True, exist_ok=True)
    (args.root / "output/message").write_text(message + "\n")
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
