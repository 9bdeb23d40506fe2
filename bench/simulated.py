"""A finished study on the disk whose trials were never trained: curves by a formula, all else by the package itself."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from actsweep.config import run_with_hydra
from actsweep.curves import GRAD_NORMS
from actsweep.events import Evaluation, Event, Row, StepCost, StudyFinished, StudyStarted, TrialFinished, TrialStarted
from actsweep.records import EventStream, Ledger, StudyFolder
from actsweep.search import Outcome, TrialQueue
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial

DATA = {"label": "simulated", "fingerprint": "0", "classes": 10}
STEPS = 352  # an epoch


def write_study(place: Path, *words: str) -> StudyFolder:
    """Write the ledger and settings of a study that has run to its end.

    Args:
        place: the folder that its own folder is made in.
        words: Hydra's, as for `actsweep sweep`.
    """
    found: list[StudyConfig] = []
    run_with_hydra("sweep", [*words, f"run.root={place}"], lambda config, overrides: found.append(config) or 0)
    study = Study(found[0], DATA["fingerprint"])
    folder = StudyFolder(place / study.config.run.name)
    folder.path.mkdir(parents=True)
    with Ledger(folder.ledger) as ledger:
        stream = EventStream(ledger, [])
        now = time.time()
        stream(StudyStarted(study.config.run.name, DATA, {}, study.config.model_dump(mode="json"), now))
        queue = TrialQueue(study, lambda trial: None, stream)
        while (trial := queue.next()) is not None:
            rows = list(_rows(trial))
            stream(*_events(trial, rows))
            queue.end(trial.trial_id, Outcome(max(row["val_acc"] for row in rows)))
        stream(StudyFinished(time.time()))
    folder.write_config(study.config)
    return folder


def _events(trial: Trial, rows: list[Row]) -> Iterator[Event]:
    place = trial.phase, trial.block, trial.config.seed, trial.cell.values, trial.nuisance
    now, last = time.time(), rows[-1]
    yield TrialStarted(trial.trial_id, 1, *place, now, trial.spared)
    yield from (Evaluation(trial.trial_id, 1, row, now) for row in rows)
    final = {"test_acc": last["val_acc"] - 0.005, "test_loss": 1.0, "best_test_acc": last["val_acc"]}
    yield TrialFinished(trial.trial_id, 1, "completed", final, now, {})
    if trial.phase == "replicate":
        yield StepCost(trial.trial_id, 10.0 + 0.1 * math.sin(trial.config.seed), now)


def _rows(trial: Trial) -> Iterator[Row]:
    """A curve that rises quicker for ReLU and near a learning rate of its own, with the noise of real ones."""
    rng = np.random.default_rng(trial.config.seed)
    relu = trial.config.model.activation == "relu"
    depth = trial.config.model.depth
    off = math.log10(trial.config.optimizer.lr) + (2.5 if relu else 2.0)
    top = max(0.12, (0.75 if relu else 0.68) - 0.12 * off**2 + 0.01 * rng.standard_normal())
    half = (4.0 if relu else 9.0 + depth) * (1 + abs(off)) * math.exp(0.15 * rng.standard_normal())
    slope = -0.1 if relu else -0.55
    for epoch in range(trial.config.trainer.epochs + 1):
        share = epoch**2 / (epoch**2 + half**2)
        accuracy = 0.1 + (top - 0.1) * share + 0.006 * rng.standard_normal()
        loss = 2.3 * math.exp(-1.6 * share)
        norms = {name: 0.1 * 10 ** (slope * (depth - 1 - layer)) for layer, name in enumerate(GRAD_NORMS[:depth])}
        yield {
            "epoch": epoch,
            "step": STEPS * epoch,
            "seconds": 3.5 * epoch,
            "seconds_from": "cpu",
            "wall": 4.0 * epoch,
            "train_loss": loss,
            "train_acc": min(1.0, accuracy + 0.1 * share),
            "val_loss": loss + 0.1,
            "val_acc": min(1.0, max(0.0, accuracy)),
            "grad_slope": slope,
            **({"dead": 0.05 * share} if relu else {"saturated": 0.6 * share}),
            **norms,
        }
