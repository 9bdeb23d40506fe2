"""The analysis of anyone's curves: a table in, the results dictionary out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from actsweep.analysis import AnalysisOptions, TrialCurve, analyze_curves
from actsweep.errors import RequestError, TableError
from actsweep.tables.convert import CSV, FORMATS, open_source
from actsweep.tables.read import read_frame, table_of
from actsweep.tables.schema import Schema, listed, shown
from actsweep.tables.table import Table
from actsweep.tables.trials import table_warnings, trial_curves

if TYPE_CHECKING:
    import pandas as pd

USUAL_REFERENCE = "relu"


class AnalyzeOptions(TypedDict, total=False):
    """How curves are compared; what is left out is derived, and `factor` and `stratum` are activation and depth.

    `reference` is the arm that the others are compared with (relu, where there is one), `horizon` an epoch that cuts
    the curves, `level` that of one interval; the targets are accuracies as fractions.
    """

    reference: str | None
    horizon: float | None
    target_hi: float | None
    target_lo: float | None
    level: float | None
    factor: str
    stratum: tuple[str, ...]


def analyze(
    curves: Table | pd.DataFrame | str | Path,
    *,
    classes: int = 10,
    name: str | None = None,
    kind: str = CSV,
    mapping: Mapping[str, str] | None = None,
    **options: Unpack[AnalyzeOptions],
) -> dict[str, Any]:
    """Analyse a table of curves as a study of our own would be.

    Args:
        curves: a table (whose own factor and stratum count), a data frame, or the path of what `kind` says.
        classes: number of classes.
        name: what the study is called in the results; otherwise as the file is, without its suffix.
        kind: what the path holds, as with `actsweep analyze --from`: csv (also Parquet), wandb-csv, tensorboard, ray or
            wandb.
        mapping: the file's name of a column by our name, where they differ.
        options: see `AnalyzeOptions`.

    Returns:
        The results dictionary, schema 1.

    Raises:
        TableError: the table is refused; the message names the row, the column and the trial.
        RequestError: an option is out of its range, or names what the table does not have.
    """
    if kind not in FORMATS:
        raise RequestError(f"kind={kind}: there are {listed(FORMATS)}")
    settings = options_for(name or _name_of(curves), classes, options)
    schema = Schema(settings.factor, settings.stratum, mapping or {})
    return analyze_table(_table(curves, kind, schema), settings)[0]


def options_for(name: str, classes: int, options: AnalyzeOptions) -> AnalysisOptions:
    """The options of an analysis, checked; the reference may still be empty.

    Raises:
        RequestError: an option is out of its range.
    """
    given: dict[str, Any] = {**options, "reference": options.get("reference") or ""}
    return AnalysisOptions(name=name, classes=classes, **given)


def analyze_table(table: Table, options: AnalysisOptions) -> tuple[dict[str, Any], list[TrialCurve]]:
    """The results of a table, and its trials.

    Raises:
        TableError: the trials cannot be compared.
        RequestError: the reference, or the horizon, is none of the table's.
    """
    trials = trial_curves(table, horizon=options.horizon, classes=options.classes)
    options = replace(
        options,
        reference=_reference(options.reference, table, trials),
        factor=table.schema.factor,
        stratum=table.schema.stratum,
    )
    try:
        results = analyze_curves(trials, options)
    except TableError as error:
        raise TableError(f"{table.name}: {error}") from error
    results["study"]["warnings"] += table_warnings(table, trials)
    return results, trials


def _table(curves: Table | pd.DataFrame | str | Path, kind: str, schema: Schema) -> Table:
    if isinstance(curves, Table):
        return curves
    if isinstance(curves, str | Path):
        return table_of(open_source(Path(curves), kind, schema), schema)
    return read_frame(curves, factor=schema.factor, stratum=schema.stratum, mapping=schema.mapping)


def _name_of(curves: object) -> str:
    if isinstance(curves, Table):
        return curves.name
    return Path(curves).stem if isinstance(curves, str | Path) else "curves"


def _reference(asked: str, table: Table, trials: list[TrialCurve]) -> str:
    arms = sorted({trial.arm for trial in trials})
    reference = asked or USUAL_REFERENCE
    if reference in arms:
        return reference
    known = f"{table.name} has {listed(arms)}"
    if asked:
        raise RequestError(f"--reference {shown(asked)}: is no {shown(table.schema.factor)} of the table; {known}")
    raise RequestError(f"--reference is required where no arm is called {USUAL_REFERENCE}; {known}")
