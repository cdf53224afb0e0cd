"""Jobs of the fixture opt_ml, in a process of its own as a test session is, beside a bare call of the function."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from .measuring import Row
from .running import ROOT, run
from .setting import Setting

_ROUNDS = 5
_PROGRAM = """
import json, os, sys, tempfile, time
from statistics import median

def train(source, model):
    with open(source + "/a.csv") as file:
        rows = file.readlines()
    with open(model + "/model.json", "w") as file:
        json.dump(len(rows), file)

def timed(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started

folder = tempfile.mkdtemp()
open(folder + "/a.csv", "w").write("1\\n" * 100)
bare = [timed(lambda: train(folder, folder)) for _ in range(50)]

def first():
    global opt_ml
    from emulator.opt_ml.opt_ml import OptMl
    opt_ml = OptMl()
    job()

def job():
    made = opt_ml.training_job(channels={"train": {"a.csv": "1\\n" * 100}})
    made.run(train, "/opt/ml/input/data/train", "/opt/ml/model")

print(json.dumps([timed(first), median(timed(job) for _ in range(50)), median(bare)]))
"""


def measure(_: Setting) -> Iterator[Row]:
    """Measure the first job of a session, imports included, and the later ones."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{_PROGRAM}"
    taken = [json.loads(run(sys.executable, "-c", program)) for _ in range(_ROUNDS)]
    first, next_, bare = (sorted(one)[_ROUNDS // 2] for one in zip(*taken, strict=True))
    called = "the bare function, on a real disk"
    yield Row(name="opt_ml: first job, with imports", ours=first, baseline=bare, baseline_name=called, most=2.0)
    yield Row(name="opt_ml: each further job", ours=next_, baseline=bare, baseline_name=called, most=0.1)
