"""moto's own server with a bucket of small objects, made in its memory: over HTTP that would take minutes.

Arguments: how many objects, the port.
"""

from __future__ import annotations

import sys

from moto.s3.models import s3_backends
from moto.server import main

from scripts.benchmarks.s3_client import ACCOUNT, BUCKET, small_key

if __name__ == "__main__":
    backend = s3_backends[ACCOUNT]["aws"]
    backend.create_bucket(BUCKET, "us-east-1")
    for number in range(int(sys.argv[1])):
        backend.put_object(BUCKET, small_key(number), b"small")
    main(["--host", "127.0.0.1", "--port", sys.argv[2]])
