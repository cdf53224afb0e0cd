"""Programs that take the terminal for themselves."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence


def has_terminal(command: Sequence[str]) -> bool:
    """Tell whether what is run can have a terminal of its own. A single command's output stays as it is."""
    return not command and sys.stdin.isatty() and sys.stdout.isatty()


def run_in_foreground(argv: Sequence[str]) -> int:
    """Run a program to its end with our terminal, and return its exit code. Ctrl-C is for the program alone."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = subprocess.run(argv, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
    return 128 - code if code < 0 else code
