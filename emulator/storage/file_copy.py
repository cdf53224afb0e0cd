"""Copies file contents inside the kernel: shared blocks where the file system can, else one copy."""

from __future__ import annotations

import errno
import fcntl
import os

_FICLONE = 0x40049409
_STEP = 128 * 1024**2

# What kernels and file systems answer that cannot do it this way.
_UNABLE = frozenset(
    {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EBADF, errno.ETXTBSY}
)


def copy_contents(source: int, target: int, offset: int = 0, length: int | None = None) -> int:
    """Append a file, or a stretch of it, to another, both given as descriptors; return the bytes copied.

    Shared blocks are copied by the file system when either side is written, so no copy ever changes with
    the other.
    """
    size = os.fstat(source).st_size
    length = size - offset if length is None else length
    if offset == 0 and length == size and _cloned(source, target):
        return os.fstat(target).st_size
    copied = _copy_in_kernel(source, target, offset, length)
    while copied < length:
        sent = os.sendfile(target, source, offset + copied, min(length - copied, _STEP))
        if not sent:
            raise OSError(errno.EIO, "The file became shorter while it was copied")
        copied += sent
    return copied


def _cloned(source: int, target: int) -> bool:
    if os.fstat(target).st_size:
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in _UNABLE:
            return False
        raise
    os.lseek(target, 0, os.SEEK_END)
    return True


def _copy_in_kernel(source: int, target: int, offset: int, length: int) -> int:
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
