"""The WSGI application: one endpoint for every service, ours first, moto for the rest."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from werkzeug.wrappers import Request, Response

from .. import browsers
from ..errors import ServiceError
from ..runtime import Emulator
from . import control, identity, logs, metrics_service, other_services, sagemaker
from .caller import Caller, caller_of
from .s3 import routing, service
from .wire import error_answer

logger = logging.getLogger(__name__)

_CREDENTIALS = "/v2/credentials/"
_MOTO_API = "/moto-api/"
_MOTO_RESET = f"{_MOTO_API}reset"


class Application:
    """Answers every request; whatever goes wrong inside is an answer too."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._host_names = emulator.settings.host_names

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        caller = caller_of(request, self._account_of)
        try:
            browsers.refuse_unknown_host(request, self._host_names)
            self._refuse_foreign_page(request, caller)
            response = self._answer(request, caller)
        except ServiceError as error:
            response = error_answer(error, request, caller.service)
        except Exception as error:
            logger.exception("%s %s could not be answered", request.method, request.path)
            response = error_answer(
                ServiceError(
                    "InternalFailure",
                    f"The emulator failed on this request ({type(error).__name__}: {error}). This is a bug of "
                    "sagemaker-emulator; its log has the traceback.",
                ),
                request,
                caller.service,
            )
        browsers.disarm(request, response)
        return response(environ, start_response)

    def _refuse_foreign_page(self, request: Request, caller: Caller) -> None:
        is_own = request.path.startswith((control.PREFIX, _CREDENTIALS, _MOTO_API))
        browsers.refuse_foreign_page(
            request,
            is_s3=not is_own and caller.service in ("", "s3") and routing.is_s3(request, caller.service),
            is_allowed=partial(service.allows_page, self._emulator, request, caller),
        )

    def _answer(self, request: Request, caller: Caller) -> Response:
        emulator = self._emulator
        if request.path.startswith(control.PREFIX):
            return control.answer(emulator, request)
        if request.path.startswith(_CREDENTIALS) and not caller.service:
            return self._credentials(request.path.removeprefix(_CREDENTIALS))
        if request.path == _MOTO_RESET and request.method == "POST":  # what tests written for moto's server send
            return control.reset(emulator)
        response: Response | None = None
        if request.headers.get("X-Amz-Target", "").startswith(sagemaker.TARGET_PREFIX):
            response = sagemaker.answer(emulator, request, caller)
        elif request.headers.get("X-Amz-Target", "").startswith(logs.TARGET_PREFIX):
            response = logs.answer(emulator, request, caller)
        elif caller.service == "sagemaker" and metrics_service.is_metrics(request):
            response = metrics_service.answer(emulator, request, caller)
        elif caller.service == "sagemaker":
            response = sagemaker.refuse_rest_operation(request)
        elif caller.service in ("iam", "sts"):
            response = self._identity(request, caller)
        elif routing.is_s3(request, caller.service):
            response = service.answer(emulator, request, caller)
        return response or other_services.answer(emulator, request, caller)

    def _identity(self, request: Request, caller: Caller) -> Response | None:
        request.get_data(cache=True, parse_form_data=False)
        return identity.answer(self._emulator, request, caller)

    def _credentials(self, credentials_id: str) -> Response:
        """Answer a container that asks for its role's credentials, as the ECS agent does."""
        issued = self._emulator.credentials.fetch(credentials_id)
        document = issued.document if issued else {"code": "NoSuchCredentials", "message": "The job has ended."}
        return Response(json.dumps(document), status=200 if issued else 404, content_type="application/json")

    def _account_of(self, access_key_id: str) -> str:
        issued = self._emulator.credentials.of_access_key(access_key_id)
        return issued.scope.account if issued else self._emulator.services.account_of(access_key_id)
