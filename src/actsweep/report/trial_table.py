"""The table of all trials as plain columns, which the page sorts and filters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from actsweep.report.rows import Results, Row, cell_heading, cell_label, nuisance_of
from actsweep.report.wording import clean
from actsweep.study.space import text

_LONGEST = 120  # characters of a value


@dataclass(frozen=True)
class Column:
    """One column: its heading, and how many decimals its numbers have, None for texts and for numbers as they are."""

    title: str
    decimals: int | None = None


def trial_table(results: Results, repeat: str | None = None) -> dict[str, Any]:
    """The columns with their headings and decimals, and a row of plain values a trial, as the page's script takes them.

    The columns `phase` and `state` are those that it offers to choose from.

    Args:
        results: the results dictionary.
        repeat: the command that repeats a trial, whose id is put for `{trial_id}`; None where there is none.
    """
    nuisance = list(dict.fromkeys(name for row in results["trials"] for name in nuisance_of(results, row)))
    columns = _columns(results, nuisance, repeat)
    return {
        "columns": [{"title": column.title, "decimals": column.decimals} for column, _ in columns],
        "rows": [[value(row) for _, value in columns] for row in results["trials"]],
        "choices": [index for index, (column, _) in enumerate(columns) if column.title in ("phase", "state")],
    }


def _columns(results: Results, nuisance: list[str], repeat: str | None) -> list[tuple[Column, Callable[[Row], Any]]]:
    columns: list[tuple[Column, Callable[[Row], Any]]] = [
        (Column("trial"), lambda row: clean(row["trial_id"], _LONGEST)),
        (Column(cell_heading(results)), lambda row: cell_label(results, row)),
        (Column("phase"), lambda row: row["phase"]),
        (Column("state"), state),
        (Column("block"), lambda row: row["block"]),
        *[(Column(clean(name)), _tuned(results, name)) for name in nuisance],
        (Column("seed"), lambda row: row["seed"]),
        (Column("best val acc %", 1), _percent("best_val_acc")),
        (Column("at epoch"), lambda row: row.get("best_epoch")),
        (Column("epochs to high", 0), _reached("epochs_to_target_hi", "reached_hi")),
        (Column("epochs to low", 0), _reached("epochs_to_target_lo", "reached_lo")),
        (Column("gap at end pp", 1), _percent("gap_end")),
        (Column("test acc %", 1), _percent("test_acc")),
    ]
    if repeat:
        columns.append(
            (Column("repeat it with"), lambda row: clean(repeat.replace("{trial_id}", str(row["trial_id"]))))
        )
    return columns


def state(row: Mapping[str, Any]) -> str:
    """How a trial ended: its status, or that it diverged or got stuck."""
    if row["status"] == "failed":
        return "failed"
    return "diverged" if row["diverged"] else "stuck" if row["stuck"] else clean(row["status"] or "completed")


def _tuned(results: Results, name: str) -> Callable[[Row], Any]:
    def value(row: Row) -> Any:
        found = nuisance_of(results, row).get(name)
        if isinstance(found, float):
            return float(f"{found:.3g}")
        if isinstance(found, int) and not isinstance(found, bool):
            return found
        return None if found is None else clean(text(found), _LONGEST)

    return value


def _percent(name: str) -> Callable[[Row], float | None]:
    return lambda row: None if row.get(name) is None else round(100 * row[name], 2)


def _reached(time: str, reached: str) -> Callable[[Row], float | None]:
    """A time that was reached; a censored one is no time."""
    return lambda row: row.get(time) if row.get(reached) else None
