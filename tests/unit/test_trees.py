"""Directory trees of containers: what can be seen of them without an engine."""

from __future__ import annotations

import io
import os
import socket
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from tarfile import TarInfo
from typing import cast

import docker
import pytest
from docker.errors import NotFound

from emulator.engines.docker.archives import file_in_container, members_in_container
from emulator.engines.trees import (
    file_on_disk,
    is_plain_directory,
    members_below,
    members_on_disk,
    open_plain_directory,
)

_USER = 12345


class ArchiveApi:
    """The archive API of an engine, with one archive to give."""

    def __init__(self, archive: bytes | None, chunk: int = 700) -> None:
        self._archive = archive
        self._chunk = chunk

    def get_archive(self, container: str, path: str) -> tuple[Iterator[bytes], dict[str, object]]:
        if self._archive is None:
            raise NotFound(f"{path} is not in {container}")
        starts = range(0, len(self._archive), self._chunk)
        return (self._archive[start : start + self._chunk] for start in starts), {}


def api(*members: tuple[str, bytes, str | bytes], chunk: int = 700) -> docker.APIClient:
    """Return an engine that has these members (name, kind, content or link target)."""
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as tar:
        for name, kind, content in members:
            member = TarInfo(name)
            member.type = kind
            if isinstance(content, str):
                member.linkname = content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return cast("docker.APIClient", ArchiveApi(spool.getvalue(), chunk))


def no_archive() -> docker.APIClient:
    return cast("docker.APIClient", ArchiveApi(None))


def seen(client: docker.APIClient) -> list[tuple[str, str, bytes | None]]:
    """Return name, link target and content of what is in a container."""
    return [
        (member.name, member.linkname, content.read() if content is not None else None)
        for member, content in members_in_container(client, "id", PurePosixPath("/opt/ml/model"))
    ]


def on_disk(root: Path) -> dict[str, TarInfo]:
    return {member.name: member for member, _ in members_on_disk(root)}


# On a disk


def test_members_are_relative_sorted_and_directories_come_first(tmp_path: Path) -> None:
    (tmp_path / "b/c").mkdir(parents=True)
    (tmp_path / "b/c/file").touch()
    (tmp_path / "a").touch()
    assert list(on_disk(tmp_path)) == ["a", "b", "b/c", "b/c/file"]


def test_contents_can_be_read_as_they_come(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"22")
    contents = {member.name: content.read() for member, content in members_on_disk(tmp_path) if content is not None}
    assert contents == {"a": b"1", "b": b"22"}


def test_an_empty_or_missing_directory_has_no_members(tmp_path: Path) -> None:
    assert on_disk(tmp_path) == {}
    assert on_disk(tmp_path / "missing") == {}


def test_links_to_directories_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").touch()
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "outside")
    found = on_disk(root)
    assert list(found) == ["link"]
    assert found["link"].issym()


def test_a_hard_link_is_one_to_a_member_before_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    found = on_disk(tmp_path)
    assert found["a"].isreg()
    assert (found["b"].islnk(), found["b"].linkname) == (True, "a")


