"""When a job file's image is built again, and when it is not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.errors import UsageError
from emulator.jobfiles.document import ImageBuild
from emulator.jobfiles.images import context_files, context_hash, image_tag


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "My Job"
    (folder / "src").mkdir(parents=True)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY src /src\n")
    (folder / "src/train.py").write_text("print(1)\n")
    (folder / "src/link").symlink_to("train.py")
    (folder / ".dockerignore").write_text("# what does not matter\nnotes*\n\n**/__pycache__\n!notes-kept\n")
    return folder


def build(context: Path, **changes: object) -> ImageBuild:
    return ImageBuild(**{"context": context, **changes})  # type: ignore[arg-type]


def test_the_tag_is_the_folder_and_the_hash(context: Path) -> None:
    assert image_tag(build(context)) == f"sagemaker-emulator-build/my-job:{context_hash(build(context))}"


@pytest.mark.parametrize(("name", "shown"), [("iris_training", "iris_training"), ("__", "image"), ("Ü1", "1")])
def test_any_folder_name_makes_a_tag(tmp_path: Path, name: str, shown: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "Dockerfile").write_text("FROM scratch\n")
    assert image_tag(build(tmp_path / name)).startswith(f"sagemaker-emulator-build/{shown}:")


def test_dockerignore_decides_what_is_in_the_context(context: Path) -> None:
    for name in ("notes.txt", "notes-kept", "src/__pycache__/a.pyc"):
        (context / name).parent.mkdir(exist_ok=True)
        (context / name).write_text("x")

    assert context_files(build(context)) == [
        ".dockerignore",
        "Dockerfile",
        "notes-kept",
        "src",
        "src/link",
        "src/train.py",
    ]


def add_a_folder(context: Path) -> None:
    (context / "src/empty").mkdir()


def relink(context: Path) -> None:
    (context / "src/link").unlink()
    (context / "src/link").symlink_to("elsewhere")


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda context: (context / "src/train.py").write_text("print(2)\n"),
    "name": lambda context: (context / "src/train.py").rename(context / "src/main.py"),
    "mode": lambda context: (context / "src/train.py").chmod(0o755),
    "new file": lambda context: (context / "src/new").touch(),
    "new folder": add_a_folder,
    "link": relink,
    "Dockerfile": lambda context: (context / "Dockerfile").write_text("FROM scratch\n"),
    "dockerignore": lambda context: (context / ".dockerignore").write_text("other\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_changes_the_image_changes_the_hash(context: Path, change: Callable[[Path], object]) -> None:
    before = context_hash(build(context))
    change(context)
    assert context_hash(build(context)) != before


def test_what_does_not_reach_the_image_does_not_count(context: Path) -> None:
    before = context_hash(build(context))
    (context / "notes.txt").write_text("ignored")
    os.utime(context / "src/train.py", (1, 1))
    moved = context.rename(context.with_name("elsewhere"))
    assert context_hash(build(moved)) == before


def test_arguments_target_and_dockerfile_count(context: Path) -> None:
    (context / "Dockerfile.gpu").write_text("FROM scratch\n")
    (context.parent / "Dockerfile").write_text("FROM scratch\n")
    hashes = {
        context_hash(build(context)),
        context_hash(build(context, args={"A": "1"})),
        context_hash(build(context, args={"A": "2"})),
        context_hash(build(context, target="final")),
        context_hash(build(context, dockerfile="Dockerfile.gpu")),
        context_hash(build(context, dockerfile="../Dockerfile")),
    }
    assert len(hashes) == 6


def test_a_dockerfile_outside_of_the_folder_counts(context: Path) -> None:
    outside = build(context, dockerfile="../Dockerfile")
    (context.parent / "Dockerfile").write_text("FROM scratch\n")
    before = context_hash(outside)
    (context.parent / "Dockerfile").write_text("FROM scratch\nENV A=1\n")
    assert context_hash(outside) != before


def test_files_that_cannot_be_read_are_told(context: Path) -> None:
    (context / ".dockerignore").write_bytes(b"\xff\n")
    with pytest.raises(UsageError, match=r"The image of .* cannot be built: its files cannot be read: "):
        image_tag(build(context))


def test_no_two_trees_look_the_same(tmp_path: Path) -> None:
    """What a file ends with is not what the next one starts with."""
    hashes = set()
    for number, files in enumerate([{"a": "xb", "c": ""}, {"a": "x", "bc": ""}, {"a": "", "xbc": ""}]):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "Dockerfile").write_text("FROM scratch\n")
        for name, content in files.items():
            (folder / name).write_text(content)
        hashes.add(context_hash(build(folder)))
    assert len(hashes) == 3
