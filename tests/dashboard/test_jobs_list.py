"""The list of jobs, in the browser."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import Error, Page, Route, expect

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


def test_a_slow_click_after_a_search_is_not_lost(jobs: TrainingJobs, ui: str, open_page: Callable[..., Page]) -> None:
    """The field loses the focus with the button's way down; no answer may take the link away until it is up."""
    job = jobs.running("true").ended()
    page = open_page(f"{ui}/jobs")
    page.get_by_role("searchbox").fill(job.name)
    expect(page.locator("#jobs tbody tr")).to_have_count(1)
    page.get_by_role("link", name=job.name).hover()
    page.mouse.down()
    page.wait_for_timeout(2500)  # longer than the list is left as it is
    page.mouse.up()
    expect(page.get_by_role("heading", level=1)).to_have_text(job.name)


def test_a_search_is_not_undone_by_an_older_answer(jobs: TrainingJobs, ui: str, open_page: Callable[..., Page]) -> None:
    """The list that was asked for before the search may come after it."""
    job, _ = jobs.running("true").ended(), jobs.running("true").ended()
    page = open_page(f"{ui}/jobs")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(lambda url: url.endswith(("/jobs", "/jobs?")), hold)
    with page.expect_request(lambda request: request.url.endswith(("/jobs", "/jobs?"))):
        pass
    page.get_by_role("searchbox").fill(job.name)
    expect(page.locator("#jobs tbody tr")).to_have_count(1)
    for one in held:
        with suppress(Error):  # it was given up, as it should be
            one.continue_()
    page.wait_for_timeout(500)
    expect(page.locator("#jobs tbody tr")).to_have_count(1)
