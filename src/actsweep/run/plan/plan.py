"""What a sweep would run, and what that would take in time and on the disk."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from actsweep.compare import ENOUGH_UNITS
from actsweep.data import Source
from actsweep.run.data import prepared
from actsweep.run.plan.estimate import Estimate, epochs_under_asha
from actsweep.run.plan.probe import CellCost, bytes_in, probe_cells
from actsweep.settings import StudyConfig, TrialConfig
from actsweep.study import Phase, Study
from actsweep.system.devices import cores, cuda_devices

START_UP_SECONDS = 10.0  # Ray and the workers' imports, before the first trial trains
# Trials side by side on one processor slow each other down, by what they share: caches, memory, the clock. A probe
# alone does not see it, and no model of it fits all machines. Three sweeps on two cores took 1.0 (CIFAR-10), 1.15 and
# 1.3 (digits, at different times) times what a probe before them said; the upper end leaves room for more cores.
SIDE_BY_SIDE = Estimate(1.0, 1.15, 1.5)
COST_SECONDS = 0.6  # of timing one arm's steps for one unit, after the trials


@dataclass(frozen=True)
class Time:
    """What the trials take.

    Attributes:
        unit: what the hours are of: core or GPU.
        concurrent: trials at a time.
        training: device seconds of training steps alone.
        device: device seconds of all trials.
        wall: seconds from the first trial to the last.
    """

    unit: str
    concurrent: int
    training: Estimate
    device: Estimate
    wall: Estimate


@dataclass(frozen=True)
class Disk:
    """Bytes on the disk.

    Attributes:
        checkpoints: final and best weights of all trials.
        running: what trials need there while they run.
        cache: the decoded data set.
        curves: ledger and table of curves.
    """

    checkpoints: int
    running: int
    cache: int
    curves: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.checkpoints + self.running + self.cache + self.curves


@dataclass(frozen=True)
class Plan:
    """What a sweep would run.

    Attributes:
        study: the study.
        phases: trials by phase.
        most_widened: tune trials that widening ranges may add.
        images: to train on, to validate on and to test on.
        steps: training steps of an epoch, the fewest and the most of any cell.
        time: what they take; None where this machine cannot tell.
        no_time: why there is no time.
        disk: what they need on the disk.
    """

    study: Study
    phases: Mapping[Phase, int]
    most_widened: int
    images: tuple[int, int, int]
    steps: tuple[int, int]
    time: Time | None
    no_time: str
    disk: Disk

    def figures(self) -> dict[str, Any]:
        """Everything as plain values: hours, seconds, bytes and counts."""
        scheduler, tune = self.study.config.scheduler, self.study.config.study.tune
        return {
            "name": self.study.config.run.name,
            "cells": [cell.label for cell in self.study.cells],
            "search": self.study.config.search.name,
            "trials": {**self.phases, "total": sum(self.phases.values()), "widen_at_most": self.most_widened},
            "images": dict(zip(("train", "val", "test"), self.images, strict=True)),
            "steps_per_epoch": {"low": self.steps[0], "high": self.steps[1]},
            "units": {"of": self.study.unit, "per_cell": self.study.units, "for_verdicts": ENOUGH_UNITS},
            "stopping": {
                "rule": scheduler.name,
                "grace": scheduler.grace,
                "reduction": scheduler.reduction,
                "spare": tune.spare,
            },
            "concurrent": self.time.concurrent if self.time else None,
            "core_hours": self._hours("core"),
            "gpu_hours": self._hours("GPU"),
            "training_seconds": asdict(self.time.training) if self.time else None,
            "wall_seconds": asdict(self.time.wall) if self.time else None,
            "no_time": self.no_time or None,
            "disk_bytes": {**asdict(self.disk), "total": self.disk.total},
        }

    def _hours(self, unit: str) -> dict[str, float] | None:
        return asdict(self.time.device * (1 / 3600)) if self.time and self.time.unit == unit else None


def make_plan(config: StudyConfig) -> Plan:
    """Check a study, prepare its data, and probe what its trials take; nothing but the data cache stays.

    Raises:
        RequestError: the study or its data are not accepted.
    """
    study = Study(config)
    source = prepared(study)
    trials = _middle_trials(study)
    no_time = ""
    if any(trial.trainer.accelerator == "gpu" for trial in trials) and not cuda_devices():
        no_time = "no CUDA device is visible here"
        trials = [_on_cpu(trial) for trial in trials]
    costs = probe_cells(trials, source, timed=not no_time)
    time = None if no_time else _time(study, costs)
    steps = [cost.steps for cost in costs]
    return Plan(
        study=study,
        phases=study.planned,
        most_widened=study.most_widened,
        images=costs[0].images,
        steps=(min(steps), max(steps)),
        time=time,
        no_time=no_time,
        disk=_disk(study, costs, source),
    )


def _middle_trials(study: Study) -> list[TrialConfig]:
    """One trial of each cell, in the middle of the nuisance ranges."""
    return [study.trial_config(cell, cell.middle, seed=0) for cell in study.cells]


def _on_cpu(trial: TrialConfig) -> TrialConfig:
    return trial.model_copy(update={"trainer": trial.trainer.model_copy(update={"accelerator": "cpu"})})


def concurrency(config: StudyConfig) -> int:
    """How many trials this machine runs at a time; at least 1."""
    asked = config.cluster.resources
    room = [math.floor(cores() / asked.cpu + 1e-9)]
    if asked.gpu:
        room.append(math.floor(len(cuda_devices()) / asked.gpu + 1e-9))
    if config.cluster.max_concurrent:
        room.append(config.cluster.max_concurrent)
    return max(1, min(room))


def _time(study: Study, costs: list[CellCost]) -> Time:
    config = study.config
    every, asked, slots = config.trainer.eval_every, config.cluster.resources, concurrency(config)
    unit, share = ("GPU", asked.gpu) if asked.gpu else ("core", asked.cpu)
    crowd = SIDE_BY_SIDE if slots > 1 and not asked.gpu else Estimate.exactly(1)
    training = device = Estimate.exactly(0)
    wall = Estimate.exactly(START_UP_SECONDS + _measuring_seconds(study))
    for phase, planned in study.planned.items():
        epochs = _tune_epochs(study) if phase == "tune" else Estimate.exactly(config.trainer.epochs)
        trials = planned / len(costs)
        number = Estimate(trials, trials, trials + (study.most_widened / len(costs) if phase == "tune" else 0))
        steps, whole = Estimate.exactly(0), Estimate.exactly(0)
        for cost in costs:
            steps += cost.training(epochs) * number * crowd
            whole += cost.whole(epochs, every) * number * crowd
        training += steps * share
        device += whole * share
        wall += whole * (1 / min(slots, _widest(study, phase)))
    return Time(unit, slots, training, device, wall)


def _widest(study: Study, phase: Phase) -> int:
    """How many trials of a phase can run at a time: tpe takes a cell's block one by one."""
    one_by_one = phase == "tune" and study.config.search.name == "tpe"
    return len(study.cells) * study.config.study.tune.blocks if one_by_one else max(1, study.planned[phase])


def _tune_epochs(study: Study) -> Estimate:
    epochs, scheduler, tune = study.config.trainer.epochs, study.config.scheduler, study.config.study.tune
    if scheduler.grace is None or scheduler.reduction is None:
        return Estimate.exactly(epochs)
    spared = tune.blocks * sum(study.spared(point) for point in range(tune.points))
    stoppable = tune.blocks * tune.points - spared
    return epochs_under_asha(stoppable, epochs, scheduler.grace, scheduler.reduction, spared)


def _measuring_seconds(study: Study) -> float:
    return COST_SECONDS * study.units * len(study.cells) if study.config.study.measure_cost else 0.0


def _disk(study: Study, costs: list[CellCost], source: Source) -> Disk:
    trials = (sum(study.planned.values()) + study.most_widened) / len(costs)
    evaluations = study.config.trainer.epochs / study.config.trainer.eval_every + 1
    return Disk(
        checkpoints=round(trials * sum(cost.weights_bytes for cost in costs)),
        running=concurrency(study.config) * max(cost.running_bytes for cost in costs),
        cache=bytes_in(Path(source.path)),
        curves=round(trials * evaluations * sum(cost.row_bytes for cost in costs)),
    )
