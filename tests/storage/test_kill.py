"""SIGKILL at any moment: what was acknowledged is there, whole and in order."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from emulator.storage.database import FILE_NAME, Database
from emulator.storage.job_records import SqliteJobStore
from emulator.storage.log_files import LogFiles
from tests.builders import SCOPE

ROOT = Path(__file__).parents[2]
GROUP = "/aws/sagemaker/TrainingJobs"
ROUNDS = 15

# Goes on where the process before it ended, and says each number when it is stored.
CHILD = f"""
import sys, time
from pathlib import Path
from emulator.storage.database import FILE_NAME, Database
from emulator.storage.job_records import SqliteJobStore
from emulator.storage.log_files import LogFiles
from tests.builders import SCOPE, job_record

folder, number = Path(sys.argv[1]), int(sys.argv[2])
database = Database(folder / FILE_NAME)
logs, jobs = LogFiles(folder / "logs", database, time.time), SqliteJobStore(database)
print("ready", flush=True)
while True:
    lines = [(number, f"{{number}}:{{part}} " + "x" * (number * 37 % 5000)) for part in range(number % 4 + 1)]
    logs.write(SCOPE, {GROUP!r}, f"job/algo-{{number % 3}}", lines)
    created = jobs.create(job_record(f"job-{{number}}"))
    jobs.update(created.arn, lambda record: record.with_facts({{**record.facts, "number": number}}))
    print(number, flush=True)
    number += 1
"""


def test_what_was_acknowledged_before_a_kill_is_there(tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged = first = -1
    for _ in range(ROUNDS):
        # A number that was not acknowledged may have been stored in part: the next process leaves it out.
        first = max(first, acknowledged + 1) + 1
        arguments = [sys.executable, "-c", CHILD, str(tmp_path), str(first)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            said = [child.stdout.readline() for _ in range(chance.randint(1, 30))]
            time.sleep(chance.uniform(0, 0.01))
            child.send_signal(signal.SIGKILL)
            said += child.stdout.readlines()
        assert child.returncode == -signal.SIGKILL
        acknowledged = int(said[-1])
        check(tmp_path, acknowledged)
    assert acknowledged > ROUNDS


def check(folder: Path, acknowledged: int) -> None:
    database = Database(folder / FILE_NAME)
    logs, jobs = LogFiles(folder / "logs", database, time.time), SqliteJobStore(database)
    stored = {record.name: record for record in jobs.unfinished()}
    complete = {int(name.removeprefix("job-")) for name, record in stored.items() if "number" in record.facts}
    assert acknowledged < 0 or acknowledged in complete
    assert [record.number for record in stored.values()] == sorted(record.number for record in stored.values())
    lines: dict[int, list[str]] = {}
    for stream in logs.streams_by_name(SCOPE, GROUP, prefix="", after=None, descending=False, limit=50):
        with logs.reader(SCOPE, stream) as reader:
            events = list(reader.events(0, len(reader.index)))
        numbers = [event.timestamp for event in events]
        assert numbers == sorted(numbers)
        for event in events:
            lines.setdefault(event.timestamp, []).append(event.message)
    for number in complete:
        filler = "x" * (number * 37 % 5000)
        assert lines[number] == [f"{number}:{part} {filler}" for part in range(number % 4 + 1)]
    logs.close()
    database.close()


def test_a_new_index_that_a_kill_left_half_written_is_gone_after_the_next_start(tmp_path: Path) -> None:
    killed = Database(tmp_path / FILE_NAME)
    LogFiles(tmp_path / "logs", killed, time.time).write(SCOPE, GROUP, "job/algo-1", [(5, "five")])
    killed.close()  # but not the log files, as after a kill
    (index,) = (tmp_path / "logs").rglob("*.idx")
    half = index.with_suffix(".tmp")
    half.write_bytes(b"half of an index")
    database = Database(tmp_path / FILE_NAME)
    logs = LogFiles(tmp_path / "logs", database, time.time)
    assert not half.exists()
    with logs.reader(SCOPE, logs.stream(SCOPE, GROUP, "job/algo-1")) as reader:
        assert [event.message for event in reader.events(0, len(reader.index))] == ["five"]
    logs.close()
    database.close()
