"""The answer in a sentence or two: which arm has the best test accuracy, by how much, and how sure that is."""

from collections.abc import Sequence
from typing import Any

from actsweep.report.rows import Results, Row, arm_of, by_matchup, strata, stratum_of, stratum_text
from actsweep.report.wording import clean, hundredths, percent, points

ACCURACY = "C5"  # the claim that the first lines must not go beyond


def headline(results: Results) -> list[str]:
    """One text a stratum, from the replicates alone."""
    return [_of_stratum(results, stratum) for stratum in strata(results)]


def tallies(results: Results) -> list[str]:
    """Which claims hold, which do not, and what was not shown: one text a pair, or more where its strata differ."""
    said: dict[tuple[str, str], list[str]] = {}
    for rows in by_matchup(results):
        if rows[0]["phase"] == "replicate":
            pair = f"{clean(rows[0]['a'])} against {clean(rows[0]['b'])}"
            where = said.setdefault((pair, _tally(rows)), [])
            where.append(stratum_text(results, stratum_of(results, rows[0])))
    return [f"{', '.join(filter(None, (pair, *where)))}. {tally}" for (pair, tally), where in said.items()]


def _tally(rows: Sequence[Row]) -> str:
    of = {
        verdict: [row for row in rows if row["verdict"] == verdict]
        for verdict in ("supported", "refuted", "undecided", "not assessable")
    }
    shown = [f"{verdict} {_claims(of[verdict])}" for verdict in ("supported", "refuted") if of[verdict]]
    left = [f"{row['claim']} ({clean(row['statement']).removeprefix('... ')})" for row in of["undecided"]]
    beyond = [f"{_claims(of['not assessable'])} not assessable"] if of["not assessable"] else []
    return f"Shown: {'; '.join(shown) or 'nothing'}. Not shown, either way: {'; '.join([*left, *beyond]) or 'nothing'}."


def _claims(rows: Sequence[Row]) -> str:
    return ", ".join(f"{clean(row['claim'])} ({clean(row['claim_title'])})" for row in rows)


def _of_stratum(results: Results, stratum: tuple[Any, ...]) -> str:
    cells = [cell for cell in results["cells"] if stratum_of(results, cell) == stratum]
    measured = sorted(
        (cell for cell in cells if cell["test_acc_mean"] is not None), key=lambda cell: -cell["test_acc_mean"]
    )
    where = stratum_text(results, stratum)
    at = f"At {where}, " if where else ""
    if not measured:
        return f"No replicate{' at ' * bool(where)}{where} has a test accuracy, so no arm can be called the best."
    best, *others = measured
    name = arm_of(results, best)
    said = f"{at}{name} has the best test accuracy, {percent(best['test_acc_mean'])} on average"
    if not others:
        return f"{said}; no other arm has one."
    other = _opponent(results, best, others)
    if other is not others[0]:
        said += f" ({arm_of(results, others[0])} comes next with {percent(others[0]['test_acc_mean'])})"
    compared = _comparisons(results, name, arm_of(results, other), stratum)
    difference = compared.get("d_test_acc")
    unsure = _why_unsure(results, name, arm_of(results, other), stratum)
    said += _margin(name, arm_of(results, other), difference, unsure) + "."
    if best["failure_share"] or other["failure_share"]:
        said += _among_healthy(name, difference)
    if unsure or difference is None or difference["low"] is None:
        return said  # who wins among so few runs is chance
    open_mean = difference["low"] <= 0 <= difference["high"]
    return said + _odds(name, arm_of(results, other), compared.get("p_a_better"), open_mean=open_mean)


def _opponent(results: Results, best: Row, others: Sequence[Row]) -> Row:
    """Whom the best is held against: the reference, as only it is compared with every arm; else the second."""
    reference = clean(results["study"]["reference"])
    return next((cell for cell in others if arm_of(results, cell) == reference), others[0])


def _comparisons(results: Results, best: str, other: str, stratum: tuple[Any, ...]) -> dict[str, Row]:
    return {
        row["endpoint"]: row
        for row in results["comparisons"]
        if {clean(row["a"]), clean(row["b"])} == {best, other}
        and row["phase"] == "replicate"
        and stratum_of(results, row) == stratum
    }


def _why_unsure(results: Results, best: str, other: str, stratum: tuple[Any, ...]) -> str:
    """Why the claim on the two arms' accuracies cannot be assessed, as a clause; empty where it can."""
    for row in results["verdicts"]:
        here = row["phase"] == "replicate" and stratum_of(results, row) == stratum
        if here and row["claim"] == ACCURACY and {clean(row["a"]), clean(row["b"])} == {best, other}:
            why = clean(row["why"]).rstrip(".")
            return why[:1].lower() + why[1:] if row["verdict"] == "not assessable" else ""
    return ""


def _margin(best: str, other: str, row: Row | None, unsure: str) -> str:
    if row is None or row["estimate"] is None:
        return f"; it was not compared with {other}"
    said = f", {points(_sign(best, row) * row['estimate'])} above {other}"
    interval = _interval(best, row, row)
    if interval is None:
        return f"{said}; there are too few runs to say how sure that is"
    if unsure:
        return f"{said}; whether that is more than chance cannot be said: {unsure}"
    low, high = interval
    said += f" ({percent(row['level'], decimals=2)} interval {hundredths(low)} to {hundredths(high)})"
    if row["equivalent"]:
        return f"{said}: for all practical purposes they are equal"
    if low > 0:
        return f"{said}: the difference is more than chance"
    return f"{said}: on average this may be chance, as the interval includes no difference"


def _among_healthy(best: str, row: Row | None) -> str:
    healthy = row["healthy"] if row is not None else None
    if row is None or healthy is None or healthy["estimate"] is None:
        return ""
    said = f" Without the runs that diverged or got stuck it is {hundredths(_sign(best, row) * healthy['estimate'])}"
    interval = _interval(best, row, healthy)
    return f"{said} ({hundredths(interval[0])} to {hundredths(interval[1])})." if interval else f"{said}."


def _sign(best: str, row: Row) -> int:
    """1 where the row's difference is that of the best from the other, -1 where it is the other way round."""
    return 1 if clean(row["a"]) == best else -1


def _interval(best: str, row: Row, ends: Row) -> tuple[float, float] | None:
    if ends["low"] is None or ends["high"] is None:
        return None
    low, high = sorted(_sign(best, row) * ends[end] for end in ("low", "high"))
    return low, high


def _odds(best: str, other: str, row: Row | None, *, open_mean: bool) -> str:
    """How often a run of the best beats one of the other; `open_mean` is whether the averages may differ by chance."""
    if row is None or row["estimate"] is None:
        return ""
    turned = _sign(best, row) < 0
    chance = 1 - row["estimate"] if turned else row["estimate"]
    said = f" A random run of {best} beats a random run of {other} {100 * chance:.0f} times in 100"
    low, high = (1 - row["high"], 1 - row["low"]) if turned and row["low"] is not None else (row["low"], row["high"])
    if low is not None:
        said += f" (interval {100 * low:.0f} to {100 * high:.0f})"
        is_clear = low > 0.5
    else:  # where every run of one is above every run of the other, there is no interval to be had
        p = row["p_permutation"]
        is_clear = p is not None and p < 1 - row["level"]
        said += f" (permutation test, p {'< 0.001' if p < 0.001 else f'= {p:.1g}'})" if is_clear else ""
    if open_mean and is_clear:
        said += (
            f": that {best} is the better of two runs is more than chance, though how much better on average is open"
        )
    return f"{said}."
