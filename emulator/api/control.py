"""What is not AWS: health, reset, and how far a job's current stage has come, below /_emulator/."""

from __future__ import annotations

import json

from werkzeug.wrappers import Request, Response

from .. import __version__
from ..contract.arns import Scope
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
            progress = emulator.supervisor.progress((Scope(account=account, region=region), name.lower()))
            return _json(
                {
                    "stage": progress.stage,
                    "done_bytes": progress.done_bytes,
                    "total_bytes": progress.total_bytes,
                }
            )
        case _:
            return _json({"error": f"There is no {request.path}. Try {PREFIX}health."}, 404)


def reset(emulator: Emulator) -> Response:
    """Forget all that clients and jobs have made."""
    emulator.reset()
    return _json({"status": "ok"})


def _json(document: dict[str, object], status: int = 200) -> Response:
    return Response(json.dumps(document), status=status, content_type="application/json")
