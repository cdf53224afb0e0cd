"""Python runs this at the start of every process of a job that is debugged: the program of the job waits in it.

It runs in the job's interpreter, which may be older than ours. A program must start even where this fails.
"""

import json
import os
import sys
from typing import List

_HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to import
_SOURCES = (
    ("/opt/ml/input/config/hyperparameters.json", "sagemaker_program"),
    ("/opt/ml/input/data/sm_drivers/sourcecode.json", "entry_script"),
)


def _say(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write("sagemaker-emulator debug: %s\n" % text)
        sys.stderr.flush()


def _command() -> List[str]:
    """Return the arguments of this process; sys.argv is not there yet in older interpreters."""
    with open("/proc/self/cmdline", "rb") as file:  # noqa: PTH123
        return [one.decode("utf-8", "replace") for one in file.read().split(b"\0")[1:-1]]


def _named_program() -> str:
    """Return the file name of the user's program, where somebody names it; "" where nobody does."""
    for name in ("SAGEMAKER_EMULATOR_DEBUG_PROGRAM", "SAGEMAKER_PROGRAM"):
        if os.environ.get(name):
            return os.path.basename(os.environ[name])  # noqa: PTH119
    for path, key in _SOURCES:
        try:
            with open(path) as file:  # noqa: PTH123
                value = json.load(file).get(key) or ""
        except (OSError, ValueError, AttributeError):
            continue
        # The SDK writes hyperparameters as JSON in JSON.
        value = str(value).strip('"')
        if value:
            return os.path.basename(value)  # noqa: PTH119
    return ""


def _script(arguments: List[str]) -> str:
    """Return what Python was told to run: a file, or the name behind -m; "" for -c and a prompt."""
    skip = False
    for index, one in enumerate(arguments):
        if skip:
            skip = False
        elif one == "-m":
            return "".join(arguments[index + 1 : index + 2])
        elif one == "-c":
            return ""
        elif one in ("-W", "-X"):
            skip = True
        elif not one.startswith("-"):
            return one
    return ""


def _is_the_program() -> bool:
    """Tell whether this process is the one to be debugged.

    Where the user's program is known, the training toolkit for one starts several Pythons before it. Where it is
    not, it is the first Python that runs a file or a module.
    """
    script = _script(_command())
    named = _named_program()
    if named:
        return os.path.basename(script) == named  # noqa: PTH119
    return bool(script) and script not in ("pip", "venv", "ensurepip")


def _is_first() -> bool:
    """Claim the port; one process of the job can have it."""
    name = "sagemaker-emulator-debug-%s" % os.environ.get("SAGEMAKER_EMULATOR_DEBUG_TOKEN", "")
    for folder in ("/tmp", "/dev/shm", "/opt/ml/output"):  # noqa: S108 - whoever may write there
        try:
            os.close(os.open(os.path.join(folder, name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # noqa: PTH118
        except FileExistsError:
            return False
        except OSError:
            continue
        return True
    return False


def _wait() -> None:
    listen = os.environ.get("SAGEMAKER_EMULATOR_DEBUG", "")
    if not listen or not _is_the_program() or not _is_first():
        return
    host, _, port = listen.rpartition(":")
    try:
        import debugpy  # type: ignore[import-untyped, unused-ignore]

        # The program's own processes would need ports of their own.
        debugpy.configure(subProcess=False)
        debugpy.listen((host, int(port)))
    except Exception as error:  # noqa: BLE001 - the program must start
        _say("no debugger can attach, the program runs without: %r" % (error,))
        return
    _say("%s waits for a debugger at port %s" % (os.path.abspath(_script(_command())), port))  # noqa: PTH100
    debugpy.wait_for_client()
    _say("a debugger is attached")


def _run_next() -> None:
    """Run the sitecustomize that this one hides; its errors are Python's to report, as they always were.

    The same stands in emulator/reroute/site: either file may be alone in an interpreter that has nothing else of ours.
    """
    this = sys.modules.pop(__name__)
    places = [(index, entry) for index, entry in enumerate(sys.path) if os.path.abspath(entry) == _HERE]  # noqa: PTH100
    for _, entry in places:
        sys.path.remove(entry)
    try:
        import sitecustomize  # type: ignore[import-not-found, unused-ignore] # noqa: F401
    except ImportError as error:
        if error.name != __name__:
            raise
        sys.modules[__name__] = this
    finally:
        for index, entry in places:
            sys.path.insert(index, entry)


_run_next()
try:
    _wait()
except Exception as error:  # noqa: BLE001 - the program must start
    _say("no debugger can attach, the program runs without: %r" % (error,))
