"""The emulator that tests talk to: its address, who they are to it, and clients of it."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import EndpointUnavailableError
from ..jobfiles.clients import Clients
from ..jobfiles.connecting import make_clients
from ..jobfiles.data import make_buckets

if TYPE_CHECKING:
    from .programs import ProgramWords


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a test is to the emulator, and what its jobs have that name nothing else."""

    region: str
    account: str
    role_arn: str
    instance_type: str
    image: str | Path
    program: str | Path
    max_wait: float

    @property
    def role(self) -> str:
        """The role of jobs."""
        return self.role_arn or f"arn:aws:iam::{self.account}:role/sagemaker-emulator"


class SageMakerEmulator:
    """A running emulator, as one account in one region sees it."""

    def __init__(self, url: str, identity: Identity, *, folder: Path, bundles: Path, rootpath: Path) -> None:
        self.url = url
        self.identity = identity
        self.folder = folder
        """Where what is read of results is kept for the session."""
        self.bundles = bundles
        """Where bundles of failed jobs are kept."""
        self.rootpath = rootpath
        """What relative paths of a project's tests start from: pytest's root folder."""

    def __repr__(self) -> str:
        return f"<SageMakerEmulator {self.url}, account {self.account}, {self.region}>"

    @property
    def region(self) -> str:
        """The region that clients see."""
        return self.identity.region

    @property
    def account(self) -> str:
        """The account that clients see."""
        return self.identity.account

    @cached_property
    def engine(self) -> str:
        """The rung by name: `docker` or `process`."""
        return str(self._health["engine"])

    @cached_property
    def capabilities(self) -> frozenset[str]:
        """What its engine has: images, network_isolation ..."""
        return frozenset(name for name, has in self._health.get("capabilities", {}).items() if has)

    @cached_property
    def known_capabilities(self) -> frozenset[str]:
        """What engines may have, by the names in docs/engines.md."""
        return frozenset(self._health.get("capabilities", {}))

    @cached_property
    def clients(self) -> Clients:
        """boto3 clients of SageMaker, S3 and CloudWatch Logs that see nothing of this machine's AWS settings."""
        return make_clients(self.url, region=self.region, account=self.account)

    def client(self, service: str) -> Any:
        """Return a boto3 client of any service, such as `client("iam")`."""
        import boto3

        client: Any = boto3.session.Session().client  # its types know the services by their names only
        return client(
            service,
            endpoint_url=self.url,
            region_name=self.region,
            aws_access_key_id=self.account,
            aws_secret_access_key="local",  # noqa: S106 - the endpoint checks no signature
        )

    @cached_property
    def bucket(self) -> str:
        """The bucket of inputs and artifacts that a test names none for: the one that SageMaker's SDKs make."""
        name = f"sagemaker-{self.region}-{self.account}"
        make_buckets(self.clients, [name])
        return name

    def register(self, image: str, program: ProgramWords) -> None:
        """Have a program run wherever a request names this image, on a rung that runs no images; else do nothing.

        That is for code under test that sends requests itself, as `Estimator.fit()` does.

        Raises:
            UsageError: it is no program.
        """
        from .programs import program_of

        if not self.clients.runs_images():
            self.clients.register(image, program_of(program, self.rootpath))

    def reset(self) -> None:
        """Forget all that clients and jobs have made, of all accounts; running jobs are ended."""
        self.__dict__.pop("bucket", None)
        self._ask("POST", "reset")

    @cached_property
    def _health(self) -> dict[str, Any]:
        return self._ask("GET", "health")

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=60)
        try:
            connection.request(method, f"/_emulator/{path}")
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise EndpointUnavailableError(f"The emulator at {self.url} does not answer: {error}") from error
        finally:
            connection.close()
        if response.status >= http.client.BAD_REQUEST:
            raise EndpointUnavailableError(f"The emulator refused {method} /_emulator/{path}: {text}")
        document: dict[str, Any] = json.loads(text)
        return document
