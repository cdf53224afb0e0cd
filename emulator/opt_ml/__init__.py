"""Jobs in the test's own process: the life of a job as everywhere, a function in the place of the image.

A faked /opt/ml (pyfakefs), or a directory in its place, is all that a function under test sees of SageMaker.
"""
