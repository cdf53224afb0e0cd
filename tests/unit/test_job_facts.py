"""What a job's request says, as its page shows it."""

from __future__ import annotations

from emulator.web import job_facts
from tests.builders import processing_record


def test_of_the_outputs_only_what_has_a_table_is_left_out_of_the_settings() -> None:
    outputs = {"OutputName": "o", "S3Output": {"S3Uri": "s3://b/o", "LocalPath": "/opt/ml/processing/o"}}
    record = processing_record(ProcessingOutputConfig={"Outputs": [outputs], "KmsKeyId": "alias/k"})
    settings = dict(job_facts.settings_of(record))
    assert settings["ProcessingOutputConfig.KmsKeyId"] == "alias/k"
    assert not [path for path in settings if path.startswith(("ProcessingOutputConfig.Outputs", "ProcessingJobName"))]
