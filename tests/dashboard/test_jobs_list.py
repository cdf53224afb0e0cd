"""The list of jobs, in the browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.dashboard.held import Held
from tests.jobs import TrainingJobs


def test_a_job_comes_and_ends_without_a_reload(
    jobs: TrainingJobs, ui: str, open_page: Callable[..., Page], held: Held
) -> None:
    page = open_page(f"{ui}/jobs")
    page.evaluate("window.loadedOnce = true")
    name = jobs.running(held.program).name
    row = page.locator("tr", has_text=name)
    expect(row).to_contain_text("InProgress")
    held.let_go()
    expect(row).to_contain_text("Completed")
    assert page.evaluate("window.loadedOnce")
