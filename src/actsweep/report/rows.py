"""The results dictionary as texts: what the terminal's tables and the page show alike, foreign text cleaned."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from actsweep.report.interval_line import IntervalLine, interval_line
from actsweep.report.wording import DASH, clean, hundredths, number, percent
from actsweep.study.space import text

Row = Mapping[str, Any]
Results = Mapping[str, Any]

_MANY_RATES = 2  # from here on a range is shown
# The words of `compare`, which would bring scipy: showing a table takes no second more for it.
_APPROXIMATE = {"at_least": "at least ", "at_most": "at most ", "between": "roughly "}
_ASKS = {"over": "over {}", "below": "below {}", "within": "within {} either way"}
_UNITS = {"ratio": "x", "slope": "decades/layer", "share": "%", "points": "pp"}


@dataclass(frozen=True)
class CellText:
    """One cell as texts.

    Accuracies and the interval of the share that reached the target are in per cent, the gap in percentage points;
    `failed` is a dash where every replicate trained properly.
    """

    label: str
    arm: str
    rates: str
    n: str
    reached: str
    epochs: str
    test_acc: str
    gap: str
    failed: str


@dataclass(frozen=True)
class VerdictText:
    """One verdict as texts, `asks` being the threshold with its direction.

    `interval` is empty, and `line` None, where there is none.
    """

    claim: str
    statement: str
    verdict: str
    estimate: str
    interval: str
    threshold: str
    asks: str
    why: str
    line: IntervalLine | None


@dataclass(frozen=True)
class VerdictGroup:
    """The verdicts on one pair in one stratum and phase: what is compared, with how many runs, at which level.

    `key` is the same for the same pair, stratum and phase, whatever else there is.
    """

    key: str
    title: str
    level: str
    verdicts: tuple[VerdictText, ...]


def nuisance_of(results: Results, row: Row) -> Mapping[str, Any]:
    """The tuned settings of a trial by their short names."""
    known: Mapping[str, Any] | None = (results.get("nuisance") or {}).get(row["trial_id"])
    if known is not None:
        return known
    return {} if row["lr"] is None else {"lr": row["lr"]}


def stratum_names(results: Results) -> list[str]:
    """The stratum columns; empty where no cell has a value in them."""
    names = str(results["study"]["stratum"] or "").split(",")
    return [name for name in names if any(cell.get(name) is not None for cell in results["cells"])]


def stratum_of(results: Results, row: Row) -> tuple[Any, ...]:
    """Where a row belongs: its values of the stratum columns."""
    return tuple(row.get(name) for name in stratum_names(results))


def stratum_text(results: Results, stratum: Sequence[Any]) -> str:
    """A stratum in words, such as `depth 3`; empty where there is only one and it has no name."""
    return ", ".join(
        f"{clean(name)} {clean(text(value))}" for name, value in zip(stratum_names(results), stratum, strict=True)
    )


def strata(results: Results) -> list[tuple[Any, ...]]:
    """The strata that have a cell, in the order of the results."""
    return list(dict.fromkeys(stratum_of(results, cell) for cell in results["cells"]))


def cell_label(results: Results, row: Row) -> str:
    """The name of the cell that a row of cells or trials belongs to, such as `relu/3`."""
    return clean("/".join(map(text, (row[results["study"]["factor"]], *stratum_of(results, row)))))


def arm_of(results: Results, row: Row) -> str:
    """The arm that a row of cells or trials belongs to."""
    return clean(text(row[results["study"]["factor"]]))


def cell_texts(results: Results) -> list[CellText]:
    """The cells, best test accuracy first, those without one last."""
    cells = sorted(results["cells"], key=lambda cell: -_or(cell["test_acc_mean"], -1.0))
    return [_cell_text(results, cell) for cell in cells]


def cell_heading(results: Results) -> str:
    """What the parts of a cell's label are, such as `activation/depth`."""
    return "/".join(clean(name) for name in (results["study"]["factor"], *stratum_names(results)))


def cell_terms(results: Results) -> list[tuple[str, str]]:
    """What the columns of the cells mean, in plain words."""
    against = results["study"].get("gap_end_against") or "test"
    chosen = ", chosen by tuning" if results["study"]["trials"]["tune"] else ""
    return [
        ("lr", f"learning rate of the n replicates, on which all else rests{chosen}"),
        (
            "reached",
            f"how many got to the target, a validation accuracy of {_target_text(results)} that the next evaluation "
            "confirms, and the 95 % interval of that share (Wilson)",
        ),
        (
            "epochs",
            "mean epochs to the target; a run that never got there counts with all "
            f"{results['study']['horizon']} epochs of the study (restricted mean, RMST)",
        ),
        ("gap", f"train minus {against} accuracy at the end, in percentage points (pp)"),
        *[("failed", "share of the runs that diverged or never got off the ground")]
        * any(cell["failure_share"] for cell in results["cells"]),
    ]


