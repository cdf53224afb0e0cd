"""Logs in the browser: they grow while one looks, are searched, and stay text."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from emulator.endpoint import Endpoint
from tests.builders import SCOPE
from tests.dashboard.asked import Asked
from tests.dashboard.held import Held
from tests.jobs import LOG_GROUP, Clients, TrainingJobs

OpenPage = Callable[..., Page]

TWO_HOSTS = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}
IS_AT_END = "log => log.scrollHeight - log.scrollTop - log.clientHeight < 2"


def viewer(ui: str, prefix: str, more: str = "") -> str:
    return f"{ui}/logs/viewer?group={LOG_GROUP}&prefix={prefix}{more}"


def test_lines_come_by_themselves_until_the_job_ends(
    *, jobs: TrainingJobs, clients: Clients, ui: str, open_page: OpenPage, held: Held, tmp_path: Path
) -> None:
    slowly = f"echo first; {held.program}; for i in 1 2 3; do echo slow $i; sleep 0.5; done; printf last"
    job = jobs.running(slowly, ResourceConfig=TWO_HOSTS).wrote("first", times=2)
    page = open_page(f"{ui}/jobs/training-job/{job.name}")
    page.evaluate("window.loadedOnce = true")
    asked = Asked(page, "/logs/")
    log = page.get_by_role("log")
    expect(log.get_by_text("first", exact=True)).to_have_count(2)
    expect(page.locator("#log-state")).to_have_text("live")
    held.let_go()
    expect(log.get_by_text("slow 2", exact=True)).to_have_count(2)
    expect(log).to_contain_text("End of the log. The job is Completed.")
    expect(log.get_by_text("last", exact=True)).to_have_count(2)
    expect(log.locator(".h", has_text="algo-2")).to_have_count(5)
    expect(page.locator("#log-state")).to_have_text("Completed")
    expect(page.locator("[data-log-total]")).to_have_text("10 lines")
    expect(page.locator("[data-log-news]")).to_contain_text("The job is Completed.")
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    assert asked.falls_silent()
    assert page.evaluate("window.loadedOnce")

    page.locator("#log-host").select_option(label="algo-2")
    expect(log.locator(".line")).to_have_count(5)
    assert page.url.endswith(job.name)  # the viewer is a part of the job's page
    with page.expect_download() as downloading:
        page.locator(".log-viewer").get_by_role("link", name="Download").click()
    downloading.value.save_as(tmp_path / "log")
    (stream,) = clients.logs.describe_log_streams(
        logGroupName=LOG_GROUP, logStreamNamePrefix=f"{job.name}/algo-2-", orderBy="LogStreamName"
    )["logStreams"]
    events = clients.logs.get_log_events(
        logGroupName=LOG_GROUP, logStreamName=stream["logStreamName"], startFromHead=True
    )["events"]
    assert (tmp_path / "log").read_text() == "".join(f"{event['message']}\n" for event in events)
    assert len(events) == 5


def test_a_reader_who_scrolls_up_stays_there_and_one_who_pauses_gets_nothing_new(
    jobs: TrainingJobs, ui: str, open_page: OpenPage, held: Held
) -> None:
    ticks = "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.1; done"
    program = f"seq 1 400; ({ticks}) & {held.program}; kill $!"
    job = jobs.running(program).wrote("tick 1")
    page = open_page(viewer(ui, f"{job.name}/", "&live=1"))
    asked = Asked(page, "/logs/")
    log, lines = page.get_by_role("log"), page.get_by_role("log").locator(".line")
    before = lines.count()
    expect(lines).not_to_have_count(before)
    assert log.evaluate(IS_AT_END)
    log.evaluate("log => { log.scrollTop = 300; }")
    before = lines.count()
    expect(lines).not_to_have_count(before)
    assert log.evaluate("log => log.scrollTop") == 300
    page.get_by_role("button", name="Pause").click()
    assert asked.falls_silent()
    before = lines.count()
    page.wait_for_timeout(1500)
    assert lines.count() == before
    page.get_by_role("button", name="Follow").click()
    expect(lines).not_to_have_count(before)
    assert log.evaluate(IS_AT_END)
    held.let_go()
    expect(log).to_contain_text("End of the log.")


class Written:
    """A log of a test's own, written as clients write."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.prefix = f"log-{uuid.uuid4().hex[:8]}/"
        self._logs = endpoint.emulator.logs

    def write(self, *messages: str, host: str = "algo-1") -> None:
        events = [(number, message) for number, message in enumerate(messages)]
        self._logs.write(SCOPE, LOG_GROUP, f"{self.prefix}{host}-1", events)


