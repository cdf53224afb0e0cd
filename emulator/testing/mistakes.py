"""A mistake in a test is told where the test made it, not where we noticed it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ..errors import EmulatorError

_Words = ParamSpec("_Words")
_Result = TypeVar("_Result")


def without_our_frames(function: Callable[_Words, _Result]) -> Callable[_Words, _Result]:
    """Let a test's report show the test's own line above an error of ours, whose text says all that there is to say."""

    @wraps(function)
    def call(*arguments: _Words.args, **named: _Words.kwargs) -> _Result:
        __tracebackhide__ = True
        try:
            return function(*arguments, **named)
        except EmulatorError as error:
            raise error.with_traceback(None) from None

    return call