def verdict_groups(results: Results) -> list[VerdictGroup]:
    """The verdicts by what is compared, in the order of the results."""
    return [
        VerdictGroup(
            _key(results, rows[0]),
            _title(results, rows[0]),
            percent(rows[0]["level"], decimals=2),
            tuple(map(verdict_text, rows)),
        )
        for rows in by_matchup(results)
    ]


def _target_text(results: Results) -> str:
    """Such as `90.3 % (depth 3), 91 % (depth 5)`."""
    texts = []
    for target in results["targets"]:
        where = stratum_text(results, stratum_of(results, target))
        texts.append(percent(target["hi"]) + (f" ({where})" if where else ""))
    return ", ".join(texts) or DASH


def by_matchup(results: Results) -> Iterator[list[Row]]:
    """The rows of verdicts by what is compared: pair, stratum and phase, in the order of the results."""

    def matchup(row: Row) -> tuple[Any, ...]:
        return row["a"], row["b"], stratum_of(results, row), row["phase"]

    for _, rows in groupby(results["verdicts"], matchup):
        yield list(rows)


def _cell_text(results: Results, cell: Row) -> CellText:
    mean, sd = cell["test_acc_mean"], cell["test_acc_sd"]
    return CellText(
        label=cell_label(results, cell),
        arm=arm_of(results, cell),
        rates=_rates(cell["lrs"]),
        n=str(cell["n"]),
        reached=_reached(cell),
        epochs=DASH if cell["rmst_epochs_hi"] is None else f"{cell['rmst_epochs_hi']:.1f}",
        test_acc=hundredths(mean) + (f" ({hundredths(sd)})" if sd is not None else ""),
        gap=hundredths(cell["gap_end_mean"]),
        failed=percent(cell["failure_share"]) if cell["failure_share"] else DASH,
    )


def _rates(rates: Sequence[float]) -> str:
    if len(rates) > _MANY_RATES:
        return f"{number(min(rates))} to {number(max(rates))}"
    return ", ".join(map(number, rates)) or DASH


def _reached(cell: Row) -> str:
    if cell["reached_hi"] is None:
        return DASH
    low, high = (f"{100 * _or(cell[f'reached_hi_{end}'], 0.0):.0f}" for end in ("low", "high"))
    return f"{round(cell['reached_hi'] * cell['n'])}/{cell['n']} ({low}-{high})"


def _key(results: Results, row: Row) -> str:
    said = repr((row["a"], row["b"], stratum_of(results, row), row["phase"]))
    return hashlib.blake2b(said.encode(errors="replace"), digest_size=6).hexdigest()


def _title(results: Results, row: Row) -> str:
    runs = {cell_label(results, cell): cell["n"] for cell in results["cells"]}
    where = stratum_of(results, row)

    def side(arm: str) -> str:
        n = runs.get(cell_label(results, {**row, results["study"]["factor"]: arm}), 0)
        return f"{clean(arm)} (n = {n})" if row["phase"] == "replicate" else clean(arm)

    parts = [f"{side(row['a'])} against {side(row['b'])}", stratum_text(results, where), phase_text(row)]
    return ", ".join(part for part in parts if part)


def phase_text(row: Row) -> str:
    """At which learning rate a row of comparisons or verdicts compares; empty where each arm has its own."""
    chosen = {"at_a_lr": "a", "at_b_lr": "b"}.get(row["phase"])
    return f"both at the learning rate of {clean(row[chosen])}" if chosen else ""


def verdict_text(row: Row) -> VerdictText:
    """One verdict's row as texts."""
    unit = _UNITS[row["estimate_kind"]]
    estimate, interval = DASH, ""
    if row["estimate"] is not None:
        estimate = f"{_APPROXIMATE.get(row['bound'], '')}{_value(row['estimate'], unit)} {unit}"
        if row["low"] is not None and row["high"] is not None:
            interval = f"({_value(row['low'], unit)} to {_value(row['high'], unit)})"
    threshold = DASH if row["threshold"] is None else f"{_asked(row['threshold'], unit)} {unit}"
    return VerdictText(
        claim=clean(row["claim"]),
        statement=clean(row["statement"]),
        verdict=clean(row["verdict"]),
        estimate=estimate,
        interval=interval,
        threshold=threshold,
        asks=threshold if row["threshold"] is None else _ASKS[row["claim_asks"]].format(threshold),
        why=clean(row["why"]),
        line=interval_line(row),
    )


def _value(value: float, unit: str) -> str:
    return hundredths(value) if unit in ("%", "pp") else number(value)


def _asked(threshold: float, unit: str) -> str:
    return number(100 * threshold if unit in ("%", "pp") else threshold)


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
