"""The dashboard in a real browser: headless Chromium, driven by Playwright.

Screenshots go to the folder that SCREENSHOTS names (`make test`: build/screenshots), or to a temporary one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from emulator.endpoint import Endpoint
from tests.chromium import MISSING, chromium
from tests.dashboard.held import Held
from tests.dashboard.quiet_network import QuietNetwork
from tests.jobs import Clients

# A list that was asked for before a search is given up.
HARMLESS = ("htmx:sendAbort", "htmx:afterRequest")
SHARED = (
    "It is this machine's, as no other could be made: {}. Chromium drops requests (ERR_NETWORK_CHANGED) when "
    "containers start or end. Let none do so while the browser's tests run: pytest tests/dashboard -n 0"
)
PATIENCE = 60_000
"""Milliseconds in which what is waited for must be seen; everything is there long before on a quiet machine."""


@pytest.fixture(scope="session")
def started_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    """One headless Chromium for all tests of a worker, and why it has no network of its own if it has not."""
    program = chromium()
    if program is None:
        pytest.fail(MISSING)
    expect.set_options(timeout=PATIENCE)
    network = QuietNetwork(tmp_path_factory.mktemp("browser"), program)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=network.program, args=["--no-sandbox", "--disable-gpu"])
        with network.proxied() as why_not:
            yield running, why_not
            running.close()


@pytest.fixture
def browser(started_browser: tuple[Browser, str], request: pytest.FixtureRequest) -> Browser:
    """The Chromium. Where it shares the machine's network, a test that fails says so."""
    running, why_not = started_browser
    if why_not:
        request.node.add_report_section("setup", "network of Chromium", SHARED.format(why_not))
    return running


@pytest.fixture
def ui(endpoint: Endpoint) -> str:
    """The address of the dashboard's pages for the account that the tests' clients use."""
    return f"{endpoint.url}/_emulator/ui/123456789012/us-east-1"


@pytest.fixture
def held(clients: Clients, bucket: str) -> Held:
    """What a job's program waits for."""
    return Held(clients, bucket)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages, each in a browser profile of its own; a script's error, or a refused resource, fails the test."""
    opened: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(
        url: str, *, width: int = 1280, height: int = 900, dark: bool = False, javascript: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            permissions=["clipboard-read", "clipboard-write"],
            accept_downloads=True,
        )
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
        page.on("console", lambda message: errors.extend(_told(page, message)))
        page.goto(url)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert errors == []


def _told(page: Page, message: ConsoleMessage) -> Iterator[str]:
    if message.type == "error" and not any(one in message.text for one in HARMLESS):
        yield f"{page.url}: {message.text}"


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[..., Path]:
    """Keeps a picture of a whole page, or of what is seen of it first, under a name."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)

    def take(page: Page, name: str, *, whole: bool = True) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        page.screenshot(path=path, full_page=whole)
        return path

    return take
