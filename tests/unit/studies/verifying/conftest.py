"""A small finished study, whose files tests spoil."""

import shutil
from pathlib import Path

import pytest

from actsweep.data import Source, load, prepare
from actsweep.events import (
    Evaluation,
    StudyFinished,
    StudyStarted,
    TrialFinished,
    TrialStarted,
)
from actsweep.records import Attempt, Ledger, StudyFolder, read_ledger
from actsweep.search.mirror import Mirror
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.studies.results import rebuilt
from actsweep.study import Study, Trial
from actsweep.train import train
from spoiling import Compose

WORDS = ("experiment=smoke", "tracker=none", "trainer.epochs=1", "data.train=64", "data.val=64", "data.test=64")


@pytest.fixture(scope="module")
def finished(compose: Compose, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was run in this process: the real queue, training and records, without Ray."""
    config = compose(*WORDS)
    source = prepare(config.data)
    study = Study(config, source.fingerprint)
    folder = StudyFolder(tmp_path_factory.mktemp("finished") / "smoke")
    folder.write_config(config)
    data = {"label": source.label, "fingerprint": source.fingerprint, "classes": len(source.classes)}
    with Ledger(folder.ledger) as ledger:
        ledger(StudyStarted("smoke", data, {}, config.model_dump(mode="json"), 1.0))
        queue = TrialQueue(study, lambda trial: None, ledger)
        while (trial := queue.next()) is not None:
            queue.end(trial.trial_id, Outcome(trained(trial, source, folder, ledger)))
        ledger(StudyFinished(9.0))
    Mirror(study, folder, read_ledger(folder.ledger).fold()).close()
    rebuilt(folder)
    return folder.path


def trained(trial: Trial, source: Source, folder: StudyFolder, ledger: Ledger) -> float:
    """Train a trial as a worker does, and record it as the driver does; its best validation accuracy."""
    name, start = trial.trial_id, (trial.phase, trial.block, trial.config.seed, trial.cell.values, trial.nuisance)
    attempt = Attempt(folder.trial(name))
    attempt.begin()
    folder.write_trial(name, trial.config)
    ledger(TrialStarted(name, 1, *start, 2.0))
    data = load(source, trial.config.data)
    curve = train(trial.config, data, lambda row: ledger(Evaluation(name, 1, row, 3.0)), attempt)
    final = {"test_acc": curve.test_acc, "test_loss": curve.test_loss, "best_test_acc": curve.best_test_acc}
    ledger(TrialFinished(name, 1, curve.status, final, 4.0, attempt.weights))  # type: ignore[arg-type]
    return float(curve.val_acc.max())


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> StudyFolder:
    return StudyFolder(Path(shutil.copytree(finished, tmp_path / "smoke")))
