"""The two error trees: what goes out on the wire, and what goes to a person.

A `ServiceError` is an answer of the emulated service: it has AWS's code, text and HTTP status.
An `EmulatorError` is ours: it says what happened, where, and what to do next, and the command
line turns it into an exit code. A job that fails is neither; it is a result.
"""

from __future__ import annotations

from collections.abc import Sequence


class EmulatorError(Exception):
    """Something about the emulator, its engine or a file of the user's; printed without a traceback."""

    exit_code = 1


class UsageError(EmulatorError):
    """The user's input (a flag, a job file) is wrong and the message says where."""

    exit_code = 2


class EngineUnavailableError(EmulatorError):
    """No engine answers, or the one asked for does not exist here."""

    exit_code = 3

    def __init__(self, engine: str, reason: str, advice: str) -> None:
        super().__init__(f"The {engine} engine cannot be used: {reason}\n{advice}")

    @classmethod
    def of_all(cls, errors: Sequence[EngineUnavailableError]) -> EngineUnavailableError:
        """Return one error that says what is wrong with each of several engines, of which one would do."""
        error = cls.__new__(cls)
        error.args = ("\n\n".join(map(str, errors)),)
        return error


class EndpointUnavailableError(EmulatorError):
    """The endpoint cannot listen, or nobody answers at it."""

    exit_code = 4


class ServiceError(Exception):
    """An error answer of the emulated service: `{"__type": code, "message": message}` over HTTP."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class ValidationError(ServiceError):
    """The service's `ValidationException`: undeclared in its model, used for every bad request."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


class UnknownJobError(ValidationError):
    """The service's answer to the name of a job that is not there, which has no code of its own."""


class ResourceInUseError(ServiceError):
    """The service's `ResourceInUse`."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceInUse", message)


class ResourceLimitExceededError(ServiceError):
    """The service's `ResourceLimitExceeded`."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceLimitExceeded", message)


class ResourceNotFoundError(ServiceError):
    """The service's `ResourceNotFound`."""

    def __init__(self, message: str) -> None:
        super().__init__("ResourceNotFound", message)
