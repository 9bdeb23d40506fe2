"""A short ledger of every kind of event, and the folder of a study that has begun."""

import math
from pathlib import Path

from actsweep.events import (
    Evaluation,
    Event,
    StepCost,
    StudyFinished,
    StudyResumed,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import Ledger, StudyFolder
from actsweep.settings import StudyConfig

DATA = {"label": "digits", "fingerprint": "f", "classes": 10}
START = TrialStarted("0" * 12, 1, "tune", 0, 7, {"model.activation": "relu"}, {"optimizer.lr": 0.01}, 2.0)

EVENTS: list[Event] = [
    StudyStarted("x", DATA, {"torch": "2"}, {"seed": 1}, 1.0),
    START,
    Evaluation(START.trial_id, 1, {"epoch": 0, "val_acc": 0.1, "train_loss": 0.1 + 0.2}, 3.0),
    Evaluation(START.trial_id, 1, {"epoch": 1, "val_acc": 0.5, "train_loss": math.inf}, 3.5),
    TrialFailed(START.trial_id, 1, "lost", 'the "worker" ended', True, 4.0),
    StudyResumed(0, 5.0),
    TrialFinished(START.trial_id, 2, "completed", {"test_acc": 1 / 3}, 6.0),
    StepCost(START.trial_id, 2.5, 6.5),
    StudyFinished(7.0),
]


def began(place: Path, config: StudyConfig, *later: Event) -> StudyFolder:
    """The folder of a study of these settings on `DATA`, with what happened later in its ledger."""
    folder = StudyFolder(place)
    folder.write_config(config)
    settings = config.model_dump(mode="json")
    write(folder.ledger, [StudyStarted(config.run.name, DATA, {}, settings, 1.0), *later])
    return folder


def write(path: Path, events: list[Event]) -> None:
    with Ledger(path) as ledger:
        for event in events:
            ledger(event)