def test_a_file_whose_other_name_is_outside_is_a_file(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").write_bytes(b"1")
    (root / "inside").hardlink_to(tmp_path / "outside")
    assert on_disk(root)["inside"].isreg()


def test_sockets_and_pipes_do_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        Path("file").touch()
        found = on_disk(tmp_path)
    assert list(found) == ["file", "pipe"]
    assert found["pipe"].isfifo()


def test_owners_have_numbers_and_no_names_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    member = on_disk(tmp_path)["a"]
    assert (member.uname, member.gname, member.uid) == ("", "", os.geteuid())


def _as_ordinary_user(function: Callable[[], object]) -> str:
    """Return what a function prints as, in a process that has no right but an ordinary user's."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(_USER, _USER, _USER)
                os.setresuid(_USER, _USER, _USER)
            os.write(writing, repr(function()).encode())
        except BaseException as error:  # noqa: BLE001 - it is what the test shows
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return text


def test_what_its_owner_has_closed_to_himself_is_read_and_stays_closed() -> None:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to others than root
        root = Path(folder, "output")
        (root / "data/deeper").mkdir(parents=True)
        (root / "data/deeper/file").write_text("text")
        closed = [root / "data/deeper/file", root / "data/deeper", root / "data", root]
        for path in closed:
            if os.geteuid() == 0:
                os.chown(path, _USER, _USER)
            path.chmod(0)
        Path(folder).chmod(0o755)

        def found() -> tuple[list[tuple[str, int]], bytes | None, bool]:
            members = [(member.name, member.mode & 0o777) for member, _ in members_on_disk(root)]
            folder = open_plain_directory(root, PurePosixPath("data"))
            assert folder is not None
            assert [member.name for member, _ in members_below(folder)] == ["deeper", "deeper/file"]
            with file_on_disk(root, PurePosixPath("data/deeper/file")) as one:
                content = one[1].read() if one is not None and one[1] is not None else None
            return members, content, is_plain_directory(root, PurePosixPath("data/deeper"))

        members = [("data", 0), ("data/deeper", 0), ("data/deeper/file", 0)]
        assert _as_ordinary_user(found) == repr((members, b"text", True))
        if os.geteuid() == 0:
            assert [path.stat().st_mode & 0o777 for path in closed] == [0, 0, 0, 0]
        for path in reversed(closed):
            path.chmod(0o700)


# Is it a plain directory?


def test_a_directory_below_the_root_is_plain(tmp_path: Path) -> None:
    (tmp_path / "output/data").mkdir(parents=True)
    assert is_plain_directory(tmp_path, PurePosixPath("output/data"))
    assert is_plain_directory(tmp_path, PurePosixPath())


@pytest.mark.parametrize("path", ["missing", "file", "file/below", "link", "link/inner", "inner-link/deeper"])
def test_what_is_missing_a_file_or_reached_through_a_link_is_not_plain(tmp_path: Path, path: str) -> None:
    (tmp_path / "elsewhere/inner").mkdir(parents=True)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "inner-link").symlink_to("elsewhere")
    assert not is_plain_directory(tmp_path, PurePosixPath(path))


def test_a_root_that_is_itself_a_link_is_not_plain(tmp_path: Path) -> None:
    (tmp_path / "real/data").mkdir(parents=True)
    (tmp_path / "root").symlink_to("real")
    assert not is_plain_directory(tmp_path / "root", PurePosixPath("data"))


# In a container


@pytest.mark.parametrize("top", [".", "model"])
def test_members_of_a_container_are_named_without_their_directory(top: str) -> None:
    client = api(
        (f"{top}/", tarfile.DIRTYPE, b""),
        (f"{top}/sub/", tarfile.DIRTYPE, b""),
        (f"{top}/sub/weights", tarfile.REGTYPE, b"123"),
        (f"{top}/model", tarfile.REGTYPE, b""),
        (f"{top}/hard", tarfile.LNKTYPE, f"{top}/sub/weights"),
        (f"{top}/soft", tarfile.SYMTYPE, "model/../x"),
    )
    assert seen(client) == [
        ("sub", "", None),
        ("sub/weights", "", b"123"),
        ("model", "", b""),
        ("hard", "sub/weights", None),
        ("soft", "model/../x", None),
    ]


@pytest.mark.parametrize("name", ["-rf", " ", "a\nb", "ü", "...", ".hidden", "x" * 255, "a\\b"])
@pytest.mark.parametrize("top", [".", "model"])
def test_names_stay_as_they_are(top: str, name: str) -> None:
    client = api((f"{top}/{name}", tarfile.DIRTYPE, b""), (f"{top}/{name}/{name}", tarfile.REGTYPE, b"1"))
    assert [found for found, _, _ in seen(client)] == [name, f"{name}/{name}"]


@pytest.mark.parametrize("chunk", [1, 511, 512, 10**6])
def test_an_archive_can_come_in_chunks_of_any_size(chunk: int) -> None:
    content = bytes(range(256)) * 5
    client = api(
        ("./", tarfile.DIRTYPE, b""), ("./a", tarfile.REGTYPE, content), ("./b", tarfile.REGTYPE, b"b"), chunk=chunk
    )
    assert seen(client) == [("a", "", content), ("b", "", b"b")]


def test_a_directory_that_a_container_does_not_have_has_no_members() -> None:
    assert seen(no_archive()) == []


# One file in a container


def content(client: docker.APIClient) -> bytes | None:
    with file_in_container(client, "id", PurePosixPath("/opt/ml/output/failure")) as found:
        return None if found is None or found[1] is None else found[1].read()


def test_a_file_is_read_with_its_size() -> None:
    client = api(("failure", tarfile.REGTYPE, b"why" * 1000))
    assert content(client) == b"why" * 1000
    with file_in_container(client, "id", PurePosixPath("/a")) as found:
        assert found is not None
        assert found[0].size == 3000


def test_what_is_no_file_is_not_opened() -> None:
    assert content(no_archive()) is None
    assert content(api(("failure/", tarfile.DIRTYPE, b""))) is None
    assert content(api(("failure", tarfile.SYMTYPE, "/etc/passwd"))) is None
    assert content(api()) is None


# One file on a disk


def content_on_disk(root: Path, relative: str) -> bytes | None:
    with file_on_disk(root, PurePosixPath(relative)) as found:
        return None if found is None or found[1] is None else found[1].read()


def open_files() -> list[str]:
    return sorted(path.name for path in Path("/dev/fd").iterdir())


def test_a_file_of_the_disk_is_read_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    (tmp_path / "output/message").write_bytes(b"why" * 1000)
    assert content_on_disk(tmp_path, "output/message") == b"why" * 1000
    with file_on_disk(tmp_path, PurePosixPath("output/message")) as found:
        assert found is not None
        assert found[0].size == 3000


def test_what_is_no_file_of_the_disk_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("secret")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for name in ("absent", "absent/file", "file/file", "folder", "link", "pipe", "socket"):
            assert content_on_disk(tmp_path, name) is None, name


def test_no_link_on_the_way_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/message").write_text("secret")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/output").symlink_to("../elsewhere")
    assert content_on_disk(tmp_path / "root", "output/message") is None


def test_a_file_of_the_disk_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("text")
    before = open_files()
    for name in ("a/b/file", "a/b/absent", "a/absent/file", "a/b"):
        content_on_disk(tmp_path, name)
    assert open_files() == before


# A directory that is written to while it is read


def test_what_vanishes_or_turns_into_a_link_is_left_out(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    root = tmp_path / "root"
    root.mkdir()
    for name in ("a", "b", "c", "d"):
        (root / name).write_text(name)
    found = {}
    for member, stream in members_on_disk(root):
        found[member.name] = stream.read() if stream is not None else b""
        if member.name == "a":
            (root / "b").unlink()
            (root / "c").unlink()
            (root / "c").symlink_to(secret)
    assert found == {"a": b"a", "c": b"", "d": b"d"}
