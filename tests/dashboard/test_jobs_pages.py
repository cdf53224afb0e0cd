"""The list of jobs and the page of one, as HTML over HTTP."""

from __future__ import annotations

import html
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import uuid
from pathlib import Path

import pytest

from emulator.contract import life
from emulator.contract.kinds import TRAINING
from emulator.contract.outcome import Ended, settle
from emulator.endpoint import Endpoint
from emulator.jobfiles.connecting import make_clients
from emulator.jobfiles.document import JobFile
from emulator.jobfiles.runner import run_job
from tests.builders import job_record
from tests.dashboard.held import Held
from tests.dashboard.web_client import Answer, WebClient
from tests.jobs import Clients, ProcessingJobs, TrainingJobs, experiment_config

HOSTILE = """<img src=x onerror=alert(1)> it's "q" $(touch x) é"""


@pytest.fixture
def web(ui: str) -> WebClient:
    return WebClient(ui)


def copied(page: Answer, summary: str) -> str:
    """Return the text that a page gives to copy below a heading."""
    found = re.search(f"<summary>{re.escape(summary)}</summary>.*?<pre[^>]*>(.*?)</pre>", page.text, re.DOTALL)
    assert found is not None, summary
    return html.unescape(found[1])


def rows(page: Answer) -> list[str]:
    return re.findall(r'<tr id="(?:training|processing)-job-([^"]+)"', page.text)


def test_the_list_finds_jobs_by_name_image_status_and_kind(
    web: WebClient, jobs: TrainingJobs, processing: ProcessingJobs
) -> None:
    mark = f"m{uuid.uuid4().hex[:8]}"
    good = jobs.running("true", TrainingJobName=f"{mark}-good").ended()
    bad = jobs.running("exit 1", TrainingJobName=f"{mark}-Bad").ended()
    prep = processing.running("true", image="command", ProcessingJobName=f"{mark}-prep").ended()
    assert rows(web.get("/jobs", q=mark.upper())) == [prep.name, bad.name, good.name]
    assert rows(web.get("/jobs", q=f"{mark}-ba")) == [bad.name]
    assert rows(web.get("/jobs", q=mark, status="Failed")) == [bad.name]
    assert rows(web.get("/jobs", q=mark, kind="processing-job")) == [prep.name]
    assert prep.name in rows(web.get("/jobs", q="TEST/command"))
    assert good.name not in rows(web.get("/jobs", q="TEST/command"))
    assert f"/jobs/training-job/{bad.name}" in web.get("/jobs", q=mark).text


def test_only_the_table_is_sent_to_htmx(web: WebClient) -> None:
    part = web.get("/jobs", {"HX-Request": "true", "HX-Target": "jobs"}, status="Failed", q="é&<")
    assert part.text.lstrip().startswith('<div id="jobs"')
    assert "status=Failed" in part.text
    assert "<html" not in part.text


def test_an_empty_list_teaches_what_to_do(web: WebClient, endpoint: Endpoint) -> None:
    nothing = web.get("/jobs", q="no-such-job", status="Stopped")
    assert (
        "No job of this account and region has “no-such-job” in its name or image, the status Stopped." in nothing.seen
    )
    elsewhere = WebClient(web.base.replace("us-east-1", "eu-west-1")).get("/jobs")
    assert "No jobs yet" in elsewhere.seen
    assert f"sagemaker-emulator run job.yaml --port {endpoint.port}" in elsewhere.seen


def test_pages_of_the_list_follow_each_other(web: WebClient, endpoint: Endpoint) -> None:
    mark = f"p{uuid.uuid4().hex[:8]}"
    names = [f"{mark}-{number:02}" for number in range(53)]
    for number, name in enumerate(names):
        facts = life.created(TRAINING, 1000.0 + number)
        ended = life.ended(TRAINING, facts, settle(Ended.STOP_REQUESTED, (), ""), 2000.0)
        endpoint.emulator.records.create(job_record(name, facts=ended))
    first = web.get("/jobs", q=mark)
    found = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert found is not None
    path = html.unescape(found[1])
    second = WebClient(web.base.partition("/_emulator")[0])._answer("GET", web.base.partition("/_emulator")[0] + path)
    assert rows(first) + rows(second) == names[::-1]
    assert "Newest jobs" in second.seen
    assert 'rel="next"' not in second.text


