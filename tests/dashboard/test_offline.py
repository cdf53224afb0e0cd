"""What a page does when nobody answers it any more, or when what it shows is gone."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Route, expect

from emulator.config import Settings
from emulator.endpoint import Endpoint
from tests.dashboard.conftest import PATIENCE
from tests.jobs import TrainingJobs
from tests.up import free_port

GONE = "<main><p>It is gone.</p></main>"
NOTE_NOTICES = """
    window.noticed = [];
    new MutationObserver(() => {
        const shown = [...document.querySelectorAll('#notices p')].map((one) => one.textContent);
        if (shown.length > 0) window.noticed.push(shown);
    }).observe(document.getElementById('notices'), {childList: true});
"""


def test_a_page_says_that_its_emulator_is_gone_until_it_is_back(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    settings = Settings(port=free_port(), engine="process", state_dir=tmp_path)
    with Endpoint(settings) as first:
        page.goto(f"{first.url}/_emulator/ui/")
    told = page.get_by_text("The emulator does not answer.")
    expect(told).to_be_visible()
    with Endpoint(settings):
        expect(told).to_be_hidden()
    page.context.close()


def test_a_job_that_is_gone_is_told_once(browser: Browser, jobs: TrainingJobs, ui: str) -> None:
    job = jobs.running("sleep 3600")
    page = browser.new_page()
    page.goto(f"{ui}/jobs/training-job/{job.name}")
    expect(page.get_by_text("InProgress").first).to_be_visible()
    page.evaluate(NOTE_NOTICES)
    page.route("**/jobs/training-job/**", lambda route: route.fulfill(status=404, body=GONE))
    page.wait_for_function("() => window.noticed.length > 0", timeout=PATIENCE)
    expect(page.get_by_text("It is gone.")).to_be_hidden()
    assert all(shown == ["It is gone."] for shown in page.evaluate("window.noticed"))
    page.context.close()
    job.stop()


def test_what_the_browser_drops_is_asked_for_again(browser: Browser, jobs: TrainingJobs, ui: str) -> None:
    """As Chromium does when the machine's networks change."""
    job = jobs.running("echo hello").ended()
    page = browser.new_page()
    dropped: list[str] = []

    def once(route: Route) -> None:
        if len(dropped) < 1:
            dropped.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route(re.compile(r"/logs/viewer\?"), once)
    page.goto(f"{ui}/jobs/training-job/{job.name}")
    expect(page.get_by_role("log")).to_contain_text("hello")
    assert dropped
    expect(page.locator("#offline")).to_have_count(0)
    page.context.close()
