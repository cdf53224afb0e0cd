"""What a client program's environment must say, and must not say, to talk to the local endpoint.

Functions of a mapping to a mapping; only `write_sdk_config` touches the disk.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import EmulatorError, UsageError

DEFAULT_REGION = "us-east-1"
DEFAULT_ACCOUNT_ID = "123456789012"
ENDPOINT_VARIABLE = "SAGEMAKER_EMULATOR_ENDPOINT"

SITE = Path(__file__).with_name("site")
"""The folder that goes first on a child's PYTHONPATH; it holds our sitecustomize and what that needs."""

# Names that no proxy may see under `exec`, where all of them are the endpoint.
_AWS_NAMES = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")

# Other credentials, other endpoints; each would be used before, beside or instead of ours.
_BYPASSING = frozenset(
    {
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_DEFAULT_PROFILE",
        "AWS_PROFILE",
        "AWS_ROLE_ARN",
        "AWS_ROLE_SESSION_NAME",
        "AWS_SECURITY_TOKEN",
        "AWS_SESSION_TOKEN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    }
)


def client_environment(
    endpoint_url: str,
    *,
    region: str = DEFAULT_REGION,
    account_id: str = DEFAULT_ACCOUNT_ID,
    sdk_config: Path,
) -> dict[str, str]:
    """Return the variables with which AWS clients find the endpoint.

    The access key is the account id, for the endpoint takes each key of twelve digits for an account
    of its own. The last three say the default aloud, because a variable beats the same setting in the
    user's ~/.aws/config and those settings by-pass the endpoint or cannot go with one.
    """
    _check(region, account_id)
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": account_id,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ACCOUNT_ID": account_id,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_ADMIN_CONFIG_OVERRIDE": str(sdk_config),
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_USE_DUALSTACK_ENDPOINT": "false",
        "AWS_USE_FIPS_ENDPOINT": "false",
    }


def unset_names(environment: Mapping[str, str]) -> list[str]:
    """Return the caller's variables that would beat or by-pass those of `client_environment`."""
    return sorted(name for name in environment if name in _BYPASSING or name.startswith("AWS_ENDPOINT_URL_"))


def proxy_exceptions(environment: Mapping[str, str], hosts: Iterable[str]) -> dict[str, str]:
    """Return NO_PROXY, in both spellings, with these hosts added to what the caller has there.

    Programs differ in which spelling they read first, so that both have to be right.
    """
    given = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    names = [name.strip() for name in given.split(",") if name.strip()]
    if "*" not in names:
        names += [host for host in hosts if host not in names]
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(names))


def env_environment(
    parent: Mapping[str, str],
    endpoint_url: str,
    *,
    region: str = DEFAULT_REGION,
    account_id: str = DEFAULT_ACCOUNT_ID,
    sdk_config: Path,
) -> dict[str, str]:
    """Return what a shell has to export: the clients' variables, and the endpoint behind no proxy."""
    return {
        **client_environment(endpoint_url, region=region, account_id=account_id, sdk_config=sdk_config),
        **proxy_exceptions(parent, [_host(endpoint_url)]),
    }


def exec_environment(
    parent: Mapping[str, str],
    endpoint_url: str,
    *,
    region: str = DEFAULT_REGION,
    account_id: str = DEFAULT_ACCOUNT_ID,
    sdk_config: Path,
) -> dict[str, str]:
    """Return the whole environment of a program that is rerouted, and with it of all that it starts."""
    dropped = unset_names(parent)
    path = [entry for entry in parent.get("PYTHONPATH", "").split(os.pathsep) if entry not in ("", str(SITE))]
    return {
        **{name: value for name, value in parent.items() if name not in dropped},
        **client_environment(endpoint_url, region=region, account_id=account_id, sdk_config=sdk_config),
        **proxy_exceptions(parent, [_host(endpoint_url), *_AWS_NAMES]),
        "PYTHONPATH": os.pathsep.join([str(SITE), *path]),
        ENDPOINT_VARIABLE: endpoint_url,
    }


def exported(environment: Mapping[str, str], unset: Iterable[str] = ()) -> str:
    """Return the lines that a POSIX shell evaluates to take on this environment."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    lines += [f"unset {shlex.quote(name)}" for name in unset]
    return "".join(f"{line}\n" for line in lines)


def sdk_config_text(region: str, account_id: str) -> str:
    """Return the SageMaker SDK's configuration: its own bucket by name, and no telemetry.

    The SDKs ask STS for the account in the bucket's name, at a fixed https address that no variable
    changes; told the name, they do not ask.
    """
    _check(region, account_id)
    return (
        "SchemaVersion: '1.0'\n"
        "SageMaker:\n"
        "  PythonSDK:\n"
        "    Modules:\n"
        "      TelemetryOptOut: true\n"
        "      Session:\n"
        f"        DefaultS3Bucket: sagemaker-{region}-{account_id}\n"
    )


def write_sdk_config(folder: Path, *, region: str = DEFAULT_REGION, account_id: str = DEFAULT_ACCOUNT_ID) -> Path:
    """Write the SDK's configuration into the folder, whole or not at all, and return its path."""
    text = sdk_config_text(region, account_id)
    path = folder / f"sdk-config-{region}-{account_id}.yaml"
    try:
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            return path
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as file:
            file.write(text)
        try:
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        finally:
            Path(file.name).unlink(missing_ok=True)
    except OSError as error:
        raise EmulatorError(
            f"The SageMaker SDK's configuration cannot be written to {path}: {error}\n"
            "Name a folder that can be written in XDG_CACHE_HOME."
        ) from error
    return path


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder for files that may be made again; a relative XDG_CACHE_HOME counts for nothing."""
    named = environment.get("XDG_CACHE_HOME", "")
    base = Path(named) if named.startswith("/") else Path(environment.get("HOME") or "~").expanduser() / ".cache"
    return base / "sagemaker-emulator"


def _host(endpoint_url: str) -> str:
    return urlsplit(endpoint_url).hostname or ""


def _check(region: str, account_id: str) -> None:
    if not re.fullmatch(r"[0-9]{12}", account_id):
        raise UsageError(f"The account {account_id!r} is not an AWS account id: give twelve digits.")
    if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-[0-9]+", region):
        raise UsageError(f"The region {region!r} is not spelt as AWS spells regions, as in us-east-1.")
