"""A short training of each cell, to see what a step, an evaluation and a checkpoint take on this machine."""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from actsweep.data import Data, Source, Split, load
from actsweep.events import Row
from actsweep.records import RESUME_FILE, Attempt
from actsweep.run.plan.estimate import Estimate
from actsweep.settings import TrialConfig
from actsweep.train import train
from actsweep.train.cost import step_costs

EPOCHS = 3
EPOCH_SECONDS = 0.4
EVALUATED_IMAGES = 2000
_EVENT_BYTES = 160  # of a ledger line around its row
_TABLE_BYTES = 150  # of a row in the table of curves


@dataclass(frozen=True)
class CellCost:
    """What one trial of a cell takes.

    Attributes:
        images: to train on, to validate on and to test on.
        steps: training steps of an epoch.
        start: seconds before the first evaluation.
        step: seconds of a training step.
        evaluation: seconds of one evaluation, with the checkpoint that follows.
        end: seconds of the test split and of the final weights.
        weights_bytes: what the trial leaves on the disk.
        running_bytes: what it needs there while it runs.
        row_bytes: what one evaluation leaves in the records.
    """

    images: tuple[int, int, int]
    steps: int
    start: float
    step: Estimate
    evaluation: Estimate
    end: float
    weights_bytes: int
    running_bytes: int
    row_bytes: int

    def training(self, epochs: Estimate) -> Estimate:
        """Seconds of a trial's training steps."""
        return self.step * epochs * self.steps

    def whole(self, epochs: Estimate, eval_every: int) -> Estimate:
        """Seconds of a trial from its start to its end."""
        evaluations = epochs * (1 / eval_every) + Estimate.exactly(1)
        return self.training(epochs) + self.evaluation * evaluations + Estimate.exactly(self.start + self.end)


def probe_cells(configs: Sequence[TrialConfig], source: Source, *, timed: bool = True) -> list[CellCost]:
    """Train one trial of each cell for a few steps; nothing of it stays.

    Args:
        configs: one trial of each cell.
        source: the prepared data.
        timed: whether times are wanted too; else a single step shows what the disk needs.
    """
    loaded = {config.data: load(source, config.data) for config in configs}
    if not timed:
        return [_cost(config, loaded[config.data], EPOCH_SECONDS) for config in configs]
    steps = [0.0] * len(configs)
    for settings, data in loaded.items():
        places = [place for place, config in enumerate(configs) if config.data == settings]
        for place, milliseconds in zip(places, step_costs([configs[place] for place in places], data), strict=True):
            steps[place] = milliseconds / 1000
    _short_run(configs[0], loaded[configs[0].data], 1)  # what a worker pays once is not to count for every trial
    return [_cost(config, loaded[config.data], step) for config, step in zip(configs, steps, strict=True)]


@dataclass(frozen=True)
class _Run:
    """A shortened training: clock readings at its start, at each evaluation and at its end, and what it left."""

    clock: list[float]
    rows: list[Row]
    running_bytes: int
    weights_bytes: int


def _cost(config: TrialConfig, data: Data, step: float) -> CellCost:
    size = config.data.batch_size
    steps = -(-len(data.train.labels) // size)
    shortened = min(steps, max(1, round(EPOCH_SECONDS / step)))
    run = _short_run(config, data, shortened * size)
    seconds = [row["seconds"] for row in run.rows]
    epochs = [later - earlier for earlier, later in pairwise(seconds)]
    between = [later - earlier for earlier, later in pairwise(run.clock[1:-1])]
    evaluation = Estimate.of(max(0.0, whole - epoch) for whole, epoch in zip(between, epochs, strict=True))
    in_epoch = Estimate.of(epoch / shortened for epoch in epochs)
    seen = len(data.probe.labels) + len(data.val.labels)
    shown = sum(min(len(part.labels), EVALUATED_IMAGES) for part in (data.probe, data.val))
    test = len(data.test.labels)
    return CellCost(
        images=(len(data.train.labels), len(data.val.labels), test),
        steps=steps,
        start=max(0.0, run.clock[1] - run.clock[0] - evaluation.middle),
        step=Estimate(min(step, in_epoch.low), in_epoch.middle, max(step, in_epoch.high)),
        evaluation=evaluation * (seen / shown),
        end=(run.clock[-1] - run.clock[-2]) * max(1.0, test / EVALUATED_IMAGES),
        weights_bytes=run.weights_bytes,
        running_bytes=run.running_bytes,
        row_bytes=len(json.dumps(dict(run.rows[-1]))) + _EVENT_BYTES + _TABLE_BYTES,
    )


def _short_run(config: TrialConfig, data: Data, images: int) -> _Run:
    brief = {"epochs": EPOCHS, "eval_every": 1, "trial_timeout": None}
    short = config.model_copy(update={"trainer": config.trainer.model_copy(update=brief)})
    part = replace(
        data,
        train=_first(data.train, images),
        probe=_first(data.probe, EVALUATED_IMAGES),
        val=_first(data.val, EVALUATED_IMAGES),
        test=_first(data.test, EVALUATED_IMAGES),
    )
    clock = (
        time.process_time if (config.trainer.accelerator, config.trainer.threads) == ("cpu", 1) else time.perf_counter
    )
    rows: list[Row] = []
    readings: list[float] = []
    sizes: list[int] = [0]
    with tempfile.TemporaryDirectory(prefix="actsweep-plan-") as folder:

        def note(row: Row) -> None:
            rows.append(row)
            readings.append(clock())
            sizes.append(bytes_in(Path(folder)))

        began = clock()
        attempt = Attempt(Path(folder))
        train(short, part, note, attempt, checkpoint_seconds=0.0)
        attempt.remove(RESUME_FILE)
        return _Run([began, *readings, clock()], rows, max(sizes), bytes_in(Path(folder)))


def _first(split: Split, images: int) -> Split:
    return Split(split.images[:images], split.labels[:images])


def bytes_in(folder: Path) -> int:
    """The bytes of all files in a folder; 0 where it does not exist."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
