"""The whole analysis: trials with their curves in, the results dictionary out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from actsweep.compare.cells import cell_row
from actsweep.compare.comparisons import compare_pair
from actsweep.compare.judging.claims import CLAIMS, Pair
from actsweep.compare.judging.resolution import resolution_warning
from actsweep.compare.judging.verdicts import judge_pair
from actsweep.compare.learning_rates import learning_rate_view
from actsweep.compare.rows import Row, comparison_row, place, plain, trial_rows, verdict_row, whole
from actsweep.compare.trials.inputs import AnalysisOptions, StratumValue, TrialCurve
from actsweep.compare.trials.preparation import Prepared, prepare
from actsweep.compare.trials.table import Cell
from actsweep.compare.warnings import stratum_phrase, warnings_of

__all__ = ["AnalysisOptions", "StratumValue", "TrialCurve", "analyze_curves"]

SCHEMA = 1
FAMILY_ERROR = 0.05
NO_STRATUM = ("depth",)  # the column that rows name when there is none


@dataclass(frozen=True)
class _Matchup:
    """Two cells to compare, and where the result belongs."""

    a: Cell
    b: Cell
    stratum: int
    phase: str


def analyze_curves(trials: Sequence[TrialCurve], options: AnalysisOptions) -> Row:
    """Measure, compare and judge: the results of a study as one dictionary (schema 1), None for what does not exist.

    Args:
        trials: every trial of the study, all phases, in any order; failed ones are left out, counted and listed.
        options: how to compare them.

    Raises:
        RequestError: fewer than two arms, or a reference that is none of them.
        TableError: replicates that do not all end at one evaluated epoch.
    """
    names = options.stratum or NO_STRATUM
    prepared = prepare(trials, options)
    table = prepared.table
    level = options.level or interval_level(len(table.strata), len(table.arms) - 1, options.looks)
    comparisons: list[Row] = []
    verdicts: list[Row] = []
    unresolved: list[str | None] = []
    for matchup in _matchups(prepared):
        compared = compare_pair(matchup.a, matchup.b, level)
        where = {
            "a": matchup.a.arm,
            "b": matchup.b.arm,
            **place(names, table.strata[matchup.stratum]),
            "phase": matchup.phase,
        }
        comparisons += [comparison_row(comparison, level, where) for comparison in compared.values()]
        pair = Pair(matchup.a, matchup.b, compared, level, prepared.horizon, table.unit_name, matchup.phase)
        judged = judge_pair(pair)
        verdicts += [verdict_row(verdict, level, where) for verdict in judged]
        if matchup.phase == "replicate":
            unresolved.append(resolution_warning(pair, judged, stratum_phrase(names, table.strata[matchup.stratum])))
    return {
        "schema": SCHEMA,
        "study": _study(prepared, options, level, filter(None, unresolved)),
        "targets": _targets(prepared, names),
        "trials": trial_rows(table, options.factor, names, options.measures),
        "cells": _cells(prepared, options, names),
        "comparisons": comparisons,
        "verdicts": _with_dependence(verdicts, names),
        "learning_rate_view": _learning_rates(prepared, names),
    }


def interval_level(strata: int, others: int, looks: int) -> float:
    """Level of one interval that keeps 95 % over all claims on each stratum and other arm, halved error per look."""
    return 1.0 - FAMILY_ERROR / (len(CLAIMS) * strata * others * 2.0 ** (looks - 1))


def _matchups(prepared: Prepared) -> Iterator[_Matchup]:
    """The reference against every other arm in every stratum, and, where trials were crossed, at either's chosen lr."""
    table = prepared.table
    reference, *others = table.arms
    crossed = bool((table.phase == "cross").any())
    for stratum in range(len(table.strata)):
        a = table.cell(reference, stratum, "replicate")
        for other in others:
            b = table.cell(other, stratum, "replicate")
            yield _Matchup(a, b, stratum, "replicate")
            if crossed:
                yield _Matchup(a, table.cell(other, stratum, "cross", reference), stratum, "at_a_lr")
                yield _Matchup(table.cell(reference, stratum, "cross", other), b, stratum, "at_b_lr")