def test_the_page_of_a_job_says_all_that_is_known(web: WebClient, jobs: TrainingJobs, clients: Clients) -> None:
    config = experiment_config(clients)
    job = jobs.running(
        "echo auc=0.5; echo auc=0.75; echo x > /opt/ml/model/model.bin",
        HyperParameters={"epochs": "3", "note": HOSTILE},
        Environment={"SECOND": f"{HOSTILE}\nline"},
        AlgorithmSpecification={"MetricDefinitions": [{"Name": "valid:auc", "Regex": "auc=([0-9.]+)"}]},
        InputDataConfig=[jobs.channel("train", {"/a.csv": b"1", "/b/c.csv": b"22"})],
        ExperimentConfig=config,
        Tags=[{"Key": "team", "Value": "ads"}],
    ).ended()
    page = web.get(f"/jobs/training-job/{job.name}")
    assert page.status == 200
    for text in (
        "Training image download completed. Training in progress.",
        "Training job completed",
        "Exit code 0",
        f"note {HOSTILE}",
        f"SECOND {HOSTILE} line",
        "team ads",
        f"Run {config['RunName']}",
        f"{job.name}-aws-training-job",
        "ResourceConfig.InstanceType ml.m5.large",
        f"s3://{job.bucket}/out/{job.name}/output/model.tar.gz",
        "/opt/ml/input/data/train",
        "valid:auc 0.75 0.5 0.75 2",
    ):
        assert text in page.seen, text
    assert "<img src=x" not in page.text
    assert "every 1s" not in page.text, "a job that has ended is not asked for again"
    assert json.loads(copied(page, "The request as JSON"))["HyperParameters"]["note"] == HOSTILE
    assert json.loads(copied(page, "The answer of DescribeTrainingJob as JSON"))["TrainingJobStatus"] == "Completed"


def test_a_page_shows_what_each_container_saw(web: WebClient, processing: ProcessingJobs) -> None:
    job = processing.running(
        "true",
        hosts=2,
        Environment={"MARK": HOSTILE},
        ProcessingInputs=[processing.input("in", {"/d/x.txt": b"12345"})],
        ProcessingOutputConfig=processing.outputs("clean"),
    ).ended()
    seen = web.get(f"/jobs/processing-job/{job.name}/container").seen
    for text in ("algo-1", "algo-2", "x.txt 0644 5 bytes", "/opt/ml/config/ 0755", "resourceconfig.json", "sh -c true"):
        assert text in seen, text
    assert '"current_host":"algo-2"' in seen
    assert f"MARK {HOSTILE}" in seen
    page = web.get(f"/jobs/processing-job/{job.name}")
    assert "The service keeps no history of processing jobs" in page.seen
    assert f"s3://{job.bucket}/out/{job.name}/clean" in page.seen


def test_the_reason_of_a_failure_is_prominent(web: WebClient, jobs: TrainingJobs) -> None:
    program = f"mkdir -p /opt/ml/output; cat > /opt/ml/output/failure <<'X'\n{HOSTILE}\nX\nexit 3"
    job = jobs.running(program).ended()
    page = web.get(f"/jobs/training-job/{job.name}")
    assert f"Why it failed AlgorithmError: {HOSTILE}, exit code: 3" in page.seen
    assert "Exit code 3" in page.seen
    assert "<img src=x" not in page.text


def test_a_job_that_goes_on_is_asked_for_again_and_its_containers_when_they_are_there(
    web: WebClient, jobs: TrainingJobs, held: Held
) -> None:
    job = jobs.running(held.program).training()
    path = f"/jobs/training-job/{job.name}"
    assert "every 1s" in web.get(f"{path}/head").text
    assert "every 2s" in web.get(f"{path}/metrics").text
    shown = re.search(r"shown=(\w+)", web.get(path).text)
    assert shown is not None
    assert web.get(f"{path}/charts", shown=shown[1]).status == 204
    held.let_go()
    job.ended()
    assert "every" not in web.get(f"{path}/head").text
    assert "every" not in web.get(f"{path}/metrics").text
    assert web.get(f"{path}/charts", shown=shown[1]).status == 286


def test_what_is_not_there_is_said(web: WebClient) -> None:
    for path, text in {
        "/jobs/training-job/nope": "There is no training job 'nope' in account 123456789012, us-east-1.",
        "/jobs/tuning-job/nope": "There is no kind of job 'tuning-job': there are training-job and processing-job.",
        "/jobs/training-job/<script>": "There is no training job '<script>'",
    }.items():
        page = web.get(path)
        assert page.status == 404
        assert text in page.seen
        assert "<script>'" not in page.text
    garbage = web.get("/jobs/arn", arn="x")
    assert garbage.status == 404
    assert "x is no job's ARN: write arn:aws:sagemaker:REGION:ACCOUNT:training-job/NAME" in garbage.seen
    unknown = web.get("/experiments/nope")
    assert (unknown.status, "ResourceNotFound" in unknown.seen) == (404, True)


def test_an_error_leads_back_to_the_jobs_of_its_account_and_region(web: WebClient) -> None:
    elsewhere = WebClient(web.base.replace("us-east-1", "eu-north-1"))
    assert '<p><a href="/_emulator/ui/123456789012/eu-north-1/jobs">' in elsewhere.get("/jobs/training-job/nope").text
    nowhere = WebClient(web.base.replace("123456789012", "1"))
    assert '<p><a href="/_emulator/ui/">' in nowhere.get("/jobs").text


def test_a_place_that_is_none_leads_to_the_newest_jobs(web: WebClient, jobs: TrainingJobs) -> None:
    job = jobs.running("true").ended()
    for after in ("abc_1", "1_²", f"1_{'9' * 23}", "nan_1", "inf_1", "1e999_1", "1_", "_", "1_-1", "\u0661_1"):
        page = web.get("/jobs", q=job.name, after=after)
        assert (page.status, rows(page)) == (200, [job.name]), after


