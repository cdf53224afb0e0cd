"""The program goes to S3 by itself; the role is whoever runs this script."""

import json
import logging
import os
import sys
from pathlib import Path

from sagemaker.core.resources import TrainingJob
from sagemaker.core.training.configs import InputData, SourceCode
from sagemaker.train import ModelTrainer

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")

data = Path("data")
data.mkdir()
(data / "data.csv").write_text("1,2,3\n")

trainer = ModelTrainer(
    training_image=os.environ["TRAIN_IMAGE"],
    source_code=SourceCode(source_dir=str(Path(__file__).with_name("program")), entry_script="train.py"),
    base_job_name="source-code",
    hyperparameters={"epochs": 3, "learning-rate": 0.1, "optimizer": "adam", "layers": {"hidden": 8}},
)
trainer.train(input_data_config=[InputData(channel_name="train", data_source=str(data))], wait=True, logs=True)

job = TrainingJob.get(trainer._latest_training_job.training_job_name)
result = {
    "job": job.training_job_name,
    "status": job.training_job_status,
    "role": job.role_arn,
    "hyperparameters": job.hyper_parameters,
    "statuses": [one.status for one in job.secondary_status_transitions],
    "listed": [one.training_job_name for one in TrainingJob.get_all(name_contains="source-code")],
}
print(json.dumps(result))
