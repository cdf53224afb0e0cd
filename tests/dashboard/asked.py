"""What a page asks for, and when it asks for nothing any more."""

from __future__ import annotations

import time

from playwright.sync_api import Page, Request

from tests.dashboard.conftest import PATIENCE

# Longer than what is asked for again and again rests in between.
SILENCE_SECONDS = 5


class Asked:
    """Listens to the requests of a page for addresses with a text in them, from now on."""

    def __init__(self, page: Page, part: str) -> None:
        self._page = page
        self._part = part
        self._open: set[Request] = set()
        self._last = time.monotonic()
        page.on("request", self._begun)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._ended)

    def falls_silent(self) -> bool:
        """Wait until every answer is there and nothing else is asked for; tell whether that came in time."""
        deadline = time.monotonic() + PATIENCE / 1000
        self._last = time.monotonic()
        while self._open or time.monotonic() - self._last < SILENCE_SECONDS:
            if time.monotonic() > deadline:
                return False
            self._page.wait_for_timeout(200)
        return True

    def _begun(self, request: Request) -> None:
        if self._part in request.url:
            self._open.add(request)

    def _ended(self, request: Request) -> None:
        if request in self._open:
            self._open.remove(request)
            self._last = time.monotonic()
