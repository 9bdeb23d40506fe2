"""A study's results, rebuilt from its ledger: curves.parquet, results.json and report.html."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actsweep.analysis import AnalysisOptions, TrialCurve, analyze_curves
from actsweep.curves import Curve
from actsweep.errors import RecordsError, TrialsFailedError
from actsweep.events import StudyRecord, TrialRecord
from actsweep.plugins import MEASURES
from actsweep.records import (
    BEST_WEIGHTS,
    OpenedStudy,
    Results,
    StudyFolder,
    best_of_cells,
    curve_rows,
    open_study,
    write_curves,
    write_whole,
)
from actsweep.records.derived.given_up import given_up_warnings
from actsweep.records.derived.importance import setting_importance
from actsweep.records.derived.provenance import Provenance, provenance
from actsweep.records.derived.stopping import stopping_costs
from actsweep.report.summary import board_of
from actsweep.study import Study
from actsweep.study.space import text, widened
from actsweep.tracker import ModelFile, StudyOutcome

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Computed:
    """What follows from a study's records.

    Attributes:
        study: what the study asks for.
        record: what happened in it.
        results: the content of results.json.
        rows: per trial that counts its rows; see `curve_rows`.
        trials: the same trials with their curves, as the analysis takes them.
        provenance: where it all comes from.
    """

    study: Study
    record: StudyRecord
    results: Results
    rows: Sequence[Rows]
    trials: Sequence[TrialCurve]
    provenance: Provenance


def rebuilt(folder: StudyFolder, opened: OpenedStudy | None = None) -> Computed:
    """Write everything that follows from a study's records, and return what was computed.

    Args:
        folder: where they are.
        opened: the study as it was read from there, by whoever has read it already.

    Raises:
        RecordsError: the folder holds no study, its ledger is damaged, or no trial has ended yet.
        TrialsFailedError: failures leave nothing to compare.
    """
    computed = compute(folder, opened or open_study(folder))
    _write(folder, computed)
    return computed


def outcome_of(folder: StudyFolder, computed: Computed) -> StudyOutcome:
    """What a study came to, as W&B is told; what was computed has been written."""
    models = _models(folder, computed) if computed.study.config.tracker.artifacts == "best" else ()
    return StudyOutcome(computed.record, computed.results, computed.trials, folder.report, tuple(models))


def _models(folder: StudyFolder, computed: Computed) -> Iterator[ModelFile]:
    measured = {row["trial_id"]: row for row in computed.results["trials"]}
    for trial_id in best_of_cells(computed.record):
        path, started = folder.trial(trial_id) / BEST_WEIGHTS, computed.record.trials[trial_id].started
        if path.is_file() and trial_id in measured:
            row = measured[trial_id]
            facts = {name: row[name] for name in ("trial_id", "phase", "seed", "lr", "best_val_acc", "test_acc")}
            yield ModelFile(computed.study.cell_at(started.cell).label, path, facts)


def compute(folder: StudyFolder, opened: OpenedStudy) -> Computed:
    """What follows from a study's records, of which nothing is written.

    Raises:
        RecordsError: no trial has ended yet, or the records do not fit the settings.
        TrialsFailedError: failures leave nothing to compare.
    """
    study, content, record = Study(opened.recorded), opened.content, opened.record
    rows = list(curve_rows(study, record))
    _refuse_failures(folder, study, record, rows)
    if not rows or record.started is None:
        raise RecordsError(f"{folder.path}: no trial has ended yet, so there is nothing to report")
    trials = [_trial_curve(study, rows_of_trial) for rows_of_trial in rows]
    results = analyze_curves(trials, _options(folder, study, record))
    results["study"]["warnings"] += [
        *_torn(content.torn_bytes),
        *_unfinished(folder, study, record),
        *given_up_warnings(record),
    ]
    results["study"]["warnings"] += _edge_warnings(study, record)
    results["study"]["data"] = dict(record.started.data)
    results["study"]["trials"] |= _failed_counts(record)
    results["study"]["failures"] = [
        {"trial_id": trial.started.trial_id, "phase": trial.started.phase, "message": trial.message}
        for trial in _failed(record)
    ]
    results["study"]["stopping"] = stopping_costs(study, record)
    _add_settings(results, study, record)
    return Computed(study, record, results, rows, trials, provenance(study, record))


def _add_settings(results: Results, study: Study, record: StudyRecord) -> None:
    """Add what was tuned in each trial, and how much each setting mattered."""
    names = study.short_names
    results["nuisance"] = {
        row["trial_id"]: {names[path]: value for path, value in record.trials[row["trial_id"]].started.nuisance.items()}
        for row in results["trials"]
    }
    compared = [names[path] for path in (study.factor, *study.strata)]
    results["importance"] = setting_importance(results["trials"], compared, results["nuisance"])


def _write(folder: StudyFolder, computed: Computed) -> None:
    from actsweep.report.page import write_report

    write_curves(folder.curves, computed.study, computed.rows)
    with write_whole(folder.results) as temporary:
        temporary.write_text(json.dumps(computed.results, indent=1, allow_nan=False))
    write_report(folder.report, computed.results, computed.trials, computed.provenance)


def _trial_curve(study: Study, rows: Rows) -> TrialCurve:
    first, names = rows[0], study.short_names
    return TrialCurve(
        trial_id=first["trial_id"],
        phase=first["phase"],
        arm=text(first[names[study.factor]]),
        strata=tuple(first[names[path]] for path in study.strata),
        lr=first["lr"],
        seed=first["seed"],
        block=first["block"],
        curve=Curve.from_rows(rows),
    )


def _options(folder: StudyFolder, study: Study, record: StudyRecord) -> AnalysisOptions:
    assert record.started is not None
    target = study.config.study.target
    return AnalysisOptions(
        name=folder.path.resolve().name,
        reference=text(study.reference),
        classes=record.started.data["classes"],
        factor=study.short_names[study.factor],
        stratum=tuple(study.short_names[path] for path in study.strata),
        horizon=study.config.trainer.epochs,
        target_hi=target.hi,
        target_lo=target.lo,
        looks=record.looks,
        measures=MEASURES.added,
    )


def _refuse_failures(folder: StudyFolder, study: Study, record: StudyRecord, trials: Sequence[Rows]) -> None:
    """Say why where failures leave nothing to compare: every trial failed, or all that an arm had."""
    failed = _failed(record)
    if failed and not any(trial.has_result for trial in record.trials.values()):
        raise TrialsFailedError(
            f"{folder.path}: all {len(failed)} trials that ended have failed, the first with: {failed[0].message}"
        )
    measured = {text(rows[0][study.short_names[study.factor]]) for rows in trials}
    lost = [trial for trial in failed if text(trial.started.cell[study.factor]) not in measured]
    if lost and (len(measured) < 2 or text(study.reference) not in measured):
        arm = text(lost[0].started.cell[study.factor])
        raise TrialsFailedError(
            f"{folder.path}: every trial of {arm} has failed, so there is nothing to compare; the first with: "
            f"{lost[0].message}; once that is mended: actsweep resume {folder.path}"
        )


def _failed_counts(record: StudyRecord) -> dict[str, int]:
    """Failed trials by phase; one that failed before its first evaluation has no curve for the analysis to count."""
    failed = [trial.started.phase for trial in _failed(record)]
    return {"failed": failed.count("replicate"), "tune_failed": failed.count("tune")}


def _failed(record: StudyRecord) -> list[TrialRecord]:
    return [trial for trial in record.trials.values() if trial.status == "failed" and record.counts(trial)]


def _torn(torn_bytes: int) -> list[str]:
    return [f"The last {torn_bytes} bytes of the ledger are a line cut off in writing; they were ignored."] * bool(
        torn_bytes
    )


def _unfinished(folder: StudyFolder, study: Study, record: StudyRecord) -> list[str]:
    if record.finished:
        return []
    cells = board_of(study, record).cells()
    done, total = (sum(cell.sum(name) for cell in cells) for name in ("done", "total"))
    if done < total:
        lacking = f"{done} of {total} trials have a result, and these are the results of those"
    else:
        lacking = f"all {total} trials have a result, but it was stopped before its end"
    return [f"The study has not ended: {lacking}. To go on: actsweep resume {folder.path}"]


def _edge_warnings(study: Study, record: StudyRecord) -> list[str]:
    """Chosen nuisance values so near an end of their range that a wider one might have served the cell better."""
    chosen = [(study.cell_at(dict(values)), nuisance) for (values, _), nuisance in record.chosen.items()]
    at_edge = {
        (cell.label, dimension)
        for cell, nuisance in chosen
        for dimension in widened(cell.space, record.widened)
        if dimension.edge(nuisance[dimension.path])
    }
    return [
        f"The best {study.short_names[dimension.path]} of {cell} lies at an edge of "
        f"[{dimension.low:g}, {dimension.high:g}]: a wider range may serve it better."
        for cell, dimension in sorted(at_edge, key=str)
    ]
