"""model.tar.gz and output.tar.gz: training.md 4.2 to 4.4."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from tarfile import TarInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.engines.trees import members_on_disk
from emulator.jobs.artifacts import pack
from emulator.jobs.ports import TreeMember


def file(name: str, content: bytes = b"") -> TreeMember:
    member = TarInfo(name)
    member.size = len(content)
    return member, io.BytesIO(content)


def special(name: str, kind: bytes, target: str = "") -> TreeMember:
    member = TarInfo(name)
    member.type, member.linkname = kind, target
    return member, None


def packed(*members: TreeMember, into: Path) -> list[TarInfo]:
    archive = into / "model.tar.gz"
    assert pack(members, archive, lambda _: None)
    with tarfile.open(archive, "r:gz") as tar:
        return tar.getmembers()


def test_members_are_named_relative_without_a_dot(tmp_path: Path) -> None:
    found = packed(special("sub", tarfile.DIRTYPE), file("sub/weights", b"123"), into=tmp_path)
    assert [(member.name, member.isdir(), member.size) for member in found] == [
        ("sub", True, 0),
        ("sub/weights", False, 3),
    ]


def test_nothing_to_pack_leaves_no_archive(tmp_path: Path) -> None:
    assert not pack([], tmp_path / "model.tar.gz", lambda _: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_pipes_and_devices_are_left_out(tmp_path: Path, kind: bytes) -> None:
    assert not pack([special("odd", kind)], tmp_path / "model.tar.gz", lambda _: None)
    assert [member.name for member in packed(special("odd", kind), file("kept"), into=tmp_path)] == ["kept"]


def test_links_stay_links(tmp_path: Path) -> None:
    members = (file("a", b"1"), special("soft", tarfile.SYMTYPE, "/etc/hosts"), special("hard", tarfile.LNKTYPE, "a"))
    found = {member.name: member for member in packed(*members, into=tmp_path)}
    assert (found["soft"].issym(), found["soft"].linkname) == (True, "/etc/hosts")
    assert (found["hard"].islnk(), found["hard"].linkname) == (True, "a")


def test_of_two_hosts_files_of_one_name_the_last_wins(tmp_path: Path) -> None:
    packed(file("clash", b"algo-1"), file("only-1"), file("clash", b"algo-2"), into=tmp_path)
    with tarfile.open(tmp_path / "model.tar.gz") as tar:
        tar.extractall(tmp_path / "out", filter="data")
    assert (tmp_path / "out/clash").read_bytes() == b"algo-2"
    assert (tmp_path / "out/only-1").exists()


def test_bytes_are_told_as_they_are_packed(tmp_path: Path) -> None:
    sizes: list[int] = []
    pack([file("a", b"12"), file("b", b"345")], tmp_path / "model.tar.gz", sizes.append)
    assert sizes == [2, 3]


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        pack([file("a", b"12")], tmp_path / name, lambda _: None)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


# Any tree

Node = bytes | Path | dict[str, "Node"]
"""A file's content, a link's target, or a directory."""

WEIRD = ("-rf", " ", "a\nb", "ü", "a\\b", "*", "é" * 127, "x" * 255, os.fsdecode(b"\xff\xfe"), "~", "...", "a:b")
NAMES = st.sampled_from(WEIRD) | st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=20
)
SAFE_NAMES = NAMES.filter(lambda name: name not in (".", "..") and len(os.fsencode(name)) <= 255)
LEAVES = st.binary(max_size=600) | st.sampled_from(["/etc/hosts", "..", "no/where", "é"]).map(Path)
TREES = st.dictionaries(
    SAFE_NAMES,
    st.recursive(LEAVES, lambda inner: st.dictionaries(SAFE_NAMES, inner, max_size=4), max_leaves=8),
    max_size=5,
)
FILE_MODES = (0o644, 0o600, 0o755, 0o444, 0o777)
DIRECTORY_MODES = (0o755, 0o700, 0o777, 0o1777)


def build(root: Path, tree: dict[str, Node], modes: Iterator[int]) -> None:
    for name, node in tree.items():
        path = root / name
        match node:
            case bytes():
                path.write_bytes(node)
                path.chmod(FILE_MODES[next(modes) % len(FILE_MODES)])
            case Path():
                path.symlink_to(node)
            case dict():
                path.mkdir()
                build(path, node, modes)
                path.chmod(DIRECTORY_MODES[next(modes) % len(DIRECTORY_MODES)])


def snapshot(root: Path) -> dict[bytes, tuple[object, ...]]:
    """Return everything below a directory: its kind and, where they matter, mode and content."""
    found: dict[bytes, tuple[object, ...]] = {}
    for folder, directories, files in os.walk(root):
        for name in directories + files:
            path = Path(folder, name)
            status = path.lstat()
            kind, mode = stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode)
            key = os.fsencode(path.relative_to(root))
            if path.is_symlink():
                found[key] = (kind, path.readlink())
            else:
                found[key] = (kind, mode, path.read_bytes() if path.is_file() else None)
    return found


@given(TREES)
@settings(deadline=None, max_examples=60)
def test_a_tree_comes_out_of_its_archive_as_it_went_in(tree: dict[str, Node]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, copy, archive = Path(folder, "in"), Path(folder, "out"), Path(folder, "model.tar.gz")
        source.mkdir()
        copy.mkdir()
        build(source, tree, iter(range(10**6)))
        assert pack(members_on_disk(source), archive, lambda _: None) is bool(tree)
        if tree:
            with tarfile.open(archive) as tar:
                tar.extractall(copy, filter="fully_trusted")
        assert snapshot(copy) == snapshot(source)
