"""The package before the SDK had `Run`: experiments, trials and trackers by hand, and a job that joins a trial."""

import json
import os
import time

import boto3
from botocore.exceptions import ClientError
from smexperiments.experiment import Experiment
from smexperiments.search_expression import Filter, Operator, SearchExpression
from smexperiments.tracker import Tracker
from smexperiments.training_job import TrainingJob
from smexperiments.trial import Trial
from smexperiments.trial_component import TrialComponent

client = boto3.client("sagemaker")
boto3.client("s3").create_bucket(Bucket="old-bucket")
experiment = Experiment.create(experiment_name="old-way", description="before Run", sagemaker_boto_client=client)
trial = Trial.create(experiment_name="old-way", trial_name="old-trial", sagemaker_boto_client=client)
with Tracker.create(
    display_name="Preprocessing", artifact_bucket="old-bucket", sagemaker_boto_client=client
) as tracker:
    tracker.log_parameters({"lr": 0.5, "optimizer": "adam"})
    tracker.log_input(name="data", media_type="text/csv", value="s3://bucket/data")
trial.add_trial_component(tracker.trial_component)

client.create_training_job(
    TrainingJobName="old-job",
    RoleArn="arn:aws:iam::123456789012:role/SageMakerRole",
    AlgorithmSpecification={"TrainingImage": os.environ["TRAIN_IMAGE"], "TrainingInputMode": "File"},
    OutputDataConfig={"S3OutputPath": "s3://old-bucket/out"},
    ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    StoppingCondition={"MaxRuntimeInSeconds": 600},
    ExperimentConfig={
        "ExperimentName": "old-way",
        "TrialName": "old-trial",
        "TrialComponentDisplayName": "Training",
    },
)
while client.describe_training_job(TrainingJobName="old-job")["TrainingJobStatus"] == "InProgress":
    time.sleep(0.5)

components = [one.trial_component_name for one in trial.list_trial_components()]
named = SearchExpression(filters=[Filter(name="TrainingJobName", operator=Operator.EQUALS, value="old-job")])
result = {
    "tracker": tracker.trial_component.trial_component_name,
    "job": "old-job",
    "trials": [one.trial_name for one in experiment.list_trials()],
    "components": components,
    "searched": [one.training_job_name for one in TrainingJob.search(named, sagemaker_boto_client=client)],
    "loaded": TrialComponent.load("old-job-aws-training-job", sagemaker_boto_client=client).source.source_arn,
}

boto3.client("sagemaker").create_experiment(ExperimentName="doomed")
doomed = Experiment.load("doomed", sagemaker_boto_client=client)
doomed.delete_all("--force")
try:
    client.describe_experiment(ExperimentName="doomed")
except ClientError as error:
    result["deleted"] = error.response["Error"]["Code"]
print(json.dumps(result))
