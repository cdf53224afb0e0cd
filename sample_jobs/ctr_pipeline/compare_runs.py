"""Train the model three times more, with other hyperparameters, as three runs of the experiment to be compared.

Takes a training job of the pipeline, by its name or else the newest one, and creates it again with the same image,
channels and metrics. Needs boto3 alone. Prints how the runs ended, and the command that shows them side by side.
"""

import argparse
import time
from datetime import UTC, datetime

import boto3
from botocore.exceptions import ClientError

EXPERIMENT = "ctr"
RUNS = {
    "slow": {"learning-rate": "0.002", "hash-bits": "18"},
    "fast": {"learning-rate": "0.05", "hash-bits": "18"},
    "narrow": {"learning-rate": "0.05", "hash-bits": "8"},
}
# What Describe answers of what was asked for.
REQUEST = (
    "AlgorithmSpecification",
    "RoleArn",
    "Environment",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "VpcConfig",
)
SECONDS = 3600


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", nargs="?", help="a training job of train.py; else the newest one that has completed")
    return parser.parse_args()


def newest_training(sagemaker) -> str:
    """Return the newest training job of the experiment that has completed; evaluations have no learning rate."""
    wanted = [
        {"Name": "Parents.ExperimentName", "Operator": "Equals", "Value": EXPERIMENT},
        {"Name": "Source.SourceType", "Operator": "Equals", "Value": "SageMakerTrainingJob"},
        {"Name": "Status.PrimaryStatus", "Operator": "Equals", "Value": "Completed"},
        {"Name": "Parameters.learning-rate", "Operator": "Exists"},
    ]
    found = sagemaker.search(
        Resource="ExperimentTrialComponent",
        SearchExpression={"Filters": wanted},
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )["Results"]
    if not found:
        raise SystemExit(f"The experiment {EXPERIMENT} has no training that has completed: run the pipeline first.")
    return found[0]["TrialComponent"]["Source"]["SourceArn"].rpartition("/")[2]


def make_once(create, **names: str) -> None:
    try:
        create(**names)
    except ClientError as error:
        if "already exists" not in str(error):
            raise


def start(sagemaker, job: dict, trial: str, run: str, hyperparameters: dict[str, str]) -> str:
    """Create a job as `job` was, but for hyperparameters; return its name."""
    name = f"{trial}-{run}"
    request = {member: job[member] for member in REQUEST if job.get(member)}
    sagemaker.create_training_job(
        **request,
        TrainingJobName=name,
        HyperParameters={**job.get("HyperParameters", {}), **hyperparameters},
        ExperimentConfig={"ExperimentName": EXPERIMENT, "TrialName": trial, "TrialComponentDisplayName": run},
    )
    return name


def ended(sagemaker, name: str) -> dict:
    """Wait for the end of a job and return its description."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            return job
        time.sleep(1)
    raise SystemExit(f"{name} has not ended within {SECONDS} s.")


def main() -> None:
    sagemaker = boto3.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=parse_arguments().job or newest_training(sagemaker))
    trial = f"ctr-compare-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    make_once(sagemaker.create_experiment, ExperimentName=EXPERIMENT)
    make_once(sagemaker.create_trial, ExperimentName=EXPERIMENT, TrialName=trial)
    names = [start(sagemaker, job, trial, run, changed) for run, changed in RUNS.items()]
    for name in names:
        run = ended(sagemaker, name)
        metrics = {one["MetricName"]: one["Value"] for one in run.get("FinalMetricDataList", [])}
        figures = "  ".join(f"{metric}={value:.4f}" for metric, value in metrics.items())
        print(name, run["TrainingJobStatus"], figures or run.get("FailureReason", ""), flush=True)
    print("sagemaker-emulator runs compare --changed", *names)


if __name__ == "__main__":
    main()
