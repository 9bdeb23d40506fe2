"""A study's events for the tracker, and the runs that it wrote of them."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from actsweep.config import run_with_hydra
from actsweep.events import (
    Evaluation,
    Event,
    StudyStarted,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import StudyFolder
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial
from actsweep.tracker import Tracker, tracker
from actsweep.tracker.description import study_key
from actsweep.tracker.transaction_log import records

CLOSE_SECONDS = 30.0

LR = 0.00123456


def make_study(tmp_path: Path, *overrides: str) -> tuple[Study, StudyFolder]:
    configs: list[StudyConfig] = []

    def keep(config: StudyConfig, words: list[str]) -> int:
        configs.append(config)
        return 0

    words = ["experiment=smoke", "tracker=wandb_offline", f"run.root={tmp_path}", *overrides]
    run_with_hydra("sweep", words, keep)
    folder = StudyFolder(tmp_path / "smoke")
    folder.write_config(configs[0])
    return Study(configs[0]), folder


def open_tracker(study: Study, folder: StudyFolder) -> Tracker:
    opened = tracker(study, folder)
    assert opened is not None
    return opened


def study_started() -> StudyStarted:
    return StudyStarted("smoke", {"label": "digits", "fingerprint": "0", "classes": 10}, {}, {}, 0.0)


KEY = study_key(study_started())


def trial_started(trial: Trial, attempt: int = 1) -> TrialStarted:
    config = trial.config
    return TrialStarted(
        trial.trial_id, attempt, trial.phase, trial.block, config.seed, trial.cell.values, trial.nuisance, 0.0
    )


def evaluation(trial: Trial, epoch: int, attempt: int = 1, **values: Any) -> Evaluation:
    row = {
        "epoch": epoch,
        "step": 2 * epoch,
        "train_loss": 2.0 - epoch / 2,
        "train_acc": 0.1 + 0.4 * epoch,
        "val_loss": 2.1 - epoch / 2,
        "val_acc": 0.1 + 0.3 * epoch,
        "saturated": None,
        "seconds": 0.5 * epoch,
        "seconds_from": "cpu",
    }
    return Evaluation(trial.trial_id, attempt, row | values, 0.0)


def trial_finished(trial: Trial, attempt: int = 1, status: str = "completed", **final: Any) -> TrialFinished:
    return TrialFinished(trial.trial_id, attempt, status, final, 0.0)


def completed(trial: Trial, attempt: int = 1) -> list[Event]:
    """A whole attempt of three evaluations, best and last 0.7 on validation, 0.9 on train, 0.65 on test."""
    rows = [evaluation(trial, epoch, attempt) for epoch in range(3)]
    return [
        trial_started(trial, attempt),
        *rows,
        trial_finished(trial, attempt, test_acc=0.65, test_loss=1.2, best_test_acc=0.65),
    ]


def three_trials(study: Study) -> list[Trial]:
    relu, sigmoid = study.cells
    nuisance = {"optimizer.lr": LR}
    replicate = study.seeded_trials("replicate", sigmoid, 0, nuisance)[0]
    return [study.tune_trial(relu, 0, nuisance), study.tune_trial(sigmoid, 0, nuisance), replicate]


class WrittenRun:
    """A run as wandb's own file has it."""

    def __init__(self, path: Path) -> None:
        found = list(records(path))
        kinds = [record.WhichOneof("record_type") for record in found]
        self.info = next(record.run for record, kind in zip(found, kinds, strict=True) if kind == "run")
        self.config = {item.key: json.loads(item.value_json) for item in self.info.config.update}
        self.metrics = [record.metric for record, kind in zip(found, kinds, strict=True) if kind == "metric"]
        self.history = [
            self._values(record.history.item) for record, kind in zip(found, kinds, strict=True) if kind == "history"
        ]
        self.summary: dict[str, Any] = {}
        for record, kind in zip(found, kinds, strict=True):
            if kind == "summary":
                self.summary |= self._values(record.summary.update)
        self.exit_codes = [record.exit.exit_code for record, kind in zip(found, kinds, strict=True) if kind == "exit"]

    @staticmethod
    def _values(items: Any) -> dict[str, Any]:
        """Values by key, without those that wandb adds itself."""
        named = {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}
        return {name: value for name, value in named.items() if not name.startswith("_")}


def written_runs(folder: StudyFolder) -> dict[str, WrittenRun]:
    runs = [WrittenRun(path) for path in sorted(folder.path.glob("wandb/offline-run-*/run-*.wandb"))]
    return {run.info.run_id.replace(f"-{KEY}", ""): run for run in runs}


def service_processes() -> list[psutil.Process]:
    return [process for process in psutil.Process().children(recursive=True) if process.name() == "wandb-core"]


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def wait_for_rows(folder: StudyFolder, run_id: str) -> None:
    """Until the first rows of a run are on the disk, so that wandb is in full swing."""

    def there() -> bool:
        files = list(folder.path.glob(f"wandb/*/run-{run_id}-*.wandb"))
        return bool(files) and files[0].stat().st_size > 1000

    wait_until(there)
