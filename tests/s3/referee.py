"""Runs moto's own S3 tests in server mode against an endpoint: what passes on plain moto must pass here.

moto's wheel has no tests; its source distribution of the installed version has. `moto_passes.txt` lists what
passes on plain moto. After an update of moto: `python -m tests.s3.referee record`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PASSES = Path(__file__).with_name("moto_passes.txt")
# They start containers of public images, whose outcome is not S3's.
LEFT_OUT = ("test_s3_lambda_integration.py",)
MOTOS_PORT = 5000
# A fixed port is not for a machine where others test too.
INSIST_ON_MOTOS_PORT = {"test_s3.py::test_upload_data_without_content_type"}
# They lock an object for two seconds (whole ones: one or two) and expect it to be locked some requests later, which
# a busy machine does not keep. Ours is `test_a_lock_holds_until_its_time_and_no_longer`.
RACES = (
    "test_s3_lock.py::test_locked_object_governance_mode",
    "test_s3_lock.py::test_locked_object_compliance_mode",
    "test_s3_lock.py::test_put_object_lock",
    "test_s3_lock.py::test_put_object_lock_with_versions",
)
_TEST_SECONDS = 240

# Where moto answers otherwise than S3 does, and we answer as S3.
DIFFERS = {
    "test_s3.py::test_s3_object_in_private_bucket": "an anonymous read is refused with the code AccessDenied, not a "
    "403 without a body",
    "test_s3_acl.py::test_s3_object_in_private_bucket": "the same",
    "test_s3_acl.py::test_s3_object_in_public_bucket": "the same",
    "test_s3.py::test_upload_from_file_to_presigned_url": "PUT stores the body as it is; moto takes a form's file out "
    "of it, which would spoil a stored form",
    "test_s3_eventbridge_integration.py::test_complete_multipart_upload_notification": "a completed upload is one "
    "ObjectCreated event, not two",
    "test_s3_multipart.py::test_multipart_upload_out_of_order": "parts out of order are InvalidPartOrder",
    "test_s3_multipart.py::test_multipart_wrong_partnumber": "a part number of -1 is InvalidArgument",
}


def sources() -> Path:
    """Return the folder of moto's source distribution, fetched when it is not there."""
    name = f"moto-{version('moto')}"
    cache = REPOSITORY / ".cache"
    folder = cache / name
    if not folder.is_dir():
        cache.mkdir(exist_ok=True)
        archive = cache / f"{name}.tar.gz"
        if not archive.exists():
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "moto"]
            subprocess.run([*command, f"moto=={version('moto')}", "--dest", str(cache)], check=True, timeout=600)
        with tarfile.open(archive) as tar:
            tar.extractall(cache, filter="data")
    return folder


def outcomes(url: str, selection: list[str] | None = None, log: Path | None = None) -> dict[str, str]:
    """Run the tests against an endpoint and return "passed", "failed" or "skipped" by the name of each."""
    folder = sources()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [sys.executable, "-m", "pytest", "--quiet", "--color=no", "--timeout", str(_TEST_SECONDS)]
        command += ["-p", "no:cacheprovider", f"--junitxml={report}", *(selection or ["tests/test_s3"])]
        command += [f"--ignore=tests/test_s3/{name}" for name in LEFT_OUT]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "TEST_SERVER_MODE": "true",
            "TEST_SERVER_MODE_ENDPOINT": url,
            "MOTO_PORT": url.rpartition(":")[2],
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800, check=False
        )
        if log is not None:
            log.write_text(done.stdout + done.stderr, encoding="utf-8")
        assert report.exists(), f"moto's tests did not run:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        return {_name(case): _outcome(case) for case in ET.parse(report).getroot().iter("testcase")}


def _name(case: ET.Element) -> str:
    module, *classes = case.get("classname", "").removeprefix("tests.test_s3.").split(".")
    return "::".join([f"{module}.py", *classes, case.get("name", "")])


def _outcome(case: ET.Element) -> str:
    if case.find("skipped") is not None:
        return "skipped"
    return "passed" if case.find("failure") is None and case.find("error") is None else "failed"


def expected() -> set[str]:
    """Return the names of the tests that pass on plain moto, whatever the machine is busy with."""
    lines = PASSES.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#") and line.partition("[")[0] not in RACES}


def free_port() -> int:
    """Return moto's port, or else any free one."""
    for wanted in (MOTOS_PORT, 0):
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", wanted))
            port: int = listener.getsockname()[1]
            return port
    raise AssertionError("no port is free")


@contextmanager
def plain_moto() -> Iterator[str]:
    """Run moto's own server."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(port)
            yield f"http://localhost:{port}"
        finally:
            server.terminate()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def record() -> None:
    """Write down what passes on plain moto."""
    with plain_moto() as url:
        passed = sorted(name for name, outcome in outcomes(url).items() if outcome == "passed")
    head = f"# Tests of moto {version('moto')} that pass in server mode on plain moto. Made by tests/s3/referee.py.\n"
    PASSES.write_text(head + "\n".join(passed) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(passed)} tests pass on plain moto.\n")


def main() -> None:
    """`record`, or `check URL [TEST...]`: run against an endpoint and say what it owes."""
    if sys.argv[1:] == ["record"]:
        record()
        return
    _, _, url, *selection = sys.argv
    found = outcomes(url, selection, log=REPOSITORY / ".cache/referee.log")
    wanted = expected() & set(found) if selection else expected()
    owed = sorted(name for name in wanted if found.get(name) != "passed")
    lines = [f"{len(wanted) - len(owed)} of {len(wanted)} pass. The rest:", *owed]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
