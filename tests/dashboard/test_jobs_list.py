"""The list of jobs, in the browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.jobs import TrainingJobs


def test_a_job_comes_and_ends_without_a_reload(
    jobs: TrainingJobs, ui: str, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    go_on = tmp_path / "go-on"
    page = open_page(f"{ui}/jobs")
    page.evaluate("window.loadedOnce = true")
    name = jobs.running(f"until test -e {go_on}; do sleep 0.1; done").name
    row = page.locator("tr", has_text=name)
    expect(row).to_contain_text("InProgress")
    go_on.touch()
    expect(row).to_contain_text("Completed")
    assert page.evaluate("window.loadedOnce")
