"""Reads the `expect` part of a job file."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from ..contract.kinds import PROCESSING, TRAINING, JobKind
from ..contract.status import TERMINAL, JobStatus
from .expectations import Comparison, Expectations
from .yaml_source import At, YamlSource

_AT: Final = ("expect",)
_KEYS: Final = {
    TRAINING: ("status", "failure", "exit_code", "model", "output", "objects", "metrics", "logs", "max_seconds"),
    PROCESSING: ("status", "failure", "exit_code", "exit_message", "outputs", "objects", "logs", "max_seconds"),
}
_OUTPUTS_AT: Final = ("request", "ProcessingOutputConfig", "Outputs")


def expected_keys(kind: JobKind) -> tuple[str, ...]:
    """Return the keys that may stand in the `expect` part for this kind of jobs."""
    return _KEYS[kind]


def read_expectations(yaml: YamlSource, kind: JobKind) -> Expectations:
    """Return what must hold after a job of this kind; when nothing is written, that it completes.

    Raises:
        UsageError: naming file, line and key, and what to write instead.
    """
    at = _AT
    if not yaml.has(at):
        return Expectations()
    keys = yaml.mapping(at, _KEYS[kind])
    failure = _pattern(yaml, (*at, "failure")) if "failure" in keys else None
    exit_code = _exit_code(yaml, (*at, "exit_code")) if "exit_code" in keys else None
    status = _status(yaml, (*at, "status"), fails=failure is not None or bool(exit_code))
    if status is not JobStatus.FAILED and (failure is not None or exit_code):
        at_fault = (*at, "failure" if failure is not None else "exit_code")
        raise yaml.error(at_fault, f"a job that is {status} does not have this. Write status: Failed, or remove it.")
    return Expectations(
        status=status,
        failure=failure,
        exit_code=exit_code,
        exit_message=_pattern(yaml, (*at, "exit_message")) if "exit_message" in keys else None,
        model=yaml.texts((*at, "model")) if "model" in keys else None,
        output=yaml.texts((*at, "output")) if "output" in keys else None,
        outputs=_outputs(yaml, (*at, "outputs")) if "outputs" in keys else {},
        objects=_objects(yaml, (*at, "objects")) if "objects" in keys else {},
        metrics=_metrics(yaml, (*at, "metrics")) if "metrics" in keys else {},
        logs=_patterns(yaml, (*at, "logs")) if "logs" in keys else (),
        max_seconds=_seconds(yaml, (*at, "max_seconds")) if "max_seconds" in keys else None,
    )


def _status(yaml: YamlSource, at: At, *, fails: bool) -> JobStatus:
    if not yaml.has(at):
        return JobStatus.FAILED if fails else JobStatus.COMPLETED
    text = yaml.text(at)
    if text not in TERMINAL:
        raise yaml.error(at, f"a job never ends as {text!r}. Write {', '.join(sorted(TERMINAL))}: one of them.")
    return JobStatus(text)


def _exit_code(yaml: YamlSource, at: At) -> int:
    value = yaml.number(at)
    if not isinstance(value, int) or not 0 <= value <= 255:
        raise yaml.error(at, "must be a whole number from 0 to 255.")
    return value


def _outputs(yaml: YamlSource, at: At) -> dict[str, tuple[str, ...]]:
    """Return the files of each output, which must be one of the request's."""
    written = yaml.get(_OUTPUTS_AT)
    known = [one.get("OutputName") for one in written if isinstance(one, dict)] if isinstance(written, list) else []
    for name in yaml.mapping(at):
        if name not in known:
            there_are = ", ".join(map(str, known)) or "none"
            raise yaml.error((*at, name), f"the request has no output of this OutputName. There are: {there_are}.")
    return {name: yaml.texts((*at, name)) for name in yaml.mapping(at)}


def _objects(yaml: YamlSource, at: At) -> dict[str, tuple[str, ...]]:
    """Return the names of objects below S3 URIs, which may be of any bucket."""
    for uri in yaml.mapping(at):
        if not uri.startswith("s3://") or not uri.removeprefix("s3://").partition("/")[0]:
            raise yaml.error((*at, uri), "is no S3 URI. Write s3://bucket/prefix/: [name]")
    return {uri: yaml.texts((*at, uri)) for uri in yaml.mapping(at)}


def _metrics(yaml: YamlSource, at: At) -> dict[str, Comparison]:
    return {name: _comparison(yaml, (*at, name)) for name in yaml.mapping(at)}


def _comparison(yaml: YamlSource, at: At) -> Comparison:
    value = yaml.get(at)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        _bad_comparison(yaml, at)
    try:
        return Comparison.parse(str(value))
    except ValueError:
        _bad_comparison(yaml, at)


def _bad_comparison(yaml: YamlSource, at: At) -> NoReturn:
    raise yaml.error(at, 'must be a number or a comparison with one. Write it as ">= 0.9", "< 2", "!= 0" or 1')


def _patterns(yaml: YamlSource, at: At) -> tuple[re.Pattern[str], ...]:
    return tuple(_pattern(yaml, (*at, number)) for number in range(len(yaml.texts(at))))


def _pattern(yaml: YamlSource, at: At) -> re.Pattern[str]:
    text = yaml.text(at)
    try:
        return re.compile(text)
    except re.error as error:
        raise yaml.error(
            at,
            f"{text!r} is no regular expression: {error}. Put a backslash before ( ) [ ] . * + ? to mean themselves.",
        ) from error


def _seconds(yaml: YamlSource, at: At) -> float:
    value = yaml.number(at)
    if not value > 0:
        raise yaml.error(at, "must be more than 0.")
    return value