@pytest.fixture
def written(endpoint: Endpoint) -> Written:
    return Written(endpoint)


def test_older_lines_come_above_and_the_reader_stays(written: Written, ui: str, open_page: OpenPage) -> None:
    written.write(*(f"line {number}" for number in range(1200)))
    page = open_page(viewer(ui, written.prefix))
    log, lines = page.get_by_role("log"), page.get_by_role("log").locator(".line")
    expect(lines).to_have_count(500)
    assert log.evaluate(IS_AT_END)
    log.evaluate("log => { log.scrollTop = 0; }")
    oldest = log.get_by_text("line 700", exact=True)
    was_at = oldest.bounding_box()
    page.get_by_role("link", name="Older lines").press("Enter")
    expect(lines).to_have_count(1000)
    is_at = oldest.bounding_box()
    assert was_at is not None
    assert is_at is not None
    assert abs(is_at["y"] - was_at["y"]) < 60  # the height of the link that was above it
    page.get_by_role("link", name="Older lines").click()
    expect(lines).to_have_count(1200)
    expect(page.get_by_role("link", name="Older lines")).to_have_count(0)


def test_a_page_that_follows_for_long_keeps_the_newest_lines(
    *, jobs: TrainingJobs, endpoint: Endpoint, ui: str, open_page: OpenPage, held: Held
) -> None:
    job = jobs.running(f"echo line 1; {held.program}").wrote("line 1")
    page = open_page(viewer(ui, f"{job.name}/", "&live=1"))
    log, lines = page.get_by_role("log"), page.get_by_role("log").locator(".line")
    (stream,) = endpoint.emulator.logs.streams_by_name(
        SCOPE, LOG_GROUP, prefix=f"{job.name}/", after=None, descending=False, limit=2
    )
    now = stream.last_event or 0

    def write(first: int, last: int) -> None:
        events = [(now, f"line {number}") for number in range(first, last + 1)]
        endpoint.emulator.logs.write(SCOPE, LOG_GROUP, stream.name, events)
        expect(log.locator(".n").last).to_have_text(str(last))

    write(2, 4000)  # more than one who looks at the end is shown
    expect(lines).to_have_count(500)
    for last in range(4900, 9401, 900):
        write(last - 899, last)
    expect(lines).to_have_count(5000)
    expect(page.locator("[data-log-total]")).to_have_text("9,400 lines")
    assert log.evaluate(IS_AT_END)
    held.let_go()
    expect(log).to_contain_text("End of the log.")
    page.get_by_role("link", name="Older lines").click()
    expect(lines).to_have_count(5500)
    assert log.locator(".n").all_text_contents() == [str(number) for number in range(3901, 9401)]


