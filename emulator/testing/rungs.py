"""On which rungs tests run, and which of them a test needs. Light: asked in every run at collection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import pytest

from .settings import value

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNGS: Final = ("process", "docker")
FIXTURE: Final = "sagemaker_engine"
_AUTO: Final = "auto"


def configured(config: pytest.Config) -> tuple[str, ...]:
    """Return the rungs to run on, each once.

    Raises:
        pytest.UsageError: there is no such rung.
    """
    text = str(value(config, "sagemaker_engine"))
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in (*RUNGS, _AUTO, "all"):
            raise pytest.UsageError(
                f"--sagemaker-engine: there is no rung {name!r}. Choose of {', '.join(RUNGS)}, auto and all."
            )
    rungs = dict.fromkeys(rung for name in names for rung in (RUNGS if name == "all" else (name,)))
    return tuple(rungs) or (_AUTO,)


def rung_of(item: pytest.Item) -> str:
    """Return the rung that a test runs on; "auto" is settled when the emulator is there."""
    parameters: Mapping[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    return str(parameters.get(FIXTURE) or getattr(item, "sagemaker_rung", "") or configured(item.config)[0])


def allowed(item: pytest.Item) -> set[str] | None:
    """Return the rungs that a test's markers allow; None: all.

    Raises:
        pytest.UsageError: a marker names none, or one that there is not.
    """
    found: set[str] | None = None
    for marker in item.iter_markers("sagemaker_rung"):
        names = _texts(item, marker)
        unknown = [name for name in names if name not in RUNGS]
        if unknown:
            raise pytest.UsageError(f"{item.nodeid}: sagemaker_rung: there is no rung {unknown[0]!r}, but {RUNGS}.")
        found = set(names) if found is None else found & set(names)
    return found


def needed(item: pytest.Item) -> set[str]:
    """Return the capabilities that a test's markers ask for."""
    return {name for marker in item.iter_markers("sagemaker_needs") for name in _texts(item, marker)}


def require_known(item: pytest.Item, needed: set[str], known: frozenset[str]) -> None:
    """Refuse the name of a capability that no engine has: its test would be skipped everywhere, and nobody see it.

    Raises:
        pytest.UsageError: there is no such capability.
    """
    if unknown := sorted(needed - known):
        raise pytest.UsageError(
            f"{item.nodeid}: sagemaker_needs: there is no capability {unknown[0]!r}. "
            f"Choose of {', '.join(sorted(known))}."
        )


def rung_is_wrong(item: pytest.Item, rung: str) -> str:
    """Return why a test cannot run on a rung by its name; "" if it can, or that is not known yet."""
    rungs = allowed(item)
    if rungs is None or rung == _AUTO or rung in rungs:
        return ""
    return f"needs the {' or '.join(sorted(rungs))} rung, and this is {rung}"


def deselect(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where tests run on several rungs, leave out those that are on one that is not theirs."""
    if len(configured(config)) == 1:
        return
    out = [item for item in items if rung_is_wrong(item, rung_of(item))]
    if out:
        config.hook.pytest_deselected(items=out)
        left_out = set(map(id, out))
        items[:] = [item for item in items if id(item) not in left_out]


def _texts(item: pytest.Item, marker: pytest.Mark) -> Iterable[str]:
    if not marker.args or not all(isinstance(name, str) for name in marker.args):
        raise pytest.UsageError(f"{item.nodeid}: {marker.name} takes names, as in {marker.name}('docker').")
    return tuple(marker.args)
