"""Rules about the image itself: what it hides, its user, its variables, its platform. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from ..contract import paths
from .facts import Facts, Kind
from .rule import Hit, Rule, Severity

LARGE_BYTES: Final = 10 * 10**9
SERVING_PORT: Final = "8080/tcp"
_ARCHITECTURES: Final = ("amd64", "x86_64")
_CREDENTIALS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")
_PLATFORMS_OWN: Final = (
    "TRAINING_JOB_NAME",
    "TRAINING_JOB_ARN",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "ECS_CONTAINER_METADATA_URI",
    "ECS_CONTAINER_METADATA_URI_V4",
    "DMLC_INTERFACE",
)
# From these on, botocore and boto3 read AWS_ENDPOINT_URL.
_FIRST_WITH_ENDPOINT_URL: Final = {"boto3": (1, 28), "botocore": (1, 31)}
_MODEL_TRAINER_NEEDS: Final = ("bash", "python3", "pip")
_JOB_KINDS: Final = (Kind.TRAINING, Kind.PROCESSING)
_MOST_SHOWN: Final = 3


def _hidden(facts: Facts) -> Iterator[Hit]:
    if facts.files is not None:
        found = facts.files.below_mounts
    else:
        found = tuple(path for path in facts.copied if facts.is_mounted(path))
    if found:
        more = f" and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
        line = next((line for path in found if (line := _copied_at(facts, path))), None)
        yield Hit(f"The image has {', '.join(found[:_MOST_SHOWN])}{more}, where the platform mounts its own.", line)


def _copied_at(facts: Facts, path: str) -> int | None:
    """Return the line of the COPY that brought a file or a directory above it."""
    return next(
        (
            place.line
            for place in reversed(facts.places)
            if place.instruction == "COPY" and PurePosixPath(path).is_relative_to(place.word)
        ),
        None,
    )


def _volume(facts: Facts) -> Iterator[Hit]:
    for volume in facts.config.volumes:
        if PurePosixPath(volume).is_relative_to(paths.OPT_ML):
            yield Hit(f"VOLUME {volume} is in the platform's tree.", facts.line("VOLUME", volume))


def _architecture(facts: Facts) -> Iterator[Hit]:
    if facts.architecture is not None and facts.architecture not in _ARCHITECTURES:
        yield Hit(f"It is built for {facts.architecture}.", facts.line("FROM"))


def _large(facts: Facts) -> Iterator[Hit]:
    if facts.size is not None and facts.size > LARGE_BYTES:
        yield Hit(f"It has {facts.size / 1e9:.1f} GB.")


def _user_unknown(facts: Facts) -> Iterator[Hit]:
    name = _user_name(facts)
    users = facts.files.users if facts.files else None
    if name and not name.isdecimal() and users is not None and name not in users:
        yield Hit(f"USER is {name}, whom /etc/passwd does not have.", facts.line("USER"))


def _user_not_root(facts: Facts) -> Iterator[Hit]:
    if _user_name(facts) not in (None, "", "root", "0"):
        yield Hit(f"USER is {facts.config.user}.", facts.line("USER"))


def _user_name(facts: Facts) -> str | None:
    user = facts.config.user
    return None if user is None else user.partition(":")[0]


def _old_boto3(facts: Facts) -> Iterator[Hit]:
    packages = facts.packages
    if packages is None:
        return
    for name, first in _FIRST_WITH_ENDPOINT_URL.items():
        have = packages.version(name)
        if have and have < first:
            wanted = ".".join(map(str, first))
            yield Hit(f"It has {name} {packages.versions[name]}; endpoints in variables came with {wanted}.")
            return


def _credentials(facts: Facts) -> Iterator[Hit]:
    for name in _CREDENTIALS:
        if facts.config.variable(name):
            yield Hit(f"{name} is set in the image.", facts.line("ENV", name))
    if facts.files is not None and facts.files.credentials:
        yield Hit(f"The file {facts.files.credentials} is in the image.", _copied_at(facts, facts.files.credentials))


def _platform_variable(facts: Facts) -> Iterator[Hit]:
    for name in _PLATFORMS_OWN:
        if facts.config.variable(name) is not None:
            yield Hit(f"{name} is set in the image.", facts.line("ENV", name))


def _endpoint(facts: Facts) -> Iterator[Hit]:
    for name in sorted(facts.config.environment):
        if name.startswith("AWS_ENDPOINT_URL") or name == "S3_ENDPOINT_URL":
            yield Hit(f"{name} is set in the image.", facts.line("ENV", name))


def _healthcheck(facts: Facts) -> Iterator[Hit]:
    if facts.config.has_healthcheck:
        yield Hit("It has a HEALTHCHECK.", facts.line("HEALTHCHECK"))


def _stop_signal(facts: Facts) -> Iterator[Hit]:
    signal = facts.config.stop_signal
    if signal and signal.upper().removeprefix("SIG") not in ("TERM", "15"):
        yield Hit(f"STOPSIGNAL is {signal}.", facts.line("STOPSIGNAL"))


def _serving_port(facts: Facts) -> Iterator[Hit]:
    ports = facts.config.ports
    if ports and SERVING_PORT not in ports:
        yield Hit(f"It exposes {', '.join(ports)}, and not 8080.", facts.line("EXPOSE"))


def _model_trainer(facts: Facts) -> Iterator[Hit]:
    if facts.files is None or facts.request is not None:
        return
    has = facts.files.tools | frozenset(facts.packages.versions if facts.packages else ())
    unknown = ("pip",) if facts.packages is None and "python3" in has else ()
    missing = [tool for tool in _MODEL_TRAINER_NEEDS if tool not in (*has, *unknown)]
    if missing:
        yield Hit(f"It has no {', no '.join(missing)}.")


def _latest(facts: Facts) -> Iterator[Hit]:
    if facts.reference is not None and _is_latest(facts.reference):
        yield Hit(f"{facts.reference} has no tag of its own.")
    for image, line in facts.base_tags:
        if _is_latest(image):
            yield Hit(f"FROM {image} has no tag of its own.", line)


def _is_latest(reference: str) -> bool:
    if "@" in reference or reference.startswith("sha256:"):
        return False
    name, _, tag = reference.rpartition("/")[2].partition(":")
    return bool(name) and tag in ("", "latest")


def _build_fails(facts: Facts) -> Iterator[Hit]:
    if facts.build_failure is not None:
        reason, line = facts.build_failure
        yield Hit(f"{reason[:1].upper()}{reason[1:].rstrip('.')}.", line)


def _unknown_ignore(facts: Facts) -> Iterator[Hit]:
    for rule, line in facts.unknown_ignores:
        yield Hit(f"There is no rule {rule}.", line)


RULES: Final = (
    Rule(
        id="hidden-files",
        severity=Severity.ERROR,
        what="The image has files where the platform mounts its own directories",
        why="These are the platform's: /opt/ml/input, /opt/ml/model and /opt/ml/output of a training job, "
        "/opt/ml/config, /opt/ml/output and each LocalPath of a processing job, /opt/ml/model of an endpoint. What an "
        "image put there is hidden from its own program.",
        fix="COPY it elsewhere, such as /opt/program or /opt/ml/code, or give it to the job as a channel.",
        check=_hidden,
        reads="Dockerfile",
    ),
    Rule(
        id="volume-under-opt-ml",
        severity=Severity.WARNING,
        what="A VOLUME is in /opt/ml",
        why="The tree is the platform's, which mounts its directories there. A VOLUME has Docker lay an anonymous one "
        "beside or over them, and drops what later instructions write there.",
        fix="Remove the VOLUME; /opt/ml/model and /opt/ml/output are writable and collected without it.",
        check=_volume,
        reads="Dockerfile",
    ),
    Rule(
        id="architecture",
        severity=Severity.ERROR,
        what="The image is for another processor",
        why="Instances for jobs are x86_64: the container ends at once with `exec format error`. Images built on an "
        "ARM machine (Apple silicon) are ARM's by default.",
        fix="docker build --platform linux/amd64, or FROM --platform=linux/amd64.",
        check=_architecture,
        reads="Dockerfile",
        kinds=_JOB_KINDS,
    ),
    Rule(
        id="large-image",
        severity=Severity.WARNING,
        what="The image is larger than 10 GB",
        why="It is pulled before each job on new instances (`Downloading` in its history), and serverless inference "
        "takes 10 GB at most.",
        fix="Build in stages, install without caches (pip --no-cache-dir), and bring data and models as channels.",
        check=_large,
        reads="image",
    ),
    Rule(
        id="user-unknown",
        severity=Severity.ERROR,
        what="USER names nobody that the image knows",
        why="The container cannot start: the engine finds no such user.",
        fix="Make the user before (RUN useradd), or leave USER out.",
        check=_user_unknown,
        reads="files",
    ),
    Rule(
        id="user-not-root",
        severity=Severity.WARNING,
        what="The image does not run as root",
        why="The container runs as the image's USER, and the platform's directories are root's, mode 0755, in every "
        "listing of a real job; that the service opens /opt/ml/model and /opt/ml/output for others is not documented. "
        "This emulator opens them.",
        fix="Leave USER out, or try the image on the service before you rely on it.",
        check=_user_not_root,
        reads="Dockerfile",
        unless=("user-unknown", "permission-denied"),
    ),
    Rule(
        id="old-boto3",
        severity=Severity.WARNING,
        what="boto3 is too old to be told an endpoint by a variable",
        why="boto3 1.28 and botocore 1.31 (July 2023) were the first to read AWS_ENDPOINT_URL. Older ones go to AWS "
        "itself when the job runs on this emulator.",
        fix="Upgrade to boto3 1.28 or later, or give each client endpoint_url=os.environ.get('AWS_ENDPOINT_URL').",
        check=_old_boto3,
        reads="packages",
    ),
    Rule(
        id="credentials-in-image",
        severity=Severity.ERROR,
        what="The image has AWS credentials in it",
        why="SDKs prefer them to the role that the service gives the container, so the job acts as somebody else; and "
        "everybody who can pull the image can read them.",
        fix="Remove them and change the keys. The role's credentials come by themselves.",
        check=_credentials,
        reads="Dockerfile",
    ),
    Rule(
        id="platform-variable",
        severity=Severity.WARNING,
        what="The image sets a variable that is the platform's",
        why="The platform's value replaces the image's where it sets the variable. Where it does not, programs are "
        "misled: the SDK takes any container with TRAINING_JOB_ARN for a training job.",
        fix="Remove the ENV; pass a value of your own under another name.",
        check=_platform_variable,
        reads="Dockerfile",
    ),
    Rule(
        id="endpoint-in-image",
        severity=Severity.WARNING,
        what="The image sets the endpoint of AWS services",
        why="On the service nothing sets it, so the image's value sends every AWS call of the job there.",
        fix="Remove the ENV; this emulator gives AWS_ENDPOINT_URL to the containers it runs.",
        check=_endpoint,
        reads="Dockerfile",
    ),
    Rule(
        id="healthcheck-ignored",
        severity=Severity.NOTE,
        what="HEALTHCHECK has no effect",
        why="A job is judged by its exit code, an endpoint by GET /ping on port 8080.",
        fix="Remove it, or keep it for other uses of the image.",
        check=_healthcheck,
        reads="Dockerfile",
    ),
    Rule(
        id="stop-signal-ignored",
        severity=Severity.NOTE,
        what="STOPSIGNAL is not what the service is documented to send",
        why="A stop is SIGTERM to the first process, then SIGKILL after 120 s (30 s for an endpoint).",
        fix="Handle SIGTERM and remove STOPSIGNAL.",
        check=_stop_signal,
        reads="Dockerfile",
    ),
    Rule(
        id="serving-port",
        severity=Severity.WARNING,
        what="The image exposes ports, and not the one the service uses",
        why="GET /ping and POST /invocations go to port 8080 (to SAGEMAKER_BIND_TO_PORT in inference pipelines).",
        fix="Listen on 8080, and EXPOSE 8080.",
        check=_serving_port,
        reads="Dockerfile",
        kinds=(Kind.SERVING,),
    ),
    Rule(
        id="model-trainer-needs",
        severity=Severity.NOTE,
        what="What the SDK's ModelTrainer needs is missing",
        why="SDK V3's ModelTrainer runs its own script by /bin/bash, which needs python3 and pip.",
        fix="Install bash, python3 and pip, if the image is to be used with ModelTrainer and source code.",
        check=_model_trainer,
        reads="files",
        kinds=(Kind.TRAINING,),
    ),
    Rule(
        id="latest-tag",
        severity=Severity.NOTE,
        what="An image is named without a tag, or by `latest`",
        why="The service pulls what the tag means when the job starts: a request made again may run another program.",
        fix="Give each build a tag of its own, or name it by digest.",
        check=_latest,
        reads="Dockerfile",
    ),
    Rule(
        id="build-fails",
        severity=Severity.ERROR,
        what="The image cannot be built",
        why="Without an image there is no job.",
        fix="Correct what the message says; `docker build` shows the whole output.",
        check=_build_fails,
        reads="Dockerfile",
    ),
    Rule(
        id="unknown-ignore",
        severity=Severity.WARNING,
        what="A comment turns off a rule that does not exist",
        why="`# sagemaker-lint: ignore=RULE` takes the rules of this table; a misspelt one turns nothing off.",
        fix="Correct the name, or remove the comment.",
        check=_unknown_ignore,
        reads="Dockerfile",
    ),
)
