"""The dashboard with many jobs, log lines and runs, as a person waits for it: from the click until all is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import TimeoutError as NotThereError

from tests.chromium import MISSING, chromium
from tests.jobs import LOG_GROUP, Clients

from . import experiments, large_state, servers
from .measuring import Row, medians, timed
from .running import CannotRunError
from .setting import Setting

_ROUNDS: Final = 5
_MOST: Final = 1.0
_PATIENCE_MS: Final = 30_000
_BUCKET: Final = "bench-pages"
# Everything that a page brings later is there, and the next frame has been painted.
_ALL_DRAWN: Final = """() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(
    performance.now()))))"""


@dataclass(frozen=True, kw_only=True)
class _Page:
    """A page, and a script that is true when all of it is there."""

    name: str
    path: str
    is_there: str = "() => document.querySelector('main table') !== null"


def measure(setting: Setting) -> Iterator[Row]:
    """Open each page in headless Chromium, in turn with a bare page of as many bytes from the same server."""
    state = setting.folder() / "state"
    large_state.fill(state)
    experiments.fill(state)
    with servers.emulator(state, engine="process") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox", "--disable-gpu"])
        clients = Clients(server.url)
        clients.s3.create_bucket(Bucket=_BUCKET)
        for page in _pages():
            url = f"{server.url}/_emulator/ui/123456789012/us-east-1/{page.path}"
            try:
                size = len(_fetched(url))
            except HTTPError as error:
                error.close()
                yield Row(name=page.name, not_measured=f"{page.path} answers {error.code}", most=_MOST)
                continue
            bare = _bare_page(clients, server.url, size)
            try:
                opened, baseline = medians(
                    _ROUNDS,
                    partial(_opened, browser, url, page.is_there),
                    partial(_opened, browser, bare, "() => true"),
                )
            except NotThereError:
                yield Row(name=page.name, not_measured="not all of it was there after 30 s", most=_MOST)
                continue
            yield Row(
                name=f"{page.name}, opened in Chromium",
                ours=opened,
                baseline=baseline,
                baseline_name=f"bare page of {size / 1000:.0f} kB",
                most=_MOST,
            )
            (answered,) = medians(_ROUNDS, partial(_answered, url))
            yield Row(name=f"{page.name}, the server's answer", ours=answered, unit="ms", most=300)
        browser.close()


def _pages() -> list[_Page]:
    runs = [experiments.name(number) for number in (1, 500, 999)]
    job = large_state.name(large_state.JOBS // 2)
    compared = "&".join(f"run={name}" for name in runs)
    log = f"group={quote(LOG_GROUP, safe='')}&prefix={job}/"
    drawn = "() => { const all = [...document.querySelectorAll('.chart[data-curves]')].filter(one => {"
    drawn += " const top = one.getBoundingClientRect().top; return top < innerHeight; });"
    drawn += " return all.length > 0 && all.every(one => one.querySelector('canvas, svg')); }"
    line = f"() => document.body.textContent.includes('epoch={large_state.LINES_A_JOB - 1} loss')"
    return [
        _Page(name="jobs list; 10,000 jobs", path="jobs"),
        _Page(name="job page with its log; 10,000 jobs", path=f"jobs/training-job/{job}", is_there=line),
        _Page(name="log viewer; 1,000,000 lines", path=f"logs/viewer?{log}", is_there=line),
        _Page(name="runs table; 1,000 runs x 10 metrics x 1,000 values", path="experiments/bench"),
        _Page(name="run page; 100,000 values", path=f"runs/{experiments.LONG}", is_there=drawn),
        _Page(name="three runs compared; 10 metrics x 1,000 values", path=f"compare?{compared}", is_there=drawn),
    ]


def _opened(browser: Browser, url: str, is_there: str) -> float:
    """Return the seconds from the start of the navigation until everything is drawn, in a profile of its own."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.goto(url)
        page.wait_for_function(is_there, timeout=_PATIENCE_MS, polling="raf")
        return float(page.evaluate(_ALL_DRAWN)) / 1000


def _answered(url: str) -> float:
    """Return the milliseconds until the whole answer is there."""
    return 1000 * timed(partial(_fetched, url))


def _fetched(url: str) -> bytes:
    with urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def _bare_page(clients: Clients, url: str, size: int) -> str:
    """Store a page of nothing but text, and return its address."""
    line = b"<p>a line of text as long as those of tables are, more or less</p>\n"
    body = b"<!doctype html><title>bare</title>" + line * (size // len(line) + 1)
    clients.s3.put_object(Bucket=_BUCKET, Key=str(size), Body=body[:size], ContentType="text/html", ACL="public-read")
    return f"{url}/{_BUCKET}/{size}"


def _chromium() -> Path:
    found = chromium()
    if found is None:
        raise CannotRunError(MISSING)
    return Path(found)
