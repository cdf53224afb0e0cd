"""The processors whose program goes to S3 by itself: one file, a folder with requirements, and one that fails."""

import json
import os
from pathlib import Path

import sagemaker
from own_package import numbers_folder, source_folder
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingJob, ProcessingOutput, ScriptProcessor
from sagemaker.pytorch import PyTorch

HALVE = str(Path(__file__).with_name("halve.py"))

session = sagemaker.Session()
numbers = str(numbers_folder())
common = {
    "image_uri": os.environ["PROCESS_IMAGE"],
    "role": "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
    "instance_type": "ml.m5.large",
    "command": ["python3"],
    "sagemaker_session": session,
}


def outputs():
    """Return the one output; the SDK writes the destination of its choice into it."""
    return [ProcessingOutput(source="/opt/ml/processing/output")]


def made(processor):
    """Return the files of a processor's last job, and what it says of itself when it is looked up by its name."""
    job = ProcessingJob.from_processing_name(session, processor.latest_job.job_name)
    destination = job.outputs[0].destination
    bucket, _, prefix = destination.removeprefix("s3://").partition("/")
    return {
        "job": job.job_name,
        "files": {
            key.removeprefix(f"{prefix}/"): session.read_s3_file(bucket, key)
            for key in session.list_s3_files(bucket, prefix)
        },
        "inputs": [one.destination for one in job.inputs],
        "status": job.describe()["ProcessingJobStatus"],
    }


framework = FrameworkProcessor(
    estimator_cls=PyTorch, framework_version="2.0", instance_count=2, base_job_name="framework", **common
)
framework.run(
    code="clean.py",
    source_dir=str(source_folder()),
    inputs=[
        ProcessingInput(
            source=numbers,
            destination="/opt/ml/processing/input/data",
            s3_data_distribution_type="ShardedByS3Key",
        )
    ],
    outputs=outputs(),
    arguments=["--by", "2"],
    logs=True,
)

script = ScriptProcessor(instance_count=1, base_job_name="script", **common)
script.run(
    code=HALVE,
    inputs=[ProcessingInput(source=numbers, destination="/opt/ml/processing/input/data")],
    outputs=outputs(),
    logs=False,
)
result = {"framework": made(framework), "script": made(script)}

Path(numbers, "4.txt").write_text("four")
try:
    script.run(
        code=HALVE,
        inputs=[ProcessingInput(source=numbers, destination="/opt/ml/processing/input/data")],
        outputs=outputs(),
        logs=False,
    )
except UnexpectedStatusException as error:
    result["failure"] = {**made(script), "error": str(error)}
print()  # the SDK's dots have no end of line
print(json.dumps(result))
