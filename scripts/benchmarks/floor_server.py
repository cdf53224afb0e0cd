"""Answers every request at once, as S3 might: what is left of a client's time is its own. Argument: the port."""

from __future__ import annotations

import re
import sys
from socketserver import StreamRequestHandler, ThreadingTCPServer

from scripts.benchmarks.s3_client import SMALL_BYTES

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect: *100-continue", re.IGNORECASE)
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_HEAD = 'HTTP/1.1 200 OK\r\nETag: "0"\r\nContent-Length: {}\r\n\r\n'
_UPLOAD = b"<InitiateMultipartUploadResult><UploadId>0</UploadId></InitiateMultipartUploadResult>"


class Handler(StreamRequestHandler):
    """Answers GET with a small object, POST as a multipart upload begins, anything else with nothing."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        bodies = {b"GET": bytes(SMALL_BYTES), b"POST": _UPLOAD}
        answers = {method: _HEAD.format(len(body)).encode() + body for method, body in bodies.items()}
        nothing = _HEAD.format(0).encode()
        scrap = bytearray(1024**2)
        received = b""
        while more := self.connection.recv(65536):
            received += more
            head, end, body = received.partition(b"\r\n\r\n")
            if not end:
                continue
            left = int(found[1]) - len(body) if (found := _LENGTH.search(head)) else 0
            if left and _EXPECTS.search(head):
                self.connection.sendall(_CONTINUE)
            while left:
                left -= self.connection.recv_into(scrap, min(left, len(scrap)))
            self.connection.sendall(answers.get(head.partition(b" ")[0], nothing))
            received = b""


class Server(ThreadingTCPServer):
    """A thread a connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
