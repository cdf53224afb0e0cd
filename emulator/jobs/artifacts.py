"""Packs what containers leave behind: model.tar.gz and output.tar.gz."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, cast

from .ports import TreeMember

# The service's compression level is unknown; the fastest one costs a third of the default's time.
_COMPRESSION_LEVEL = 1


def pack(members: Iterable[TreeMember], archive: Path, on_bytes: Callable[[int], None]) -> bool:
    """Write a gzip'd tar of the members, named as they come: relative, with no "./".

    Modes, symbolic links and empty directories are kept; devices, sockets and pipes are left out. Of
    members with the same name (from several hosts) the last one wins when the archive is unpacked.
    Returns False, and leaves no file, when there was nothing to pack.
    """
    packed = False
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=_COMPRESSION_LEVEL, fileobj=raw, mtime=0) as zipped,
        tarfile.open(fileobj=cast("IO[bytes]", zipped), mode="w|", format=tarfile.PAX_FORMAT) as tar,
    ):
        for member, content in members:
            if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
                continue
            member.pax_headers = {}
            tar.addfile(member, content)
            packed = True
            on_bytes(member.size)
    if not packed:
        archive.unlink()
    return packed
