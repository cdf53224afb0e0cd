"""A session of the SageMaker SDK that is installed, V2 or V3, at an emulator."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import Any, Final

from ..errors import UsageError
from .sagemaker_emulator import SageMakerEmulator

_SESSIONS: Final = {2: "sagemaker.session", 3: "sagemaker.core.helper.session_helper"}


def sdk_session(emulator: SageMakerEmulator) -> Any:
    """Return the SDK's Session, with the bucket that it would make itself.

    Raises:
        UsageError: no SDK is installed, or one that is neither V2 nor V3.
    """
    try:
        version = metadata.version("sagemaker")
    except metadata.PackageNotFoundError:
        raise UsageError(
            "sagemaker_session needs the SageMaker SDK, which is not installed here: pip install 'sagemaker<3' "
            "for V2 or pip install 'sagemaker>=3' for V3. Without it there are sagemaker_client and training_job."
        ) from None
    major = int(version.partition(".")[0])
    if major not in _SESSIONS:
        raise UsageError(f"sagemaker_session knows the SageMaker SDK V2 and V3; here is {version}.")
    import boto3

    boto_session: Any = boto3.session.Session(
        aws_access_key_id=emulator.account,
        aws_secret_access_key="local",  # noqa: S106 - the endpoint checks no signature
        region_name=emulator.region,
    )
    clients = {
        f"sagemaker_{name}client": boto_session.client(service, endpoint_url=emulator.url)
        for name, service in (("", "sagemaker"), ("runtime_", "sagemaker-runtime"))
    }
    session_class = import_module(_SESSIONS[major]).Session
    return session_class(boto_session=boto_session, **clients, default_bucket=emulator.bucket)
