"""For each line of standard input: one fit() or run() in local mode, its seconds on standard output.

A line is a JSON list: the method, and for run() the command.

Run by the Python of .venvs/sdk-v2 with a folder and an image as arguments.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TextIO


def main(folder: str, image: str, answers: TextIO) -> None:
    """Call the method that is asked for, whenever it is."""
    import boto3
    from sagemaker.estimator import Estimator  # type: ignore[import-not-found]
    from sagemaker.local import LocalSession  # type: ignore[import-not-found]
    from sagemaker.processing import Processor  # type: ignore[import-not-found]
    from sagemaker.telemetry import telemetry_logging  # type: ignore[import-not-found]

    # Both end with a request to AWS. Not part of what is measured; the setting that turns it off costs fit() 0.5 s.
    telemetry_logging._send_telemetry_request = lambda *_: None
    session = LocalSession(boto3.session.Session())
    session.config = {"local": {"container_root": folder}}
    common = {
        "image_uri": image,
        "role": "arn:aws:iam::123456789012:role/Role",
        "instance_count": 1,
        "instance_type": "local",
        "sagemaker_session": session,
    }
    for line in sys.stdin:
        method, *command = json.loads(line)
        if method == "fit":
            call = Estimator(output_path=f"file://{folder}/output", **common).fit
        else:
            call = Processor(entrypoint=command, **common).run
        started = time.perf_counter()
        call()
        print(time.perf_counter() - started, file=answers, flush=True)


if __name__ == "__main__":
    # The SDK prints to standard output already while it is imported: from here on that is standard error.
    with os.fdopen(os.dup(1), "w") as own:
        os.dup2(2, 1)
        main(sys.argv[1], sys.argv[2], own)
