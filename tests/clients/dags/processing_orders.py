"""Cleans a file of orders, whose path the run's conf gives, in a processing job; a later task reads the report."""

from pathlib import Path

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerProcessingOperator
from airflow.sdk import dag, task

PROGRAM = Path(__file__).resolve().parents[1] / "scripts/clean_orders.py"
RUN = "s3://{{ params.bucket }}/{{ params.name }}"


def processing_input(name: str) -> dict:
    source = {"S3Uri": f"{RUN}/{name}/", "LocalPath": f"/opt/ml/processing/input/{name}"}
    return {"InputName": name, "S3Input": {**source, "S3DataType": "S3Prefix", "S3InputMode": "File"}}


def upload(path: str, name: str) -> dict:
    key = "{{ params.name }}/" + name + "/" + Path(path).name
    return {"Path": path, "Bucket": "{{ params.bucket }}", "Key": key, "Tar": False}


@dag(schedule=None, params={"name": "", "image": "", "bucket": "", "orders": ""})
def processing_orders() -> None:
    clean = SageMakerProcessingOperator(
        task_id="clean",
        check_interval=1,
        output_files_to_xcom=[{"output_name": "clean", "file_name": "report.json", "result_name": "Report"}],
        config={
            "S3Operations": {
                "S3CreateBucket": [{"Bucket": "{{ params.bucket }}"}],
                "S3Upload": [upload(str(PROGRAM), "code"), upload("{{ params.orders }}/orders.csv", "orders")],
            },
            "ProcessingJobName": "{{ params.name }}",
            "RoleArn": "OrderCleaning",
            "AppSpecification": {
                "ImageUri": "{{ params.image }}",
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/clean_orders.py"],
            },
            "ProcessingInputs": [processing_input("code"), processing_input("orders")],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "clean",
                        "S3Output": {
                            "S3Uri": f"{RUN}/clean",
                            "LocalPath": "/opt/ml/processing/output/clean",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            # Text, as templates make it: Airflow turns it into numbers.
            "ProcessingResources": {
                "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": "1", "VolumeSizeInGB": "10"}
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": "600"},
        },
    )

    @task
    def count(result: dict) -> None:
        print(f"{result['OutputFiles']['Report']['orders']} orders, job {result['Processing']['ProcessingJobStatus']}")

    count(clean.output)


processing_orders()
