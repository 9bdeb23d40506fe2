"""Studies and trials on the screen; text that comes from files is escaped."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from actsweep.plural import count
from actsweep.report.summary import trials_done
from actsweep.report.terminal.tables import plain_table, status_table
from actsweep.report.wording import DASH, clean, escaped, number, percent, size
from actsweep.studies.cleaning import Removal
from actsweep.studies.detail import TrialDetail
from actsweep.studies.listing import StudyEntry
from actsweep.studies.remaining import Remaining
from actsweep.studies.status import StudyStatus

if TYPE_CHECKING:
    from actsweep.studies.verifying import Verification  # loads the whole analysis

_LISTED = 20
_CURVE = {
    "epoch": "epoch",
    "train loss": "train_loss",
    "train acc": "train_acc",
    "val loss": "val_loss",
    "val acc": "val_acc",
    "seconds": "seconds",
}


def status_text(status: StudyStatus) -> RenderableType:
    """Where a study stands, in a line and cell by cell."""
    said = f"{clean(status.study.config.run.name)}: {status.state}, {_done(status)}"
    way_on = Text(f"to go on: actsweep resume {clean(status.path)}", overflow="fold")
    table = status_table(status.study, status.record, running="running" if status.state == "running" else "interrupted")
    notes = [Text(f"{clean(status.problem)}; the settings are those of the ledger", style="yellow")]
    return Group(Text(said), *[way_on] * (status.state == "interrupted"), *notes * bool(status.problem), Text(), table)


def remaining_text(remaining: Remaining) -> RenderableType:
    """What `resume` would run: cell by cell, and how the trials go on that have begun."""
    status = remaining.status
    begun = plain_table("trial", "cell", "phase", "was", "goes on")
    for trial in remaining.begun:
        where = "anew" if trial.epoch is None else f"after epoch {trial.epoch}"
        begun.add_row(*map(Text, (trial.trial_id, clean(trial.cell), trial.phase, trial.state, where)))
    if status.state == "running":
        said = "a sweep is running here"
    elif status.state == "finished" and not remaining.trials:
        said = "nothing is left to run"
    elif not remaining.trials:
        said = f"no trial is left to run; to end the study: actsweep resume {clean(status.path)}"
    else:
        said = f"{count(remaining.trials, 'trial')} to run; to run them: actsweep resume {clean(status.path)}"
    parts: list[RenderableType] = [status_text(status)]
    if remaining.begun:
        parts += [Text(), begun]
    return Group(*parts, Text(), Text(said))


def _done(status: StudyStatus) -> str:
    return trials_done(status.sum("done"), status.sum("total"), status.sum("failed"))


def studies_table(entries: Sequence[StudyEntry], root: Path) -> RenderableType:
    """The studies in a folder, a line each."""
    if not entries:
        return Text(f"{clean(root)} holds no study")
    table = plain_table("study", "state", "trials", "when", "verdicts")
    for entry in entries:
        trials = f"{entry.done}/{entry.planned}" + (f" ({entry.failed} failed)" if entry.failed else "")
        said = ", ".join(f"{times} {verdict}" for verdict, times in entry.verdicts)
        damaged = entry.state == "damaged"
        table.add_row(
            Text(clean(entry.name)),
            Text(entry.state, style="red" if damaged else ""),
            Text(DASH if damaged else trials),
            Text(DASH if entry.time is None else f"{datetime.fromtimestamp(entry.time):%Y-%m-%d %H:%M}"),
            Text(entry.damage or clean(said) or DASH),
        )
    return table


def trial_text(detail: TrialDetail) -> RenderableType:
    """A trial's settings, curve, measures and log."""
    start = detail.record.started
    parts: list[RenderableType] = [Text(f"Trial {start.trial_id}", style="bold"), _pairs(_settings(detail))]
    if detail.record.rows:
        parts += [Text(), _curve(detail)]
    measured = [(name, number(value)) for name, value in detail.measures.items() if value is not None]
    if measured:
        parts += [Text(), Text("Measures", style="bold"), _pairs(measured)]
    if detail.log:
        parts += [Text(), Text("Log", style="bold"), *(Text(escaped(line)) for line in detail.log.splitlines())]
    return Group(*parts)


def _settings(detail: TrialDetail) -> Iterable[tuple[str, str]]:
    start, names = detail.record.started, detail.study.short_names
    yield "status", detail.status + (f": {clean(detail.record.message)}" if detail.record.message else "")
    yield "attempts", str(start.attempt)
    yield "phase", start.phase
    for path, value in {**start.cell, **start.nuisance}.items():
        yield names.get(path, path), clean(value)
    yield "block", str(start.block)
    yield "seed", str(start.seed)
    if detail.record.rung is not None:
        yield "rung", f"epoch {detail.record.rung}"
    for name in ("test_acc", "best_test_acc"):
        if name in detail.record.final:
            yield name, percent(detail.record.final[name], 2)


def _curve(detail: TrialDetail) -> Table:
    table = plain_table(*_CURVE)
    for row in detail.record.rows:
        table.add_row(*(Text(_cell(row.get(name))) for name in _CURVE.values()))
    return table


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return DASH if value is None else clean(value)


def verification_text(verification: "Verification") -> RenderableType:
    """What was compared; whatever does not agree, with the way to mend it; and what is worth knowing."""
    table = plain_table("checked", "extent", "agrees")
    for check in verification.checks:
        agrees = Text("no", style="red") if check.findings else Text("yes", style="green")
        table.add_row(Text(check.name), Text(clean(check.said)), agrees)
    lines = []
    for finding in verification.findings:
        place = f", {clean(finding.place)}" if finding.place else ""
        lines.append(Text(f"{clean(finding.file)}{place}: {clean(finding.problem)}", style="red"))
        lines.append(Text(f"  to mend it: {clean(finding.mend)}"))
    lines += [Text(f"Note: {clean(note)}") for check in verification.checks for note in check.notes]
    if verification.state == "running":
        lines.append(Text("Note: a sweep is running here; it was verified as far as it is"))
    failed = len(verification.findings)
    end = f"{count(failed, 'thing')} do{'es' * (failed == 1)} not agree" if failed else "all of it agrees"
    return Group(table, Text(), *lines, Text(f"{clean(verification.path)}: {verification.state}; {end}"))


def removals_text(removals: Sequence[Removal], *, removed: bool) -> RenderableType:
    """What goes, or would go, and how many bytes, by kind and file by file."""
    if not removals:
        return Text("nothing to remove")
    kinds: defaultdict[str, list[Removal]] = defaultdict(list)
    for removal in removals:
        kinds[removal.what].append(removal)
    lines = []
    for what, ones in kinds.items():
        lines.append(f"{what}: {count(len(ones), 'item')}, {size(sum(one.bytes for one in ones))}")
        lines += [f"  {clean(one.path)}" for one in ones[:_LISTED]]
        lines += [f"  and {len(ones) - _LISTED} more"] * (len(ones) > _LISTED)
    total = size(sum(removal.bytes for removal in removals))
    lines.append(f"removed {total}" if removed else f"would remove {total}; to remove it: the same with --yes")
    return Group(*(Text(line, overflow="fold") for line in lines))


def _pairs(pairs: Iterable[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for term, said in pairs:
        grid.add_row(Text(term), Text(said, overflow="fold"))
    return grid
