"""The door to wandb: silent, with deadlines, and with a service process that can be ended by force."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import psutil

from actsweep.settings import TrackerSettings
from actsweep.system.processes import children_called
from actsweep.tracker.description import RunDescription
from actsweep.tracker.notes import Notes
from actsweep.tracker.outcome import StudyOutcome, plain_name
from actsweep.tracker.sweeps.new_sweep import Sweep, new_sweep
from actsweep.tracker.transaction_log import RunFile

START_SECONDS = 20.0
FINISH_SECONDS = 30.0
KILL_SECONDS = 1.0
DEATH_SECONDS = 0.5
API_SECONDS = 30
_SERVICE = "wandb-core"
_Resume = Literal["allow", "must"]
_MODES = {"wandb_offline": "offline", "wandb_online": "online"}
_OF_ONE_RUN = (
    *("WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_RUN_ID", "WANDB_RESUME", "WANDB_CONFIG_PATHS", "WANDB_LAUNCH"),
    *("WANDB_NOTES", "WANDB_SERVICE"),
)


def prepare_environment() -> None:
    """Take back what the environment says of a single run, which would bend every run of a study; report no errors.

    Variables that say who one is and where the server is stay.
    """
    for name in _OF_ONE_RUN:
        os.environ.pop(name, None)
    os.environ["WANDB_ERROR_REPORTING"] = "false"


class OpenRun:
    """A run that takes rows."""

    def __init__(self, run: Any, *, resumed: bool = False) -> None:
        self._run = run
        self._resumed = resumed
        self._file = Path(run.settings.sync_file)
        self._rows = 0

    def log(self, row: Mapping[str, Any]) -> None:
        """Add a row of history, at its epoch; in a resumed run after all that was ever said to be there."""
        self._run.log(dict(row), step=None if self._resumed else row["epoch"], commit=True)
        self._rows += 1

    def show(self, outcome: StudyOutcome) -> None:
        """Add what a study came to: the tables of its results, the figures and the page of its report, its models."""
        import wandb
        from plotly.graph_objects import Figure

        shown: dict[str, Any] = {
            name: wandb.Table(columns=columns, data=rows, allow_mixed_types=True)
            for name, (columns, rows) in outcome.tables().items()
        }
        for key, view in outcome.figures.items():
            shown[key] = wandb.Plotly(Figure(data=view.data, layout=view.layout, skip_invalid=True))
        self._run.log(shown)
        self._rows += 1
        self._run.save(str(outcome.report), base_path=str(outcome.report.parent), policy="now")
        for model in outcome.models:
            name = plain_name(f"{outcome.results['study']['name']}-{model.cell}")
            artifact = wandb.Artifact(name, type="model", metadata=dict(model.facts))
            artifact.add_file(str(model.path))
            self._run.log_artifact(artifact)

    def alert(self, title: str, text: str) -> None:
        """Let W&B tell people something, by the ways that they have chosen there."""
        self._run.alert(title=title, text=text)

    def drop(self, keys: Callable[[str], bool]) -> None:
        """Take keys out of the summary, such as those that a resumed run has from earlier."""
        for key in [key for key in self._run.summary.keys() if keys(key)]:  # noqa: SIM118 - no mapping of Python's
            del self._run.summary[key]

    def finish(self, summary: Mapping[str, Any], *, failed: bool) -> RunFile:
        """End the run; its file is still to be checked."""
        self._run.summary.update(dict(summary))
        self._run.finish(exit_code=int(failed))
        return RunFile(self._file, self._rows)


class Client:
    """wandb, loaded when the first run opens; every method but `kill` belongs to one thread.

    Args:
        settings: how and where to.
        folder: the study's folder, in which wandb makes `wandb/`.

    Attributes:
        sweep: the sweep that runs are attached to; None for none.
        notes: the ids of what W&B has of the study.
    """

    def __init__(self, settings: TrackerSettings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._service: list[psutil.Process] | None = None
        self._maker: subprocess.Popen[str] | None = None
        self._api: Any = None
        self._ended = False
        self.sweep: Sweep | None = None
        self.notes = Notes(folder, settings)

    def begin_sweep(self, sweep: Mapping[str, Any]) -> None:
        """Attach runs from now on to the study's sweep, which is made where the folder does not name it yet.

        Raises:
            Exception: it cannot be made, or the folder cannot be written to.
        """
        self._ensure_folder()
        self.find_sweep()
        if self.sweep is None:
            self.sweep = new_sweep(self._settings, sweep, self._set_maker)
            self.notes.put("sweep", asdict(self.sweep))

    def find_sweep(self) -> None:
        """Attach runs from now on to the sweep that the folder names, if it names one."""
        if known := self.notes.get("sweep"):
            self.sweep = Sweep(**known)

    def _set_maker(self, process: "subprocess.Popen[str]") -> None:
        self._maker = process
        if self._ended:
            process.kill()

    def open(self, description: RunDescription, *, resume: _Resume | None = None) -> OpenRun:
        """Begin a run, or go on with one that the server has: rows are then added to its own.

        Args:
            description: the run.
            resume: `must` where the server has it, `allow` where it may have it; None where it has not.

        Raises:
            Exception: whatever wandb raises, an OSError about the folder, or a RuntimeError after `kill`.
        """
        self._ensure_folder()
        try:
            run = self._begin(description, resume)
        except Exception:
            if not self._service_died():
                raise
            self._end_service()
            run = self._begin(description, resume)
        run.define_metric("epoch")
        run.define_metric("*", step_metric="epoch")
        return OpenRun(run, resumed=resume is not None)

    def _begin(self, description: RunDescription, resume: _Resume | None) -> Any:
        import wandb

        self._ensure_service()
        return wandb.init(
            id=description.run_id,
            name=description.name,
            group=description.group,
            job_type=description.job_type,
            tags=description.tags,
            config=dict(description.config),
            resume=resume,
            settings=wandb.Settings(sweep_id=self.sweep.id) if self.sweep is not None else None,
        )

    def api(self) -> Any:
        """wandb's public API, for what the server has; see `actsweep.tracker.stored`.

        Raises:
            Exception: whatever wandb raises, an OSError about the folder, or a RuntimeError after `kill`.
        """
        import wandb

        self._ensure_folder()
        self._ensure_service()
        if self._api is None:
            self._api = wandb.Api(timeout=API_SECONDS)
        return self._api

    def path(self, run_id: str) -> str:
        """Where the server has a run: `entity/project/id`."""
        return f"{self.entity()}/{self._settings.project}/{run_id}"

    def entity(self) -> str:
        """Whose project it is: as the settings say, else the server's choice for this user."""
        return str(self._settings.entity or self.api().default_entity)

    def close(self) -> None:
        """End wandb and its service process, as far as they were started; by force where they do not by themselves."""
        self._end_service()
        self.kill()

    def kill(self) -> None:
        """End the service process by force, which frees a thread that waits for it, and let no run begin any more.

        Any thread may call this.
        """
        self._ended = True
        if self._maker is not None:
            self._maker.kill()
        for process in children_called(_SERVICE):
            with suppress(psutil.Error):
                process.kill()
                process.wait(KILL_SECONDS)

    def _ensure_folder(self) -> None:
        # wandb itself would turn to the system's temporary folder and say nothing.
        if not os.access(self._folder, os.R_OK | os.W_OK):
            raise PermissionError(f"{self._folder} cannot be written to")
        (self._folder / "wandb").mkdir(exist_ok=True)

    def _ensure_service(self) -> None:
        import wandb

        if self._service is None and not self._ended:
            # What wandb logs of itself when the disk is full would end up on the user's screen.
            logging.getLogger("wandb").setLevel(logging.CRITICAL + 1)
            with _exit_hooks_kept():
                wandb.setup(self._wandb_settings())
            self._service = children_called(_SERVICE)
        if self._ended:
            self.kill()  # a service that was starting when the first kill came
            raise RuntimeError("W&B was ended by force")

    def _service_died(self) -> bool:
        """Whether the service process is gone or about to go: its connections end a little before itself does."""
        if not self._service:
            return False
        _, alive = psutil.wait_procs(self._service, timeout=DEATH_SECONDS)
        return not alive

    def _end_service(self) -> None:
        if self._service is not None:
            import wandb

            self._service = None
            with suppress(Exception, SystemExit):  # where this fails, the files tell what it cost
                wandb.teardown()

    def _wandb_settings(self) -> Any:
        import wandb

        return wandb.Settings(
            mode=_MODES[self._settings.name],
            project=self._settings.project,
            entity=self._settings.entity,
            root_dir=str(self._folder),
            use_dot_wandb=False,
            reinit="create_new",
            silent=True,
            quiet=True,
            console="off",
            symlink=False,
            label_disable=True,
            disable_git=True,
            disable_code=True,
            save_code=False,
            x_disable_stats=True,
            x_disable_meta=True,
            x_save_requirements=False,
            x_transaction_log_flush_interval=1,
            init_timeout=START_SECONDS,
            finish_timeout=FINISH_SECONDS,
        )


@contextmanager
def _exit_hooks_kept() -> Iterator[None]:
    """wandb puts its own in their place, which print a traceback that the process's own would not."""
    kept = sys.exit, sys.excepthook
    try:
        yield
    finally:
        sys.exit, sys.excepthook = kept
