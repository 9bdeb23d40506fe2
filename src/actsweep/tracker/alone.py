"""The W&B run of a trial by itself, or that one of W&B's own agents has started: its rows, and what it came to."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from actsweep.events import Row
from actsweep.settings import StudyConfig, TrialConfig
from actsweep.tracker.client import Client, OpenRun
from actsweep.tracker.description import describe_alone, history_row, result_summary
from actsweep.tracker.faults import fault_of
from actsweep.tracker.login import require_login

AGENT = "WANDB_SWEEP_ID"  # what an agent sets, beside the run's id, its parameters and the project


class LoneRun:
    """The run of a trial that is of no study. No method raises: without W&B the trial goes on.

    Args:
        config: the settings that the trial is part of.
        trial: the trial.
        trial_id: what it is known by.
        folder: where wandb makes `wandb/`.

    Attributes:
        fault: what went wrong, in one line; empty while nothing did.
        file: the folder of the run's records, once it has ended; None where there are none.
    """

    def __init__(self, config: StudyConfig, trial: TrialConfig, trial_id: str, folder: Path) -> None:
        self.fault = ""
        self.file: Path | None = None
        self._epochs = config.trainer.epochs
        self._rows: list[Row] = []
        self._run: OpenRun | None = None
        self._client = Client(config.tracker, folder)

        def begin() -> None:
            folder.mkdir(parents=True, exist_ok=True)
            self._run = self._client.open(describe_alone(config, trial, trial_id))

        self._try(begin)

    def log(self, row: Row) -> None:
        """Add an evaluation."""
        self._rows.append(row)
        run = self._run
        if run is not None:
            self._try(lambda: run.log(history_row(row)))

    def finish(self, classes: int, final: Row, status: str) -> None:
        """The trial has ended.

        Args:
            classes: of its data.
            final: what was measured once, at its end.
            status: completed or diverged.
        """
        self._end(lambda: result_summary(self._epochs, classes, self._rows, final, status), failed=False)

    def abort(self) -> None:
        """The trial ends without a result: it was told to stop, or has failed."""
        self._end(lambda: {"status": "interrupted"}, failed=True)

    def _end(self, summary_of: Callable[[], Mapping[str, Any]], *, failed: bool) -> None:
        run, self._run = self._run, None
        if run is not None:

            def finish() -> None:
                self.file = run.finish(summary_of(), failed=failed).path.parent

            self._try(finish)
        self._client.close()

    def _try(self, action: Callable[[], object]) -> None:
        fault = fault_of(action)
        if fault:
            self._run = None
            self.fault = self.fault or fault


def lone_run(config: StudyConfig, trial: TrialConfig, trial_id: str, folder: Path, *, asked: bool) -> LoneRun | None:
    """The run of a trial that is of no study; None where neither the user (`asked`) nor an agent of W&B wants one.

    Raises:
        RequestError: the user wants it sent, and there is no key to send it with.
    """
    by_agent = bool(os.environ.get(AGENT))
    if config.tracker.name == "none" or not (asked or by_agent):
        return None
    if not by_agent:
        require_login(config.tracker)
    return LoneRun(config, trial, trial_id, folder)
