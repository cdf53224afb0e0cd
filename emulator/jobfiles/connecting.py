"""boto3 clients of the endpoint that never see the user's own AWS configuration."""

from __future__ import annotations

import http.client
import json
import os
import re
from functools import cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.session import Session as BotocoreSession

from ..contract.arns import Scope
from ..contract.plan import Program
from ..contract.programs import program_document
from ..errors import EndpointUnavailableError, UsageError
from ..reroute import environment
from ..service_models import OnceLoader
from .clients import Clients
from .events import BytesMoved

_SECONDS: Final = 60


def make_clients(url: str, *, region: str, account: str) -> Clients:
    """Return clients of the endpoint at this address. The access key is the account, as the endpoint takes it.

    Raises:
        UsageError: the region or the account is not spelt as AWS spells them.
    """
    environment.sdk_config_text(region, account)  # checks both
    session = _session(region, account)
    address = _address(url)
    scope = Scope(account=account, region=region)
    return Clients(
        sagemaker=session.client("sagemaker", **address),
        s3=session.client("s3", **address),
        logs=session.client("logs", **address),
        scope=scope,
        progress=lambda arn: _progress(url, arn),
        runs_images=cache(lambda: _runs_images(url)),
        register=lambda image, program: _register(url, image, program),
        container_view=lambda arn: container_view(url, arn),
    )


def make_metrics_client(url: str, *, region: str, account: str) -> Any:
    """Return a client of the `sagemaker-metrics` service of the endpoint.

    Raises:
        UsageError: the region or the account is not spelt as AWS spells them.
    """
    environment.sdk_config_text(region, account)  # checks both
    create: Any = _session(region, account).client  # the type stubs may not know the service
    return create("sagemaker-metrics", **_address(url))


def _address(url: str) -> dict[str, Any]:
    # No proxy stands between two programs of one machine, whatever HTTP_PROXY says.
    config = Config(
        connect_timeout=5,
        read_timeout=_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 2},
        proxies={},
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return {"endpoint_url": url, "config": config}


def require_endpoint_at(url: str) -> None:
    """Raise unless an emulator answers at this URL.

    Raises:
        UsageError: it is no http URL.
        EndpointUnavailableError: nobody answers, or somebody else.
    """
    if not re.fullmatch(r"http://[^/:@?#]+(:\d{1,5})?/?", url):
        raise UsageError(f"{url!r} is no address of an emulator. Write it as http://127.0.0.1:4750")
    try:
        health = _get(url, "/_emulator/health")
    except (OSError, http.client.HTTPException) as error:
        raise EndpointUnavailableError(
            f"The endpoint does not answer at {url}: {error}\nStart it first: sagemaker-emulator up"
        ) from error
    if health is None or "engine" not in health:
        raise EndpointUnavailableError(f"What answers at {url} is not a healthy sagemaker-emulator.")


def _session(region: str, account: str) -> boto3.session.Session:
    """Return a session that looks into no profile, variable or file; `account` and `region` are all it knows."""
    settings: dict[str, tuple[Any, Any, Any, Any]] = dict(BOTOCORE_DEFAUT_SESSION_VARIABLES)
    defaults = {name: (None, None, default, cast) for name, (_, _, default, cast) in settings.items()}
    nothing = (None, None, os.devnull, None)
    session = BotocoreSession(session_vars={**defaults, "config_file": nothing, "credentials_file": nothing})
    session.register_component("data_loader", OnceLoader())
    return boto3.session.Session(
        aws_access_key_id=account,
        aws_secret_access_key="local",  # noqa: S106 - the endpoint checks no signature
        region_name=region,
        botocore_session=session,
    )


def _progress(url: str, arn: str) -> BytesMoved | None:
    """Ask how far a job's stage has come; None when it does not move data, or nobody can tell."""
    try:
        answer = _get(url, f"/_emulator/jobs/{arn}/progress")
    except (OSError, http.client.HTTPException):
        return None
    if not answer or not answer["stage"]:
        return None
    return BytesMoved(what=answer["stage"], done=answer["done_bytes"], total=answer["total_bytes"])


def _runs_images(url: str) -> bool:
    """Ask whether the emulator's engine has images; one that cannot tell has."""
    try:
        health = _get(url, "/_emulator/health") or {}
    except (OSError, http.client.HTTPException):
        return True
    return bool(health.get("capabilities", {}).get("images", True))


def _register(url: str, image: str, program: Program) -> None:
    """Have a program run in the place of an image.

    Raises:
        EndpointUnavailableError: nobody answers.
        UsageError: the emulator refuses it.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=_SECONDS)
    document = json.dumps({"image": image, "program": program_document(program)})
    try:
        connection.request(
            "PUT", "/_emulator/programs", document, {"Content-Type": "application/json", "X-Sagemaker-Emulator": "1"}
        )
        response = connection.getresponse()
        answer = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise EndpointUnavailableError(f"The endpoint does not answer (any more): {error}") from error
    finally:
        connection.close()
    if response.status != HTTPStatus.OK:
        raise UsageError(str(json.loads(answer).get("error", answer)))


def container_view(url: str, arn: str) -> dict[str, Any] | None:
    """Ask what a job's containers found when they started; None: they have not.

    Raises:
        EndpointUnavailableError: nobody answers (any more).
    """
    try:
        return _get(url, f"/_emulator/jobs/{arn}/container-view", seconds=_SECONDS)
    except (OSError, http.client.HTTPException) as error:
        raise EndpointUnavailableError(f"The endpoint does not answer at {url} (any more): {error}") from error


def _get(url: str, path: str, seconds: float = 5) -> dict[str, Any] | None:
    """Return a JSON object from the control API; None if that is not what is answered."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    try:
        answer = json.loads(text)
    except ValueError:
        return None
    return answer if response.status == HTTPStatus.OK and isinstance(answer, dict) else None
