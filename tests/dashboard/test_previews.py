"""What is shown of contents, also of those that somebody has made up to do harm."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from emulator.storage.objects.store import DiskObjectStore
from emulator.web.previews.archives import MOST_MEMBERS, Contents, tar_contents, tar_member, zip_contents, zip_member
from emulator.web.previews.kinds import Kind, content_of
from emulator.web.previews.shown import shown
from emulator.web.previews.streams import MOST_UNPACKED, Budget, Inflated, ObjectFile, UnreadableError
from emulator.web.unseen import visible

Stored = Callable[..., ObjectFile]
MIB = 1024**2


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stored]:
    """Stores some bytes and opens them."""
    store = DiskObjectStore(tmp_path / "objects")
    store.create_bucket("b")

    def opened(content: bytes, budget: Budget | None = None) -> ObjectFile:
        version = store.put("b", "key", io.BytesIO(content), attributes={})
        return ObjectFile(store, version, budget or patient())

    yield opened
    store.close()


def patient(most_bytes: int = MOST_UNPACKED) -> Budget:
    """A budget whose time no machine needs."""
    return Budget(most_bytes, seconds=600)


def tar_of(*members: tuple[str, bytes], mode: str = "w", **facts: object) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:  # type: ignore[call-overload]  # any mode
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for fact, value in facts.items():
                setattr(member, fact, value)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def zip_of(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind", "has_doubt"),
    [
        ("a.csv", b"a,b\n1,2\n", Kind.TABLE, False),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n"), Kind.TABLE, False),
        ("a.tsv", b"a\tb\n", Kind.TABLE, False),
        ("a.json", b"{}", Kind.JSON, False),
        ("manifest", b'[{"prefix": "s3://b/"}]', Kind.JSON, False),
        ("a.jsonl", b"{}\n{}\n", Kind.JSON_LINES, False),
        ("log.txt.gz", gzip.compress(b"text"), Kind.TEXT, False),
        ("model.tar.gz", tar_of(("a", b"1"), mode="w:gz"), Kind.TAR, False),
        ("anything", tar_of(("a", b"1"), mode="w:gz"), Kind.TAR, False),
        ("a.tar", tar_of(("a", b"1")), Kind.TAR, False),
        ("a.whl", zip_of(("a", b"1")), Kind.ZIP, False),
        ("a.png", b"\x89PNG\r\n\x1a\n....", Kind.IMAGE, False),
        ("a.txt", b"\xff\xd8\xff\xe0", Kind.IMAGE, False),
        ("a.svg", b"<svg onload='alert(1)'/>", Kind.TEXT, False),
        ("a.html", b"<script>alert(1)</script>", Kind.TEXT, False),
        ("part-0", b"PAR1....", Kind.PARQUET, False),
        ("weights", bytes(range(256)), Kind.BYTES, False),
        ("a.txt", "grün".encode()[:-2], Kind.TEXT, False),
        ("a.txt", "grün".encode("utf-16"), Kind.TEXT, False),
        ("a.png", b"no image", Kind.TEXT, True),
        ("model.tar.gz", b"no archive", Kind.TEXT, True),
        ("model.tar.gz", b"\x1f\x8bnonsense", Kind.BYTES, True),
        ("a.zip", b"\0\1\2", Kind.BYTES, True),
    ],
)
def test_the_bytes_decide_what_content_is(name: str, content: bytes, kind: Kind, has_doubt: bool) -> None:
    found = content_of(name, content)
    assert (found.kind, bool(found.note)) == (kind, has_doubt)


def test_text_is_shown_in_stretches_of_whole_lines_and_characters(stored: Stored) -> None:
    lines = "".join(f"{number} grün ✓\n" for number in range(60_000))
    text, start = "", 0
    while True:
        view = shown(Kind.TEXT, stored(lines.encode()), "a.txt", start)
        text += view.text
        if view.following is None:
            break
        assert view.following > start
        start = view.following
    assert text == lines
    one_line = "✓" * 300_000
    first = shown(Kind.TEXT, stored(one_line.encode()), "a.txt")
    assert set(first.text) == {"✓"}
    assert first.following is not None


def test_a_table_has_headings_or_numbers(stored: Stored) -> None:
    named = shown(Kind.TABLE, stored(b'name,age\n"a, b",1\n'), "a.csv")
    assert (named.headings, named.rows) == (["name", "age"], [["a, b", "1"]])
    bare = shown(Kind.TABLE, stored(b"0,1.5\n1,2.5\n"), "a.csv")
    assert (bare.headings, bare.rows) == (["1", "2"], [["0", "1.5"], ["1", "2.5"]])
    long = shown(Kind.TABLE, stored(b"a,b\n" + b"1,2\n" * 1000), "a.csv")
    assert (len(long.rows), long.note) == (200, "The first 200 rows are shown.")
    with pytest.raises(UnreadableError, match="no table: row 1"):
        shown(Kind.TABLE, stored(b'"' + b"x" * 200_000), "a.csv")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"a": ', "no JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 10_000, "no JSON"),
        (b"[" + b"1," * MIB, "more than 1 MiB"),
        (b"\0\1\xff", "not even text"),
    ],
)
def test_json_that_is_none_is_a_sentence(stored: Stored, content: bytes, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        shown(Kind.JSON, stored(content), "a.json")


def test_json_is_laid_out_up_to_a_length(stored: Stored) -> None:
    assert (
        shown(Kind.JSON, stored('{"a":["ü","\\ud800"]}'.encode()), "a.json").text
        == '{\n  "a": [\n    "ü",\n    "?"\n  ]\n}'
    )
    depth = 400  # each of the numbers then takes a line of 800 letters
    wide = shown(Kind.JSON, stored(b"[" * depth + b"1," * 300_000 + b"1" + b"]" * depth), "a.json")
    assert len(wide.text) <= 2 * MIB
    assert "left out" in wide.note
    lines = shown(Kind.JSON_LINES, stored(b'{"a":1}\n\n{"a":2}'), "a.jsonl")
    assert lines.text == '{\n  "a": 1\n}\n{\n  "a": 2\n}'
    with pytest.raises(UnreadableError, match="line 2"):
        shown(Kind.JSON_LINES, stored(b"{}\n{"), "a.jsonl")


def test_what_cannot_be_seen_in_a_name_is_written_out() -> None:
    assert visible("a\nb\tc\x00\u202egpj.exe ü") == "a\\x0ab\\x09c\\x00\\u202egpj.exe ü"
    assert visible("a\u00adb\u206ac\ufffed\U000e0041 👍") == "a\\xadb\\u206ac\\ufffed\\U000e0041 👍"


def test_members_of_archives_are_listed_and_read(stored: Stored) -> None:
    packed = tar_of(("model/config.json", b'{"a": 1}'), ("../../etc/passwd", b"root"), mode="w:gz", mtime=1e9)
    found = tar_contents(_inflated(stored(packed)))
    assert [(one.name, one.size, one.kind, one.mode, one.modified) for one in found.members] == [
        ("model/config.json", 8, "file", "rw-r--r--", 1e9),
        ("../../etc/passwd", 4, "file", "rw-r--r--", 1e9),
    ]
    member, content = tar_member(_inflated(stored(packed)), 1)
    assert (member.name, content.read(100)) == ("../../etc/passwd", b"root")
    links = tar_of(("a", b""), type=tarfile.SYMTYPE, linkname="/etc/shadow")
    (link,) = tar_contents(stored(links)).members
    assert (link.kind, link.target, link.is_file) == ("symbolic link", "/etc/shadow", False)
    assert tar_member(stored(links), 0)[1].read(100) == b""
    zipped = zip_of(("pkg/a.py", b"print(1)"), ("b", b"2"))
    assert [one.name for one in zip_contents(stored(zipped)).members] == ["pkg/a.py", "b"]
    assert zip_member(stored(zipped), 0, patient())[1].read(100) == b"print(1)"
    with pytest.raises(UnreadableError, match="no member number 7"):
        zip_member(stored(zipped), 7, patient())
    with pytest.raises(UnreadableError, match="no member number 7"):
        tar_member(_inflated(stored(packed)), 7)


def test_only_so_many_members_are_listed(stored: Stored) -> None:
    found = tar_contents(stored(tar_of(*((f"{number}", b"") for number in range(MOST_MEMBERS + 5)))))
    assert (len(found.members), "first 2000" in found.note) == (MOST_MEMBERS, True)
    found = zip_contents(stored(zip_of(*((f"{number}", b"") for number in range(MOST_MEMBERS + 5)))))
    assert (len(found.members), "first 2000 of 2005" in found.note) == (MOST_MEMBERS, True)


class Counted:
    """Counts what is read of a file."""

    def __init__(self, file: ObjectFile) -> None:
        self._file = file
        self.count = 0

    def read(self, size: int) -> bytes:
        found = self._file.read(size)
        self.count += len(found)
        return found

    def skip(self, count: int) -> None:
        self._file.skip(count)


def test_of_a_tar_only_the_headers_are_read(stored: Stored) -> None:
    file = Counted(stored(tar_of(("big", bytes(20 * MIB)), ("last", b"x"))))
    assert [one.name for one in tar_contents(file).members] == ["big", "last"]
    assert file.count < MIB


def test_archives_that_are_cut_off_say_so_and_show_what_there_is(stored: Stored) -> None:
    members = [(f"{number}", bytes([number]) * 5000) for number in range(50)]
    whole = tar_of(*members)
    found = tar_contents(stored(whole[: len(whole) // 2]))
    assert 10 < len(found.members) < 40
    assert "damaged" in found.note
    zipped = tar_of(*((name, sha256(name.encode()).digest() * 200) for name, _ in members), mode="w:gz")
    found = tar_contents(_inflated(stored(zipped[: len(zipped) // 2])))
    assert "cut off" in found.note
    broken = bytearray(zipped)
    broken[len(broken) // 2 : len(broken) // 2 + 50] = bytes(50)
    assert "damaged" in tar_contents(_inflated(stored(bytes(broken)))).note
    assert "damaged" in zip_contents(stored(zip_of(("a", b"1" * 1000))[:-30])).note


def test_a_bomb_ends_at_the_limit_and_never_lies_in_memory(stored: Stored) -> None:
    bomb = gzip.compress(tar_of(("zeros", bytes(40 * MIB)), ("last", b"x")), 1)
    tracemalloc.start()
    budget = patient(20 * MIB)
    found = tar_contents(Inflated(stored(bomb, budget), budget))
    late = tar_contents(Inflated(stored(bomb), Budget(seconds=0)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ([one.name for one in found.members], "more than 20 MiB" in found.note) == (["zeros"], True)
    assert "given up" in late.note
    assert peak < 5 * MIB
    _, content = zip_member(stored(zip_of(("zeros", bytes(40 * MIB)))), 0, patient(20 * MIB))
    with pytest.raises(UnreadableError, match="more than 20 MiB"):
        content.skip(40 * MIB)


def _inflated(file: ObjectFile) -> Inflated:
    return Inflated(file, patient())


_BAD_VALUES = b"20 mtime=nonsense\n19 size=-999999999\n".ljust(512, b"\0")


def header(name: bytes, size: bytes, kind: bytes = b"0") -> bytes:
    """Return a tar header with whatever is claimed as the size."""
    block = bytearray(512)
    block[: len(name)] = name
    block[100:108], block[108:116], block[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    block[124:136], block[136:148] = size.ljust(12, b"\0"), b"00000000000\0"
    block[156:157], block[257:265] = kind, b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    "content",
    [
        # Names of 8 GiB; they would be read as a whole.
        header(b"././@LongLink", b"77777777777", b"L") + bytes(MIB),
        header(b"pax", b"77777777777", b"x") + bytes(MIB),
        # A member that is minus one block long leads back to itself.
        header(b"loop", b"\xff" * 10 + struct.pack(">h", -512)) * 2,
        # Each long name is that of another long name.
        (header(b"././@LongLink", b"00000000001", b"L") + bytes(512)) * 5000,
        header(b"pax", b"00000000020", b"x") + b"999999999 a=b\n".ljust(512, b"\0") + header(b"a", b"0"),
        header(b"pax", b"00000001000", b"x") + _BAD_VALUES + header(b"a", b"0"),
        header(b"sparse", b"00000001000", b"S") + bytes(512),
        b"x" * 1024,
    ],
    ids=["long-name", "long-pax", "loop", "chain", "pax-length", "pax-values", "sparse", "nonsense"],
)  # fmt: skip
def test_tars_that_were_made_up_are_no_harm(stored: Stored, content: bytes) -> None:
    tracemalloc.start()
    started = time.process_time()
    found = tar_contents(stored(content))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, Contents)
    assert len(found.members) <= 2
    assert peak < 10 * MIB
    assert time.process_time() - started < 10  # it takes milliseconds; what is feared is time in the square


def test_zips_that_were_made_up_are_no_harm(stored: Stored) -> None:
    whole = bytearray(zip_of(("a", b"1")))
    whole[-10:-6] = struct.pack("<I", 2**31)  # the directory's length
    assert "damaged" in zip_contents(stored(bytes(whole))).note
    padded = bytes(20 * MIB) + bytes(whole)
    padded = padded[:-10] + struct.pack("<I", 15 * MIB) + padded[-6:]
    assert "too many members" in zip_contents(stored(padded)).note
    assert "damaged" in zip_contents(stored(b"PK\x05\x06")).note
