"""Who may import whom, and the shape of our files."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

PACKAGE = "emulator"
ROOT = Path(__file__).parents[2] / PACKAGE
FILES = sorted(ROOT.rglob("*.py"))
LONGEST_FILE = 400
STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)

# What each part of the package may import of the package, besides itself and the bare package, which
# is only its version. A name stands for all that is below it.
ARROWS: dict[str, set[str]] = {
    "": set(),
    "__main__": {"cli"},
    "errors": set(),
    "config": {"contract.hands_on", "errors"},
    "contract": {"errors"},
    "jobs": {"contract", "errors"},
    "experiments": {"contract", "errors", "jobs.ports"},
    "file_locks": set(),
    "engines": {"contract", "errors", "file_locks", "jobs.ports"},
    "storage": {"contract", "errors", "experiments.ports", "file_locks", "jobs.ports"},
    "runtime": {"config", "contract", "engines", "errors", "experiments", "jobs", "storage"},
    # The types in which the S3 wire and the store speak; what they are at run time, `runtime` joins.
    "api": {
        "browsers",
        "contract",
        "errors",
        "experiments",
        "jobs",
        "runtime",
        "service_models",
        "storage.buckets",
        "storage.objects.model",
    },
    "browsers": {"errors"},
    "service_models": set(),
    # Pages read what the API reads, and have no rules of their own. A bundle is made as the command makes it.
    "web": {
        "browsers",
        "contract",
        "errors",
        "experiments",
        "jobfiles",
        "jobs",
        "runtime",
        "storage.buckets",
        "storage.merged_log",
        "storage.objects.model",
    },
    "endpoint": {"api", "config", "contract", "errors", "runtime", "web"},
    "jobfiles": {"contract", "engines.docker.connection", "errors", "file_locks", "reroute", "service_models"},
    "gate": {"engines.docker.connection", "errors", "jobfiles", "lint"},
    # What `init` looks at in a folder, and writes.
    "starter": {"errors", "jobfiles", "lint"},
    # What it makes in an engine is labelled and removed as everything is; a job file's image is built as `run` does.
    "lint": {
        "contract",
        "engines.docker.connection",
        "engines.docker.labels",
        "engines.docker.removal",
        "errors",
        "file_locks",
        "jobfiles",
        "jobs.ports",
    },
    "reroute": {"errors"},
    "debugger": {"errors"},
    # Clients of the endpoint, as the commands are.
    "testing": {"config", "contract", "endpoint", "errors", "jobfiles", "reroute"},
    # A job's life in the test's own process: requests are checked as the API does, results asked as `testing`'s are.
    "opt_ml": {"api.service_model", "contract", "errors", "jobfiles.events", "jobs", "testing"},
    "pytest_plugin": {"opt_ml", "testing"},
    "_pytest_entry": set(),
    "cli": {
        "config",
        "contract",
        "debugger",
        "endpoint",
        "engines.kept",
        "errors",
        "gate",
        "jobfiles",
        "lint",
        "reroute",
        "starter",
        "storage.retention",
        "storage.snapshot",
    },
}

# Libraries that only these parts may import.
ONLY_IN: dict[str, set[str]] = {"docker": {"engines", "jobfiles", "lint"}, "moto": {"storage"}}

# The contract touches nothing of the world: of the standard library these are closed to it.
CLOSED_TO_THE_CONTRACT = {"os", "time", "socket", "subprocess", "threading", "shutil", "tempfile", "random", "io"}


def module_of(file: Path) -> str:
    """Return a file's module below the package: `contract.paths`; "" is the package itself."""
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")


MODULES = {module_of(file) for file in FILES}


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imports(file: Path) -> list[ast.Import | ast.ImportFrom]:
    """Return the statements with which a file imports, wherever in it they stand."""
    found: list[ast.Import | ast.ImportFrom] = []
    unread: list[ast.AST] = [parsed(file)]
    while unread:  # statements only: `ast.walk` would go through every expression too
        inner = [node for node in ast.iter_child_nodes(unread.pop()) if isinstance(node, STATEMENTS)]
        found += [node for node in inner if isinstance(node, ast.Import | ast.ImportFrom)]
        unread += inner
    return found


def imported(file: Path) -> Iterator[str]:
    """Yield everything a file imports, as absolute names of modules."""
    above = [PACKAGE, *file.relative_to(ROOT).parent.parts]
    for node in imports(file):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            base = resolve_name("." * node.level + (node.module or ""), ".".join(above))
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield inner if inner.removeprefix(f"{PACKAGE}.") in MODULES else base


def is_within(name: str, parts: set[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def is_allowed(part: str, name: str) -> bool:
    top, _, inner = name.partition(".")
    if top == PACKAGE:
        return not inner or is_within(inner, ARROWS[part] | ({part} if part else set()))
    if part == "contract":
        return top == "regex" or (top in sys.stdlib_module_names and top not in CLOSED_TO_THE_CONTRACT)
    return part in ONLY_IN.get(top, {part})


def test_files_import_only_what_their_part_may() -> None:
    parts = {module_of(file).partition(".")[0] for file in FILES}
    assert parts <= ARROWS.keys(), "there is a new part of the package; say in ARROWS what it may import"
    problems = []
    for file in FILES:
        part = module_of(file).partition(".")[0]
        forbidden = [name for name in imported(file) if not is_allowed(part, name)]
        problems += [f"{file} imports {name}, which {part or 'the package itself'} must not" for name in forbidden]
    assert problems == []


def test_modules_say_what_they_are_for_and_are_not_too_long() -> None:
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    problems = [f"{file} has no docstring" for file in FILES if not ast.get_docstring(parsed(file))]
    problems += [
        f"{file} has {lines} lines, more than {LONGEST_FILE}: split it"
        for file, lines in lengths.items()
        if lines > LONGEST_FILE
    ]
    assert problems == []


def test_the_package_does_not_spell_its_own_name() -> None:
    problems = []
    for file in FILES:
        for node in imports(file):
            spelt = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            spelt += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            absolute = [name for name in spelt if name.partition(".")[0] == PACKAGE]
            problems += [f"{file} imports {name}: make it relative" for name in absolute]
    assert problems == []


def test_imports_are_read_as_they_are_meant(tmp_path: Path) -> None:
    assert "contract.paths" in MODULES
    found = set(imported(ROOT / "contract/config_files.py"))
    assert {"json", "emulator.contract.paths", "emulator.contract.channels"} <= found
    assert "emulator" in set(imported(ROOT / "cli/__init__.py"))
    assert "emulator.engines.docker.engine" in set(imported(ROOT / "engines/__init__.py"))
