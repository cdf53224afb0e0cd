"""Programs under `exec`: what they ask of AWS arrives at the endpoint, and nothing gets by."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent

import pytest

from emulator.reroute.environment import SITE, exec_environment, write_sdk_config

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:root</Arn><UserId>u</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
OURS = (sys.executable, "-m", "emulator")


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived."""

    method: str
    target: str
    host: str
    body: bytes


@dataclass
class Endpoint:
    """An HTTP server on this machine that writes down what it is asked."""

    url: str
    port: int
    requests: list[Recorded] = field(default_factory=list)
    health: int = 200

    @property
    def seen(self) -> list[tuple[str, str, str]]:
        return [(request.method, request.host, request.target) for request in self.requests]


def serve(reply: Callable[[Recorded, Endpoint], tuple[int, bytes]]) -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", "0")))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def answer(self) -> None:
            body = self.body()
            recorded = Recorded(self.command, self.path, self.headers.get("Host", ""), body)
            endpoint.requests.append(recorded)
            status, text = reply(recorded, endpoint)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_CONNECT = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    port = server.server_address[1]
    endpoint = Endpoint(f"http://127.0.0.1:{port}", port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def as_aws(request: Recorded, endpoint: Endpoint) -> tuple[int, bytes]:
    if request.target == "/_emulator/health":
        return endpoint.health, b"{}"
    if b"GetCallerIdentity" in request.body:
        return 200, IDENTITY
    return 200, b"" if request.method == "PUT" else b"here"


@pytest.fixture(name="endpoint")
def recording_endpoint() -> Iterator[Endpoint]:
    yield from serve(as_aws)


@pytest.fixture
def proxy() -> Iterator[Endpoint]:
    """Stand in for the user's proxy: what arrives here would have left this machine."""
    yield from serve(lambda _request, _endpoint: (502, b"a proxy"))


@pytest.fixture
def parent(tmp_path: Path) -> dict[str, str]:
    """Return what the user's own environment says before any of ours."""
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}