def test_a_job_is_found_by_its_arn_in_whatever_region(web: WebClient, jobs: TrainingJobs) -> None:
    job = jobs.running("true").ended()
    elsewhere = WebClient(web.base.replace("us-east-1", "eu-west-1"))
    page = elsewhere.get("/jobs/arn", arn=job.describe()["TrainingJobArn"])
    assert page.url == f"{web.base}/jobs/training-job/{job.name}"


def test_stopping_asks_the_job_and_needs_the_token(web: WebClient, jobs: TrainingJobs) -> None:
    job = jobs.running("sleep 3600").training()
    path = f"/jobs/training-job/{job.name}"
    assert web.post(f"{path}/stop", "wrong").status == 403
    assert web.post(f"{path}/stop", web.token(path), Origin="http://elsewhere.example").status == 403
    assert job.status == "InProgress"
    assert web.post(f"{path}/stop", web.token(path)).url.endswith(path)
    assert job.ended().status == "Stopped"
    again = web.post(f"{path}/stop", web.token(path))
    assert again.status == 400
    assert "The request was rejected because the training job is in status Stopped" in again.seen


def test_a_rerun_is_the_same_request_under_a_free_name(web: WebClient, jobs: TrainingJobs, clients: Clients) -> None:
    job = jobs.running(
        "echo $MARK > /opt/ml/model/mark",
        TrainingJobName=f"r{uuid.uuid4().hex}{uuid.uuid4().hex}"[:63],
        Environment={"MARK": HOSTILE},
        Tags=[{"Key": "team", "Value": "ads"}],
    ).ended()
    path = f"/jobs/training-job/{job.name}"
    name = ""
    for number in (1, 2):
        page = web.post(f"{path}/rerun", web.token(path))
        name = page.url.rpartition("/")[2]
        assert name == f"{job.name[:55]}-rerun-{number}"
        again = type(job)(clients, name, job.bucket).ended()
        assert again.status == "Completed"
        assert again.describe()["Environment"] == job.describe()["Environment"]
        arn = again.describe()["TrainingJobArn"]
        assert clients.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "ads"}]
        assert again.read("model.tar.gz", "mark") == f"{HOSTILE}\n".encode()
    path = f"/jobs/training-job/{name}"
    assert web.post(f"{path}/rerun", web.token(path)).url.endswith("-rerun-3")


def test_a_rerun_whose_data_is_gone_says_so(web: WebClient, jobs: TrainingJobs, clients: Clients) -> None:
    job = jobs.running("true", InputDataConfig=[jobs.channel("train", {"/a": b"1"})]).ended()
    for one in clients.s3.list_objects_v2(Bucket=job.bucket, Prefix="in/")["Contents"]:
        clients.s3.delete_object(Bucket=job.bucket, Key=one["Key"])
    path = f"/jobs/training-job/{job.name}"
    page = web.post(f"{path}/rerun", web.token(path))
    assert page.status == 400
    assert "No S3 objects found" in page.seen


def test_a_bundle_is_sent_and_leaves_nothing_behind(
    web: WebClient, jobs: TrainingJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    job = jobs.running("echo hello; echo x > /opt/ml/model/model.bin").ended()
    answer = web.get(f"/jobs/training-job/{job.name}/bundle")
    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert f"{job.name}.tar.gz" in answer.headers["Content-Disposition"]
    with tarfile.open(fileobj=io.BytesIO(answer.body)) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {"README.md", "describe.json", "container-view.json", "logs/algo-1.log"} <= names
    assert list(tmp_path.glob("sagemaker-emulator-bundle-*")) == []


def test_the_copied_program_makes_the_same_job(web: WebClient, jobs: TrainingJobs, clients: Clients) -> None:
    job = jobs.running("echo $MARK", HyperParameters={"note": HOSTILE}, Environment={"MARK": f"{HOSTILE}\nx"}).ended()
    text = copied(web.get(f"/jobs/training-job/{job.name}"), "boto3")
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=99, check=False, env={})
    assert done.returncode == 0, done.stderr
    again = type(job)(clients, done.stdout.strip().rpartition("/")[2], job.bucket).ended()
    assert again.status == "Completed"
    for member in ("HyperParameters", "Environment", "AlgorithmSpecification", "ResourceConfig"):
        assert again.describe()[member] == job.describe()[member]


def test_the_copied_job_file_runs(
    web: WebClient, processing: ProcessingJobs, endpoint: Endpoint, tmp_path: Path
) -> None:
    job = processing.running(
        'echo "$MARK" > /opt/ml/processing/clean/mark',
        Environment={"MARK": HOSTILE},
        ProcessingInputs=[processing.input("in", {"/x": b"1"})],
        ProcessingOutputConfig=processing.outputs("clean"),
    ).ended()
    text = copied(web.get(f"/jobs/processing-job/{job.name}"), "Job file")
    path = tmp_path / "job.yaml"
    path.write_text(text, encoding="utf-8")
    clients = make_clients(endpoint.url, region="us-east-1", account="123456789012")
    report = run_job(JobFile.load(path), clients, lambda _: None)
    assert report.exit_code == 0
