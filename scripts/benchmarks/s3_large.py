"""One large object, uploaded and downloaded by boto3 as it comes, beside plain moto and a server that does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from . import servers
from .measuring import Row
from .s3_client import seconds
from .servers import Server
from .setting import Setting

_GIBIBYTE = 1024**3
_ROUNDS = 3
_MOST_MEBIBYTES = 100


def measure(setting: Setting) -> Iterator[Row]:
    """Measure the best of a few, taken in turn; moto's download takes so long that one must do."""
    folder = setting.folder()
    file = _random_file(folder / "object")
    with (
        servers.emulator(folder / "state") as ours,
        servers.plain_moto(folder) as moto,
        servers.floor(folder) as floor,
    ):
        seconds(ours.url, ["create_bucket"])
        with ours.memory_growth() as growth, moto.memory_growth() as moto_growth:
            uploads = [[_upload(server, file) for server in (ours, moto, floor)] for _ in range(_ROUNDS)]
            downloads = [_download(ours, folder) for _ in range(_ROUNDS)]
            moto_download = _download(moto, folder)
            grown, moto_grown = growth(), moto_growth()
    upload, upload_to_moto, least = (min(one) for one in zip(*uploads, strict=True))
    yield Row(
        name="upload_file of 1 GiB, best of 3",
        ours=upload,
        baseline=upload_to_moto,
        baseline_name="plain moto",
        speedup_target=3,
    )
    yield Row(
        name=f"the same; boto3 alone is {upload_to_moto / least:.1f}x faster than with plain moto",
        ours=upload,
        baseline=least,
        baseline_name="a server that throws all away",
    )
    yield Row(
        name="download_file of 1 GiB, best of 3",
        ours=min(downloads),
        baseline=moto_download,
        baseline_name="plain moto, once",
        speedup_target=40,
    )
    yield _memory_row(1, grown, moto_grown)
    file.unlink()
    with servers.emulator(setting.folder() / "state") as ours, ours.memory_growth() as growth:
        seconds(ours.url, ["create_bucket"])
        _upload(ours, _sparse_file(folder / "object", 4))
        _download(ours, folder)
        yield _memory_row(4, growth(), None)


def _memory_row(gibibytes: int, ours: float, moto: float | None) -> Row:
    return Row(
        name=f"memory that the server needs for {gibibytes} GiB",
        ours=ours,
        baseline=moto,
        baseline_name="plain moto",
        unit="MiB",
        most=_MOST_MEBIBYTES,
    )


def _upload(server: Server, file: Path) -> float:
    return seconds(server.url, ["upload", file, "object"])


def _download(server: Server, folder: Path) -> float:
    copy = folder / "copy"
    taken = seconds(server.url, ["download", "object", copy])
    copy.unlink()
    return taken


def _random_file(path: Path) -> Path:
    with Path("/dev/urandom").open("rb") as source, path.open("wb") as target:
        for _ in range(64):
            target.write(source.read(_GIBIBYTE // 64))
    return path


def _sparse_file(path: Path, gibibytes: int) -> Path:
    with path.open("wb") as target:
        target.truncate(gibibytes * _GIBIBYTE)
    return path
