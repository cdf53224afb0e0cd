"""What is not AWS: health, reset, how far a job has come and what its containers found, below /_emulator/."""

from __future__ import annotations

import json

from werkzeug.wrappers import Request, Response

from .. import __version__
from ..contract.arns import Scope
from ..contract.kinds import TRAINING
from ..runtime import Emulator

PREFIX = "/_emulator/"


def answer(emulator: Emulator, request: Request) -> Response:
    """Answer a control request."""
    match request.path.removeprefix(PREFIX).split("/"):
        case ["health"]:
            return _json(
                {
                    "status": "ok",
                    "version": __version__,
                    "engine": emulator.engine.name,
                    "running_jobs": emulator.supervisor.running(),
                }
            )
        case ["reset"] if request.method == "POST":
            return reset(emulator)
        case ["jobs", account, region, name, "progress"]:
            return progress(emulator, TRAINING.arn(Scope(account=account, region=region), name))
        case ["jobs", resource, name, "progress"]:
            return progress(emulator, f"{resource}/{name.lower()}")
        case ["jobs", resource, name, "container-view"]:
            return container_view(emulator, f"{resource}/{name.lower()}")
        case _:
            return _json({"error": f"There is no {request.path}. Try {PREFIX}health."}, 404)


def progress(emulator: Emulator, arn: str) -> Response:
    """Tell how far the current stage of a job has come; a path names any job by its ARN, a training job by name."""
    found = emulator.supervisor.progress(arn)
    return _json({"stage": found.stage, "done_bytes": found.done_bytes, "total_bytes": found.total_bytes})


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
