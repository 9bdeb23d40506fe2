"""What a reader of the results must know before trusting them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from actsweep.compare.trials.inputs import AnalysisOptions, StratumValue
from actsweep.compare.trials.preparation import Prepared
from actsweep.compare.wording import few
from actsweep.curves import Curve, diverged_above

RARE = 5  # failures below which no method covers a mean that hangs on them


def warnings_of(prepared: Prepared, options: AnalysisOptions) -> list[str]:
    """Warnings in plain sentences, general ones first."""
    return [*_of_study(prepared, options), *_of_strata(prepared, options)]


def _of_study(prepared: Prepared, options: AnalysisOptions) -> Iterator[str]:
    table = prepared.table
    failed = [trial.trial_id for trial in table.trials if trial.failed and trial.phase == "replicate"]
    if failed:
        yield f"Failed replicates are left out ({len(failed)}): {', '.join(failed)}."
    yield from _of_losses(prepared, options)
    if not (table.phase == "replicate").any():
        yield "There are no replicates: tune trials are no evidence, since the best of many is biased upwards."
    if not prepared.has_start:
        yield "No trial was evaluated at epoch 0: nauc and the gradient slope at the start are missing."
    yield from prepared.problems
    if prepared.gap_end_against == "validation":
        yield "Final gaps are taken to validation accuracy, because not every replicate has a test accuracy."


def _of_losses(prepared: Prepared, options: AnalysisOptions) -> Iterator[str]:
    """On trials that a large loss alone makes diverged, which nobody has said of them."""
    table = prepared.table
    found = [
        trial.trial_id
        for trial, diverged in zip(table.trials, table.measures["diverged"], strict=True)
        if diverged and not trial.failed and trial.curve.status != "diverged" and _is_finite(trial.curve)
    ]
    if found:
        yield (
            f"Trials count as diverged because their train loss rose above 2 ln({options.classes}) = "
            f"{diverged_above(options.classes):.2f} after epoch 0, whatever they came to ({len(found)}: "
            f"{few(found)}). With other than {options.classes} classes, say so (--classes)."
        )


def _is_finite(curve: Curve) -> bool:
    losses = (curve.train_loss, curve.val_loss)
    return not any(values is not None and np.isinf(values).any() for values in losses)


def _of_strata(prepared: Prepared, options: AnalysisOptions) -> Iterator[str]:
    table = prepared.table
    for code, strata in enumerate(table.strata):
        where = stratum_phrase(options.stratum, strata)
        target = prepared.targets[code]
        if target.lo > target.hi:
            yield f"The fixed low target{where} lies above the high one ({target.lo:.3f} above {target.hi:.3f})."
        tuned = {arm: len(table.cell(arm, code, "tune")) for arm in table.arms}
        if len(set(tuned.values())) > 1:
            counts = ", ".join(f"{arm} {count}" for arm, count in tuned.items())
            yield f"The arms{where} were not tuned equally (trials: {counts}): the one with more had a better chance."
        for arm in table.arms:
            cell = table.cell(arm, code, "replicate")
            failures = len(cell) - int(cell.healthy.sum())
            if 0 < failures < RARE:
                yield (
                    f"{failures} of {len(cell)} replicates of {arm}{where} diverged or got stuck: too few for the "
                    "interval of a mean over all of them; read the failure share and the healthy trials beside it."
                )


def stratum_phrase(names: Sequence[str], strata: Sequence[StratumValue]) -> str:
    """A stratum in words, such as ` at depth 3`; empty where there is none."""
    known = [f"{name} {value}" for name, value in zip(names, strata, strict=False) if value is not None]
    return f" at {', '.join(known)}" if known else ""
