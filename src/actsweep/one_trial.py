"""One trial in this process, without Ray: its curve on the screen, its configuration and weights in its folder."""

from pathlib import Path

from rich.console import Console

from actsweep.data import load, prepare
from actsweep.events import Row
from actsweep.records import RESUME_FILE, Attempt, StudyFolder, latest_attempt
from actsweep.settings import StudyConfig, TrialConfig
from actsweep.study import trial_id
from actsweep.train import train

CURVE_HEADING = "epoch  train loss  train acc  val loss  val acc  seconds"


def run_one_trial(config: StudyConfig, console: Console) -> int:
    """Train the trial that the model, optimizer, data, trainer and seed settings describe.

    Returns:
        0, also where the trial diverged: that is a result.
    """
    trial = config.trial({}, config.seed)
    source = prepare(config.data)
    name = trial_id(trial, source.fingerprint)
    folder = StudyFolder(Path(config.run.root) / config.run.name)

    def show(row: Row) -> None:
        if row["epoch"] == 0:  # a trial that cannot begin leaves nothing behind
            folder.write_trial(name, trial)
        console.print(curve_line(row))

    console.print(f"trial {name}: {described(trial)}", markup=False)
    console.print(CURVE_HEADING)
    attempt = Attempt(folder.trial(name), latest_attempt(folder.trial(name)) + 1)
    curve = train(trial, load(source, config.data), show, attempt)
    attempt.remove(RESUME_FILE)
    accuracy = "none" if curve.test_acc is None else f"{curve.test_acc:.4f}"
    outcome = f"{curve.status}; test accuracy {accuracy}; weights in {folder.trial(name)}"
    console.print(outcome, markup=False, soft_wrap=True)
    return 0


def described(trial: TrialConfig) -> str:
    """A trial in a few words."""
    return f"{trial.model.activation}, depth {trial.model.depth}, lr {trial.optimizer.lr:g}, seed {trial.seed}"


def curve_line(row: Row) -> str:
    """An evaluation as a line under `CURVE_HEADING`."""
    return (
        f"{row['epoch']:5d}  {row['train_loss']:10.4f}  {row['train_acc']:9.4f}  "
        f"{row['val_loss']:8.4f}  {row['val_acc']:7.4f}  {row['seconds']:7.2f}"
    )
