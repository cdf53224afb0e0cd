"""Track a training in an experiment, then look at it as a DataFrame."""

import os

import sagemaker
from sagemaker.analytics import ExperimentAnalytics
from sagemaker.estimator import Estimator
from sagemaker.experiments.run import Run

session = sagemaker.Session()
with Run(experiment_name="ctr", run_name="baseline", sagemaker_session=session) as run:
    run.log_parameter("features", "v1")
    estimator = Estimator(
        image_uri=os.environ["TRAIN_IMAGE"],
        role="arn:aws:iam::123456789012:role/service-role/SageMakerExecutionRole",
        instance_count=1,
        instance_type="ml.m5.large",
        hyperparameters={"epochs": 3},
        sagemaker_session=session,
    )
    estimator.fit()
    for step, value in enumerate((0.9, 0.5, 0.3)):
        run.log_metric("loss", value, step=step)

print(ExperimentAnalytics(experiment_name="ctr", sagemaker_session=session).dataframe().T)
