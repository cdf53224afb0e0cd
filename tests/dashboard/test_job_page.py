"""The page of one job, in the browser."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Dialog, Page, expect

from emulator.web.texts import duration
from tests.dashboard.asked import Asked
from tests.dashboard.held import Held
from tests.jobs import Clients, Job, ProcessingJobs, TrainingJobs

OpenPage = Callable[..., Page]


def test_a_job_goes_from_starting_to_completed_without_a_reload(
    jobs: TrainingJobs, ui: str, open_page: OpenPage, held: Held, screenshot: Callable[[Page, str], Path]
) -> None:
    program = f"echo loss=0.5; {held.program}; echo loss=0.25; mkdir -p /opt/ml/model; echo m > /opt/ml/model/m"
    metrics = {"MetricDefinitions": [{"Name": "train:loss", "Regex": "loss=([0-9.]+)"}]}
    job = jobs.running(program, AlgorithmSpecification=metrics, HyperParameters={"epochs": "2"})
    page = open_page(f"{ui}/jobs/training-job/{job.name}")
    page.evaluate("window.loadedOnce = true")
    asked = Asked(page, f"/{job.name}/")
    status = page.locator("#head .head .status")
    expect(status).to_contain_text("InProgress Training")
    expect(page.locator(".timeline .running")).to_contain_text("Training image download completed.")
    took = page.locator("#head .took")
    before = took.text_content()
    expect(took).not_to_have_text(before or "")
    expect(page.get_by_role("row", name="train:loss")).to_contain_text("0.5")
    expect(page.locator("#container")).to_contain_text("hyperparameters.json")
    screenshot(page, "job-in-progress")
    held.let_go()
    expect(status).to_have_text("Completed")
    expect(page.locator(".timeline li").last).to_contain_text("Training job completed")
    expect(page.get_by_role("row", name="train:loss")).to_contain_text("0.25")
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert page.evaluate("window.loadedOnce")
    expect(page.locator("#head[hx-trigger], #metrics[hx-trigger]")).to_have_count(0)
    assert asked.falls_silent()
    screenshot(page, "job-completed")


def test_a_job_is_stopped_after_a_question(jobs: TrainingJobs, ui: str, open_page: OpenPage) -> None:
    job = jobs.running("sleep 3600").training()
    page = open_page(f"{ui}/jobs/training-job/{job.name}")
    questions: list[str] = []

    def answer(dialog: Dialog) -> None:
        questions.append(dialog.message)
        if len(questions) == 1:
            dialog.dismiss()
        else:
            dialog.accept()

    page.on("dialog", answer)
    stop = page.get_by_role("button", name="Stop")
    stop.click()
    assert job.status == "InProgress"
    stop.click()
    expect(page.locator("#head .head .status")).to_have_text("Stopped")
    assert ["Stop this job?" in one for one in questions] == [True, True]
    assert job.status == "Stopped"


def test_a_rerun_leads_to_the_new_job(jobs: TrainingJobs, ui: str, open_page: OpenPage, clients: Clients) -> None:
    job = jobs.running("echo again").ended()
    page = open_page(f"{ui}/jobs/training-job/{job.name}")
    page.get_by_role("button", name="Rerun").click()
    expect(page).to_have_url(re.compile(rf"/{job.name}-rerun-1$"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{job.name}-rerun-1")
    expect(page.locator("#head .head .status")).to_have_text("Completed")
    assert Job(clients, f"{job.name}-rerun-1", job.bucket).status == "Completed"


def test_a_failure_is_read_from_the_list(
    jobs: TrainingJobs, ui: str, open_page: OpenPage, screenshot: Callable[[Page, str], Path]
) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    program = (
        f"echo 'ValueError: {hostile}'; mkdir -p /opt/ml/output; echo 'no rows {hostile}' > /opt/ml/output/failure"
    )
    job = jobs.running(f"{program}; exit 4").ended()
    page = open_page(f"{ui}/jobs")
    page.get_by_role("searchbox", name="Name or image").fill(job.name)
    expect(page.locator("#jobs tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile(rf"q={job.name}"))
    page.get_by_role("link", name=job.name).click()
    failure = page.get_by_role("region", name="Why it failed")
    expect(failure).to_contain_text(f"AlgorithmError: no rows {hostile}, exit code: 4")
    expect(page.locator("#head dl")).to_contain_text("Exit code")
    expect(page.locator("img[src=x]")).to_have_count(0)
    screenshot(page, "job-failed")


def test_filters_are_in_the_address_and_hold_while_the_list_is_refreshed(
    jobs: TrainingJobs, ui: str, open_page: OpenPage
) -> None:
    good, bad = jobs.running("true").ended(), jobs.running("exit 1").ended()
    page = open_page(f"{ui}/jobs")
    page.get_by_label("Status").select_option("Failed")
    expect(page).to_have_url(re.compile("status=Failed"))
    expect(page.get_by_role("link", name=bad.name)).to_be_visible()
    expect(page.get_by_role("link", name=good.name)).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Status")).to_have_value("Failed")
    later = jobs.running("exit 2").ended()
    expect(page.get_by_role("link", name=later.name)).to_be_visible()
    expect(page.get_by_role("link", name=good.name)).to_have_count(0)


def test_texts_are_copied_and_the_bundle_is_downloaded(
    processing: ProcessingJobs, ui: str, open_page: OpenPage, tmp_path: Path
) -> None:
    job = processing.running("echo hello", Environment={"MARK": "it's <b> $(x)\nü"}).ended()
    page = open_page(f"{ui}/jobs/processing-job/{job.name}", width=390)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_text("boto3", exact=True).click()
    page.locator("#copy details[open]").get_by_role("button", name="Copy").click()
    expect(page.locator("#notices")).to_contain_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "create_processing_job(" in copied
    assert repr("it's <b> $(x)\nü") in copied
    with page.expect_download() as download:
        page.get_by_role("link", name="Download bundle").click()
    assert download.value.suggested_filename == f"{job.name}.tar.gz"
    download.value.save_as(tmp_path / "bundle.tar.gz")
    with tarfile.open(tmp_path / "bundle.tar.gz") as tar:
        assert f"{job.name}/describe.json" in tar.getnames()


def test_durations_tick_in_the_words_that_the_server_has(jobs: TrainingJobs, ui: str, open_page: OpenPage) -> None:
    job = jobs.running("true").ended()
    page = open_page(f"{ui}/jobs/training-job/{job.name}")
    told = [0.0, 0.04, 0.0996, 0.1, 9.94, 9.99, 10.2, 59.4, 59.6, 60, 61.2, 119.7, 3599.6, 3600, 3661, 7200, 90_000]
    ticked = page.evaluate(
        """async told => {
            const { duration } = await import("/_emulator/ui/static/ticking.js");
            return told.map(duration);
        }""",
        told,
    )
    assert ticked == [duration(seconds) for seconds in told]


def test_everything_is_there_without_scripts(jobs: TrainingJobs, ui: str, open_page: OpenPage) -> None:
    job = jobs.running("true").ended()
    page = open_page(f"{ui}/jobs?q={job.name}", javascript=False)
    page.get_by_role("link", name=job.name).click()
    expect(page.locator("#head .head .status")).to_have_text("Completed")
    page.get_by_role("button", name="Rerun").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{job.name}-rerun-1")
