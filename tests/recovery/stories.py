"""Stories of jobs whose emulator is killed. Starting an emulator is dear, so that many are told of the same two."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.jobs import AnyJob
from tests.up import PATIENT, Up, free_port, up

Story = Generator[None, Up, None]
"""What a function does with an emulator; behind its first `yield` that one was killed, and the second one gives the
next emulator: `yield; second = yield`, or with something in between that nobody watches."""

Images = Callable[[str], str]

AnyJobT = TypeVar("AnyJobT", bound=AnyJob)


def at(job: AnyJobT, emulator: Up) -> AnyJobT:
    """Return the job as clients of another emulator see it."""
    return dataclasses.replace(job, clients=emulator.clients)


def tell(state: Path, image: Images, *stories: Callable[[Up, Images], Story]) -> None:
    """Tell stories side by side, of two emulators with one address and one state directory."""
    port = free_port()
    with up(state, *PATIENT, port=port) as first:
        told = [story(first, image) for story in stories]
        for story in told:
            next(story)
        first.kill()
    for story in told:
        next(story)
    with up(state, port=port) as second:
        for story in told:
            with pytest.raises(StopIteration):  # it has been told to its end
                story.send(second)
