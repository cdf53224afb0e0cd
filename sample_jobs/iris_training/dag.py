"""The iris job as an Airflow DAG, as it would run against AWS: nothing in it knows of an emulator.

airflow dags test iris_training
airflow dags test iris_training --conf '{"train": "bad"}'
"""

from pathlib import Path

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator
from airflow.sdk import dag, task

DATA = Path(__file__).resolve().parent / "data"
BUCKET = "iris-pipeline"
RUN = "{{ dag_run.run_after.strftime('%Y%m%d-%H%M%S-%f') }}"  # each run has its own job, data and results


def channel(name: str) -> dict:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{RUN}/{name}/"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


def upload(name: str, folder: str) -> dict:
    path = f"{DATA}/{folder}/iris.csv"
    return {"Path": path, "Bucket": BUCKET, "Key": f"{RUN}/{name}/iris.csv", "Tar": False}


@dag(schedule=None, params={"train": "train"})
def iris_training() -> None:
    training = SageMakerTrainingOperator(
        task_id="train",
        check_interval=2,
        config={
            # Airflow makes the bucket and uploads the data first.
            "S3Operations": {
                "S3CreateBucket": [{"Bucket": BUCKET}],
                "S3Upload": [upload("train", "{{ params.train }}"), upload("validation", "validation")],
            },
            # From here on it is the CreateTrainingJob request.
            "TrainingJobName": f"iris-training-{RUN}",
            "RoleArn": "IrisTraining",  # Airflow asks IAM for its ARN
            "AlgorithmSpecification": {
                "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/iris-training:latest",
                "TrainingInputMode": "File",
                "MetricDefinitions": [
                    {"Name": "validation:accuracy", "Regex": "validation:accuracy=([0-9.]+)"},
                ],
            },
            "HyperParameters": {"epochs": "20", "learning-rate": "0.02", "seed": "7"},
            "InputDataConfig": [channel("train"), channel("validation")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/{RUN}/output/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )

    @task
    def accept(result: dict) -> str:
        """Let only a good model on, and hand on where it is."""
        job = result["Training"]
        metrics = {one["MetricName"]: one["Value"] for one in job["FinalMetricDataList"]}
        accuracy = metrics["validation:accuracy"]
        if accuracy < 0.9:
            raise ValueError(f"the model's accuracy is {accuracy}, not the 0.9 it needs")
        model = job["ModelArtifacts"]["S3ModelArtifacts"]
        print(f"accuracy {accuracy}, {S3Hook().head_object(model)['ContentLength']} bytes at {model}")
        return model

    accept(training.output)


iris_training()
