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
for _ in range(200):
    try:
        client = socket.create_connection((other, 7000), timeout=5)
        break
    except OSError:
        time.sleep(0.05)
client.sendall(me["current_host"].encode())
client.close()
print("heard", server.accept()[0].recv(100).decode())
"""
"""Python: says this host's name to the other one by TCP, and prints what it hears."""
