"""`aws s3`: copies, syncs, lists, moves and removes, as its users have them in scripts."""

from __future__ import annotations

import os
import random
import shlex
import time
import urllib.request
import uuid
from pathlib import Path

import pytest

from tests.clients.programs import Finished, Programs, client
from tests.jobs import Clients

pytestmark = [pytest.mark.clients, pytest.mark.docker, pytest.mark.xdist_group("clients-s3")]

MIB = 1024**2
LARGE = random.Random(4).randbytes(20 * MIB + 5)
"""awscli sends what is larger than 8 MiB in parts of 8 MiB."""
TREE = {
    "a.txt": b"a",
    "empty": b"",
    "with space/b + c.txt": b"bc",
    "ünïcödé/☃ %41&=.csv": "☃".encode(),
    "deep/er/still/d.bin": b"\x00" * 5000,
}


class AwsS3:
    """Runs `aws s3`; a bucket of its own."""

    def __init__(self, programs: Programs, aws: Clients) -> None:
        self._programs = programs
        self.s3 = aws.s3
        self.bucket = f"aws-s3-{uuid.uuid4().hex[:8]}"
        self.s3.create_bucket(Bucket=self.bucket)

    def __call__(self, *arguments: str) -> list[str]:
        """Run a command and return the lines it printed, but for those of blanks that take back its progress."""
        finished = self._programs.fork("awscli", client("awscli", "aws"), "s3", *arguments).result().succeeded()
        return [shown for line in finished.lines if (shown := line.strip())]

    def shell(self, line: str) -> Finished:
        """Run a line of shell in which `aws` is the client."""
        program = f'set -eo pipefail; aws() {{ {shlex.quote(client("awscli", "aws"))} "$@"; }}; {line}'
        return self._programs.exec("bash", "-c", program).result().succeeded()

    def uri(self, key: str = "") -> str:
        return f"s3://{self.bucket}/{key}"

    def content(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def tree(self, prefix: str) -> dict[str, bytes]:
        """Return the objects below a prefix that ends with a slash."""
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", [])
        return {one["Key"].removeprefix(prefix): self.content(one["Key"]) for one in listed}

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)


