"""What htmx, which refreshes parts of pages, takes an answer for."""

from __future__ import annotations

from typing import Final

STOP_POLLING: Final = 286
"""The status after which a part asks no more."""
