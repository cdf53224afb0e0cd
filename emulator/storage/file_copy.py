"""Copies file contents inside the kernel: shared blocks where the file system can, else one copy."""

from __future__ import annotations

import errno
import os

_STEP = 128 * 1024**2
_SMALL = 64 * 1024

# What kernels and file systems answer that cannot copy a range between these two files.
_UNABLE = frozenset(
    {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EBADF, errno.ETXTBSY}
)


def copy_contents(source: int, target: int, offset: int = 0, length: int | None = None) -> int:
    """Append a stretch of a file (all of it) to another, both open descriptors; return the bytes copied.

    `copy_file_range` shares the blocks on file systems that have reflinks (btrfs, XFS). Shared blocks part
    when either file is written: no copy ever changes with the other.
    """
    length = os.fstat(source).st_size - offset if length is None else length
    # Two plain calls are the fastest for a small file.
    copied = os.write(target, os.pread(source, length, offset)) if length <= _SMALL else 0
    copied += _copy_ranges(source, target, offset + copied, length - copied)
    while copied < length:
        sent = os.sendfile(target, source, offset + copied, min(length - copied, _STEP))
        if not sent:
            raise OSError(errno.EIO, "The file became shorter while it was copied")
        copied += sent
    return copied


def _copy_ranges(source: int, target: int, offset: int, length: int) -> int:
    copied = 0
    while copied < length:
        try:
            step = os.copy_file_range(source, target, min(length - copied, _STEP), offset + copied)
        except OSError as error:
            if error.errno in _UNABLE:
                break
            raise
        if not step:
            break
        copied += step
    return copied
