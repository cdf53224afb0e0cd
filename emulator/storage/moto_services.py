"""All services that are not ours: moto, as a WSGI application in this process."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from typing import Any

from moto.core.request import PRESERVED_HEADER_NAMES_ENVIRON_KEY, environ_key_for_header
from moto.iam.exceptions import NotFoundException
from moto.iam.models import get_account_id_from, iam_backends
from moto.logs.models import logs_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from ..contract.arns import Scope

logger = logging.getLogger(__name__)

_TRUST_SAGEMAKER = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
    '"Principal":{"Service":"sagemaker.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
)
_PLACEHOLDER = "Accepted by sagemaker-emulator without having been created"


class MotoServices:
    """moto's server, plus the little that we need to know of its IAM."""

    def __init__(self) -> None:
        # A region that moto has not heard of is a region all the same.
        os.environ.setdefault("MOTO_ALLOW_NONEXISTENT_REGION", "true")
        self._application = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer

    @staticmethod
    def keep_header_names(environ: dict[str, Any], headers: Mapping[str, str]) -> None:
        """Tell moto the true names of headers with underscores, such as an object's metadata x-amz-meta-a_b."""
        for name, value in headers.items():
            environ[environ_key_for_header(name)] = value
        environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {environ_key_for_header(name): name for name in headers}

    def account_of(self, access_key_id: str) -> str:
        """Return the account of an access key that IAM or STS made here; the default one for any other."""
        return str(get_account_id_from(access_key_id))

    def knows_access_key(self, access_key_id: str) -> bool:
        """Tell whether a client made this access key with IAM or STS here."""
        return any(
            access_key_id in backend.access_keys
            for _, partitions in list(iam_backends.items())
            for backend in list(partitions.values())
        )

    def accept_role(self, scope: Scope, name: str, path: str = "/") -> None:
        """Make a role that SageMaker may assume, if there is none of this name.

        On the service a role must exist. Here a script's role stands for itself: it is accepted, and
        looks as such a role would.
        """
        roles = iam_backends[scope.account][scope.partition]
        try:
            roles.get_role(name)
        except NotFoundException:
            roles.create_role(name, _TRUST_SAGEMAKER, path, None, _PLACEHOLDER, [], "3600")

    @staticmethod
    def log_groups(scope: Scope) -> list[dict[str, Any]]:
        """Return moto's log groups as DescribeLogGroups shows them."""
        groups = list(logs_backends[scope.account][scope.region].groups.values())
        return [group.to_describe_dict() for group in groups]

    @staticmethod
    def reset() -> None:
        """Forget what clients made with every service that is moto's."""
        moto_api_backend.reset()

    def forget_accepted_role(self, scope: Scope, name: str) -> None:
        """Make way for a role that a client is about to create by itself."""
        roles = iam_backends[scope.account][scope.partition]
        try:
            if roles.get_role(name).description == _PLACEHOLDER:
                roles.delete_role(name)
        except NotFoundException:
            return