@pytest.fixture
def aws_s3(programs: Programs, aws: Clients) -> AwsS3:
    return AwsS3(programs, aws)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with odd names in it, a minute old: S3 tells of whole seconds, so sync finds files of now newer."""
    folder = tmp_path / "tree"
    for name, content in TREE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (time.time() - 60, time.time() - 60))
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_large_files_both_ways_and_from_object_to_object(aws_s3: AwsS3, tmp_path: Path) -> None:
    source, target = tmp_path / "large file.bin", tmp_path / "target"
    source.write_bytes(LARGE)
    aws_s3("cp", str(source), aws_s3.uri(), "--metadata", "who=me")
    head = aws_s3.s3.head_object(Bucket=aws_s3.bucket, Key="large file.bin")
    assert (head["ETag"][-3:], head["ContentLength"], head["Metadata"]) == ('-3"', len(LARGE), {"who": "me"})
    aws_s3("cp", aws_s3.uri("large file.bin"), str(target))
    assert target.read_bytes() == LARGE
    aws_s3("cp", aws_s3.uri("large file.bin"), aws_s3.uri("copy"))
    assert aws_s3.s3.head_object(Bucket=aws_s3.bucket, Key="copy")["ETag"] == head["ETag"]
    assert aws_s3.content("copy") == LARGE


def test_folders_are_copied_with_odd_names(aws_s3: AwsS3, tree: Path, tmp_path: Path) -> None:
    aws_s3("cp", "--recursive", str(tree), aws_s3.uri("up"))
    assert aws_s3.tree("up/") == TREE
    aws_s3("cp", "--recursive", aws_s3.uri("up/"), str(tmp_path / "down"))
    assert files(tmp_path / "down") == TREE
    aws_s3("cp", "--recursive", "--exclude", "*", "--include", "*.txt", aws_s3.uri("up/"), aws_s3.uri("texts/"))
    assert aws_s3.tree("texts/") == {name: content for name, content in TREE.items() if name.endswith(".txt")}


def test_sync_sends_what_changed_and_no_more(aws_s3: AwsS3, tree: Path) -> None:
    up = ("sync", str(tree), aws_s3.uri("data"))
    assert len(aws_s3(*up)) == len(TREE)
    assert aws_s3.tree("data/") == TREE
    assert aws_s3(*up) == []
    (tree / "a.txt").write_bytes(b"A")  # as long as before, but newer
    os.utime(tree / "a.txt", (time.time() + 5, time.time() + 5))
    (tree / "empty").write_bytes(b"no more")
    os.utime(tree / "empty", (1, 1))  # older, but of another size
    (tree / "new").write_bytes(b"new")
    assert sorted(line.rpartition("/")[2] for line in aws_s3(*up)) == ["a.txt", "empty", "new"]
    (tree / "new").unlink()
    assert aws_s3(*up, "--size-only") == []
    assert aws_s3(*up, "--size-only", "--delete") == [f"delete: {aws_s3.uri('data/new')}"]
    assert aws_s3.tree("data/") == files(tree)


def test_sync_brings_what_changed_and_no_more(aws_s3: AwsS3, tmp_path: Path) -> None:
    for name, content in TREE.items():
        aws_s3.put(f"data/{name}", content)
    target = tmp_path / "target"
    down = ("sync", aws_s3.uri("data"), str(target))
    assert len(aws_s3(*down)) == len(TREE)
    assert files(target) == TREE
    assert aws_s3(*down) == []
    aws_s3.put("data/a.txt", b"changed")
    aws_s3.s3.delete_object(Bucket=aws_s3.bucket, Key="data/empty")
    (target / "mine").write_bytes(b"mine")
    # One object a request: the list ends after the downloads, and so does what is printed of progress.
    lines = aws_s3(*down, "--delete", "--exclude", "mine", "--page-size", "1")
    assert sorted(line.split(":")[0] for line in lines) == ["delete", "download"]
    assert files(target) == {**aws_s3.tree("data/"), "mine": b"mine"}
    aws_s3("sync", aws_s3.uri("data"), aws_s3.uri("again"))
    assert aws_s3.tree("again/") == aws_s3.tree("data/")
    assert aws_s3("sync", aws_s3.uri("data"), aws_s3.uri("again")) == []


def test_lists(aws_s3: AwsS3) -> None:
    for name, content in TREE.items():
        aws_s3.put(name, content)
    assert [line.split()[-1] for line in aws_s3("ls", aws_s3.uri())] == [
        "deep/",
        "space/",
        "ünïcödé/",
        "a.txt",
        "empty",
    ]
    summary = aws_s3("ls", aws_s3.uri(), "--recursive", "--human-readable", "--summarize")
    assert "4.9 KiB deep/er/still/d.bin" in summary[1]
    assert [line.split(": ")[-1] for line in summary[-2:]] == ["5", "4.9 KiB"]
    assert aws_s3.bucket in [line.split()[-1] for line in aws_s3("ls")]


def test_moves_and_removals(aws_s3: AwsS3, tree: Path, tmp_path: Path) -> None:
    aws_s3("mv", "--recursive", str(tree), aws_s3.uri("one"))
    assert (files(tree), aws_s3.tree("one/")) == ({}, TREE)
    aws_s3("mv", "--recursive", aws_s3.uri("one"), aws_s3.uri("two"))
    assert (aws_s3.tree("one/"), aws_s3.tree("two/")) == ({}, TREE)
    aws_s3("mv", aws_s3.uri("two/with space/b + c.txt"), str(tmp_path / "here"))
    assert (tmp_path / "here").read_bytes() == b"bc"
    aws_s3("rm", aws_s3.uri("two/ünïcödé/☃ %41&=.csv"))
    assert aws_s3.tree("two/").keys() == {"a.txt", "empty", "deep/er/still/d.bin"}
    removed = sorted(aws_s3("rm", "--recursive", aws_s3.uri("two/"), "--exclude", "a.txt"))
    assert removed == [f"delete: {aws_s3.uri(f'two/{name}')}" for name in ("deep/er/still/d.bin", "empty")]
    assert aws_s3.tree("") == {"two/a.txt": b"a"}
    aws_s3("rb", "--force", aws_s3.uri())
    assert aws_s3.bucket not in [one["Name"] for one in aws_s3.s3.list_buckets()["Buckets"]]


def test_streams(aws_s3: AwsS3, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(LARGE)
    large, back = shlex.quote(str(tmp_path / "large")), shlex.quote(str(tmp_path / "back"))
    small = aws_s3.shell(
        f"echo from a pipe | aws s3 cp - {aws_s3.uri('small')}; aws s3 cp {aws_s3.uri('small')} -;"
        f"cat {large} | aws s3 cp - {aws_s3.uri('large')}; aws s3 cp {aws_s3.uri('large')} - > {back}"
    )
    assert small.lines == ["from a pipe"]
    assert aws_s3.s3.head_object(Bucket=aws_s3.bucket, Key="large")["ETag"].endswith('-3"')
    assert (tmp_path / "back").read_bytes() == LARGE


def test_a_presigned_address_needs_no_client(aws_s3: AwsS3) -> None:
    aws_s3.put("a key/with ü+☃", b"signed")
    (url,) = aws_s3("presign", aws_s3.uri("a key/with ü+☃"), "--expires-in", "3600")
    with urllib.request.urlopen(url, timeout=120) as answer:
        assert answer.read() == b"signed"
