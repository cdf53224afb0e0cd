"""Programs in the place of images: their commands, their documents, their folders, and who may register one."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from emulator.contract.outcome import ImageMissingError
from emulator.contract.plan import ContainerPlan, Program
from emulator.contract.programs import parse_program, program_document
from emulator.engines.process.programs import RegisteredPrograms, program_view
from emulator.engines.process.reasons import advice
from emulator.engines.process.sources import copy_source, source_paths
from emulator.errors import UsageError

PROGRAM = Program(
    command=("python", "x.py"),
    arguments=("train",),
    source=Path("/src"),
    environment={"A": "b"},
    path=(Path("/usr/bin"),),
    without=(Path("/src/wheels"),),
)


def container(
    entrypoint: tuple[str, ...] | None = None, command: tuple[str, ...] = (), *, default: bool = False
) -> ContainerPlan:
    return ContainerPlan(
        host="algo-1",
        hostname="h",
        entrypoint=entrypoint,
        command=command,
        is_default_command=default,
        environment={},
        mounts=(),
    )


@pytest.mark.parametrize(
    ("plan", "argv"),
    [
        (container(command=("train",), default=True), ("python", "x.py", "train")),
        (container(default=True), ("python", "x.py", "train")),
        (container(command=("--a",)), ("python", "x.py", "--a")),
        (container(entrypoint=("sh",)), ("sh",)),
        (container(entrypoint=("sh", "-c"), command=("ls",)), ("sh", "-c", "ls")),
    ],
    ids=["training", "processing", "arguments", "entrypoint", "both"],
)
def test_the_command_of_a_program(plan: ContainerPlan, argv: tuple[str, ...]) -> None:
    assert PROGRAM.argv(plan) == argv


def test_arguments_stand_behind_a_command_that_has_none_to_replace() -> None:
    assert Program(command=("a", "b")).argv(container(command=("--c",))) == ("a", "b", "--c")
    assert Program(command=("a", "b")).argv(container(command=("train",), default=True)) == ("a", "b")


def test_a_program_is_the_same_after_its_document() -> None:
    assert parse_program(program_document(PROGRAM)) == PROGRAM
    assert parse_program({"command": ["a"]}) == Program(command=("a",))


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ([], "must be a mapping"),
        ({"comand": ["a"]}, "may not have comand, but command, arguments"),
        ({"command": "a b"}, "command: it must be a list"),
        ({"command": ["a"], "source": 1}, "source: it must be a folder"),
        ({"command": ["a"], "at": 1}, "at: it must be a path"),
        ({"command": ["a"], "environment": {"A": 1}}, "environment: it must map names to texts"),
    ],
)
def test_a_document_that_is_no_program(document: object, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_program(document)


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        (Program(command=()), "has no command"),
        (Program(command=("",)), "has no command"),
        (Program(command=("a",), source=Path("/no/such")), "is no folder of this machine"),
        (Program(command=("a",), path=(Path("/no/such"),)), "is no folder of this machine"),
        (Program(command=("a",), at=PurePosixPath("code")), "cannot be at code"),
        (Program(command=("a",), at=PurePosixPath("/opt/ml/../x")), "cannot be at"),
        (Program(command=("a",), at=PurePosixPath("/proc/x")), "cannot be at"),
        (Program(command=("a",), at=PurePosixPath("/")), "cannot be at /"),
    ],
)
def test_a_program_that_cannot_run_is_refused(program: Program, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        RegisteredPrograms().register("image", program)


def test_a_place_behind_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match=f"a symbolic link leads to {tmp_path}/code. Write that one"):
        RegisteredPrograms().register("image", Program(command=("a",), at=PurePosixPath(tmp_path / "link/code")))


def test_an_image_without_a_program_says_what_there_is_and_what_to_do() -> None:
    programs = RegisteredPrograms()
    programs.register("mine", Program(command=("a",)))
    assert programs.find("mine").command == ("a",)
    with pytest.raises(ImageMissingError, match=r"registered: mine\).*up --programs FILE.*--engine docker"):
        programs.find("other")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for name in ("a.py", "data/big", "data/kept", ".git/x", "d/__pycache__/y", ".venv/pyvenv.cfg", ".venv/bin/python"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "link").symlink_to("a.py")
    return folder


def test_a_source_is_copied_without_what_no_program_needs(source: Path, tmp_path: Path) -> None:
    copy_source(source, tmp_path / "copy")
    files = {path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*")}
    assert files == {"a.py", "d", "data", "data/big", "data/kept", "link"}
    assert (tmp_path / "copy/link").readlink() == Path("a.py")
    assert files == {path.relative_to(source).as_posix() for path in source_paths(source)}


def test_dockerignore_is_respected(source: Path, tmp_path: Path) -> None:
    (source / ".dockerignore").write_text("# comment\ndata\n!data/kept\nd\n")
    copy_source(source, tmp_path / "copy")
    files = {path.relative_to(tmp_path / "copy").as_posix() for path in (tmp_path / "copy").rglob("*")}
    assert files == {".dockerignore", "a.py", "data", "data/kept", "link"}


def test_what_is_not_the_programs_is_not_copied(source: Path, tmp_path: Path) -> None:
    (source / ".dockerignore").write_text("*\n!a.py\n!data\n")
    without = (source / "d/../data", tmp_path / "elsewhere")
    copy_source(source, tmp_path / "copy", without)
    assert {path.name for path in (tmp_path / "copy").iterdir()} == {".dockerignore", "a.py"}
    assert {path.name for path in source_paths(source, without)} == {".dockerignore", "a.py"}


def test_the_view_of_a_program_is_its_source(source: Path) -> None:
    entries = program_view(Program(command=("a",), source=source)).entries
    assert entries["/opt/ml/code/a.py"].size == 4
    assert entries["/opt/ml/code/link"].target == "a.py"
    assert entries["/opt/ml/code/data"].kind == "directory"
    assert program_view(Program(command=("a",), source=source, at=PurePosixPath("/srv/x"))).entries == {}


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("sys/kernel/unprivileged_userns_clone", "0\n", "sysctl kernel.unprivileged_userns_clone=1"),
        ("sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", "sysctl kernel.apparmor_restrict_unprivileged_u"),
        ("sys/user/max_user_namespaces", "0\n", "sysctl user.max_user_namespaces=10000"),
        ("self/status", "Name:\tx\nSeccomp:\t2\n", "--security-opt seccomp=unconfined"),
        ("self/status", "Seccomp:\t0\n", "Run it as root"),
    ],
)
def test_the_advice_names_the_setting_that_is_in_the_way(tmp_path: Path, file: str, text: str, said: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text)
    assert said in advice(tmp_path)
    assert advice(tmp_path).endswith("--engine docker.")
