"""Programs that tests have containers run."""

from __future__ import annotations

ME = """me=$(sed 's/.*t_host":"\\([^"]*\\).*/\\1/' /opt/ml/*/resourcec* /opt/ml/*/*/resourcec* 2>/dev/null); """
"""Shell: the host's name in $me."""

TALK = """
import json, pathlib, socket, time
files = [pathlib.Path(folder, "resourceconfig.json") for folder in ("/opt/ml/input/config", "/opt/ml/config")]
me = json.loads(next(file for file in files if file.exists()).read_text())
other = next(one for one in me["hosts"] if one != me["current_host"])
server = socket.create_server(("", 7000))
for _ in range(2000):
    try:
        client = socket.create_connection((other, 7000), timeout=30)
        break
    except OSError:
        time.sleep(0.05)
client.sendall(me["current_host"].encode())
client.close()
print("heard", server.accept()[0].recv(100).decode())
"""
"""Python: says this host's name to the other one by TCP, and prints what it hears."""

WAIT = 'python3 -c "$WAIT"'

_WAIT = """
import os, sys, time, urllib.request as r
for _ in range(1500):
    try:
        r.urlopen(os.environ["AWS_ENDPOINT_URL"] + os.environ["SIGNS"] + sys.argv[1], timeout=60)
        sys.exit()
    except OSError:
        time.sleep(0.1)
sys.exit("no sign")
"""


def until(sign: str = "go") -> str:
    """Shell: waits until the test says `job.go(sign)`, and fails if it does not.

    Not for isolated jobs, which reach nobody.
    """
    return f"{{ {WAIT} {sign} || exit 99; }}"


def waiting(signs: str) -> dict[str, str]:
    """Return the variables of a job that waits: where its signs are, and how it does it."""
    return {"SIGNS": signs, "WAIT": _WAIT}
