"""The pipeline with SageMaker SDK V2 (sagemaker<3): preprocess, train, evaluate, predict, as one run of an experiment.

Needs data/ (generate.py writes it), and the names of the two images in PROCESSING_IMAGE and TRAINING_IMAGE.
"""

import os
from pathlib import Path

import sagemaker
from sagemaker.analytics import ExperimentAnalytics
from sagemaker.estimator import Estimator
from sagemaker.experiments import Run
from sagemaker.inputs import TrainingInput
from sagemaker.processing import ProcessingInput, ProcessingOutput, Processor, ScriptProcessor
from sagemaker.utils import name_from_base

HERE = Path(__file__).parent
DAY = "2026-03-05"
EXPERIMENT = "ctr"
LOWEST_AUC = 0.75

session = sagemaker.Session()
bucket = session.default_bucket()
home = f"s3://{bucket}/ctr"
common = {
    "role": os.environ.get("SAGEMAKER_ROLE", "arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole"),
    "instance_type": "ml.m5.large",
    "sagemaker_session": session,
}

# All jobs that are started inside join the run: it gets their parameters, metrics and artifacts.
with Run(experiment_name=EXPERIMENT, run_name=name_from_base("sdk-v2"), sagemaker_session=session) as run:
    run.log_parameter("day", DAY)

    # (1) Raw logs to features, on two hosts.
    preprocessor = Processor(
        image_uri=os.environ["PROCESSING_IMAGE"],
        entrypoint=["python3", "/opt/program/preprocess.py"],
        instance_count=2,
        base_job_name="ctr-preprocess",
        **common,
    )
    preprocessor.run(
        inputs=[
            ProcessingInput(
                source=session.upload_data(str(HERE / "data/raw"), bucket, "ctr/raw"),
                destination="/opt/ml/processing/input/raw",
                s3_data_distribution_type="ShardedByS3Key",
            )
        ],
        outputs=[
            ProcessingOutput(
                output_name=name,
                source=f"/opt/ml/processing/output/{name}",
                destination=f"{home}/features/{name}",
            )
            for name in ("train", "validation", "evaluation", "report")
        ],
        arguments=["--day", DAY],
        logs=False,
    )
    print("preprocess:", preprocessor.latest_job.describe()["ExitMessage"].strip())

    # (2) Features to a model.
    trainer = Estimator(
        image_uri=os.environ["TRAINING_IMAGE"],
        instance_count=1,
        output_path=f"{home}/models",
        base_job_name="ctr-train",
        hyperparameters={"epochs": 12, "learning-rate": 0.01, "hash-bits": 18, "seed": 7},
        environment={"MINIMUM_AUC": "0.7"},
        metric_definitions=[
            {"Name": name, "Regex": f"{name}=([0-9.]+)"}
            for name in ("train:logloss", "train:auc", "validation:logloss", "validation:auc")
        ],
        **common,
    )
    trainer.fit(
        {name: TrainingInput(f"{home}/features/{name}/", content_type="text/csv") for name in ("train", "validation")},
        logs=False,
    )
    print("model:", trainer.model_data)

    # (3) The model's measures on a day that it has not seen: a training job too.
    evaluator = Estimator(
        image_uri=os.environ["TRAINING_IMAGE"],
        instance_count=1,
        output_path=f"{home}/evaluations",
        base_job_name="ctr-evaluate",
        environment={"SAGEMAKER_PROGRAM": "evaluate.py"},
        metric_definitions=[
            {"Name": "evaluation:auc", "Regex": "evaluation:auc=([0-9.]+)"},
            {"Name": "evaluation:calibration", "Regex": "evaluation:calibration=([0-9.]+)"},
        ],
        **common,
    )
    evaluator.fit(
        {
            "model": TrainingInput(trainer.model_data, content_type="application/x-tar"),
            "evaluation": TrainingInput(f"{home}/features/evaluation/", content_type="text/csv"),
        },
        logs=False,
    )
    evaluation = session.describe_training_job(evaluator.latest_training_job.name)
    metrics = {metric["MetricName"]: metric["Value"] for metric in evaluation["FinalMetricDataList"]}
    print("metrics:", metrics)
    assert metrics["evaluation:auc"] >= LOWEST_AUC, metrics

    # (4) Scores for the next day, by a script that comes from here.
    predictor = ScriptProcessor(
        image_uri=os.environ["PROCESSING_IMAGE"],
        command=["python3"],
        instance_count=2,
        base_job_name="ctr-predict",
        **common,
    )
    predictor.run(
        code=str(HERE / "program/predict.py"),
        inputs=[
            ProcessingInput(
                source=session.upload_data(str(HERE / "data/batch"), bucket, "ctr/batch"),
                destination="/opt/ml/processing/input/batch",
                s3_data_distribution_type="ShardedByS3Key",
            ),
            ProcessingInput(source=trainer.model_data, destination="/opt/ml/processing/input/model"),
        ],
        outputs=[ProcessingOutput(source="/opt/ml/processing/output/scores", destination=f"{home}/scores")],
        logs=False,
    )

table = ExperimentAnalytics(
    experiment_name=EXPERIMENT,
    parameter_names=["day", "learning-rate"],
    metric_names=["train:progressive_logloss", "validation:auc", "evaluation:auc"],
    sagemaker_session=session,
).dataframe()
measures = ["validation:auc - Last", "evaluation:auc - Last"]
print(table.dropna(how="all", subset=measures)[["TrialComponentName", *measures]].to_string(index=False))
print("scores:", *session.list_s3_files(bucket, "ctr/scores"))
