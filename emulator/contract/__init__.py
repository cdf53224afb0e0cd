"""What SageMaker promises a container, as data and pure functions.

No files, network, clock, environment or container engine: a reader who wants to know a rule of the
service reads this folder and nothing else.
"""
