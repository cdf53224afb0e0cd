"""What a person does with a job on its page: stop it, run it again, take a bundle of all that is known of it."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Blueprint, abort, redirect, request, send_file
from werkzeug.wrappers import Response

from ..contract.record import JobRecord
from ..contract.rerun import request_of, rerun_name
from ..errors import EmulatorError, ResourceInUseError
from ..jobfiles.bundle import write_bundle
from ..jobfiles.connecting import make_clients
from .job import address, find
from .scopes import emulator

pages = Blueprint("job_actions", __name__)


@pages.post("/jobs/<resource>/<name>/stop")
def stop(resource: str, name: str) -> Response:
    """Ask a job to stop, and show it."""
    record = find(resource, name)
    emulator().jobs[record.kind].stop(record.scope, record.name)
    return _to_page(record)


@pages.post("/jobs/<resource>/<name>/rerun")
def rerun(resource: str, name: str) -> Response:
    """Run the same request again under a name of its own, and show the new job."""
    return _to_page(run_again(find(resource, name)))


@pages.get("/jobs/<resource>/<name>/bundle")
def bundle(resource: str, name: str) -> Response:
    """Send one archive with all that is known of a job. What is written for it is gone when it has been sent."""
    record = find(resource, name)
    clients = make_clients(_own_address(), region=record.scope.region, account=record.scope.account)
    with TemporaryDirectory(prefix="sagemaker-emulator-bundle-") as folder:
        try:
            archive = write_bundle(clients, record.kind, record.name, Path(folder)).open("rb")
        except EmulatorError as error:
            abort(409, f"There is no bundle of {record.name}: {error}")
    # The open file outlives its name; it ends with the answer.
    answer = send_file(
        archive,
        mimetype="application/gzip",
        as_attachment=True,
        download_name=f"{record.name}.tar.gz",
        conditional=False,
    )
    answer.content_length = os.fstat(archive.fileno()).st_size
    return answer


def run_again(record: JobRecord) -> JobRecord:
    """Create a job of the same request under the first name that is free.

    Raises:
        ServiceError: the request cannot be met any more, such as when its data is gone.
    """
    for number in count(1):
        name = rerun_name(record.name, number)
        if emulator().records.get(record.kind.arn(record.scope, name)) is not None:
            continue
        wanted = request_of(record, name)
        try:
            return emulator().create_job(record.kind, record.scope, wanted)
        except ResourceInUseError:  # somebody else was quicker
            continue
    raise AssertionError("numbers have no end")


def _to_page(record: JobRecord) -> Response:
    return redirect(address(record.scope, record.kind.resource, record.name), code=303)


def _own_address() -> str:
    """Return where this server listens, as this machine reaches it: the name in the address bar may be another's."""
    return emulator().settings.url(request.environ["SERVER_PORT"], from_here=True)
