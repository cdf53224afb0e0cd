"""A training job from CreateTrainingJob to Completed, beside a bare `docker run` and SDK V2's local mode."""

from __future__ import annotations

from collections.abc import Iterator

from .local_mode import LocalMode
from .measuring import Row, medians
from .running import CannotRunError, seconds_of
from .setting import Setting

_ROUNDS = 9


def measure(setting: Setting) -> Iterator[Row]:
    """Measure jobs of a user's image and of one that does nothing."""
    bare_name = "docker run"

    def job() -> float:
        return setting.job_seconds("script")

    def bare() -> float:
        return seconds_of(setting.bare_run("script"))

    name = "training job, sagemaker-training image"
    local_name = "SDK V2 local mode fit(), same image"
    try:
        with LocalMode(setting.folder(), setting.image("script")) as local:
            ours, baseline, fit = medians(_ROUNDS, job, bare, local.fit_seconds)
        yield Row(name=name, ours=ours, baseline=baseline, baseline_name=bare_name, ratio_target=1.3)
        yield Row(name=local_name, ours=fit, baseline=baseline, baseline_name=bare_name)
    except CannotRunError as error:
        ours, baseline = medians(_ROUNDS, job, bare)
        yield Row(name=name, ours=ours, baseline=baseline, baseline_name=bare_name, ratio_target=1.3)
        yield Row(name=local_name, not_measured=str(error))

    ours, baseline = medians(
        _ROUNDS,
        lambda: setting.job_seconds(Environment={"PROGRAM": "true"}),
        lambda: seconds_of(setting.bare_run(Environment={"PROGRAM": "true"})),
    )
    yield Row(name="training job, image that does nothing", ours=ours, baseline=baseline, baseline_name=bare_name)
