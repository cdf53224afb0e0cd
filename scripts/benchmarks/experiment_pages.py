"""The dashboard's pages of experiments with many runs: what the server takes, and what a person waits for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from urllib.request import urlopen

from playwright.sync_api import Browser, sync_playwright

from . import servers
from .experiments import WHAT, fill, name
from .measuring import Row, medians, timed
from .setting import Setting

_ROUNDS = 5
_RUNS = "&run=".join(name(number) for number in (1, 2, 3))
_COMPONENTS = "&component=".join(name(number) for number in (1, 2, 3))
_PAGES = {
    "Runs table": "experiments/bench",
    "Runs table, sorted by a metric": "experiments/bench?sort=Metrics.m0.Max",
    "Comparing 3 runs": f"compare?run={_RUNS}",
    "One run": f"runs/{name(5)}",
}
_SERVED = {
    **_PAGES,
    "CSV of all runs": "experiments/bench/runs.csv",
    "Curves of a metric of 3 runs": f"series.json?component={_COMPONENTS}&metric=m0",
}


def measure(setting: Setting) -> Iterator[Row]:
    """Measure the answers, then the pages in headless Chromium: until what can be seen is drawn."""
    state = setting.folder() / "state"
    fill(state)
    with servers.emulator(state) as server:
        above = f"{server.url}/_emulator/ui/123456789012/us-east-1"
        taken = medians(_ROUNDS, *(lambda path=path: 1000 * _answered(f"{above}/{path}") for path in _SERVED.values()))
        for what, milliseconds in zip(_SERVED, taken, strict=True):
            yield Row(name=f"{what}, answer; {WHAT}", ours=milliseconds, unit="ms", most=300)
        program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        if program is None:
            yield Row(name="Pages of experiments in a browser", not_measured="there is no Chromium")
            return
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
            pages = (lambda path=path: 1000 * _seen(browser, f"{above}/{path}") for path in _PAGES.values())
            for what, milliseconds in zip(_PAGES, medians(_ROUNDS, *pages), strict=True):
                yield Row(name=f"{what}, in the browser; {WHAT}", ours=milliseconds, unit="ms", most=1000)
            browser.close()


def _answered(url: str) -> float:
    def read() -> None:
        with urlopen(url, timeout=60) as answer:
            answer.read()

    return timed(read)


def _seen(browser: Browser, url: str) -> float:
    page = browser.new_page(viewport={"width": 1280, "height": 900})

    def look() -> None:
        page.goto(url)
        page.wait_for_function(
            """() => [...document.querySelectorAll(".chart")].every(one =>
                one.dataset.drawn || one.getBoundingClientRect().top > innerHeight)"""
        )

    taken = timed(look)
    page.close()
    return taken
