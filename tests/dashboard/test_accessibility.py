"""Every kind of page: for screen readers (axe), by keyboard, and as wide as a phone."""

from __future__ import annotations

import io
import tarfile
import uuid
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from emulator.endpoint import Endpoint
from tests.dashboard.accessibility import findings, reached_by_tab, sideways
from tests.images import images_of
from tests.jobs import Clients, TrainingJobs

pytestmark = pytest.mark.timeout(600)

# Every kind of page, below the account's and region's address; names in braces are those of `known`. Those of
# experiments, whose charts have to be drawn first, are in test_experiments.py.
PAGES = [
    "jobs",
    "jobs?q=no-such-job",
    "jobs/training-job/{completed}",
    "jobs/training-job/{failed}",
    "logs",
    "logs/streams?group=/aws/sagemaker/TrainingJobs",
    "logs/viewer?group=/aws/sagemaker/TrainingJobs&prefix={completed}/",
    "logs/viewer?group=/aws/sagemaker/TrainingJobs&prefix={completed}/&q=loss",
    "logs/viewer?group=/aws/sagemaker/TrainingJobs&prefix={failed}/",
    "s3",
    "s3/{bucket}",
    "s3/{bucket}?prefix=folder/",
    "s3/{bucket}?q=nothing-like-that",
    "s3/{bucket}/object?key=a.csv",
    "s3/{bucket}/object?key=a.json",
    "s3/{bucket}/object?key=a.txt",
    "s3/{bucket}/object?key={long}",
    "s3/{bucket}/object?key=a.tar.gz",
    "s3/{bucket}/object?key=a.tar.gz&member=0",
]


@pytest.fixture(scope="module")
def known(clients: Clients, endpoint: Endpoint) -> dict[str, str]:
    """What pages are about: jobs that have ended, and objects."""
    bucket = f"known-{uuid.uuid4().hex[:8]}"
    clients.s3.create_bucket(Bucket=bucket)
    jobs = TrainingJobs(clients, bucket, images_of(endpoint))
    completed = jobs.running("for i in 1 2 3; do echo loss=0.$i; done; echo w > /opt/ml/model/w.bin").ended()
    failed = jobs.running("echo trying; echo 'no data' > /opt/ml/output/failure; exit 1").ended()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/" + "long-name-" * 20 + ".py")
        member.size = 5
        tar.addfile(member, io.BytesIO(b"print"))
    long = "folder/" + "a-long-name-without-any-break" * 8 + ".txt"
    wide = ",".join(f"column {number}" for number in range(30))
    for key, body in {
        "a.csv": f"{wide}\n{wide}\n".encode(),
        "a.json": b'{"a": 1}',
        "a.txt": b"word " * 1000,
        long: b"word" * 1000,
        "a.tar.gz": packed.getvalue(),
    }.items():
        clients.s3.put_object(Bucket=bucket, Key=key, Body=body)
    return {"completed": completed.name, "failed": failed.name, "bucket": bucket, "long": quote(long)}


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)], ids=["light", "dark", "phone"])
def test_pages_have_no_grave_finding_and_need_no_scrolling_sideways(
    *, known: dict[str, str], ui: str, open_page: Callable[..., Page], width: int, dark: bool
) -> None:
    page = open_page("about:blank", width=width, dark=dark)
    found = {}
    for path in PAGES:
        page.goto(f"{ui}/{path.format(**known)}")
        page.wait_for_load_state("networkidle")
        said = findings(page) + sideways(page)
        if said:
            found[path] = said
    assert found == {}


def test_every_page_is_used_by_keyboard(*, known: dict[str, str], ui: str, open_page: Callable[..., Page]) -> None:
    page = open_page("about:blank")
    for path in PAGES:
        page.goto(f"{ui}/{path.format(**known)}")
        page.wait_for_load_state("networkidle")  # what is loaded behind the focus would be passed over
        first, reached = reached_by_tab(page)
        assert first == "Skip to the content", path
        controls = page.locator("main").locator("a[href], button, input:not([type=hidden]), select")
        there = controls.locator("visible=true").count()
        assert reached >= min(there, 50), path
        page.goto(f"{ui}/{path.format(**known)}")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content", path
