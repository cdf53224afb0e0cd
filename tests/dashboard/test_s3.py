"""Buckets and objects in the dashboard, by plain requests and in the browser."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Callable
from html import unescape
from struct import pack
from urllib.parse import quote, urlencode, urljoin

import pytest
from playwright.sync_api import Page, expect

from emulator.endpoint import Endpoint
from emulator.web.s3_object import MOST_RAW
from tests.dashboard.plain_http import Reply, ask
from tests.jobs import Clients, TrainingJobs

KEYS = [
    "../up", "a//b", "a//", "//", "/lead", "tab\tkey", "line\nkey", "\u202egnp.exe", "ünï/✓", "%2e%2e/x", "q?x=1#y",
    "control\x01x", "'\"&<b>", "...", "a/../b", " ", "a b+c",
]  # fmt: skip


def png() -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))

    size = chunk(b"IHDR", pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + size
        + chunk(b"IDAT", zlib.compress((b"\0" + b"\x20\x90\xf0" * 8) * 8))
        + chunk(b"IEND", b"")
    )


def model_archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in {"model/config.json": b'{"layers": 3}', "../../etc/passwd": b"root"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def store(clients: Clients, bucket: str) -> Callable[..., None]:
    """Stores an object in the test's bucket."""

    def put(key: str, body: bytes, **more: str) -> None:
        clients.s3.put_object(Bucket=bucket, Key=key, Body=body, **more)  # type: ignore[arg-type]  # any member

    return put


@pytest.fixture
def at(ui: str, bucket: str) -> Callable[..., str]:
    """The address of a page of the test's bucket."""

    def at(page: str = "", **query: object) -> str:
        return f"{ui}/s3/{bucket}{page}?{urlencode(query, quote_via=quote)}"

    return at


def links_of(reply: Reply, css_class: str) -> list[str]:
    return [unescape(link) for link in re.findall(rf'<a class="{css_class}" href="([^"]+)"', reply.text)]


def test_buckets_are_listed_with_what_is_in_them(ui: str, bucket: str, store: Callable[..., None]) -> None:
    store("a", b"12345")
    page = ask(f"{ui}/s3").text
    row = page[page.index(f">{bucket}<") :]
    assert re.search(r'<td class="number">1</td>\s*<td class="number">5 bytes</td>', row)


def test_an_account_without_buckets_is_told_how_to_make_one(endpoint: Endpoint) -> None:
    page = ask(f"{endpoint.url}/_emulator/ui/999999999999/us-east-1/s3").text
    assert "aws s3 mb" in page


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_found_by_links_alone(at: Callable[..., str], store: Callable[..., None], key: str) -> None:
    store(key, b"found it")
    url = at()
    for _ in range(key.count("/")):
        reply = ask(url)
        (folder,) = links_of(reply, "folder")
        url = urljoin(url, folder)
    (file,) = links_of(ask(url), "file")
    page = ask(urljoin(url, file))
    assert page.status == 200
    assert "found it" in page.text
    assert ask(at("/download", key=key)).body == b"found it"
    assert ask(at("/raw", key=key)).body == b"found it"


def test_a_large_folder_comes_in_pages_and_is_searched(
    endpoint: Endpoint, at: Callable[..., str], bucket: str, store: Callable[..., None]
) -> None:
    for number in range(450):
        endpoint.emulator.objects.put(bucket, f"many/{number:05}.txt", io.BytesIO(b"x"), attributes={})
    url, seen = at(prefix="many/"), 0
    for expected in (200, 200, 50):
        reply = ask(url)
        assert len(links_of(reply, "file")) == expected
        seen += expected
        if seen < 450:
            more = re.findall(r'<a class="button" href="([^"]+)">More', reply.text)[0]
            url = urljoin(url, unescape(more))
    assert len(links_of(ask(at(prefix="many/", q="0001")), "file")) == 10
    assert len(links_of(ask(at(prefix="many/0001")), "file")) == 10
    assert "Nothing here begins with that" in ask(at(prefix="many/", q="x")).text


