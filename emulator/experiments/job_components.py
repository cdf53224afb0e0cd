"""Keeps the trial component of every job: what `jobs` tells of a job becomes what its component says."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from ..contract.experiments.entities import EXPERIMENT, TRIAL, TRIAL_COMPONENT, Entity
from ..contract.experiments.job_component import (
    ExperimentConfig,
    attached_to_run,
    job_component,
    job_trial,
    updated_component,
)
from ..contract.experiments.metric_summary import MetricPoint
from ..contract.metrics import MetricValue
from ..contract.record import JobRecord
from ..jobs.ports import JobObserver, JobStore
from .ports import EntityStore, MetricValueStore


class JobComponents:
    """Makes and changes components. Whatever is told twice, or in another order, comes to the same.

    What is told of a job is that something has happened; what it was is read again, one at a time, so that the
    last to come sees the newest.
    """

    def __init__(self, entities: EntityStore, metrics: MetricValueStore, jobs: JobStore) -> None:
        self._entities = entities
        self._metrics = metrics
        self._jobs = jobs
        self._lock = threading.Lock()

    def changed(self, record: JobRecord) -> None:
        """Bring the component of a job up to date, and make it if there is none."""
        with self._lock:
            current = self._jobs.get(record.arn)
            if current is not None and current.number == record.number:
                self._bring_up_to_date(current)

    def measured(self, record: JobRecord, values: Sequence[MetricValue]) -> None:
        """Add values that were found in a job's log to its component, and to that of its run."""
        points = [(one.name, MetricPoint(at=one.timestamp, value=one.value)) for one in values]
        for component in self._measured_components(record):
            self._metrics.put(component, record.arn, points)

    def heard_again(self, record: JobRecord) -> None:
        """Forget what was measured of a job whose log is read from its beginning once more."""
        self.changed(record)
        own = self._entities.get(job_component(record).arn)
        if own is not None:
            self._join(own, record)
        for component in self._measured_components(record):
            self._metrics.forget(component, record.arn)

    def catch_up(self) -> None:
        """Bring components up to date whose jobs have ended while this could not be told: after a kill."""
        for entity in self._entities.unfinished_of_jobs():
            record = self._jobs.get(entity.document["Source"]["SourceArn"])
            if record is not None:
                self.changed(record)

    def _bring_up_to_date(self, record: JobRecord) -> None:
        fresh = job_component(record)
        known = self._entities.get(fresh.arn)
        if known is None:
            made = self._entities.create(fresh)
            if made is not None:
                self._join(made, record)
        else:
            self._entities.update(fresh.arn, lambda entity: updated_component(entity, record))
            if known.created != fresh.created:  # of a deleted job of this name
                self._metrics.forget(known, record.arn)
                self._join(known, record)
        run = ExperimentConfig.parse(record.request).run
        if run is not None:
            run_arn = TRIAL_COMPONENT.arn(record.scope, run)
            self._entities.update(run_arn, lambda entity: attached_to_run(entity, record))

    def _join(self, component: Entity, record: JobRecord) -> None:
        """Put a job's component where its ExperimentConfig says: once, as clients may take it out again."""
        trial = self._trial(record, ExperimentConfig.parse(record.request))
        if trial is not None:
            self._entities.associate(trial, component)

    def _trial(self, record: JobRecord, config: ExperimentConfig) -> Entity | None:
        """Return the trial that the component belongs to, made where only an experiment is named."""
        if config.trial is not None:
            return self._entities.get(TRIAL.arn(record.scope, config.trial))
        if config.experiment is None:
            return None
        experiment = self._entities.get(EXPERIMENT.arn(record.scope, config.experiment))
        if experiment is None:
            return None
        trial = job_trial(record, experiment.name)
        return self._entities.create(trial) or self._entities.get(trial.arn)

    def _measured_components(self, record: JobRecord) -> Iterator[Entity]:
        run = ExperimentConfig.parse(record.request).run
        arns = [job_component(record).arn]
        if run is not None:
            arns.append(TRIAL_COMPONENT.arn(record.scope, run))
        for arn in arns:
            component = self._entities.get(arn)
            if component is not None:
                yield component


_: type[JobObserver] = JobComponents
