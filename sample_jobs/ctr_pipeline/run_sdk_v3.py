"""The pipeline with SageMaker SDK V3 (sagemaker>=3): preprocess, train, evaluate, predict, in one run's trial.

Needs data/ (generate.py writes it), and the names of the two images in PROCESSING_IMAGE and TRAINING_IMAGE.
"""

import logging
import os
import sys
from pathlib import Path

from sagemaker.core.common_utils import name_from_base
from sagemaker.core.experiments.run import Run
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.processing import Processor, ScriptProcessor
from sagemaker.core.shapes import (
    MetricDefinition,
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig
from sagemaker.train import ModelTrainer

HERE = Path(__file__).parent
DAY = "2026-03-05"
EXPERIMENT = "ctr"
LOWEST_AUC = 0.75
ROLE = os.environ.get("SAGEMAKER_ROLE", "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole")
INSTANCE_TYPE = "ml.m5.large"

# The SDK logs what the jobs log: without this line nothing of it is seen.
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")

session = Session()
bucket = session.default_bucket()
home = f"s3://{bucket}/ctr"


def uploaded(folder: str) -> str:
    return session.upload_data(str(HERE / "data" / folder), bucket, f"ctr/{folder}")


def processing_input(name: str, source: str, distribution: str) -> ProcessingInput:
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=source,
            local_path=f"/opt/ml/processing/input/{name}",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
            s3_data_distribution_type=distribution,
        ),
    )


def processing_output(name: str, destination: str) -> ProcessingOutput:
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(
            s3_uri=destination, local_path=f"/opt/ml/processing/output/{name}", s3_upload_mode="EndOfJob"
        ),
    )


def training_job(run: Run, name: str, *, inputs: dict, metrics: list, hyperparameters: dict, environment: dict):
    """Run a training job and return what it has become."""
    trainer = ModelTrainer(
        training_image=os.environ["TRAINING_IMAGE"],
        role=ROLE,
        sagemaker_session=session,
        compute=Compute(instance_type=INSTANCE_TYPE, instance_count=1),
        base_job_name=f"ctr-{name}",
        output_data_config=OutputDataConfig(s3_output_path=f"{home}/{name}"),
        hyperparameters=hyperparameters,
        environment=environment,
    ).with_metric_definitions([MetricDefinition(name=metric, regex=f"{metric}=([0-9.]+)") for metric in metrics])
    trainer.train([InputData(channel_name=channel, data_source=uri) for channel, uri in inputs.items()])
    trained = trainer._latest_training_job.refresh()
    # A ModelTrainer sends no ExperimentConfig, inside of a run or not: its job's component joins the trial here.
    session.sagemaker_client.associate_trial_component(
        TrialComponentName=f"{trained.training_job_name}-aws-training-job",
        TrialName=run.experiment_config["TrialName"],
    )
    return trained


with Run(experiment_name=EXPERIMENT, run_name=name_from_base("sdk-v3"), sagemaker_session=session) as run:
    run.log_parameter("day", DAY)

    # (1) Raw logs to features, on two hosts.
    preprocessor = Processor(
        role=ROLE,
        image_uri=os.environ["PROCESSING_IMAGE"],
        entrypoint=["python3", "/opt/program/preprocess.py"],
        instance_count=2,
        instance_type=INSTANCE_TYPE,
        base_job_name="ctr-preprocess",
        sagemaker_session=session,
    )
    preprocessor.run(
        inputs=[
            processing_input("raw", uploaded("raw"), "ShardedByS3Key"),
        ],
        outputs=[
            processing_output(name, f"{home}/features/{name}")
            for name in ("train", "validation", "evaluation", "report")
        ],
        arguments=["--day", DAY],
    )

    # (2) Features to a model.
    trained = training_job(
        run,
        "train",
        inputs={name: f"{home}/features/{name}/" for name in ("train", "validation")},
        metrics=["train:logloss", "train:auc", "validation:logloss", "validation:auc"],
        hyperparameters={"epochs": 12, "learning-rate": 0.01, "hash-bits": 18, "seed": 7},
        environment={"MINIMUM_AUC": "0.7"},
    )
    model = trained.model_artifacts.s3_model_artifacts
    print("model:", model)

    # (3) The model's measures on a day that it has not seen: a training job too.
    evaluated = training_job(
        run,
        "evaluate",
        inputs={"model": model, "evaluation": f"{home}/features/evaluation/"},
        metrics=["evaluation:auc", "evaluation:calibration"],
        hyperparameters={},
        environment={"SAGEMAKER_PROGRAM": "evaluate.py"},
    )
    metrics = {metric.metric_name: metric.value for metric in evaluated.final_metric_data_list}
    print("metrics:", metrics)
    assert metrics["evaluation:auc"] >= LOWEST_AUC, metrics

    # (4) Scores for the next day, by a script that comes from here.
    predictor = ScriptProcessor(
        role=ROLE,
        image_uri=os.environ["PROCESSING_IMAGE"],
        command=["python3"],
        instance_count=2,
        instance_type=INSTANCE_TYPE,
        base_job_name="ctr-predict",
        sagemaker_session=session,
    )
    predictor.run(
        code=str(HERE / "program/predict.py"),
        inputs=[
            processing_input(
                "batch", session.upload_data(str(HERE / "data/batch"), bucket, "ctr/batch"), "ShardedByS3Key"
            ),
            processing_input("model", model, "FullyReplicated"),
        ],
        outputs=[processing_output("scores", f"{home}/scores")],
    )
print("scores:", *session.list_s3_files(bucket, "ctr/scores"))
