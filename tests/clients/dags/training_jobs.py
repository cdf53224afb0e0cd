"""Training jobs whose name is taken, and the ways to wait for one. The run's conf gives names, image and bucket."""

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator
from airflow.providers.amazon.aws.sensors.sagemaker import SageMakerTrainingSensor
from airflow.sdk import dag

# The test makes the file when it sees that a task waits for the job.
UNTIL_TOLD = "timeout 300 sh -c 'until [ -e /tmp/go ]; do sleep 0.1; done'"
GOOD = f"echo line of the container; {UNTIL_TOLD}"
BAD = f"{UNTIL_TOLD} && echo 'column age: -1 is no age' > /opt/ml/output/failure; exit 3"


def training(task_id: str, name: str, program: str, **options: object) -> SageMakerTrainingOperator:
    config = {
        "TrainingJobName": "{{ params.name }}-" + name,
        "RoleArn": "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
        "AlgorithmSpecification": {"TrainingImage": "{{ params.image }}", "TrainingInputMode": "File"},
        "Environment": {"PROGRAM": program},
        "OutputDataConfig": {"S3OutputPath": "s3://{{ params.bucket }}/out/"},
        # Text, as templates make it: Airflow turns it into numbers.
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": "1", "VolumeSizeInGB": "10"},
        "StoppingCondition": {"MaxRuntimeInSeconds": "600"},
    }
    return SageMakerTrainingOperator(task_id=task_id, config=config, check_interval=1, print_log=False, **options)


def sensor(task_id: str, job_of: str, **options: object) -> SageMakerTrainingSensor:
    job_name = "{{ ti.xcom_pull('" + job_of + "')['Training']['TrainingJobName'] }}"
    return SageMakerTrainingSensor(task_id=task_id, job_name=job_name, poke_interval=1, **options)


@dag(schedule=None, params={"name": "", "image": "", "bucket": ""})
def training_jobs() -> None:
    taken = training("taken", "name", "echo done")
    renamed = training("renamed", "name", "echo done", check_if_job_exists=True, action_if_job_exists="timestamp")
    refused = training("refused", "name", "echo done", check_if_job_exists=True, action_if_job_exists="fail")
    unchecked = training("unchecked", "name", "echo done", check_if_job_exists=False)
    taken >> [renamed, refused, unchecked]

    started = training("started", "started", GOOD, wait_for_completion=False)
    seen_to_end = sensor("seen_to_end", "started", print_log=False)
    # A sensor that prints the log looks at a running job every 30 s; at one that has ended, at once.
    log_read = sensor("log_read", "started", print_log=True)
    deferred = training("deferred", "deferred", GOOD, deferrable=True, max_attempts=600)
    doomed = training("doomed", "doomed", BAD, wait_for_completion=False)
    seen_to_fail = sensor("seen_to_fail", "doomed", print_log=False)
    deferred_in_vain = training("deferred_in_vain", "deferred-in-vain", BAD, deferrable=True, max_attempts=600)
    # One after the other: a task begins to wait while its job runs.
    renamed >> started >> seen_to_end >> log_read >> deferred >> doomed >> [seen_to_fail, deferred_in_vain]


training_jobs()
