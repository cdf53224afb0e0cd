"""For each line of standard input: one fit() in local mode, its seconds on standard output.

Run by the Python of .venvs/sdk-v2 with a folder and an image as arguments.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TextIO


def main(folder: str, image: str, answers: TextIO) -> None:
    """Call fit() whenever told to."""
    import boto3
    from sagemaker.estimator import Estimator  # type: ignore[import-not-found]
    from sagemaker.local import LocalSession  # type: ignore[import-not-found]
    from sagemaker.telemetry import telemetry_logging  # type: ignore[import-not-found]

    # fit() ends with a request to AWS. Not part of what is measured; the setting that turns it off costs fit() 0.5 s.
    telemetry_logging._send_telemetry_request = lambda *_: None
    session = LocalSession(boto3.session.Session())
    session.config = {"local": {"container_root": folder}}
    for _ in sys.stdin:
        estimator = Estimator(
            image_uri=image,
            role="arn:aws:iam::123456789012:role/Role",
            instance_count=1,
            instance_type="local",
            output_path=f"file://{folder}/output",
            sagemaker_session=session,
        )
        started = time.perf_counter()
        estimator.fit()
        print(time.perf_counter() - started, file=answers, flush=True)


if __name__ == "__main__":
    # The SDK prints to standard output already while it is imported: from here on that is standard error.
    with os.fdopen(os.dup(1), "w") as own:
        os.dup2(2, 1)
        main(sys.argv[1], sys.argv[2], own)