def test_versions_are_shown(clients: Clients, at: Callable[..., str], bucket: str, store: Callable[..., None]) -> None:
    clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for text in (b"first words", b"second words"):
        store("a.txt", text)
    clients.s3.delete_object(Bucket=bucket, Key="a.txt")
    assert links_of(ask(at()), "file") == []
    listed = ask(at(versions=1))
    assert "delete marker" in listed.text
    texts = [ask(urljoin(at(), link)).text for link in links_of(listed, "file")]
    assert ["first words" in one for one in texts] == [False, False, True]
    assert "is a delete marker" in ask(at("/object", key="a.txt")).text


def test_what_is_known_of_an_object_is_shown(clients: Clients, at: Callable[..., str], bucket: str) -> None:
    clients.s3.put_object(
        Bucket=bucket, Key="a.csv", Body=b"x,y\n1,2\n", ContentType="text/csv", Metadata={"owner": "somebody"},
        Tagging="stage=raw", ChecksumAlgorithm="SHA256",
    )  # fmt: skip
    page = ask(at("/object", key="a.csv")).text
    for text in ("text/csv", "somebody", "Tag stage", "SHA256", "8 bytes", f"s3://{bucket}/a.csv", "<td>1</td>"):
        assert text in page


def test_an_image_is_served_as_one_and_a_page_is_not(at: Callable[..., str], store: Callable[..., None]) -> None:
    store("a.png", png(), ContentType="text/html")
    store("a.html", b"<script>alert(1)</script>", ContentType="text/html")
    store("a.svg", b"<svg onload='alert(1)'/>", ContentType="image/svg+xml")
    store("a.bin", bytes(range(256)), ContentType="text/html")
    for key, media_type in (("a.png", "image/png"), ("a.html", "text/plain"), ("a.svg", "text/plain")):
        reply = ask(at("/raw", key=key))
        assert reply.headers["content-type"].startswith(media_type)
        assert "sandbox" in reply.headers["content-security-policy"]
        assert reply.headers["x-content-type-options"] == "nosniff"
    assert ask(at("/raw", key="a.bin")).status == 404
    for key in ("a.png", "a.html", "a.svg", "a.bin"):
        reply = ask(at("/download", key=key))
        assert reply.headers["content-type"] == "application/octet-stream"
        assert reply.headers["content-disposition"].startswith("attachment;")


