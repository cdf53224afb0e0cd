"""The dashboard over what the CTR pipeline leaves: real jobs, a real failure, three real runs.

The pictures that this takes are those of the README (SCREENSHOTS=docs/images renews them, and trains for as long as the
sample says; otherwise a third of it will do).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from emulator.config import Settings
from emulator.endpoint import Endpoint
from tests.cli.commands import sagemaker_emulator
from tests.jobs import Clients

pytestmark = [pytest.mark.xdist_group("dashboard-pipeline"), pytest.mark.timeout(900)]

REPOSITORY = Path(__file__).parents[2]
PIPELINE = REPOSITORY / "sample_jobs/ctr_pipeline"
# The first time the programs' packages are installed.
SECONDS = 600
EPOCHS, FEWER_EPOCHS = 'epochs: "12"', 'epochs: "4"'


@dataclass(frozen=True)
class Tracked:
    """An emulator in which the pipeline ran, and three trainings to compare."""

    ui: str
    aws: Clients

    def job(self, part: str) -> str:
        """Return the name of the newest training job that has this in it."""
        found = self.aws.sagemaker.list_training_jobs(NameContains=part)["TrainingJobSummaries"]
        return found[0]["TrainingJobName"]


def shortened(folder: Path) -> Path:
    """Return the sample's job files, with a training that ends sooner if no pictures of the README are taken."""
    for one in PIPELINE.iterdir():
        (folder / one.name).symlink_to(one)
    jobs = folder / "jobs"
    jobs.unlink()
    shutil.copytree(PIPELINE / "jobs", jobs)
    train = (jobs / "train.yaml").read_text(encoding="utf-8")
    assert EPOCHS in train
    if os.environ.get("SCREENSHOTS") != "docs/images":
        (jobs / "train.yaml").write_text(train.replace(EPOCHS, FEWER_EPOCHS), encoding="utf-8")
    return jobs


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracked]:
    state = tmp_path_factory.mktemp("state")
    jobs = shortened(tmp_path_factory.mktemp("ctr"))
    with Endpoint(Settings(port=0, engine="process", state_dir=state)) as endpoint:
        cache = {"XDG_CACHE_HOME": str(REPOSITORY / ".cache")}
        files = [jobs / f"{name}.yaml" for name in ("preprocess", "train", "dirty_day")]
        done = sagemaker_emulator("run", "--port", endpoint.port, "--json", *files, seconds=SECONDS, **cache)
        assert done.returncode == 0, done.stderr[-3000:]
        subprocess.run(
            [sys.executable, PIPELINE / "compare_runs.py"],
            check=True,
            timeout=SECONDS,
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": endpoint.url,
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "123456789012",
                "AWS_SECRET_ACCESS_KEY": "secret",
            },
        )
        yield Tracked(f"{endpoint.url}/_emulator/ui/123456789012/us-east-1", Clients(endpoint.url))


OpenPage = Callable[..., Page]
Screenshot = Callable[..., Path]


def test_a_training_is_looked_at(tracked: Tracked, open_page: OpenPage, screenshot: Screenshot) -> None:
    page = open_page(f"{tracked.ui}/jobs")
    page.get_by_role("link", name=tracked.job("train-")).click()
    expect(page.get_by_text("Completed").first).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("validation:auc")
    screenshot(page, "job", whole=False)
    page.get_by_role("heading", name="Metrics", exact=True).scroll_into_view_if_needed()
    expect(page.locator(".chart canvas").first).to_be_visible()


def test_three_runs_are_compared(tracked: Tracked, open_page: OpenPage, screenshot: Screenshot) -> None:
    page = open_page(f"{tracked.ui}/experiments")
    page.get_by_role("link", name="ctr", exact=True).click()
    for name in ("slow", "fast", "narrow"):
        page.get_by_role("row", name=re.compile(rf"\b{name}\b.*-{name}-aws-training-job")).get_by_role(
            "checkbox"
        ).check()
    page.get_by_role("button", name=re.compile("Compare")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare 3 runs")
    expect(page.locator(".chart canvas").first).to_be_visible()
    parameters = page.get_by_role("row", name=re.compile("learning-rate"))
    expect(parameters.first).to_contain_text("0.002")
    expect(parameters.first).to_contain_text("0.05")
    screenshot(page, "compare", whole=False)


def test_a_dirty_day_says_why_it_failed(tracked: Tracked, open_page: OpenPage, screenshot: Screenshot) -> None:
    page = open_page(f"{tracked.ui}/jobs?status=Failed")
    page.get_by_role("link", name=re.compile("dirty-day")).click()
    expect(page.get_by_text("of its 2502 rows are rejected").first).to_be_visible()
    screenshot(page, "failure")


def test_a_model_is_looked_into(tracked: Tracked, open_page: OpenPage, screenshot: Screenshot) -> None:
    page = open_page(f"{tracked.ui}/jobs/training-job/{tracked.job('train-')}")
    page.get_by_role("link", name="output/model.tar.gz").first.click()
    expect(page.get_by_role("link", name="model.joblib")).to_be_visible()
    screenshot(page, "model")
