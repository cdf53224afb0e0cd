"""What keeps others out: foreign names, foreign pages, and what a job has named, logged or stored."""

from __future__ import annotations

import html
import http.server
import json
import re
import shlex
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from emulator.config import Settings
from emulator.endpoint import Endpoint
from tests.dashboard.plain_http import Reply, ask
from tests.jobs import Clients, TrainingJobs
from tests.s3.conftest import SIGNED

EVIL = "http://evil.example"
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'`{{7*7}}</title></pre>"
IN_TOKEN = re.compile(r"X-Emulator-Token&#34;: &#34;([^&]+)|\"X-Emulator-Token\": \"([^\"]+)\"")


def token_of(page: Reply) -> str:
    found = IN_TOKEN.search(page.text)
    assert found is not None, page.text
    return found[1] or found[2]


@pytest.fixture
def api(ui: str) -> str:
    return ui.partition("/_emulator")[0]


@pytest.fixture
def stop(jobs: TrainingJobs, ui: str) -> Iterator[Callable[..., Reply]]:
    """Sends the form that stops a job that runs, and makes sure that it is stopped only if that was accepted."""
    job = jobs.running("sleep 3600").training()
    token = token_of(ask(f"{ui}/jobs"))

    def send(*, with_token: bool = True, **headers: str) -> Reply:
        body = f"token={quote(token)}".encode() if with_token else b""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        form = {"Content-Type": "application/x-www-form-urlencoded", **named}
        reply = ask(f"{ui}/jobs/training-job/{job.name}/stop", "POST", body, form)
        assert (job.status == "InProgress") == (reply.status == 403)
        return reply

    yield send
    job.stop()


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4750", "127.0.0.1.evil.example", "localhost.evil.example", "a/b", "a b",
     "a.localhost.evil.example", "127.0.0.1.nip.io", "bucket.evil.example",
     ".localhost", "x..localhost", f"{'x' * 64}.localhost"],
)  # fmt: skip
def test_a_foreign_name_leads_nowhere(api: str, ui: str, bucket: str, clients: Clients, host: str) -> None:
    clients.s3.put_object(Bucket=bucket, Key="a", Body=b"secret words", ACL="public-read")
    for url in (f"{ui}/jobs", f"{api}/_emulator/ui/", f"{api}/_emulator/ui/static/ui.js", f"{api}/_emulator/health",
                f"{api}/{bucket}/a", f"{api}/v2/credentials/x"):  # fmt: skip
        for authorization in ({}, {"Authorization": SIGNED}):
            reply = ask(url, headers={"Host": host, **authorization})
            assert reply.status == 403
            assert "--allow-host" in reply.text
            assert not re.search("secret words|X-Emulator-Token|TrainingJob", reply.text)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4750", "localhost:4750", "LOCALHOST", "[::1]:4750", "192.168.1.7:4750", "169.254.170.2",
     "app.localhost", "host.docker.internal:4750", "emulator:4750", "emulator.ci.svc.cluster.local:4750"],
)  # fmt: skip
def test_addresses_and_names_that_nobody_can_give_are_answered(api: str, ui: str, host: str) -> None:
    for url in (f"{ui}/jobs", f"{api}/_emulator/health"):
        assert ask(url, headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "host", ["{}.s3.localhost:4750", "{}.localhost", "{}.host.docker.internal", "{}.s3.amazonaws.com"]
)
def test_a_bucket_in_the_name_of_the_host_is_still_one(api: str, clients: Clients, bucket: str, host: str) -> None:
    clients.s3.put_object(Bucket=bucket, Key="a", Body=b"x", ACL="public-read")
    assert ask(f"{api}/a", headers={"Host": host.format(bucket)}).body == b"x"