def test_what_is_too_large_to_show_at_once_is_refused_and_not_cut(
    at: Callable[..., str], store: Callable[..., None]
) -> None:
    store("a.png", png().ljust(MOST_RAW, b"\0"))
    store("b.png", png().ljust(MOST_RAW + 1, b"\0"))
    store("b.txt.gz", gzip.compress(b"word " * (MOST_RAW // 5 + 1)))
    assert len(ask(at("/raw", key="a.png")).body) == MOST_RAW
    for key in ("b.png", "b.txt.gz"):
        reply = ask(at("/raw", key=key))
        assert reply.status == 413
        assert b"Download it instead" in reply.body


@pytest.mark.parametrize(
    ("name", "plain", "encoded"),
    [
        ("a b.txt", "a b.txt", "a%20b.txt"),
        ('a"; filename="evil.exe', "a_; filename=_evil.exe", "a%22%3B%20filename%3D%22evil.exe"),
        ("a\r\nX-Evil: 1", "a__X-Evil: 1", "a%0D%0AX-Evil%3A%201"),
        ("grün ✓.csv", "gr_n _.csv", "gr%C3%BCn%20%E2%9C%93.csv"),
        ("a\\b%41", "a_b_41", "a%5Cb%2541"),
    ],
)
def test_the_name_of_a_download_is_the_keys_and_nothing_else(
    at: Callable[..., str], store: Callable[..., None], name: str, plain: str, encoded: str
) -> None:
    store(f"folder/{name}", b"x")
    reply = ask(at("/download", key=f"folder/{name}"))
    assert reply.status == 200
    assert reply.headers["content-disposition"] == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
    assert "x-evil" not in reply.headers


def test_a_large_object_is_streamed(endpoint: Endpoint, at: Callable[..., str], bucket: str) -> None:
    content = bytes(range(256)) * 4096 * 20
    endpoint.emulator.objects.put(bucket, "large", io.BytesIO(content), attributes={})
    page = ask(at("/object", key="large"))
    assert page.status == 200
    assert len(page.body) < len(content) / 20
    assert ask(at("/download", key="large")).body == content


@pytest.mark.parametrize(
    ("key", "content", "says"),
    [
        ("a.tar.gz", b"\x1f\x8bnonsense", "By its name this is a gzip file, by its bytes it is not."),
        ("b.tar.gz", model_archive()[:100], "damaged|cut off"),
        ("a.zip", b"PK\x03\x04 and nothing", "damaged"),
        ("a.json", b'{"a"', "This is no JSON"),
        ("bomb.gz", gzip.compress(bytes(20 * 1024**2)), "00000000"),
    ],
)
def test_content_that_is_not_what_it_looks_like_is_a_sentence(
    at: Callable[..., str], store: Callable[..., None], key: str, content: bytes, says: str
) -> None:
    store(key, content)
    for query in ({}, {"member": 0}, {"view": "tar"}, {"from": 10**30}, {"from": "x"}, {"view": "json"}):
        reply = ask(at("/object", key=key, **query))
        assert reply.status == 200
        if not query:
            assert re.search(says, reply.text)


def test_an_s3_uri_leads_to_what_it_names(ui: str, bucket: str, store: Callable[..., None]) -> None:
    store("out/job/model.tar.gz", b"x")
    for uri, place in {
        "out/job/model.tar.gz": "/object?key=out/job/model.tar.gz",
        "out/job": "?prefix=out/job/",
        "out/job/": "?prefix=out/job/",
        "out/jo": "?prefix=out/jo",
        "": "?prefix=",
    }.items():
        reply = ask(f"{ui}/s3-uri?uri=s3://{bucket}/{uri}")
        assert reply.status == 302
        assert reply.headers["location"].partition(bucket)[2] == place
    for missing in (f"s3://{bucket}/nothing", "s3://no-such-bucket-at-all/x", "http://evil.example", "//evil.example"):
        reply = ask(f"{ui}/s3-uri?uri={missing}")
        assert reply.status == 404
        assert "There is no" in reply.text or "Invalid S3 URI" in reply.text


def test_a_bucket_of_another_account_is_not_shown(endpoint: Endpoint, bucket: str, store: Callable[..., None]) -> None:
    store("a", b"secret words")
    for page in ("", "/object?key=a", "/download?key=a", "/raw?key=a"):
        reply = ask(f"{endpoint.url}/_emulator/ui/999999999999/us-east-1/s3/{bucket}{page}")
        assert reply.status == 404
        assert "secret" not in reply.text


def test_a_model_archive_is_looked_into(
    jobs: TrainingJobs, ui: str, open_page: Callable[..., Page], screenshot: Callable[..., object]
) -> None:
    job = jobs.running("echo '{\"layers\": 3}' > /opt/ml/model/config.json; echo w > /opt/ml/model/weights.bin").ended()
    page = open_page(f"{ui}/s3")
    page.get_by_role("link", name=job.bucket).click()
    for folder in ("out/", f"{job.name}/", "output/"):
        page.get_by_role("link", name=folder, exact=True).click()
    page.get_by_role("link", name="model.tar.gz").click()
    members = page.get_by_role("region", name="Members of the archive")
    expect(members.get_by_role("link")).to_have_text(["config.json", "weights.bin"])
    screenshot(page, "s3-archive")
    members.get_by_role("link", name="config.json").click()
    expect(page.locator("pre.content")).to_have_text('{\n  "layers": 3\n}')
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "model.tar.gz"


def test_a_search_is_as_quick_as_one_types(
    at: Callable[..., str], store: Callable[..., None], open_page: Callable[..., Page]
) -> None:
    for key in ("alpha.txt", "beta.txt"):
        store(key, b"x")
    page = open_page(at())
    page.get_by_label("Names that begin with").press_sequentially("be")
    expect(page.locator("#listing th a")).to_have_text(["beta.txt"])
    assert "q=be" in page.url
    page.reload()
    expect(page.locator("#listing th a")).to_have_text(["beta.txt"])
