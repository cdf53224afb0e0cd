"""The SageMaker operations that are ours, one file a resource."""
