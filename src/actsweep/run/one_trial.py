"""One trial in this process, without Ray: its curve on the screen, its configuration and weights in its folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from actsweep.data import load, prepare
from actsweep.errors import RequestError
from actsweep.events import Row
from actsweep.records import RESUME_FILE, Attempt, StudyFolder, holds_study, latest_attempt
from actsweep.settings import StudyConfig, TrialConfig
from actsweep.study import trial_id
from actsweep.tracker import LoneRun, lone_run
from actsweep.train import train

CURVE_HEADING = "epoch  train loss  train acc  val loss  val acc  seconds"


def run_one_trial(config: StudyConfig, console: Console, *, track: bool = False) -> int:
    """Train the trial that the model, optimizer, data, trainer and seed settings describe.

    Where an agent of W&B has started it, its rows and what it came to go to the run that the agent named; with `track`
    to a run of its own. Its files are those of a trial of the study of that name, or, where there is such a study
    already, of `NAME-train` beside it.

    Returns:
        0, also where the trial diverged: that is a result; 1 where not all of it could be handed to W&B.
    """
    trial = config.trial({}, config.seed)
    source = prepare(config.data)
    name = trial_id(trial, source.fingerprint)
    folder = _folder(config)
    with _tracked(lone_run(config, trial, name, folder.path, asked=track)) as run:
        console.print(f"trial {name}: {described(trial)}", markup=False)
        if folder.path.name != config.run.name:
            console.print(
                f"{config.run.name} holds a study, so its files go to {folder.path}", markup=False, soft_wrap=True
            )
        console.print(CURVE_HEADING)

        def show(row: Row) -> None:
            if row["epoch"] == 0:  # a trial that cannot begin leaves nothing behind
                folder.write_trial(name, trial)
            console.print(curve_line(row))
            if run is not None:
                run.log(row)

        attempt = Attempt(folder.trial(name), latest_attempt(folder.trial(name)) + 1)
        curve = train(trial, load(source, config.data), show, attempt)
        attempt.remove(RESUME_FILE)
        accuracy = "none" if curve.test_acc is None else f"{curve.test_acc:.4f}"
        outcome = f"{curve.status}; test accuracy {accuracy}; weights in {folder.trial(name)}"
        console.print(outcome, markup=False, soft_wrap=True)
        if run is None:
            return 0
        run.finish(len(source.classes), curve.final, str(curve.status))
        if run.file is not None and config.tracker.name == "wandb_offline":
            console.print(f"W&B: to send it: wandb sync {run.file}", markup=False, soft_wrap=True)
        if run.fault:
            console.print(f"W&B: not whole: {run.fault}", style="yellow", markup=False)
    return int(bool(run.fault))


def _folder(config: StudyConfig) -> StudyFolder:
    """Never a study's own: what is there is what its ledger says.

    Raises:
        RequestError: both folders in question hold one.
    """
    folder = StudyFolder(Path(config.run.root) / config.run.name)
    if not holds_study(folder):
        return folder
    beside = StudyFolder(folder.path.with_name(f"{config.run.name}-train"))
    if holds_study(beside):
        raise RequestError(
            f"run.name={config.run.name}: {folder.path} and {beside.path} hold studies; give another name"
        )
    return beside


@contextmanager
def _tracked(run: LoneRun | None) -> Iterator[LoneRun | None]:
    try:
        yield run
    except BaseException:
        if run is not None:
            run.abort()
        raise


def described(trial: TrialConfig) -> str:
    """A trial in a few words."""
    return f"{trial.model.activation}, depth {trial.model.depth}, lr {trial.optimizer.lr:g}, seed {trial.seed}"


def curve_line(row: Row) -> str:
    """An evaluation as a line under `CURVE_HEADING`."""
    return (
        f"{row['epoch']:5d}  {row['train_loss']:10.4f}  {row['train_acc']:9.4f}  "
        f"{row['val_loss']:8.4f}  {row['val_acc']:7.4f}  {row['seconds']:7.2f}"
    )
