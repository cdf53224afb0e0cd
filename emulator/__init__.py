"""sagemaker-emulator: a local Amazon SageMaker that really runs your containers."""

__version__ = "0.1.0"
