"""What a training step of each arm costs, measured once per unit when all trials have ended and nothing else runs."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import ray

from actsweep.cluster import worker_options
from actsweep.data import Source
from actsweep.events import StepCost, TrialRecord
from actsweep.plural import count
from actsweep.records import EventStream
from actsweep.settings import TrialConfig, validated
from actsweep.study import Study

LOOK_SECONDS = 0.2  # between two looks at whether it is to stop: the steps of a unit may take minutes
Unit = list[list[TrialRecord]]  # per arm its replicates


def measure_costs(
    study: Study, source: Source, stream: EventStream, stop: threading.Event, told: Callable[[str], None]
) -> None:
    """Measure the units that have no cost yet, one after the other until `stop` is set, and publish each.

    Args:
        study: the study.
        source: its data.
        stream: what costs are published to.
        stop: set when it is to stop.
        told: is given a line before it begins, as nothing is seen to happen while it lasts.
    """
    units = list(_units(study, list(stream.record.trials.values())))
    if not units:
        return
    told(f"measuring what a step of each arm costs, {count(len(units), 'time')}, with nothing else running")
    asked = [[_config(study, arm[0]).model_dump() for arm in unit] for unit in units]
    asks = worker_options(study.config.cluster.resources)
    worker = ray.remote(_costs).options(num_returns="streaming", **asks)
    answers = worker.remote(asdict(source), asked)
    for unit in units:
        while not ray.wait([answers], timeout=LOOK_SECONDS)[0]:
            if stop.is_set():
                break
        if stop.is_set():
            ray.cancel(answers)
            return
        for arm, milliseconds in zip(unit, ray.get(next(answers)), strict=True):
            for trial in arm:
                stream(StepCost(trial.started.trial_id, milliseconds, time.time()))


def _units(study: Study, trials: Sequence[TrialRecord]) -> Iterator[Unit]:
    """Per stratum and unit (block, or seed where there is one block) the arms with a result and no cost yet."""
    groups: dict[tuple[Any, ...], dict[Any, list[TrialRecord]]] = {}
    for trial in trials:
        start = trial.started
        if start.phase == "replicate" and trial.has_result:
            unit = start.block if study.unit == "block" else start.seed
            place = (*(start.cell[path] for path in study.strata), unit)
            groups.setdefault(place, {}).setdefault(start.cell[study.factor], []).append(trial)
    for arms in groups.values():
        if any(trial.step_ms is None for arm in arms.values() for trial in arm):
            yield list(arms.values())


def _config(study: Study, trial: TrialRecord) -> TrialConfig:
    start = trial.started
    return study.trial_config(study.cell_at(start.cell), start.nuisance, start.seed)


def _costs(source: dict[str, Any], units: list[list[dict[str, Any]]]) -> Iterator[list[float]]:
    from actsweep.data import load
    from actsweep.train.cost import step_costs  # only the worker pays for it
    from actsweep.worker.images import source_here

    for unit in units:
        configs = [validated(TrialConfig, trial) for trial in unit]
        yield step_costs(configs, load(source_here(source), configs[0].data))
