"""The checksums of S3: computed while a body streams by, compared with what the client says, combined from parts."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import anycrc

from ...storage.objects.model import Hasher, Verification
from .errors import S3Error, invalid_request

if TYPE_CHECKING:
    from .request import S3Request

ALGORITHMS: Final = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
DEFAULT: Final = "CRC64NVME"
"""What S3 computes for objects whose client sends no checksum."""

COMPOSITE: Final = "COMPOSITE"
FULL_OBJECT: Final = "FULL_OBJECT"
_PREFIX: Final = "x-amz-checksum-"
_MODELS: Final[dict[str, Any]] = {
    "CRC32": anycrc.Model("CRC32"),
    "CRC32C": anycrc.Model("CRC32C"),
    "CRC64NVME": anycrc.Model("CRC64-NVME"),
}
_SIZES: Final = {"CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32}


class Crc:
    """A cyclic checksum in the form of hashlib's objects."""

    def __init__(self, algorithm: str) -> None:
        self._calculate: Callable[[bytes, int], int] = _MODELS[algorithm].calc
        self._size = _SIZES[algorithm]
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._calculate(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


def hasher(algorithm: str) -> Hasher:
    if algorithm.startswith("CRC"):
        return Crc(algorithm)
    return hashlib.new(algorithm, usedforsecurity=False)


def digest_of(algorithm: str, chunks: Iterable[bytes]) -> str:
    """Return the checksum of some bytes as S3 writes it."""
    running = hasher(algorithm)
    for chunk in chunks:
        running.update(chunk)
    return encoded(running.digest())


def encoded(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def composite(algorithm: str, values: list[str]) -> str:
    """Return the checksum of the parts' checksums, with their number."""
    return f"{digest_of(algorithm, [base64.b64decode(value) for value in values])}-{len(values)}"


def combined(algorithm: str, parts: list[tuple[str, int]]) -> str:
    """Return the checksum of the whole from those of its parts and their sizes; cyclic checksums only."""
    model = _MODELS[algorithm]
    total = 0
    for value, size in parts:
        total = model.combine(total, int.from_bytes(base64.b64decode(value), "big"), size)
    return encoded(total.to_bytes(_SIZES[algorithm], "big"))


class Check:
    """What is computed and compared for one body."""

    def __init__(self, request: S3Request, *, algorithm: str | None = None, also: tuple[str, ...] = ()) -> None:
        """Read what the client says: a checksum in a header, one in a trailer, or only an algorithm.

        Raises:
            S3Error: it says two things, or something that is no checksum.
        """
        self._request = request
        given = {name.upper(): value for name, value in request.headers(_PREFIX).items() if name.upper() in ALGORITHMS}
        if len(given) > 1:
            raise invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
        self._given = given
        named = request.header("x-amz-sdk-checksum-algorithm") or request.header("x-amz-checksum-algorithm")
        trailer = (request.header("x-amz-trailer") or "").lower().removeprefix(_PREFIX)
        self.said = next(iter(given), None) or known(trailer or named or "")
        self.algorithm = self.said or algorithm or DEFAULT
        for name, value in given.items():
            _decode(name, value)
        self.hashers = {name: hasher(name) for name in dict.fromkeys((self.algorithm, *also))}

    @property
    def verify(self) -> Verification:
        return self._verify

    def _verify(self, md5: str, _size: int, digests: Mapping[str, bytes]) -> Mapping[str, Any]:
        """Compare, and return the attribute to keep."""
        self._request.body.check_md5(md5)
        trailers = self._request.body.trailers
        wanted = self._given.get(self.algorithm) or trailers.get(f"{_PREFIX}{self.algorithm.lower()}")
        if wanted is not None and _decode(self.algorithm, wanted) != digests[self.algorithm]:
            raise S3Error("BadDigest", f"The {self.algorithm} you specified did not match the calculated checksum.")
        return self.attributes(digests)

    def attributes(self, digests: Mapping[str, bytes]) -> Mapping[str, Any]:
        """Return what is kept of the checksums."""
        value = encoded(digests[self.algorithm])
        return {"checksum": {"algorithm": self.algorithm, "value": value, "type": FULL_OBJECT}}


class PartCheck(Check):
    """The same for a part, which keeps all that its upload may need at the end."""

    def attributes(self, digests: Mapping[str, bytes]) -> Mapping[str, Any]:
        found = {name: encoded(digest) for name, digest in digests.items()}
        return {"checksums": found, "stored": time.time()}


def known(name: str) -> str | None:
    """Return an algorithm's name as S3 spells it.

    Raises:
        S3Error: there is no such algorithm.
    """
    if not name:
        return None
    if name.upper() not in ALGORITHMS:
        raise invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(ALGORITHMS)}]"
        )
    return name.upper()


def headers(checksum: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the headers that tell an object's checksum."""
    if not checksum:
        return {}
    return {
        f"{_PREFIX}{checksum['algorithm'].lower()}": checksum["value"],
        "x-amz-checksum-type": checksum.get("type", FULL_OBJECT),
    }


def members(checksum: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the elements that tell an object's checksum."""
    if not checksum:
        return {}
    return {
        f"Checksum{checksum['algorithm']}": checksum["value"],
        "ChecksumType": checksum.get("type", FULL_OBJECT),
    }


def _decode(algorithm: str, value: str) -> bytes:
    try:
        digest = base64.b64decode(value.partition("-")[0], validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _SIZES[algorithm]:
        raise invalid_request(f"Value for {_PREFIX}{algorithm.lower()} header is invalid.")
    return digest