def test_a_search_leads_from_match_to_match(
    written: Written, ui: str, open_page: OpenPage, screenshot: Callable[[Page, str], Path]
) -> None:
    written.write(*(f"step {number}" + (" Loss is NaN" if number % 700 == 5 else "") for number in range(2000)))
    page = open_page(viewer(ui, written.prefix))
    page.get_by_label("Search").fill("loss is nan")
    page.keyboard.press("Enter")
    matches, current = page.get_by_role("group", name="Matches"), page.locator(".line.current")
    expect(matches).to_contain_text("3 lines have “loss is nan”. This is number 1.")
    expect(current).to_contain_text("step 5 Loss is NaN")
    expect(current).to_be_in_viewport()
    expect(page.get_by_label("Search")).to_be_focused()
    matches.get_by_role("link", name="Next").press("Enter")
    expect(current).to_contain_text("step 705 ")
    expect(matches.get_by_role("link", name="Next")).to_be_focused()
    expect(current.locator("mark")).to_have_text("Loss is NaN")
    screenshot(page, "log-search")
    page.reload()  # what is shown is in the address
    expect(current).to_contain_text("step 705 ")
    matches.get_by_text("List of the lines").click()
    matches.get_by_role("link", name="Line 1406").click()
    expect(current).to_contain_text("step 1405 ")
    expect(matches.get_by_role("link", name="Next")).to_have_count(0)
    page.go_back()
    expect(current).to_contain_text("step 705 ")
    page.get_by_label("Go to").fill("1000")
    page.get_by_label("Search").fill("")
    page.keyboard.press("Enter")
    expect(current).to_contain_text("step 999")


def test_hostile_lines_stay_text(written: Written, ui: str, open_page: OpenPage) -> None:
    hostile = "<script>document.title = 'changed'</script></pre></div>{{7*7}}<img src=x onerror=alert(1)>"
    written.write(hostile, "\x1b[31mred\x1b[0m user\u202etxt.exe \x00\x07", "binary \udcff\ufffd\x9b", "x" * 3000)
    written.write("Traceback (most recent call last):", f"ValueError: {hostile}", host="algo-2")
    page = open_page(viewer(ui, written.prefix, "&q=script"))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    log = page.get_by_role("log")
    expect(log.locator(".line").first).to_contain_text(hostile)
    expect(log).to_contain_text("red user[U+202E]txt.exe \u2400\u2407")
    expect(log.locator("script, img, pre")).to_have_count(0)
    assert "changed" not in page.title()
    cut = log.locator(".x", has_text="xxx")
    expect(cut).to_contain_text("Show all 3000 characters")
    cut.get_by_role("link").click()
    expect(cut).to_have_text("x" * 3000)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 1280


def test_columns_are_hidden_and_stay_hidden(written: Written, ui: str, open_page: OpenPage) -> None:
    written.write("one")
    written.write("two", host="algo-2")
    page = open_page(viewer(ui, written.prefix))
    log = page.get_by_role("log")
    expect(log.locator(".t").first).to_be_visible()
    page.get_by_label("times").uncheck()
    expect(log.locator(".t").first).to_be_hidden()
    page.get_by_label("Search").fill("one")
    page.keyboard.press("Enter")
    expect(log.locator("mark")).to_have_text("one")
    expect(log.locator(".t").first).to_be_hidden()
    expect(log.locator(".h").first).to_be_visible()


def test_a_log_is_read_and_searched_without_javascript(written: Written, ui: str, open_page: OpenPage) -> None:
    written.write(*(f"line {number}" for number in range(700)))
    page = open_page(viewer(ui, written.prefix), javascript=False)
    log = page.get_by_role("log")
    expect(log).to_contain_text("line 699")
    page.get_by_role("link", name="Older lines").click()
    expect(log).to_contain_text("line 199")
    page.get_by_label("Search").fill("LINE 42")
    page.get_by_role("button", name="Find").click()
    expect(page.get_by_role("group", name="Matches")).to_contain_text("11 lines have")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".line.current")).to_contain_text("line 420")


def test_a_failure_leads_from_its_traceback_to_the_log(jobs: TrainingJobs, ui: str, open_page: OpenPage) -> None:
    program = "seq 1 1000; python3 -c 'import json; json.loads(\"no json\")' 2>&1; seq 1 1000; exit 1"
    job = jobs.running(program).ended()
    page = open_page(f"{ui}/jobs/training-job/{job.name}")
    said = page.locator("#log-around")
    expect(said.get_by_role("heading")).to_have_text("Traceback of algo-1")
    expect(said).to_contain_text("json.decoder.JSONDecodeError: Expecting value")
    said.get_by_role("link", name="Show it in the log").click()
    expect(page.locator(".line.current")).to_contain_text("Traceback (most recent call last):")
    expect(page.locator(".line.current")).to_be_in_viewport()
