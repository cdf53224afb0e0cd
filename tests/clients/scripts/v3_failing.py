"""A program that fails: train() raises, and says what the program said."""

import json
import os
from pathlib import Path

from sagemaker.core.training.configs import SourceCode
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.train import ModelTrainer

trainer = ModelTrainer(
    training_image=os.environ["TRAIN_IMAGE"],
    source_code=SourceCode(source_dir=str(Path(__file__).with_name("program")), entry_script="broken.py"),
    base_job_name="failing",
    role="SageMakerRole",
)
try:
    trainer.train(wait=True, logs=True)
except FailedStatusError as error:
    print(json.dumps({"error": str(error)}))
