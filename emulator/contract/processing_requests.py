"""What CreateProcessingJob refuses beyond the shape of the request.

Source: BC documentation of the members, and refusals that users of the service met. No text of the service is
known for any of them, so all are this emulator's words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from ..errors import ValidationError
from . import paths
from .arns import S3Uri
from .kinds import PROCESSING
from .processing_job import selected_instances
from .requests import check_host_count, check_process_texts, check_tags

_LONGEST_FILE_NAME: Final = 255

Documents = Sequence[Mapping[str, Any]]


def check_processing_job(request: Mapping[str, Any]) -> None:
    """Refuse a CreateProcessingJob request whose shape is right but whose content is not.

    Raises:
        ValidationError: in our words.
    """
    inputs = request.get("ProcessingInputs", ())
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", ())
    if not request["AppSpecification"]["ImageUri"]:
        raise ValidationError("AppSpecification.ImageUri must not be empty.")
    check_process_texts(request, "AppSpecification")
    _check_cluster(request["ProcessingResources"]["ClusterConfig"])
    _check_data(inputs, "input", "InputName", "S3Input")
    _check_data(outputs, "output", "OutputName", "S3Output")
    _check_local_paths_differ(inputs, outputs)
    check_tags(request.get("Tags", ()))


def _check_cluster(cluster: Mapping[str, Any]) -> None:
    preferences: Documents = cluster.get("InstancePreferences", ())
    if bool(preferences) == ("InstanceType" in cluster):
        raise ValidationError("ClusterConfig must have exactly one of InstanceType and InstancePreferences.")
    counted = sum("InstanceCount" in one for one in preferences)
    if counted and (counted < len(preferences) or "InstanceCount" in cluster):
        raise ValidationError(
            "InstanceCount must be given either once in ClusterConfig or in every entry of InstancePreferences."
        )
    check_host_count(PROCESSING, selected_instances(cluster)["InstanceCount"])


def _check_data(documents: Documents, what: str, name_member: str, s3_member: str) -> None:
    """Check the inputs, or the outputs, each by itself, and that no two have one name."""
    for document in documents:
        name = document[name_member]
        s3 = document.get(s3_member)
        if s3 is None:
            if not document.get("AppManaged", False):
                raise ValidationError(f"The processing {what} {name!r} must have an {s3_member}.")
            continue
        S3Uri.parse(s3["S3Uri"])
        if "LocalPath" in s3:
            _check_local_path(s3["LocalPath"], f"the processing {what} {name!r}")
        elif not document.get("AppManaged", False):
            raise ValidationError(
                f"The processing {what} {name!r} must have a LocalPath: only AppManaged ones may leave it out."
            )
    repeated = _repeated(document[name_member] for document in documents)
    if repeated:
        raise ValidationError(f"The names of processing {what}s must be unique; repeated: {', '.join(repeated)}")


def _check_local_path(text: str, where: str) -> None:
    path = PurePosixPath(text)
    if paths.PROCESSING not in path.parents:
        raise ValidationError(f"The LocalPath {text!r} of {where} must begin with {paths.PROCESSING}/ and a name.")
    if ".." in path.parts or "\0" in text or any(len(part.encode()) > _LONGEST_FILE_NAME for part in path.parts):
        raise ValidationError(f"The LocalPath {text!r} of {where} cannot be a directory.")


def _check_local_paths_differ(inputs: Documents, outputs: Documents) -> None:
    """No two inputs, and no input and output, may have one LocalPath; users met both refusals on the service.

    Two outputs neither, as nobody has seen them accepted. One LocalPath may lie in another.
    """
    sources = (*(one.get("S3Input", {}) for one in inputs), *(one.get("S3Output", {}) for one in outputs))
    repeated = _repeated(str(PurePosixPath(one["LocalPath"])) for one in sources if "LocalPath" in one)
    if repeated:
        raise ValidationError(
            f"Every processing input and output must have a LocalPath of its own; repeated: {', '.join(repeated)}"
        )


def _repeated(names: Iterator[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
