"""Who calls what: read from the signature, which is not checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from werkzeug.wrappers import Request

from ..contract.arns import Scope

DEFAULT_SCOPE: Final = Scope()
_CREDENTIAL: Final = re.compile(r"Credential=([^/\s,]+)/(?:[^/\s,]*)/([^/\s,]*)/([^/\s,]*)/aws4_request")
_ACCOUNT: Final = re.compile(r"\d{12}")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The signer of a request and the service it was signed for; "" when it was not signed."""

    scope: Scope
    access_key_id: str = ""
    service: str = ""


def caller_of(request: Request, account_of: Callable[[str], str]) -> Caller:
    """Read the SigV4 scope from the Authorization header, or from a presigned URL.

    An access key of twelve digits is an account of its own; `account_of` knows the others.
    """
    signature = request.headers.get("Authorization", "")
    if "X-Amz-Credential" in request.args:
        signature = f"Credential={request.args['X-Amz-Credential']}"
    match = _CREDENTIAL.search(signature)
    if match is None:
        return Caller(scope=DEFAULT_SCOPE)
    access_key, region, service = match.groups()
    account = access_key if _ACCOUNT.fullmatch(access_key) else account_of(access_key)
    return Caller(
        scope=Scope(account=account, region=region or DEFAULT_SCOPE.region),
        access_key_id=access_key,
        service=service.lower(),
    )
