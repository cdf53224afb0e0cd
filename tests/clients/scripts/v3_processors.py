"""The three processors of the SDK, waiting and logging, and one that fails."""

import json
import logging
import os
import sys
from pathlib import Path

from own_package import numbers_folder, source_folder
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.processing import FrameworkProcessor, Processor, ScriptProcessor
from sagemaker.core.resources import ProcessingJob
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.utils.exceptions import FailedStatusError

HALVE = str(Path(__file__).with_name("halve.py"))

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")

session = Session()
bucket = session.default_bucket()
numbers = numbers_folder()
common = {
    "role": "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
    "instance_type": "ml.m5.large",
    "sagemaker_session": session,
}


def numbers_input(local_path: str, distribution: str = "FullyReplicated") -> ProcessingInput:
    return ProcessingInput(
        input_name="data",
        s3_input=ProcessingS3Input(
            s3_uri=session.upload_data(str(numbers), bucket, "numbers"),
            local_path=local_path,
            s3_data_type="S3Prefix",
            s3_input_mode="File",
            s3_data_distribution_type=distribution,
        ),
    )


def output(name: str) -> list:
    destination = ProcessingS3Output(
        s3_uri=f"s3://{bucket}/{name}", local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob"
    )
    return [ProcessingOutput(output_name="numbers", s3_output=destination)]


def made(name: str, processor) -> dict:
    """Return the files of a processor's last job, and what it says of itself when it is looked up by its name."""
    job = ProcessingJob.get(processor.latest_job.processing_job_name)
    return {
        "job": job.processing_job_name,
        "files": {
            key.removeprefix(f"{name}/"): session.read_s3_file(bucket, key)
            for key in session.list_s3_files(bucket, f"{name}/")
        },
        "status": job.processing_job_status,
    }


Path("rows").mkdir()
Path("rows/part-0.csv").write_text("a,b\n1,2\n")
own = Processor(
    image_uri=os.environ["OWN_IMAGE"],
    instance_count=1,
    entrypoint=["python3", "/opt/program/preprocess.py"],
    env={"STAGE": "experiment"},
    base_job_name="own",
    **common,
)
rows = numbers_input("/opt/ml/processing/input")
rows.s3_input.s3_uri = session.upload_data("rows", bucket, "rows")
own.run(inputs=[rows], outputs=output("features"), arguments=["--date", "2023-04-07"], wait=True, logs=True)
result = {"own": made("features", own)}

framework = FrameworkProcessor(
    image_uri=os.environ["PROCESS_IMAGE"], command=["python3"], instance_count=2, base_job_name="framework", **common
)
framework.run(
    code="clean.py",
    source_dir=str(source_folder()),
    requirements="requirements.txt",
    inputs=[numbers_input("/opt/ml/processing/input/data", "ShardedByS3Key")],
    outputs=output("doubled"),
    arguments=["--by", "2"],
    wait=True,
    logs=True,
)
result["framework"] = made("doubled", framework)

script = ScriptProcessor(
    image_uri=os.environ["PROCESS_IMAGE"], command=["python3"], instance_count=1, base_job_name="script", **common
)
(numbers / "4.txt").write_text("four")
# Waiting in run() would end in an AttributeError of the SDK's own (3.20); the job's wait() tells the failure.
script.run(
    code=HALVE,
    inputs=[numbers_input("/opt/ml/processing/input/data")],
    outputs=output("halved"),
    wait=False,
    logs=False,
)
try:
    script.latest_job.wait(logs=True)
except FailedStatusError as error:
    result["failure"] = {**made("halved", script), "error": str(error)}
print(json.dumps(result))
