"""What early stopping saved and what it cost, told by the trials that were spared from it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actsweep.curves import Curve, measure, stack
from actsweep.events import StudyRecord, TrialRecord
from actsweep.plural import count
from actsweep.study import Cell, Study


@dataclass(frozen=True)
class _Tuned:
    """A tune trial with a result.

    Attributes:
        block: its tuning block.
        epochs: how many it was trained for.
        best: its best validation accuracy, a fraction.
        stopped: whether it was stopped early.
        spared: whether it would have been, had it not been spared.
    """

    block: int
    epochs: int
    best: float
    stopped: bool
    spared: bool


def stopping_costs(study: Study, record: StudyRecord) -> list[dict[str, Any]]:
    """What stopping tune trials early saved and cost, per cell, in the order of the study's cells.

    Args:
        study: the study.
        record: what is known of its trials; those without a result yet, or failed, are left out.

    Returns:
        nothing where no scheduler stops trials. Per cell its scientific values by short name, and `tune` (trials with
        a result), `stopped`, `spared` (of the points tried, those that no scheduler stops), `spared_stopped` (of
        these, the ones that it would have stopped), `epochs_trained`, `epochs_saved` (by the stopped trials) and
        `saved_share` (of the epochs of both together); `gain`, the best validation accuracy of the spared trials that
        would have been stopped less that of all other trials, a fraction, null where either are missing: above 0 the
        cell's best is one that stopping would have lost; `blocks`, the same `gain` in each block that has such a
        trial; and `sentence`, which says it in words.
    """
    if study.config.scheduler.name == "none" or record.started is None:
        return []
    classes = record.started.data["classes"]
    tuned: dict[str, list[TrialRecord]] = {cell.label: [] for cell in study.cells}
    for trial in record.trials.values():
        if trial.started.phase == "tune":
            tuned[study.cell_at(trial.started.cell).label].append(trial)
    return [_cell_costs(study, cell, tuned[cell.label], classes) for cell in study.cells]


def best_accuracies(trials: Sequence[TrialRecord], horizon: int, classes: int) -> list[float]:
    """The best validation accuracy of each trial, a fraction, as the analysis counts it; NaN where none was recorded.

    Args:
        trials: trials with at least one evaluation.
        horizon: epochs of a whole trial.
        classes: number of classes.
    """
    if not trials:
        return []
    rows = [[*trial.rows[:-1], {**trial.rows[-1], "status": trial.status}] for trial in trials]
    best = measure(stack([Curve.from_rows(own) for own in rows]), horizon, classes)["best_val_acc"]
    return [float(accuracy) for accuracy in best]


def _cell_costs(study: Study, cell: Cell, trials: Sequence[TrialRecord], classes: int) -> dict[str, Any]:
    tuned = _tuned([trial for trial in trials if trial.has_result], study.config.trainer.epochs, classes)
    out = sum(trial.spared for trial in tuned)
    trained = sum(trial.epochs for trial in tuned)
    saved = sum(study.config.trainer.epochs - trial.epochs for trial in tuned if trial.stopped)
    costs = {
        "tune": len(tuned),
        "stopped": sum(trial.stopped for trial in tuned),
        "spared": sum(trial.started.spared for trial in trials),
        "spared_stopped": out,
        "epochs_trained": trained,
        "epochs_saved": saved,
        "saved_share": saved / (trained + saved) if trained + saved else None,
        "gain": _gain(tuned),
        "blocks": list(_block_gains(tuned)),
    }
    named = {study.short_names[path]: value for path, value in cell.values.items()}
    return {**named, **costs, "sentence": _sentence(cell.label, costs)}


def _tuned(trials: Sequence[TrialRecord], horizon: int, classes: int) -> list[_Tuned]:
    return [
        _Tuned(
            block=trial.started.block,
            epochs=trial.rows[-1]["epoch"],
            best=accuracy,
            stopped=trial.status == "stopped",
            spared=trial.status != "stopped" and trial.rung is not None,
        )
        for trial, accuracy in zip(trials, best_accuracies(trials, horizon, classes), strict=True)
    ]


def _gain(tuned: Sequence[_Tuned]) -> float | None:
    spared = [trial.best for trial in tuned if trial.spared]
    others = [trial.best for trial in tuned if not trial.spared]
    return max(spared) - max(others) if spared and others else None


def _block_gains(tuned: Sequence[_Tuned]) -> Iterator[dict[str, Any]]:
    for block in sorted({trial.block for trial in tuned if trial.spared}):
        yield {"block": block, "gain": _gain([trial for trial in tuned if trial.block == block])}


def _sentence(label: str, costs: Mapping[str, Any]) -> str:
    tuned = count(costs["tune"], "tune trial")
    text = f"{label}: none of {tuned} was stopped early"
    if costs["stopped"]:
        share = 100 * costs["saved_share"]
        text = f"{label}: {costs['stopped']} of {tuned} stopped early, which saved {share:.0f} % of the epochs"
    if not costs["spared"]:
        return f"{text}; none was spared, so what stopping cost is not known."
    text += f"; of {count(costs['spared'], 'spared trial')} "
    if not costs["spared_stopped"]:
        return f"{text}none would have been stopped."
    return f"{text}{costs['spared_stopped']} would have been stopped; {_cost_in_words(costs)}."


def _cost_in_words(costs: Mapping[str, Any]) -> str:
    if costs["gain"] is None:
        return "there is no other trial to compare with"
    if costs["gain"] > 0:
        return f"the cell's best is among these, by {100 * costs['gain']:.1f} percentage points: stopping has a cost"
    better = [block["gain"] for block in costs["blocks"] if (block["gain"] or 0) > 0]
    if better:
        return (
            f"the cell's best is not among these, but that of {count(len(better), 'block')} is, "
            f"by up to {100 * max(better):.1f} percentage points"
        )
    return "neither the cell's best nor a block's is among these"
