"""What a reader of the results must know before trusting them."""

from __future__ import annotations

from collections.abc import Iterator

from actsweep.compare.inputs import AnalysisOptions, StratumValue
from actsweep.compare.preparation import Prepared

RARE = 5  # failures below which no method covers a mean that hangs on them


def warnings_of(prepared: Prepared, options: AnalysisOptions) -> list[str]:
    """Warnings in plain sentences, general ones first."""
    return [*_of_study(prepared), *_of_strata(prepared, options)]


def _of_study(prepared: Prepared) -> Iterator[str]:
    table = prepared.table
    failed = [trial.trial_id for trial in table.trials if trial.failed and trial.phase == "replicate"]
    if failed:
        yield f"Failed replicates are left out ({len(failed)}): {', '.join(failed)}."
    if not (table.phase == "replicate").any():
        yield "There are no replicates: tune trials are no evidence, since the best of many is biased upwards."
    if not prepared.has_start:
        yield "No trial was evaluated at epoch 0: nauc and the gradient slope at the start are missing."
    yield from prepared.problems
    if prepared.gap_end_against == "validation":
        yield "Final gaps are taken to validation accuracy, because not every replicate has a test accuracy."


def _of_strata(prepared: Prepared, options: AnalysisOptions) -> Iterator[str]:
    table = prepared.table
    for code, strata in enumerate(table.strata):
        where = _where(options.stratum, strata)
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


def _where(names: tuple[str, ...], strata: tuple[StratumValue, ...]) -> str:
    known = [f"{name} {value}" for name, value in zip(names, strata, strict=False) if value is not None]
    return f" at {', '.join(known)}" if known else ""