@pytest.fixture(scope="module")
def served_by_name(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An emulator that listens everywhere and is told a name."""
    settings = Settings(
        host="0.0.0.0", port=0, engine="process", allow_hosts=("ml.example.com",),
        state_dir=tmp_path_factory.mktemp("named"), container_endpoint="http://containers.example.com:4750",
    )  # fmt: skip
    with Endpoint(settings) as running:
        yield f"http://127.0.0.1:{running.port}"


@pytest.mark.parametrize(
    ("host", "status"),
    [("ml.example.com:4750", 200), ("ML.example.com", 200), ("bucket.ml.example.com", 200), ("192.168.1.7:4750", 200),
     ("containers.example.com:4750", 200), ("example.com", 403), ("evilml.example.com", 403), ("0.0.0.0:4750", 200)],
)  # fmt: skip
def test_a_name_that_was_allowed_is_answered(served_by_name: str, host: str, status: int) -> None:
    for path in ("/_emulator/health", "/_emulator/ui/123456789012/us-east-1/jobs"):
        assert ask(served_by_name + path, headers={"Host": host}).status == status


def test_actions_work_under_the_machines_address_and_an_allowed_name(served_by_name: str) -> None:
    for host in ("192.168.1.7:4750", "ml.example.com:4750"):
        jobs = f"{served_by_name}/_emulator/ui/123456789012/us-east-1/jobs"
        token = token_of(ask(jobs, headers={"Host": host}))
        headers = {"Host": host, "Origin": f"http://{host}", "X-Emulator-Token": token}
        # The guard lets it through: what is refused is that there is no such job.
        assert ask(f"{jobs}/training-job/none/stop", "POST", headers=headers).status in (400, 404)


def test_an_action_needs_the_token(stop: Callable[..., Reply]) -> None:
    assert stop(with_token=False).status == 403
    assert stop(with_token=False, X_Emulator_Token="grün").status == 403
    assert stop().status == 303


@pytest.mark.parametrize(
    "headers",
    [{"Origin": EVIL}, {"Origin": "null"}, {"Origin": "http://localhost:1"}, {"Sec_Fetch_Site": "cross-site"},
     {"Sec_Fetch_Site": "same-site"}],
)  # fmt: skip
def test_an_action_from_another_page_is_refused_even_with_the_token(
    stop: Callable[..., Reply], headers: dict[str, str]
) -> None:
    assert stop(**headers).status == 403


@pytest.mark.parametrize(
    "mode", [("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe"), ("no-cors", "script")]
)
def test_pages_are_no_part_of_other_pages(ui: str, mode: tuple[str, str]) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200)):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode[0], "Sec-Fetch-Dest": mode[1]}
        assert ask(f"{ui}/jobs", headers=headers).status == status
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask(f"{ui}/jobs", headers=link).status == 200


def test_every_answer_of_the_dashboard_has_its_headers(api: str, ui: str) -> None:
    for url in (
        f"{ui}/jobs",
        f"{ui}/s3",
        f"{ui}/nothing",
        f"{api}/_emulator/ui/static/ui.js",
        f"{ui}/s3/no-such-bucket",
    ):
        headers = ask(url).headers
        policy = dict(one.strip().partition(" ")[::2] for one in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == f"{api}/_emulator/ui/static/"
        assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["form-action"] == "'self'"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "path",
    ["static/../app.py", "static/..%2fapp.py", "static/%2e%2e/app.py", "static/..%5capp.py", "static//etc/passwd",
     "static/vendor/../../app.py", "../web/app.py", "123456789012/..%2f..%2f/jobs", "123456789012/%2e%2e/jobs",
     "..%2f..%2f/us-east-1/jobs", "123456789012/us-east-1/jobs/training-job/..%2f..%2f", "1/us-east-1/s3",
     "123456789012/us-east-1/s3/..%2f..%2fetc/object?key=passwd", "123456789012/us-east-1/s3/../object?key=passwd",
     "123456789012/US_EAST/jobs", "\uff11" * 12 + "/us-east-1/jobs"],
)  # fmt: skip
def test_no_path_leads_out(api: str, path: str) -> None:
    reply = ask(f"{api}/_emulator/ui/{quote(path, safe='/%?=.')}")
    assert reply.status in (308, 400, 403, 404)
    assert not re.search("def create_app|root:", reply.text)
    assert urlsplit(reply.headers.get("location", api)).netloc in ("", urlsplit(api).netloc)


@pytest.mark.parametrize(
    "path", ["//evil.example", "/%2f/evil.example", "/\\evil.example", "//evil.example/%2e%2e", ""]
)
def test_no_redirect_leads_away(api: str, path: str) -> None:
    for start in ("/_emulator/ui", "/_emulator/ui/123456789012/us-east-1/s3-uri?uri="):
        reply = ask(f"{api}{start}{path}")
        assert urlsplit(reply.headers.get("location", api)).netloc in ("", urlsplit(api).netloc)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/{bucket}?delete", {"Content-Type": "text/plain"}),
        ("POST", "/{bucket}/new?uploads", {}),
        ("POST", "/{bucket}", {"Content-Type": "multipart/form-data; boundary=x"}),
        ("PUT", "/{bucket}/a", {}),
        ("DELETE", "/{bucket}/a", {}),
        ("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}),
        ("POST", "/2015-03-31/functions?X-Amz-Credential=a/20260101/us-east-1/lambda/aws4_request", {}),
    ],
)
def test_a_foreign_page_changes_nothing_by_what_browsers_send_unasked(
    *, api: str, bucket: str, clients: Clients, method: str, path: str, headers: dict[str, str]
) -> None:
    clients.s3.put_object(Bucket=bucket, Key="a", Body=b"kept", ACL="public-read-write")
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    for origin in (EVIL, "null"):
        reply = ask(api + path.format(bucket=bucket), method, body, {**headers, "Origin": origin})
        assert reply.status == 403
        assert "may not use this emulator" in reply.text
    assert clients.s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"kept"


def test_a_bucket_may_let_a_page_in(api: str, bucket: str, clients: Clients) -> None:
    rule = {"AllowedOrigins": [EVIL], "AllowedMethods": ["PUT"], "AllowedHeaders": ["*"]}
    clients.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})  # type: ignore[list-item]
    assert ask(f"{api}/{bucket}/a", "PUT", b"x", {"Origin": EVIL}).status == 200
    assert ask(f"{api}/{bucket}/a", "DELETE", headers={"Origin": EVIL}).status == 403
    assert ask(f"{api}/{bucket}/a", "PUT", b"x", {"Origin": "http://other.example"}).status == 403


def test_an_image_elsewhere_calls_no_operation(api: str) -> None:
    url = f"{api}/?Action=CreateUser&UserName=evil&X-Amz-Credential=a/20260101/us-east-1/iam/aws4_request"
    assert ask(url, headers={"Sec-Fetch-Site": "cross-site"}).status == 403


def test_a_page_that_a_job_has_stored_cannot_act_in_our_name(
    api: str, bucket: str, clients: Clients, browser: Browser
) -> None:
    script = (
        "<title>stored</title><script>fetch('/_emulator/ui/123456789012/us-east-1/jobs').then(r => r.text())"
        ".then(t => document.title = 'read ' + t.length, e => document.title = 'refused')</script>"
    )
    clients.s3.put_object(Bucket=bucket, Key="a.html", Body=script.encode(), ContentType="text/html", ACL="public-read")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{api}/{bucket}/a.html")
        expect(page).to_have_title("refused")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[str]:
    """Another site of this machine, which serves what is put into the test's folder."""
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_another_site_can_neither_frame_a_page_nor_read_or_send_anything(
    *, ui: str, elsewhere: str, tmp_path: Path, browser: Browser, jobs: TrainingJobs
) -> None:
    job = jobs.running("sleep 3600").training()
    stop = f"{ui}/jobs/training-job/{job.name}/stop"
    (tmp_path / "index.html").write_text(
        f"<iframe src='{ui}/jobs'></iframe><img id=i src='{ui}/static/icon.svg'><form method=post action='{stop}'>"
        f"<button>go</button></form><script>fetch('{ui}/jobs').then(() => document.title = 'read', "
        f"() => document.title = 'refused'); fetch('{stop}', {{method: 'POST', mode: 'no-cors'}})</script>"
    )
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(elsewhere)
        expect(page).to_have_title("refused")
        framed = page.frames[1]
        assert "Jobs" not in (framed.text_content("body") or "")
        page.get_by_role("button").click()
        expect(page.locator("body")).to_contain_text("may not change anything here")
    assert job.status == "InProgress"
    job.stop()


def test_what_jobs_say_stays_text(
    *, jobs: TrainingJobs, ui: str, clients: Clients, bucket: str, open_page: Callable[..., Page]
) -> None:
    for key in (HOSTILE, f"{HOSTILE}/inner"):
        clients.s3.put_object(
            Bucket=bucket,
            Key=key,
            Body=f"{HOSTILE}\n".encode(),
            Tagging=f"tag={quote('<b>hostile')}",
            Metadata={"m": "<b>x"},
        )
    clients.s3.put_object(Bucket=bucket, Key="a.csv", Body=f"{HOSTILE},b\n{HOSTILE},2\n".encode())
    clients.s3.put_object(Bucket=bucket, Key="a.json", Body=json.dumps({HOSTILE: [HOSTILE]}).encode())
    shell = HOSTILE.replace("'", "'\\''")
    job = jobs.running(
        f"echo '{shell}'; echo '{shell}' > \"/opt/ml/model/<img src=x onerror=alert(3)>\"; "
        f"echo '{shell}' > /opt/ml/output/failure; exit 1",
        HyperParameters={HOSTILE[:200]: HOSTILE},
        Environment={"HOSTILE": HOSTILE},
        Tags=[{"Key": "x", "Value": "y"}],
    ).ended()
    known = [f"jobs/training-job/{job.name}", "jobs", f"jobs?q={quote(HOSTILE)}", "s3", f"s3/{bucket}"]
    known += [
        f"s3/{bucket}?prefix={quote(HOSTILE)}/",
        f"s3/{bucket}?q={quote(HOSTILE)}",
        f"s3/{bucket}/object?key=a.csv&view=text",
    ]
    known += [f"s3/{bucket}/object?key={quote(key)}" for key in (HOSTILE, f"{HOSTILE}/inner", "a.csv", "a.json")]
    known += [f"s3/{bucket}/object?key={quote(key)}" for key in (f"out/{job.name}/output/model.tar.gz",)]
    group = quote("/aws/sagemaker/TrainingJobs", safe="")
    logs = [f"logs/{page}?group={group}&prefix={job.name}/" for page in ("viewer", "streams")]
    known += [*logs, "logs", f"{logs[0]}&q={quote(HOSTILE)}", "experiments", f"runs/{job.name}-aws-training-job"]
    with_hostile = 0
    page = open_page("about:blank")
    dialogs: list[str] = []
    page.on("dialog", partial(_dismissed, dialogs))
    for path in known:
        answer = page.goto(f"{ui}/{path}")
        page.wait_for_load_state("networkidle")
        assert answer is not None
        assert answer.status < 500
        assert dialogs == []
        assert page.locator('img[src=x], main script:not([src], [type="application/json"]), [onerror]').count() == 0
        with_hostile += "<img src=x" in page.inner_text("body") or "<img src=x" in str(page.locator("input").all())
    assert with_hostile >= 6


@pytest.mark.parametrize(
    "path",
    [f"s3-uri?uri={quote(HOSTILE)}", f"s3/{quote(HOSTILE, safe='')}", f"jobs/{quote(HOSTILE, safe='')}/x",
     f"s3/no-bucket?prefix={quote(HOSTILE)}", quote(HOSTILE)],
)  # fmt: skip
def test_what_addresses_say_stays_text(ui: str, path: str) -> None:
    reply = ask(f"{ui}/{path}")
    assert reply.status in (404, 308)
    assert "<img" not in reply.text
    assert "<script>" not in reply.text


def test_a_command_to_be_copied_runs_nothing_that_an_address_says(ui: str, bucket: str) -> None:
    prefix = "x';touch /tmp/pwned;'/"
    text = html.unescape(ask(f"{ui}/s3/{bucket}?prefix={quote(prefix)}").text)
    (command,) = re.findall(r"aws s3 cp FILE [^<]*", text)
    assert shlex.split(command) == ["aws", "s3", "cp", "FILE", f"s3://{bucket}/{prefix}"]


def _dismissed(said: list[str], dialog: Dialog) -> None:
    said.append(dialog.message)
    dialog.dismiss()
