"""Many small objects: put, get and list, beside plain moto's server and one that does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emulator.storage.objects.store import DiskObjectStore

from . import servers
from .measuring import Row
from .s3_client import BUCKET, seconds, small_key
from .servers import Server
from .setting import Setting

_OBJECTS = 5000
_LISTED = 50_000
_ROUNDS = 2
# One process of boto3 is busy with itself most of the time, whatever the server: two share the ten threads.
_PROCESSES, _THREADS = 2, 5


def measure(setting: Setting) -> Iterator[Row]:
    """Measure the best of a few, taken in turn."""
    folder = setting.folder()
    with (
        servers.emulator(folder / "state") as ours,
        servers.plain_moto(folder) as moto,
        servers.floor(folder) as floor,
    ):
        seconds(ours.url, ["create_bucket"])
        for action in ("put", "get"):
            taken = [[_each(server, action) for server in (ours, moto, floor)] for _ in range(_ROUNDS)]
            best, best_of_moto, least = (min(one) for one in zip(*taken, strict=True))
            yield Row(
                name=f"{action} 5,000 x 10 KiB, 10 threads in 2 processes; boto3 alone: {least:.1f} s",
                ours=best,
                baseline=best_of_moto,
                baseline_name="plain moto",
                speedup_target=2,
            )
    folder = setting.folder()
    _fill(folder / "state")
    with servers.emulator(folder / "state") as ours, servers.plain_moto(folder, _LISTED) as moto:
        seconds(ours.url, ["create_bucket"])
        yield Row(
            name="list 50,000 keys by pages of 1,000",
            ours=min(seconds(ours.url, ["list_all", _LISTED]) for _ in range(_ROUNDS)),
            baseline=seconds(moto.url, ["list_all", _LISTED]),
            baseline_name="plain moto, once",
        )


def _each(server: Server, action: str) -> float:
    share = _OBJECTS // _PROCESSES
    clients = [(action, number * share, (number + 1) * share, _THREADS) for number in range(_PROCESSES)]
    return seconds(server.url, *clients)


def _fill(state_dir: Path) -> None:
    """Store the objects without HTTP; a client that creates the bucket finds them there."""
    store = DiskObjectStore(state_dir / "objects")
    store.create_bucket(BUCKET)
    for number in range(_LISTED):
        store.put(BUCKET, small_key(number), [b"small"], attributes={})
    store.close()
