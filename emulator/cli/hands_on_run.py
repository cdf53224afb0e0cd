"""Runs a job file whose job waits for a person, in a shell or at a debugger; the jobs before it run as they do."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..contract.hands_on import NO_HANDS, HandsOn
from .own_endpoint import own_endpoint

if TYPE_CHECKING:
    from ..endpoint import Endpoint
    from ..jobfiles.clients import Clients
    from ..jobfiles.document import JobFile
    from ..jobfiles.events import Event
    from ..jobfiles.report import End


def with_those_before(path: Path) -> tuple[JobFile, ...]:
    """Read a job file and those of its folder that its job comes after, in order; its own is the last.

    Raises:
        UsageError: a file is wrong, or is not there.
    """
    from ..jobfiles.document import JobFile
    from ..jobfiles.plan import in_order

    first = JobFile.load(path)
    found = {first.name: first}
    waiting = list(first.after)
    while waiting:
        name = waiting.pop()
        beside = path.with_name(f"{name}.yaml")
        if name not in found and beside.is_file():
            found[name] = JobFile.load(beside)
            waiting += found[name].after
    ordered = in_order(list(found.values()))
    return (*(one for one in ordered if one is not first), first)


def run_hands_on(
    job_files: Sequence[JobFile],
    hands_on: HandsOn,
    on_event: Callable[[Endpoint, Clients, Event], None],
    *,
    shown: bool = False,
    region: str,
    account: str,
    **own: Any,
) -> End:
    """Run job files; the last one's job is for the person. `on_event` hears what happens to that one.

    What the other jobs write goes to standard error; that of the last one to standard output, if it is to be `shown`.
    """
    from ..jobfiles.events import ImageReady, JobCreated, StopAsked
    from ..jobfiles.runner import run_jobs
    from .clients import make_clients
    from .run_output import PlainOutput

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    target = job_files[-1]
    with own_endpoint(keep=False, **own) as endpoint:
        clients = make_clients(endpoint.url, region=region, account=account)
        outputs = {one.name: PlainOutput(sys.stderr) for one in job_files}
        if shown:
            outputs[target.name] = PlainOutput()

        def before(name: str) -> bool:
            endpoint.emulator.hands_on = hands_on if name == target.name else NO_HANDS
            return name == target.name

        def show(name: str, event: Event) -> None:
            if shown or name != target.name or isinstance(event, ImageReady | JobCreated | StopAsked):
                outputs[name].show(event)
            if name == target.name:
                on_event(endpoint, clients, event)

        return run_jobs(job_files, clients, show, before=before)[-1]
