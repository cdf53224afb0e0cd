"""The /opt/ml tree as names.

Source: "How Amazon SageMaker provides training information", "Build your own processing container" and
listings of real jobs; see docs/fidelity.md for what is confirmed.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

OPT_ML: Final = PurePosixPath("/opt/ml")

CODE: Final = OPT_ML / "code"  # the image's

INPUT: Final = OPT_ML / "input"
INPUT_CONFIG: Final = INPUT / "config"
INPUT_DATA: Final = INPUT / "data"

MODEL: Final = OPT_ML / "model"

OUTPUT: Final = OPT_ML / "output"
OUTPUT_DATA: Final = OUTPUT / "data"
OUTPUT_METRICS: Final = OUTPUT / "metrics" / "sagemaker"
OUTPUT_PROFILER: Final = OUTPUT / "profiler"
FAILURE: Final = OUTPUT / "failure"

# A processing job's own; it has OUTPUT too, but neither INPUT nor MODEL.
CONFIG: Final = OPT_ML / "config"
PROCESSING: Final = OPT_ML / "processing"
MESSAGE: Final = OUTPUT / "message"

# The roots the platform mounts for a training job. /opt/ml itself is never one of them: /opt/ml/code belongs
# to the image.
PLATFORM_ROOTS: Final = (INPUT, MODEL, OUTPUT)

# Directories that exist before a training job's container starts. The service's are root's, mode 0755; whether it
# opens the writable ones for images that run as another user is unconfirmed, so here they are open.
DIRECTORY_MODES: Final[dict[PurePosixPath, int]] = {
    INPUT: 0o755,
    INPUT_CONFIG: 0o755,
    INPUT_DATA: 0o755,
    MODEL: 0o777,
    OUTPUT: 0o777,
    OUTPUT_DATA: 0o777,
    OUTPUT / "metrics": 0o777,
    OUTPUT_METRICS: 0o777,
    OUTPUT_PROFILER: 0o777,
}
FILE_MODE: Final = 0o644
DIRECTORY_MODE: Final = 0o755
