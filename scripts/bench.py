#!/usr/bin/env python3
"""Measure how fast jobs start and data moves: each figure beside something bare, as a table.

Run it from the root of the repository: python scripts/bench.py [TOPIC ...] [--markdown FILE]
Topics are the names below or how they begin: `s3` is s3-small and s3-large.
A missed target is no failure; a benchmark that cannot run is (exit code 1).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.benchmarks import (  # noqa: E402
    channel_data,
    cluster_jobs,
    dashboard,
    experiments,
    large_state,
    opt_ml,
    parallel_jobs,
    process_jobs,
    pytest_plugin,
    s3_large,
    s3_small,
    staging,
    start_up,
    training_job,
)
from scripts.benchmarks.measuring import Row, markdown_table, text_table  # noqa: E402
from scripts.benchmarks.running import CannotRunError, run  # noqa: E402
from scripts.benchmarks.setting import Setting  # noqa: E402

BENCHMARKS: Final[dict[str, Callable[[Setting], Iterator[Row]]]] = {
    "training-job": training_job.measure,
    "cluster-jobs": cluster_jobs.measure,
    "process-jobs": process_jobs.measure,
    "start-up": start_up.measure,
    "parallel-jobs": parallel_jobs.measure,
    "channel-data": channel_data.measure,
    "pytest": pytest_plugin.measure,
    "staging": staging.measure,
    "s3-small": s3_small.measure,
    "s3-large": s3_large.measure,
    "large-state": large_state.measure,
    "experiments": experiments.measure,
    "dashboard": dashboard.measure,
    "opt-ml": opt_ml.measure,
}


def main() -> int:
    """Run what was asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("topics", nargs="*", metavar="TOPIC", help=f"what to measure: {', '.join(BENCHMARKS)}, or s3")
    parser.add_argument("--markdown", metavar="FILE", type=Path, help="write the table to a file, too")
    arguments = parser.parse_args()
    names = [name for name in BENCHMARKS if not arguments.topics or name.startswith(tuple(arguments.topics))]
    if not names:
        parser.error(f"there is no such topic: {', '.join(arguments.topics)}")

    where = machine()
    rows: list[Row] = []
    failed = False
    with ExitStack() as opened:
        scratch = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="sagemaker-emulator-bench-")))
        setting = Setting(scratch, opened)
        for name in names:
            print(f"Measuring: {name}", file=sys.stderr)
            try:
                rows += BENCHMARKS[name](setting)
            except Exception as error:  # noqa: BLE001 - the others still tell something
                failed = True
                traceback.print_exc()
                rows.append(Row(name=name, not_measured=str(error)))
    print(f"{where}\n\n{text_table(rows)}")
    if arguments.markdown is not None:
        arguments.markdown.write_text(f"{where}\n\n{markdown_table(rows)}\n", encoding="utf-8")
    return 1 if failed else 0


def machine() -> str:
    """Say in one line where the figures come from."""
    try:
        engine = run("docker", "version", "--format", "{{.Server.Version}}").strip()
    except CannotRunError:
        engine = "(none)"
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"Medians, where nothing else is said, on {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, Docker Engine {engine}; load at the start: {load}."
    )


if __name__ == "__main__":
    sys.exit(main())
