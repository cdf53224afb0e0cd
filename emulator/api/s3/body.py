"""A request's body as a stream of bytes: the framing of HTTP, and S3's own inside it (aws-chunked)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from werkzeug.wrappers import Request

from .errors import S3Error

CHUNK: Final = 256 * 1024
_LONGEST_LINE: Final = 8192
_CHUNK_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,16}")


class Body:
    """The bytes a client sends, read once.

    Chunks are of at most 256 KiB: many clients at a time shall not cost much memory.
    """

    def __init__(self, request: Request) -> None:
        self._stream: BinaryIO = request.environ["wsgi.input"]
        self._headers = request.headers
        self._is_streamed = "chunked" in self._headers.get("Transfer-Encoding", "").lower()
        length = self._headers.get("Content-Length", "")
        self.length: int | None = int(length) if length.isdigit() else None
        self._left = self.length if self.length is not None and not self._is_streamed else None
        self._ended = self._left is None and not self._is_streamed
        sha256 = self._headers.get("x-amz-content-sha256", "")
        self.is_aws_chunked = sha256.startswith("STREAMING-") or "aws-chunked" in self._headers.get(
            "Content-Encoding", ""
        )
        self._buffer = b""
        self.trailers: dict[str, str] = {}
        """What came after an aws-chunked body: known when it has been read."""

    @property
    def has_length(self) -> bool:
        return self.length is not None or self._is_streamed

    @property
    def decoded_length(self) -> int | None:
        """How long the content is, if the client says so."""
        text = self._headers.get("x-amz-decoded-content-length", "") if self.is_aws_chunked else ""
        if text.isdigit():
            return int(text)
        return None if self.is_aws_chunked or self._is_streamed else self.length

    def chunks(self) -> Iterator[bytes]:
        """Yield the content.

        Raises:
            S3Error: IncompleteBody, the client hung up or its framing is wrong.
        """
        yield from self._decoded() if self.is_aws_chunked else self._plain()

    def read_all(self, limit: int) -> bytes | None:
        """Return the content of a small body; None if it is larger than the limit."""
        text = bytearray()
        for chunk in self.chunks():
            text += chunk
            if len(text) > limit:
                return None
        return bytes(text)

    def drain(self) -> None:
        """Read what is left, so that the connection can carry the next request."""
        try:
            while self._read(CHUNK):
                pass
        except (OSError, S3Error):
            self._ended = True

    def check_md5(self, hex_digest: str) -> None:
        """Compare with the Content-MD5 that the client may have sent.

        Raises:
            S3Error: InvalidDigest or BadDigest.
        """
        wanted = self._headers.get("Content-MD5")
        if wanted is None:
            return
        try:
            digest = base64.b64decode(wanted, validate=True)
        except (binascii.Error, ValueError):
            digest = b""
        if len(digest) != 16:
            raise S3Error("InvalidDigest", "The Content-MD5 you specified was invalid.")
        if digest.hex() != hex_digest:
            raise S3Error(
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.",
                fields={"ExpectedDigest": digest.hex(), "CalculatedDigest": hex_digest},
            )

    def _plain(self) -> Iterator[bytes]:
        while chunk := self._read(CHUNK):
            yield chunk
        if self._left:
            raise _incomplete()

    def _decoded(self) -> Iterator[bytes]:
        """Undo aws-chunked: `size[;chunk-signature=...]`, the bytes, ..., `0`, then trailers.

        Signatures are not checked, as nowhere in this emulator; the length is.
        """
        total = 0
        while size := self._chunk_size():
            total += size
            while size:
                piece = self._read(min(size, CHUNK))
                if not piece:
                    raise _incomplete()
                size -= len(piece)
                yield piece
            self._line()
        while line := self._line():
            name, _, value = line.partition(b":")
            self.trailers[name.decode("latin-1").strip().lower()] = value.decode("latin-1").strip()
        if self.decoded_length not in (None, total):
            raise _incomplete()

    def _chunk_size(self) -> int:
        match = _CHUNK_SIZE.match(self._line())
        if match is None:
            raise _incomplete()
        return int(match[0], 16)

    def _line(self) -> bytes:
        """Read a line by ourselves: the server's own readline never returns for a body in HTTP's chunks."""
        while b"\n" not in self._buffer and len(self._buffer) < _LONGEST_LINE:
            more = self._receive(_LONGEST_LINE)
            if not more:
                break
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def _read(self, size: int) -> bytes:
        if self._buffer:
            chunk, self._buffer = self._buffer[:size], self._buffer[size:]
            return chunk
        return self._receive(size)

    def _receive(self, size: int) -> bytes:
        if self._ended or self._left == 0:
            return b""
        try:
            chunk = self._stream.read(size if self._left is None else min(size, self._left))
        except (OSError, ValueError) as error:  # the client is gone, or its framing is wrong
            self._ended = True
            raise _incomplete() from error
        if self._left is not None:
            self._left -= len(chunk)
        self._ended = not chunk
        return chunk


def _incomplete() -> S3Error:
    return S3Error(
        "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header."
    )