@pytest.fixture
def rerouted(endpoint: Endpoint, parent: dict[str, str], tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a Python text as `exec` would, and returns what it printed."""

    def run(program: str, *, user: Mapping[str, str] | None = None, exit_code: int = 0) -> str:
        config = write_sdk_config(tmp_path / "cache")
        environment = exec_environment({**parent, **(user or {})}, endpoint.url, sdk_config=config)
        done = run_python(dedent(program), environment, tmp_path)
        assert done.returncode == exit_code, done.stderr
        return done.stdout

    return run


def run_python(program: str, environment: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_sts_at_its_own_https_address(endpoint: Endpoint, rerouted: Callable[..., str]) -> None:
    printed = rerouted("""
        import boto3
        sts = boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com")
        print(sts.get_caller_identity()["Account"])
    """)

    assert printed == "123456789012\n"
    assert endpoint.seen == [("POST", "sts.us-east-1.amazonaws.com", "/")]


def test_a_client_without_an_address_of_its_own(endpoint: Endpoint, rerouted: Callable[..., str]) -> None:
    rerouted("import boto3; boto3.client('sts').get_caller_identity()")

    assert endpoint.seen == [("POST", f"127.0.0.1:{endpoint.port}", "/")]


def test_a_bucket_in_the_host_name(endpoint: Endpoint, rerouted: Callable[..., str]) -> None:
    printed = rerouted("""
        import boto3, io
        from botocore.config import Config
        virtual = Config(s3={"addressing_style": "virtual"})
        s3 = boto3.client("s3", endpoint_url="https://s3.us-east-1.amazonaws.com", config=virtual)
        answer = s3.get_object(Bucket="my-bucket", Key="a folder/key+1.txt")
        print(answer["Body"].read().decode(), answer["ResponseMetadata"]["HTTPStatusCode"])
        s3.upload_fileobj(io.BytesIO(b"x" * 1000), "my-bucket", "up")
    """)

    assert printed == "here 200\n"
    assert endpoint.seen == [
        ("GET", "my-bucket.s3.us-east-1.amazonaws.com", "/a%20folder/key%2B1.txt"),
        ("PUT", "my-bucket.s3.us-east-1.amazonaws.com", "/up"),
    ]
    assert b"x" * 1000 in endpoint.requests[1].body


def test_requests_to_an_address_of_aws(endpoint: Endpoint, rerouted: Callable[..., str]) -> None:
    url = "https://sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com/telemetry?x-accountId=1&x-status=1"

    printed = rerouted(f"""
        import requests
        answer = requests.get({url!r}, cert="/no/such/file", verify="/no/such/file", timeout=60)
        print(answer.text, answer.status_code, answer.url, answer.request.url)
        print(requests.Session().post("http://s3.amazonaws.com", data=b"body").text)
    """)

    assert printed == f"here 200 {url} {url}\nhere\n"
    assert endpoint.seen == [
        (
            "GET",
            "sm-pysdk-t-us-east-1.s3.us-east-1.amazonaws.com",
            "/telemetry?x-accountId=1&x-status=1",
        ),
        ("POST", "s3.amazonaws.com", "/"),
    ]


def test_urllib_and_http_client(endpoint: Endpoint, rerouted: Callable[..., str]) -> None:
    printed = rerouted("""
        import http.client, urllib.request
        print(urllib.request.urlopen("https://b.s3.amazonaws.com/key?x=1").read().decode())
        connection = http.client.HTTPSConnection("s3.amazonaws.com")
        connection.request("HEAD", "/b/key")
        print(connection.getresponse().status)
        connection.close()
    """)

    assert printed == "here\n200\n"
    assert endpoint.seen == [
        ("GET", "b.s3.amazonaws.com", "/key?x=1"),
        ("HEAD", "s3.amazonaws.com", "/b/key"),
    ]


def test_other_addresses_are_left_alone(endpoint: Endpoint, proxy: Endpoint, rerouted: Callable[..., str]) -> None:
    printed = rerouted(f"""
        import requests, urllib.request
        print(requests.get("{proxy.url}/amazonaws.com?u=https://s3.amazonaws.com/").text)
        print(requests.get("{proxy.url}/", headers={{"Host": "other.example"}}).text)
    """)

    assert printed == "a proxy\na proxy\n"
    assert endpoint.requests == []
    assert [request.host for request in proxy.requests] == [f"127.0.0.1:{proxy.port}", "other.example"]


def test_what_knows_no_rerouting_is_refused(endpoint: Endpoint, proxy: Endpoint, rerouted: Callable[..., str]) -> None:
    printed = rerouted(f"""
        import asyncio, socket, ssl, urllib3
        AWS, PROXY = ("s3.api.aws", 443), {proxy.url!r}
        attempts = [
            lambda: socket.getaddrinfo("sts.amazonaws.com", 443),
            lambda: socket.getaddrinfo(host=b"sts.amazonaws.com", port=443),
            lambda: socket.gethostbyname("sts.us-east-1.amazonaws.com"),
            lambda: socket.create_connection(("s3.cn-north-1.amazonaws.com.cn", 443), timeout=5),
            lambda: unconnected.connect(("S3.AMAZONAWS.COM.", 443)),
            lambda: unconnected.connect_ex(("ecr.us-east-1.api.aws", 443)),
            lambda: ssl.create_default_context().wrap_socket(unconnected, server_hostname="x").connect(AWS),
            lambda: asyncio.run(asyncio.open_connection("sts.amazonaws.com", 443)),
            lambda: urllib3.PoolManager(retries=False).request("GET", "https://sts.amazonaws.com/"),
            lambda: urllib3.ProxyManager(PROXY, retries=False).request("GET", "https://sts.amazonaws.com/"),
            lambda: urllib3.ProxyManager(PROXY, retries=False).request("GET", "http://sts.amazonaws.com/"),
        ]
        for number, attempt in enumerate(attempts):
            with socket.socket() as unconnected:
                try:
                    attempt()
                    print(number, "went through")
                except (OSError, urllib3.exceptions.HTTPError) as error:
                    print(number, error)
    """)

    told = printed.splitlines()
    assert len(told) == 11
    assert [line for line in told if "would have reached AWS" not in line] == []
    assert endpoint.requests == []
    assert proxy.requests == []


def test_no_setting_of_the_user_leads_elsewhere(
    endpoint: Endpoint, proxy: Endpoint, rerouted: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        f"[default]\nregion = eu-west-1\nendpoint_url = {proxy.url}\nservices = mine\n"
        "use_fips_endpoint = true\n"
        "use_dualstack_endpoint = true\nignore_configured_endpoint_urls = true\n"
        f"[services mine]\nsts =\n  endpoint_url = {proxy.url}\n",
        encoding="utf-8",
    )
    user = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ENDPOINT_URL": proxy.url,
        "AWS_ENDPOINT_URL_STS": proxy.url,
        "AWS_ENDPOINT_URL_S3": proxy.url,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_CA_BUNDLE": "/no/such/file",
        "NO_PROXY": "corp.example",
    } | dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), proxy.url)

    printed = rerouted(
        f"""
        import boto3, requests, urllib.request
        from botocore.config import Config
        proxied = Config(proxies={{"http": {proxy.url!r}, "https": {proxy.url!r}}})
        for config in (None, proxied):
            boto3.client("sts", config=config).get_caller_identity()
            boto3.client(
                "sts", endpoint_url="https://sts.us-east-1.amazonaws.com", config=config
            ).get_caller_identity()
            boto3.client("s3", config=config).head_object(Bucket="b", Key="k")
        requests.get("https://s3.amazonaws.com/", proxies={{"https": {proxy.url!r}}})
        urllib.request.urlopen("https://s3.amazonaws.com/").close()
        print(boto3.Session().region_name, boto3.Session().get_credentials().get_frozen_credentials()[:3])
        """,
        user=user,
    )

    assert printed == "us-east-1 ('123456789012', 'local', None)\n"
    assert proxy.requests == []
    assert len(endpoint.requests) == 8


def test_the_users_own_sitecustomize_still_runs(
    endpoint: Endpoint, rerouted: Callable[..., str], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import sys\nsys.path.append('/added')\nHERE = __file__\n")

    printed = rerouted(
        """
        import sys, sitecustomize, requests
        print(sitecustomize.HERE, "/added" in sys.path, sys.path[1])
        requests.get("https://s3.amazonaws.com/")
        """,
        user={"PYTHONPATH": str(own)},
    )

    assert printed == f"{own}/sitecustomize.py True {SITE}\n"
    assert len(endpoint.requests) == 1


def test_an_error_in_the_users_own_sitecustomize_is_reported_as_ever(
    endpoint: Endpoint, parent: dict[str, str], tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import there_is_no_such_module\n")
    plain = {**parent, "PYTHONPATH": str(own)}
    environment = exec_environment(plain, endpoint.url, sdk_config=tmp_path / "config")

    before = run_python("pass", plain, tmp_path)
    after = run_python("import requests; requests.get('https://s3.amazonaws.com/')", environment, tmp_path)

    assert after.returncode == 0
    assert after.stderr == before.stderr
    assert "there_is_no_such_module" in before.stderr
    assert len(endpoint.requests) == 1


def test_a_program_that_a_program_starts(endpoint: Endpoint, rerouted: Callable[..., str]) -> None:
    rerouted("""
        import multiprocessing, subprocess, sys
        program = "import requests; requests.get('https://s3.amazonaws.com/a')"
        subprocess.run([sys.executable, "-c", program], check=True)
        import requests
        spawning = multiprocessing.get_context("spawn")
        process = spawning.Process(target=requests.get, args=("https://s3.amazonaws.com/b",))
        process.start()
        process.join()
        sys.exit(process.exitcode)
    """)

    assert [target for _, _, target in endpoint.seen] == ["/a", "/b"]


def test_the_changed_modules_keep_their_loaders_and_names(rerouted: Callable[..., str]) -> None:
    printed = rerouted("""
        import importlib.machinery, inspect, socket, requests.adapters
        print(type(requests.adapters.__loader__) is importlib.machinery.SourceFileLoader)
        print(requests.adapters.__spec__.loader is requests.adapters.__loader__)
        print(requests.adapters.HTTPAdapter.send.__qualname__, socket.getaddrinfo.__name__)
        print("class HTTPAdapter" in inspect.getsource(requests.adapters))
    """)

    assert printed == "True\nTrue\nHTTPAdapter.send getaddrinfo\nTrue\n"


def test_what_was_imported_before_is_changed_and_can_be_put_back(
    endpoint: Endpoint, parent: dict[str, str], tmp_path: Path
) -> None:
    program = f"""
        import socket, sys
        import requests.adapters
        def now():
            adapter = requests.adapters.HTTPAdapter
            return socket.getaddrinfo, vars(socket.socket).get("connect"), adapter.send

        before = now()
        sys.path.insert(0, {str(SITE)!r})
        import _sagemaker_emulator_reroute as module
        rerouting = module.reroute_to({endpoint.url!r})
        print(requests.get("https://s3.amazonaws.com/").text)
        rerouting.uninstall()
        print(before == now(), len(sys.meta_path))
    """

    done = run_python(dedent(program), parent, tmp_path)
    plain = run_python("import sys, requests; print(len(sys.meta_path))", parent, tmp_path)

    assert done.stdout == f"here\nTrue {plain.stdout}", done.stderr


@pytest.mark.parametrize("value", [None, "nonsense", "https://127.0.0.1:1"])
def test_without_an_endpoint_the_program_runs_and_aws_stays_out_of_reach(
    value: str | None, endpoint: Endpoint, parent: dict[str, str], tmp_path: Path
) -> None:
    environment = exec_environment(parent, endpoint.url, sdk_config=tmp_path / "config")
    del environment["SAGEMAKER_EMULATOR_ENDPOINT"]
    if value is not None:
        environment["SAGEMAKER_EMULATOR_ENDPOINT"] = value
    program = """
        import socket, requests
        for attempt in (requests.get, lambda url: socket.getaddrinfo("s3.amazonaws.com", 443)):
            try:
                attempt("https://s3.amazonaws.com/")
            except OSError as error:
                print(type(error).__name__)
    """

    done = run_python(dedent(program), environment, tmp_path)

    assert done.stdout == "ConnectionError\nOSError\n"
    assert len(done.stderr.splitlines()) == 1
    assert "SAGEMAKER_EMULATOR_ENDPOINT" in done.stderr


def test_a_broken_installation_lets_the_program_run_and_aws_stay_out_of_reach(
    endpoint: Endpoint, parent: dict[str, str], tmp_path: Path
) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(SITE / "sitecustomize.py", alone)
    environment = {**parent, "PYTHONPATH": str(alone), "SAGEMAKER_EMULATOR_ENDPOINT": endpoint.url}
    program = """
        import socket
        with socket.socket() as unconnected:
            for attempt in (socket.create_connection, unconnected.connect):
                try:
                    attempt(("s3.amazonaws.com", 443))
                except OSError as error:
                    print(error)
    """

    done = run_python(dedent(program), environment, tmp_path)

    assert done.stdout.count("would have reached AWS") == 2
    assert len(done.stderr.splitlines()) == 1


def test_another_version_of_a_library_is_told_of_and_refused(
    endpoint: Endpoint, rerouted: Callable[..., str], parent: dict[str, str], tmp_path: Path
) -> None:
    package = tmp_path / "lib" / "aiobotocore"
    (package.parent / "botocore").mkdir(parents=True)
    package.mkdir()
    for name in (
        "botocore/__init__",
        "botocore/httpsession",
        "aiobotocore/__init__",
        "aiobotocore/httpsession",
    ):
        (package.parent / f"{name}.py").write_text("")
    environment = exec_environment(
        {**parent, "PYTHONPATH": str(package.parent)}, endpoint.url, sdk_config=tmp_path / "config"
    )

    done = run_python("import botocore.httpsession, aiobotocore.httpsession; print(1)", environment, tmp_path)

    assert done.stdout == "1\n"
    assert len(done.stderr.splitlines()) == 1
    assert "botocore.httpsession is not sent to the local endpoint" in done.stderr


def test_an_interpreter_starts_as_fast_as_before(
    endpoint: Endpoint, parent: dict[str, str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """The seconds are those of the processor: a busy machine makes others long."""
    environment = exec_environment(parent, endpoint.url, sdk_config=tmp_path / "config")

    def seconds(variables: Mapping[str, str]) -> float:
        _, status, used = os.wait4(
            os.spawnve(os.P_NOWAIT, sys.executable, [sys.executable, "-c", "pass"], variables), 0
        )
        assert status == 0
        return used.ru_utime + used.ru_stime

    pairs = [(seconds(parent), seconds(environment)) for _ in range(7)]
    cost = min(after for _, after in pairs) - min(before for before, _ in pairs)
    loaded = run_python("import sys; print(*sys.modules)", environment, tmp_path).stdout.split()

    record_property("startup_cost_ms", round(cost * 1000, 2))
    assert cost < 0.05
    assert {"socket", "ssl", "typing", "http.client", "urllib.parse"}.isdisjoint(loaded)


@pytest.fixture
def run_exec(endpoint: Endpoint, parent: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    def run(*arguments: str, port: int | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*OURS, "exec", "--port", str(port or endpoint.port), *arguments],
            env=parent,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


def test_exec_runs_the_program_in_the_rerouted_environment(
    endpoint: Endpoint, run_exec: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    program = (
        "import json, os, requests\nrequests.get('https://s3.amazonaws.com/')\nprint(json.dumps(dict(os.environ)))\n"
    )

    done = run_exec("--region", "eu-west-1", "--account", "000000000042", "--", sys.executable, "-c", program)

    assert done.returncode == 0, done.stderr
    variables = json.loads(done.stdout)
    assert variables["AWS_REGION"] == "eu-west-1"
    assert variables["AWS_ACCESS_KEY_ID"] == "000000000042"
    config = Path(variables["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"])
    assert config.parent == tmp_path / ".cache" / "sagemaker-emulator"
    assert "sagemaker-eu-west-1-000000000042" in config.read_text(encoding="utf-8")
    assert [target for _, _, target in endpoint.seen] == ["/_emulator/health", "/"]


@pytest.mark.parametrize(
    ("command", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", -15), ("kill -PIPE $$", -13)]
)
def test_exec_ends_as_the_program_ends(
    run_exec: Callable[..., subprocess.CompletedProcess[str]], command: str, code: int
) -> None:
    assert run_exec("--", "/bin/sh", "-c", command).returncode == code


def test_exec_passes_options_of_the_program_on(
    run_exec: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert run_exec("echo", "--port", "-h", "--", "y z").stdout == "--port -h -- y z\n"


def test_a_signal_for_exec_is_the_programs(endpoint: Endpoint, parent: dict[str, str]) -> None:
    program = "trap 'echo got; exit 3' INT; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [*OURS, "exec", "--port", str(endpoint.port), "--", "/bin/sh", "-c", program],
        env=parent,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=120)[0] == "got\n"
        finally:
            process.kill()
    assert process.returncode == 3


def test_exec_says_how_to_start_the_endpoint(
    run_exec: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        done = run_exec("--", "true", port=port)

    assert done.returncode == 4
    assert f"sagemaker-emulator up --port {port}" in done.stderr


def test_exec_does_not_take_another_server_for_the_endpoint(
    endpoint: Endpoint, run_exec: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    endpoint.health = 404

    done = run_exec("--", "true")

    assert done.returncode == 4
    assert "404" in done.stderr


@pytest.mark.parametrize(("command", "code"), [("there-is-no-such-command", 127), ("./plain.txt", 126), ("./", 126)])
def test_exec_says_why_a_program_does_not_start(
    endpoint: Endpoint, parent: dict[str, str], tmp_path: Path, command: str, code: int
) -> None:
    (tmp_path / "plain.txt").write_text("words")

    done = subprocess.run(
        [*OURS, "exec", "--port", str(endpoint.port), "--", command],
        env={**parent, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert command in done.stderr
    assert "Traceback" not in done.stderr


def test_env_prints_what_a_shell_evaluates(endpoint: Endpoint, parent: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [*OURS, "env", "--port", str(endpoint.port)],
        env={**parent, "AWS_PROFILE": "work", "NO_PROXY": "corp.example"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    script = f"{done.stdout}\nexec {sys.executable} -c 'import boto3; boto3.client(\"sts\").get_caller_identity()'"
    subprocess.run(["/bin/sh", "-c", script], env={**parent, "AWS_PROFILE": "work"}, cwd=tmp_path, check=True)

    assert "export NO_PROXY=corp.example,127.0.0.1\n" in done.stdout
    assert endpoint.seen == [("POST", f"127.0.0.1:{endpoint.port}", "/")]
