"""The pipeline as an Airflow DAG: each day preprocess, train, evaluate, and score the next day's batch.

The jobs of a day are a trial of the experiment ctr.

Airflow Variables: ctr_bucket, ctr_processing_image, ctr_training_image, sagemaker_role. The exchanges put their logs
below s3://<ctr_bucket>/ctr/raw/day=<date>/, the batch is below s3://<ctr_bucket>/ctr/batch/.
"""

from datetime import timedelta

import pendulum
from airflow import DAG
from airflow.providers.amazon.aws.hooks.sagemaker import SageMakerHook
from airflow.providers.amazon.aws.operators.sagemaker import SageMakerProcessingOperator, SageMakerTrainingOperator
from airflow.sdk import task

HOME = "s3://{{ var.value.ctr_bucket }}/ctr"
RUN = f"{HOME}/runs/{{{{ ts_nodash }}}}"
MODEL = "{{ ti.xcom_pull(task_ids='train')['Training']['ModelArtifacts']['S3ModelArtifacts'] }}"
PROCESSING_IMAGE = "{{ var.value.ctr_processing_image }}"
TRAINING_IMAGE = "{{ var.value.ctr_training_image }}"
ROLE = "{{ var.value.sagemaker_role }}"
LIMIT = {"MaxRuntimeInSeconds": 3600}
EXPERIMENT = "ctr"
TRIAL = "ctr-{{ ts_nodash }}"


@task
def track(trial: str) -> None:
    """Make the experiment, and the day's trial, where they are not there: jobs can only join what there is."""
    client = SageMakerHook().conn
    for create, names in [(client.create_experiment, {}), (client.create_trial, {"TrialName": trial})]:
        try:
            create(ExperimentName=EXPERIMENT, **names)
        except client.exceptions.ClientError as error:
            if "already exists" not in str(error):
                raise


def experiment_config(name: str) -> dict:
    return {"ExperimentName": EXPERIMENT, "TrialName": TRIAL, "TrialComponentDisplayName": name}


def processing_input(name: str, uri: str, distribution: str) -> dict:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/input/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": distribution,
        },
    }


def processing_output(name: str, uri: str) -> dict:
    local = f"/opt/ml/processing/output/{name}"
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": local, "S3UploadMode": "EndOfJob"}}


def channel(name: str, uri: str) -> dict:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def metrics(*names: str) -> list[dict]:
    return [{"Name": name, "Regex": f"{name}=([0-9.]+)"} for name in names]


def processing(name: str, program: list[str], inputs: list[dict], outputs: list[dict]) -> dict:
    """Return a CreateProcessingJob request for two hosts."""
    return {
        "ProcessingJobName": f"ctr-{name}-{{{{ ts_nodash }}}}",
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": PROCESSING_IMAGE, "ContainerEntrypoint": ["python3", *program]},
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": outputs},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}
        },
        "StoppingCondition": LIMIT,
        "ExperimentConfig": experiment_config(name),
    }


def training(name: str, channels: list[dict], names: list[dict], **more: dict) -> dict:
    """Return a CreateTrainingJob request for one host."""
    return {
        "TrainingJobName": f"ctr-{name}-{{{{ ts_nodash }}}}",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": TRAINING_IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": names,
        },
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": f"{RUN}/{name}"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": LIMIT,
        "ExperimentConfig": experiment_config(name),
        **more,
    }


with DAG(
    dag_id="ctr_pipeline",
    description="Click-through rates: logs to features, model, measures and scores",
    schedule="@daily",
    start_date=pendulum.datetime(2026, 3, 5, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    params={"raw": "raw"},  # the folder of the logs; with {"raw": "dirty"} a dirty day is tried
    default_args={"check_interval": 5, "retries": 0, "execution_timeout": timedelta(hours=2)},
) as dag:
    preprocess = SageMakerProcessingOperator(
        task_id="preprocess",
        config=processing(
            "preprocess",
            ["/opt/program/preprocess.py", "--day", "{{ ds }}"],
            inputs=[processing_input("raw", f"{HOME}/{{{{ params.raw }}}}/", "ShardedByS3Key")],
            outputs=[
                processing_output(name, f"{RUN}/features/{name}/")
                for name in ("train", "validation", "evaluation", "report")
            ],
        ),
    )
    train = SageMakerTrainingOperator(
        task_id="train",
        config=training(
            "train",
            [channel(name, f"{RUN}/features/{name}/") for name in ("train", "validation")],
            metrics("train:logloss", "train:auc", "validation:logloss", "validation:auc"),
            HyperParameters={"epochs": "12", "learning-rate": "0.01", "hash-bits": "18", "seed": "7"},
            Environment={"MINIMUM_AUC": "0.7"},
        ),
    )
    evaluate = SageMakerTrainingOperator(
        task_id="evaluate",
        config=training(
            "evaluate",
            [channel("model", MODEL), channel("evaluation", f"{RUN}/features/evaluation/")],
            metrics("evaluation:auc", "evaluation:calibration"),
            Environment={"SAGEMAKER_PROGRAM": "evaluate.py"},
        ),
    )
    predict = SageMakerProcessingOperator(
        task_id="predict",
        config=processing(
            "predict",
            ["/opt/program/predict.py"],
            inputs=[
                processing_input("batch", f"{HOME}/batch/", "ShardedByS3Key"),
                processing_input("model", MODEL, "FullyReplicated"),
            ],
            outputs=[processing_output("scores", f"{RUN}/scores/")],
        ),
    )
    track(TRIAL) >> preprocess >> train >> evaluate >> predict
