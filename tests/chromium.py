"""The browser that tests and measurements of the dashboard drive."""

from __future__ import annotations

import os
import shutil
from typing import Final

_COMMANDS: Final = ("chromium", "chromium-browser", "google-chrome")
MISSING: Final = "There is no Chromium. `scripts/ensure-browser` installs it, or says what to do."


def chromium() -> str | None:
    """Return the program that CHROMIUM names, else the first of the usual ones that is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _COMMANDS)), None)
