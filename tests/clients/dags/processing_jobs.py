"""Processing jobs whose name is taken, and the ways to wait for one. The run's conf gives names and image."""

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerProcessingOperator
from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerProcessingSensor
from airflow.sdk import dag

# The test makes the file when it sees that a task waits for the job.
UNTIL_TOLD = "timeout 300 sh -c 'until [ -e /tmp/go ]; do sleep 0.1; done'"
GOOD = UNTIL_TOLD
BAD = f"{UNTIL_TOLD} && echo 'column age: -1 is no age' > /opt/ml/output/message; exit 3"


def processing(task_id: str, name: str, program: str, **options: object) -> SageMakerProcessingOperator:
    config = {
        "ProcessingJobName": "{{ params.name }}-" + name,
        "RoleArn": "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
        "AppSpecification": {"ImageUri": "{{ params.image }}", "ContainerEntrypoint": ["sh", "-c", program]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
    }
    return SageMakerProcessingOperator(task_id=task_id, config=config, check_interval=1, **options)


def sensor(task_id: str, job_of: str) -> SageMakerProcessingSensor:
    job_name = "{{ ti.xcom_pull('" + job_of + "')['Processing']['ProcessingJobName'] }}"
    return SageMakerProcessingSensor(task_id=task_id, job_name=job_name, poke_interval=1)


@dag(schedule=None, params={"name": "", "image": ""})
def processing_jobs() -> None:
    taken = processing("taken", "name", "true")
    renamed = processing("renamed", "name", "true", action_if_job_exists="timestamp")
    refused = processing("refused", "name", "true", action_if_job_exists="fail")
    taken >> [renamed, refused]

    started = processing("started", "started", GOOD, wait_for_completion=False)
    seen_to_end = sensor("seen_to_end", "started")
    deferred = processing("deferred", "deferred", GOOD, deferrable=True, max_attempts=600)
    doomed = processing("doomed", "doomed", BAD, wait_for_completion=False)
    seen_to_fail = sensor("seen_to_fail", "doomed")
    deferred_in_vain = processing("deferred_in_vain", "deferred-in-vain", BAD, deferrable=True, max_attempts=600)
    # One after the other: a task begins to wait while its job runs.
    renamed >> started >> seen_to_end >> deferred >> doomed >> [seen_to_fail, deferred_in_vain]


processing_jobs()
