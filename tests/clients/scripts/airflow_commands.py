"""Runs `airflow` commands one after the other in one process: the first pays for the imports and the API server.

Each line of the standard input is a command, as JSON: the folder for what it leaves, and its words. A line with its
exit code answers.
"""

import json
import os
import sys
import traceback

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what an import prints is no answer

from airflow.__main__ import main  # noqa: E402 - for the line before


def run(words: list[str]) -> int:
    sys.argv = ["airflow", *words]
    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    except Exception:  # noqa: BLE001 - as an interpreter ends
        traceback.print_exc()
        return 1
    return 0


for line in sys.stdin:
    folder, *words = json.loads(line)
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        file = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, descriptor)
        os.close(file)
    os.environ["NETWORK_LOG"] = f"{folder}/network.log"
    exit_code = run(words)
    sys.stdout.flush()
    sys.stderr.flush()
    print(exit_code, file=answers, flush=True)
