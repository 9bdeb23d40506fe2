"""Early stopping of tune trials, within each cell by itself: no arm is stopped for being slower than another."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler

from actsweep.curves import Curve, first_bad, stack
from actsweep.curves.divergence import counted_accuracy
from actsweep.events import Event, StudyRecord, TrialRecord, TrialStarted
from actsweep.search.tune.grouped import GroupedScheduler
from actsweep.search.tune.in_order import InOrder
from actsweep.search.tune.packs import Pack
from actsweep.study import Study, Trial

CONTINUE: str = TrialScheduler.CONTINUE
STOP: str = TrialScheduler.STOP
LOWEST = 0.0  # what an accuracy that is no number counts as, among those of other trials


@dataclass(frozen=True)
class Decision:
    """A trial is to be stopped at the rung of epoch `rung`, or, where it is spared, would have been."""

    rung: int
    spared: bool


class CellSchedulers(InOrder):
    """One asynchronous successive halving per cell, which all blocks of the cell share, behind one Tune scheduler.

    Rungs know trials by the study's own ids, so that an attempt that repeats what an earlier one reported counts once.
    The method is Li et al., A System for Massively Parallel Hyperparameter Tuning (2020), as Tune implements it.

    Args:
        study: the study, with `scheduler=asha`.
        packs: each pack of trials by the id that Tune gave it.
    """

    def __init__(self, study: Study, packs: Mapping[str, Pack]) -> None:
        super().__init__()
        self._study = study
        self._packs = packs
        self._cells = GroupedScheduler(_Rungs(study), by="cell", spared=lambda config: bool(config["spared"]))
        self._taken: set[str] = set()

    def refill(self, history: Iterable[Event]) -> None:
        """Fill the rungs with what earlier drivers' trials reported, each up to the rung that it was stopped at.

        Every attempt counts, also of a trial that is to run again: what the trial was told about a rung then holds,
        whoever has come since, and even if a later attempt did not get as far.
        """
        record = StudyRecord()
        attempts: list[TrialRecord] = []
        for event in history:
            record(event)
            if isinstance(event, TrialStarted) and event.phase == "tune":
                attempts.append(record.trials[event.trial_id])
        for trial in attempts:
            if trial.rows and record.started is not None:
                rungs = self._cells.scheduler_of(self._study.cell_at(trial.started.cell).label)
                rungs.refill(trial, record.started.data["classes"])

    def taken(self, tune_trial_id: str) -> Decision | None:
        """What was decided on a trial's latest result, handed over once; None where nothing was."""
        if tune_trial_id in self._taken or tune_trial_id not in self._cells.stops:
            return None
        self._taken.add(tune_trial_id)
        ours = self._ours(tune_trial_id)
        return Decision(self._cells.scheduler_of(ours.cell.label).out[ours.trial_id], ours.spared)

    def on_trial_add(self, tune_controller: Any, trial: TuneTrial) -> None:
        """A trial waits."""
        super().on_trial_add(tune_controller, trial)
        self._cells.on_trial_add(tune_controller, self._in_cell(trial))

    def on_trial_result(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> str:
        """Whether a trial goes on after a result, which holds an `epoch` and a `metric` where it is an evaluation."""
        return self._cells.on_trial_result(tune_controller, self._in_cell(trial), result)

    def on_trial_complete(self, tune_controller: Any, trial: TuneTrial, result: dict[str, Any]) -> None:
        """Let the rungs see the last result of a trial that ended by itself, on which Tune asks for no decision."""
        self._cells.on_trial_complete(tune_controller, self._in_cell(trial), result)

    def _ours(self, tune_trial_id: str) -> Trial:
        """The first trial of a pack; one that may be stopped has a pack for itself."""
        ours, _ = self._packs[tune_trial_id].attempts[0]
        return ours

    def _in_cell(self, trial: TuneTrial) -> SimpleNamespace:
        """A pack as a trial of its cell, or of none where rungs are not told about it."""
        ours = self._ours(trial.trial_id)
        cell = ours.cell.label if self.may_stop(ours) else None
        config = {"trial_id": ours.trial_id, "cell": cell, "spared": ours.spared}
        return SimpleNamespace(trial_id=trial.trial_id, config=config)

    @staticmethod
    def may_stop(trial: Trial) -> bool:
        """Whether a trial may be stopped early; replicates and crossed trials never are."""
        return trial.phase == "tune"


class _Rungs(FIFOScheduler):
    """The rungs of one cell: Tune's scheduler, told of each trial once at each rung.

    Attributes:
        out: the rung at which a trial was stopped or, spared, would have been, by the study's trial id.
    """

    def __init__(self, study: Study) -> None:
        super().__init__()
        settings, epochs = study.config.scheduler, study.config.trainer.epochs
        assert settings.grace is not None
        assert settings.reduction is not None
        self._grace, self._reduction, self._epochs = settings.grace, settings.reduction, epochs
        self._asha = ASHAScheduler(
            time_attr="epoch",
            metric="metric",
            mode="max",
            max_t=epochs,
            grace_period=self._grace,
            reduction_factor=self._reduction,
            brackets=1,
            stop_last_trials=False,  # else a late first report would be held against those of an earlier epoch
        )
        self._reached: dict[str, int] = {}
        self.out: dict[str, int] = {}

    def on_trial_result(self, tune_controller: Any, trial: SimpleNamespace, result: dict[str, Any]) -> str:
        """Whether a trial goes on; one that has failed a rung in an earlier attempt ends there again."""
        trial_id = trial.config["trial_id"]
        if self._sees(trial_id, result):
            self.out[trial_id] = self._reached[trial_id]
        fails = trial_id in self.out and result.get("epoch", 0) >= self.out[trial_id]
        return STOP if fails else CONTINUE

    def on_trial_complete(self, tune_controller: Any, trial: SimpleNamespace, result: dict[str, Any]) -> None:
        """Take in the last result of a trial."""
        self._sees(trial.config["trial_id"], result)

    def _sees(self, trial_id: str, result: Mapping[str, Any]) -> bool:
        return "epoch" in result and self.see(trial_id, result["epoch"], result["metric"])

    def see(self, trial_id: str, epoch: int, accuracy: float | None) -> bool:
        """Tell the rung of an epoch about a trial; whether the trial fails to pass it."""
        rung = self._rung(epoch)
        if rung is None or trial_id in self.out or self._reached.get(trial_id, 0) >= rung:
            return False
        reporter = SimpleNamespace(trial_id=trial_id)
        if trial_id not in self._reached:
            self._asha.on_trial_add(None, reporter)
        self._reached[trial_id] = rung
        number = accuracy is not None and math.isfinite(accuracy)
        report = {"epoch": epoch, "metric": accuracy if number else LOWEST}
        return self._asha.on_trial_result(None, reporter, report) == STOP or not number

    def refill(self, trial: TrialRecord, classes: int) -> None:
        """Take in a trial of an earlier driver, up to the evaluation at which it was out."""
        rows = [*trial.rows[:-1], {**trial.rows[-1], "status": trial.status}]
        curves = stack([Curve.from_rows(rows)])
        accuracies = counted_accuracy(curves, first_bad(curves, classes), classes)[0]
        for epoch, accuracy in zip(curves["epoch"][0], accuracies, strict=True):
            self.see(trial.started.trial_id, int(epoch), float(accuracy))
            if trial.rung is not None and epoch >= trial.rung:
                self.out[trial.started.trial_id] = trial.rung
                break

    def _rung(self, epoch: int) -> int | None:
        """The highest rung up to an epoch; None before the first, and at the last epoch, which nothing follows."""
        if not self._grace <= epoch < self._epochs:
            return None
        rung = self._grace
        while rung * self._reduction <= epoch:
            rung *= self._reduction
        return rung
