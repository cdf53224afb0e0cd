"""The folder that is brought into a container: debugpy, and the code that has the program wait."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from ..errors import UsageError


@contextmanager
def debug_tools() -> Iterator[Path]:
    """Make the folder; readable for every user, whoever the image's is.

    Raises:
        UsageError: debugpy is not installed here.
    """
    found = find_spec("debugpy")
    if found is None or found.origin is None:
        raise UsageError(
            "To debug a job, debugpy must be installed beside this program.\n"
            "Install it: pip install 'sagemaker-emulator[debug]'"
        )
    with TemporaryDirectory(prefix="sagemaker-emulator-debug-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        shutil.copytree(Path(found.origin).parent, folder / "debugpy", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(Path(__file__).parent / "site/sitecustomize.py", folder)
        yield folder
