"""What is not AWS: health, reset, how far a job has come and what its containers found, below /_emulator/."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from werkzeug.wrappers import Request, Response

from .. import __version__
from ..contract.arns import Scope
from ..contract.kinds import TRAINING
from ..contract.programs import parse_program
from ..errors import UsageError
from ..runtime import Emulator

PREFIX = "/_emulator/"
MEANT_HEADER: Final = "X-Sagemaker-Emulator"
_LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost")


def answer(emulator: Emulator, request: Request) -> Response:
    """Answer a control request."""
    steps = request.path.removeprefix(PREFIX).split("/")
    match steps:
        case ["health"]:
            return health(emulator)
        case ["reset"] if request.method == "POST":
            return reset(emulator)
        case ["programs"] if request.method == "PUT":
            return register_program(emulator, request)
        case ["jobs", *job]:
            response = about_job(emulator, job)
        case _:
            response = None
    return response or _json({"error": f"There is no {request.path}. Try {PREFIX}health."}, 404)


def health(emulator: Emulator) -> Response:
    """Tell who answers, and what its engine can do."""
    return _json(
        {
            "status": "ok",
            "version": __version__,
            "engine": emulator.engine.name,
            "capabilities": asdict(emulator.engine.capabilities),
            "running_jobs": emulator.supervisor.running(),
        }
    )


def about_job(emulator: Emulator, steps: Sequence[str]) -> Response | None:
    """Tell what is known of a job beside its record; None: there is no such thing."""
    match steps:
        case [account, region, name, "progress"]:
            return progress(emulator, TRAINING.arn(Scope(account=account, region=region), name))
        case [resource, name, "progress"]:
            return progress(emulator, f"{resource}/{name.lower()}")
        case [resource, name, "container-view"]:
            return container_view(emulator, f"{resource}/{name.lower()}")
        case _:
            return None


def progress(emulator: Emulator, arn: str) -> Response:
    """Tell how far the current stage of a job has come; a path names any job by its ARN, a training job by name."""
    found = emulator.supervisor.progress(arn)
    return _json({"stage": found.stage, "done_bytes": found.done_bytes, "total_bytes": found.total_bytes})


def register_program(emulator: Emulator, request: Request) -> Response:
    """Have a program run in the place of an image: `{"image": NAME, "program": {"command": [...], ...}}`.

    Whoever may do this can have anything run as this user. So it must come from this machine, and by a program
    that means it: a page in the user's browser can neither set the header nor, whatever its own name leads to,
    be called by a name of loopback.
    """
    host = request.host.rpartition(":")[0] or request.host
    if request.headers.get(MEANT_HEADER) != "1" or host not in _LOOPBACK_NAMES or request.remote_addr != "127.0.0.1":
        return _json(
            {
                "error": f"Programs are registered from this machine only, at http://127.0.0.1:PORT{request.path} and "
                f"with the header {MEANT_HEADER}: 1."
            },
            403,
        )
    try:
        document = json.loads(request.get_data())
    except ValueError as error:
        return _json({"error": f"The body is no JSON: {error}."}, 400)
    if not isinstance(document, dict) or not isinstance(document.get("image"), str):
        return _json({"error": 'Send {"image": NAME, "program": {"command": [...]}}.'}, 400)
    try:
        emulator.programs.register(document["image"], parse_program(document.get("program")))
    except UsageError as error:
        return _json({"error": str(error)}, 400)
    return _json({"status": "ok"})


def container_view(emulator: Emulator, arn: str) -> Response:
    """Tell what the containers of a job found when they started."""
    record = emulator.records.get(arn)
    if record is None:
        return _json({"error": f"There is no job {arn}."}, 404)
    view = emulator.container_views.of(record)
    if view is None:
        return _json({"error": f"The containers of {arn} have not started."}, 404)
    return _json(view)


def reset(emulator: Emulator) -> Response:
    """Forget all that clients and jobs have made."""
    emulator.reset()
    return _json({"status": "ok"})


def _json(document: dict[str, object], status: int = 200) -> Response:
    return Response(json.dumps(document), status=status, content_type="application/json")