def _study(prepared: Prepared, options: AnalysisOptions, level: float, unresolved: Iterable[str]) -> Row:
    table = prepared.table
    replicate = (table.phase == "replicate") & ~table.failed
    counts = {
        "tune": int(((table.phase == "tune") & ~table.failed).sum()),
        "replicate": int(replicate.sum()),
        "cross": int(((table.phase == "cross") & ~table.failed).sum()),
        "failed": int(((table.phase == "replicate") & table.failed).sum()),
        "tune_failed": int(((table.phase == "tune") & table.failed).sum()),
        "diverged": int(table.measures["diverged"][replicate].sum()),
        "stuck": int(table.measures["stuck"][replicate].sum()),
    }
    return {
        "name": options.name,
        "factor": options.factor,
        "stratum": ",".join(options.stratum or NO_STRATUM),
        "reference": options.reference,
        "arms": list(table.arms),
        "strata": [_stratum_value(strata) for strata in table.strata],
        "horizon": whole(prepared.horizon),
        "classes": options.classes,
        "level": level,
        "looks": options.looks,
        "unit": table.unit_name,
        "given": "given the chosen learning rate" if table.unit_name == "seed" else None,
        "gap_end_against": prepared.gap_end_against,
        "trials": counts,
        "warnings": [*warnings_of(prepared, options), *unresolved],
    }


def _stratum_value(strata: tuple[StratumValue, ...]) -> StratumValue | list[StratumValue]:
    return list(strata) if len(strata) > 1 else strata[0] if strata else None


def _targets(prepared: Prepared, names: Sequence[str]) -> list[Row]:
    return [
        plain({**place(names, strata), "hi": t.hi, "lo": t.lo, "loss_match": t.loss_match, "rule": t.rule})
        for strata, t in zip(prepared.table.strata, prepared.targets, strict=True)
    ]


def _cells(prepared: Prepared, options: AnalysisOptions, names: Sequence[str]) -> list[Row]:
    """One row per arm and stratum that has any replicate or tune trial."""
    table = prepared.table
    rows = []
    for stratum, strata in enumerate(table.strata):
        for arm in table.arms:
            replicates, tuned = (table.cell(arm, stratum, phase) for phase in ("replicate", "tune"))
            if len(replicates) or len(tuned):
                row = cell_row(replicates, tuned, options.measures)
                rows.append(plain({options.factor: arm, **place(names, strata), **row}))
    return rows


def _learning_rates(prepared: Prepared, names: Sequence[str]) -> list[Row]:
    table = prepared.table
    reference, *others = table.arms
    rows = []
    for stratum, strata in enumerate(table.strata):
        a = table.cell(reference, stratum, "tune")
        for other in others:
            view = learning_rate_view(a, table.cell(other, stratum, "tune"))
            rows.append(plain({"a": reference, "b": other, **place(names, strata), **view}))
    return rows


def _with_dependence(verdicts: list[Row], names: Sequence[str]) -> list[Row]:
    """Mark the verdicts that flip at a learning rate of the other arm; None where none was tried."""

    def key(row: Row) -> tuple[object, ...]:
        return (row["claim"], row["b"], *(row[name] for name in names))

    crossed: dict[tuple[object, ...], list[Row]] = {}
    for row in verdicts:
        if row["phase"] != "replicate":
            crossed.setdefault(key(row), []).append(row)
    marked = []
    for row in verdicts:
        others = crossed.get(key(row), []) if row["phase"] == "replicate" else []
        flips = [other for other in others if {row["verdict"], other["verdict"]} == {"supported", "refuted"}]
        why = row["why"]
        if flips:
            rates = " and ".join(other["a" if other["phase"] == "at_a_lr" else "b"] for other in flips)
            why += f" It depends on the learning rate: at that of {rates} the claim is {flips[0]['verdict']}."
        marked.append({**row, "why": why, "depends_on_lr": bool(flips) if others else None})
    return marked
