"""What CreateProcessingJob refuses, on the wire. Nothing here waits for a container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.builders import ROLE, cluster, outputs, processing_input, processing_output, processing_request, tags
from tests.jobs import Clients, refusal_of

IMAGE = "no/such-image:1"
NO_PIPE = "there are no named pipes; use File, which puts the same objects into LocalPath"
PIPE_ONLY = "the service has it for Pipe mode only, which is not emulated; send None, and unpack in the program"
ONE_PATH_EACH = "Every processing input and output must have a LocalPath of its own; repeated: /opt/ml/processing/a"
ONE_KIND = "ClusterConfig must have exactly one of InstanceType and InstancePreferences."
ONE_COUNT = "InstanceCount must be given either once in ClusterConfig or in every entry of InstancePreferences."
PREFERENCE = {"InstanceType": "ml.m5.large", "InstanceCount": 1}


def with_inputs(*entries: Mapping[str, Any]) -> dict[str, Any]:
    return {"ProcessingInputs": list(entries)}


def with_outputs(*entries: Mapping[str, Any]) -> dict[str, Any]:
    return {"ProcessingOutputConfig": outputs(*entries)}


def with_cluster(**changes: Any) -> dict[str, Any]:
    return {"ProcessingResources": {"ClusterConfig": cluster(**changes)}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"ProcessingJobName": "x_y"},
            "1 validation error detected: Value 'x_y' at 'processingJobName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        ({"AppSpecification": {"ImageUri": ""}}, "AppSpecification.ImageUri must not be empty."),
        ({"Environment": {"A": "\0"}}, "Environment holds a NUL character, which no container can be given."),
        (
            {"AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["\0"]}},
            "AppSpecification.ContainerEntrypoint holds a NUL character, which no container can be given.",
        ),
        (with_cluster(InstanceType=None), ONE_KIND),
        (with_cluster(InstancePreferences=[PREFERENCE]), ONE_KIND),
        (with_cluster(InstanceType=None, InstancePreferences=[PREFERENCE]), ONE_COUNT),
        (with_inputs({"InputName": "a"}), "The processing input 'a' must have an S3Input."),
        (with_outputs({"OutputName": "a"}), "The processing output 'a' must have an S3Output."),
        (
            with_inputs(processing_input("a", LocalPath=None)),
            "The processing input 'a' must have a LocalPath: only AppManaged ones may leave it out.",
        ),
        (
            with_inputs(processing_input("a", local_path="/data")),
            "The LocalPath '/data' of the processing input 'a' must begin with /opt/ml/processing/ and a name.",
        ),
        (
            with_outputs(processing_output("a", local_path="/opt/ml/processing/../x")),
            "The LocalPath '/opt/ml/processing/../x' of the processing output 'a' cannot be a directory.",
        ),
        (
            with_inputs(processing_input("a"), processing_input("a", local_path="/opt/ml/processing/b")),
            "The names of processing inputs must be unique; repeated: a",
        ),
        (
            with_outputs(processing_output("a"), processing_output("a", local_path="/opt/ml/processing/b")),
            "The names of processing outputs must be unique; repeated: a",
        ),
        (
            {
                **with_inputs(processing_input("a")),
                **with_outputs(processing_output("b", local_path="/opt/ml/processing/a")),
            },
            ONE_PATH_EACH,
        ),
        (
            with_inputs(processing_input("a", uri="bucket/a")),
            "1 validation error detected: Value 'bucket/a' at 'processingInputs.1.member.s3Input.s3Uri' failed to "
            "satisfy constraint: Member must satisfy regular expression pattern: (https|s3)://([^/]+)/?(.*)",
        ),
        ({"Tags": tags([("a", "1"), ("a", "2")])}, "Tag keys must be unique; repeated: a"),
        (
            with_inputs(processing_input("a", S3InputMode="Pipe")),
            f"Not emulated: ProcessingInputs[0].S3Input.S3InputMode: Pipe is not emulated: {NO_PIPE}.",
        ),
        (
            with_inputs(processing_input("a", S3CompressionType="Gzip")),
            f"Not emulated: ProcessingInputs[0].S3Input.S3CompressionType: Gzip is not emulated: {PIPE_ONLY}.",
        ),
        (
            with_inputs({"InputName": "a", "DatasetDefinition": {"LocalPath": "/opt/ml/processing/a"}}),
            "Not emulated: ProcessingInputs[0].DatasetDefinition: There is no Athena and no Redshift to query here; "
            "put the result of the query into S3 and give it as S3Input.",
        ),
        (
            with_outputs({"OutputName": "b", "AppManaged": True, "FeatureStoreOutput": {"FeatureGroupName": "g"}}),
            "Not emulated: ProcessingOutputConfig.Outputs[0].FeatureStoreOutput: There is no Feature Store here; "
            "write the records to an S3Output.",
        ),
        (
            with_cluster(SelectedInstanceType="ml.m5.large"),
            "Not emulated: ProcessingResources.ClusterConfig.SelectedInstanceType: It is an answer of the service; "
            "leave it out.",
        ),
    ],
)
def test_what_is_refused_is_said_and_leaves_no_job(clients: Clients, changes: dict[str, Any], message: str) -> None:
    request = processing_request(**{"ProcessingJobName": "never-was", **changes})
    assert refusal_of(clients.sagemaker.create_processing_job, **request) == ("ValidationException", message)
    _, unknown = refusal_of(clients.sagemaker.describe_processing_job, ProcessingJobName="never-was")
    assert unknown == "Could not find requested job with name: never-was"


def test_an_instance_type_is_one_of_the_service_s(clients: Clients) -> None:
    request = processing_request(**with_cluster(InstanceType="local"))
    _, message = refusal_of(clients.sagemaker.create_processing_job, **request)
    assert "Value 'local' at 'processingResources.clusterConfig.instanceType' failed to satisfy constraint" in message


@pytest.mark.parametrize(
    ("uri", "s3_data_type"),
    [
        ("s3://BUCKET/nothing/here", "S3Prefix"),
        ("s3://no-such-bucket-at-all/x", "S3Prefix"),
        ("s3://no-such-bucket-at-all/x", "ManifestFile"),
        ("s3://BUCKET/manifests/a.manif", "ManifestFile"),  # an object's key begins so
    ],
)
def test_an_input_without_objects_is_refused_at_once(
    clients: Clients, bucket: str, uri: str, s3_data_type: str
) -> None:
    uri = uri.replace("BUCKET", bucket)
    clients.s3.put_object(Bucket=bucket, Key="manifests/a.manifest", Body=b"[]")
    request = processing_request(**with_inputs(processing_input("a", uri=uri, S3DataType=s3_data_type)))
    assert refusal_of(clients.sagemaker.create_processing_job, **request) == (
        "ValidationException",
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f'the selected region (us-east-1), that objects exist under that S3 prefix, and that the role "{ROLE}" has '
        f'"s3:ListBucket" permissions on bucket "{uri.split("/")[2]}".',
    )


def test_inputs_that_are_there_or_that_the_program_manages_are_accepted(clients: Clients, bucket: str) -> None:
    clients.s3.put_object(Bucket=bucket, Key="manifests/a.manifest", Body=b"[]")
    entries = [
        processing_input("prefix", uri=f"s3://{bucket}/manifests/a.manif"),
        processing_input("manifest", uri=f"s3://{bucket}/manifests/a.manifest", S3DataType="ManifestFile"),
        processing_input("managed", uri="s3://no-such-bucket-at-all/x", managed=True),
    ]
    request = processing_request(
        ProcessingJobName="With-Inputs", AppSpecification={"ImageUri": IMAGE}, ProcessingInputs=entries
    )
    clients.sagemaker.create_processing_job(**request)
    assert clients.sagemaker.describe_processing_job(ProcessingJobName="with-inputs")["ProcessingInputs"] == entries
