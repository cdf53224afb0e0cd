"""What browsers load: libraries as npm has them, with their licences, and nothing from anywhere else."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "emulator/web"
VENDOR = WEB / "static/vendor"
LIBRARIES = json.loads((VENDOR / "libraries.json").read_text())
OURS = sorted(path for path in WEB.rglob("*") if path.suffix in (".html", ".js", ".css") and VENDOR not in path.parents)
# What loads, sends to or opens another origin. Links that a person follows stand in pages as text, which is no harm.
ELSEWHERE = re.compile(
    r"""(?:(?:src|href|action|hx-\w+|data-\w+)\s*=\s*["']?|url\(\s*["']?|@import\s+["']?"""
    r"""|(?:import|from)\s*\(?\s*["']|fetch\(\s*["'`]|\.open\([^)]*["'`])\s*(?:[a-z]+:)?//""",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_is_what_was_fetched_and_has_its_licence(name: str) -> None:
    library = LIBRARIES[name]
    assert set(library["sha256"]) == set(library["files"].values())
    for file, digest in library["sha256"].items():
        assert hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() == digest, file
    assert library["licence"]
    licences = [file for source, file in library["files"].items() if source == "LICENSE"]
    assert licences, f"{name} has no licence file"
    assert all((VENDOR / file).stat().st_size > 100 for file in licences)


def test_there_is_nothing_else_beside_the_libraries() -> None:
    known = {file for library in LIBRARIES.values() for file in library["files"].values()}
    assert {path.name for path in VENDOR.iterdir()} == known | {"libraries.json"}


@pytest.mark.parametrize("file", OURS, ids=[str(file.relative_to(WEB)) for file in OURS])
def test_no_page_or_script_names_another_origin(file: Path) -> None:
    assert ELSEWHERE.findall(file.read_text()) == []


@pytest.mark.parametrize("file", OURS, ids=[str(file.relative_to(WEB)) for file in OURS])
def test_no_text_of_a_job_can_become_markup_or_code(file: Path) -> None:
    text = file.read_text()
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|\bMarkup\(", text)
    assert not re.search(
        r"\.(?:inner|outer)HTML\s*\+?=|insertAdjacentHTML|document\.write|\beval\s*\(|new Function", text
    )
    assert not re.search(r"\shx-on\b|\son[a-z]+\s*=\s*[\"']|javascript:|['\"]js:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=| type=\"application/json\")", text), "inline scripts do not run here"


@pytest.mark.parametrize(
    "line",
    [
        '<script src="https://cdn.example/x.js">', "<link href='//cdn.example/x.css'>", "url(https://cdn.example/x.woff)",
        "import x from 'https://cdn.example/x.js'", "await import('//cdn.example/x')", 'fetch("http://evil.example")',
    ],
)  # fmt: skip
def test_another_origin_would_be_seen(line: str) -> None:
    assert ELSEWHERE.search(line)
