"""One trial in this process, without Ray: its curve on the screen, its configuration and weights in its folder."""

from pathlib import Path

from rich.console import Console

from actsweep.data import load, prepare
from actsweep.events import Row
from actsweep.records import StudyFolder
from actsweep.settings import StudyConfig
from actsweep.study import trial_id
from actsweep.train import train


def run_one_trial(config: StudyConfig) -> int:
    """Train the trial that the model, optimizer, data, trainer and seed settings describe.

    Returns:
        0, also where the trial diverged: that is a result.
    """
    console = Console(highlight=False)
    trial = config.trial({}, config.seed)
    folder = StudyFolder(Path(config.run.root) / config.run.name)
    name = trial_id(trial)
    folder.write_trial(name, trial)
    data = load(prepare(config.data), config.data)
    console.print(f"trial {name}: {trial.model.activation}, depth {trial.model.depth}, lr {trial.optimizer.lr:g}")
    console.print("epoch  train loss  train acc  val loss  val acc  seconds")
    curve = train(trial, data, lambda row: console.print(_line(row)), checkpoints=folder.trial(name))
    accuracy = "none" if curve.test_acc is None else f"{curve.test_acc:.4f}"
    console.print(f"{curve.status}; test accuracy {accuracy}; weights in {folder.trial(name)}", soft_wrap=True)
    return 0


def _line(row: Row) -> str:
    return (
        f"{row['epoch']:5d}  {row['train_loss']:10.4f}  {row['train_acc']:9.4f}  "
        f"{row['val_loss']:8.4f}  {row['val_acc']:7.4f}  {row['seconds']:7.2f}"
    )
