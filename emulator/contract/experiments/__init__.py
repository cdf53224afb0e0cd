"""The rules of SageMaker Experiments: entities, updates, lists, metrics, lineage, search."""
