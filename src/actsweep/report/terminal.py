"""Tables for the terminal, readable at 80 columns and without colour."""

from collections.abc import Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from actsweep.events import StudyRecord
from actsweep.report.rows import CellText, Results, VerdictGroup, cell_texts, stratum_names, target_text, verdict_groups
from actsweep.report.summary import CellState, board_of
from actsweep.report.wording import DASH, clean, percent
from actsweep.study import Study

STYLES = {"supported": "green", "refuted": "red", "undecided": "yellow", "not assessable": "dim"}


def cells_table(results: Results) -> RenderableType:
    """What each cell's replicates came to, best test accuracy first, with a caption that says how to read it."""
    texts = cell_texts(results)
    heading = "/".join(clean(name) for name in (results["study"]["factor"], *stratum_names(results)))
    table = _table(heading, "lr", "n", "reached", "epochs", "test acc, % (sd)", "gap, pp")
    some_failed = any(text.failed != DASH for text in texts)
    if some_failed:
        table.add_column("failed", justify="right", overflow="fold")
    for text in texts:
        table.add_row(*map(Text, _cell_columns(text)), *([Text(text.failed)] if some_failed else []))
    return Group(table, Text(_cells_caption(results, some_failed)))


def verdicts_table(results: Results) -> RenderableType | None:
    """The verdict on each claim, and under each table the reasons; None where nothing was compared."""
    groups = verdict_groups(results)
    return Group(*map(_verdict_group, groups)) if groups else None


def warnings(results: Results) -> RenderableType | None:
    """What a reader must know before trusting the results; None where there is nothing."""
    texts = [Text(f"Warning: {clean(warning)}", style="yellow") for warning in results["study"]["warnings"]]
    return Group(*texts) if texts else None


def status_table(study: Study, record: StudyRecord) -> RenderableType:
    """Where a study stands, cell by cell."""
    return states_table(study, board_of(study, record).cells(record.finished))


def states_table(study: Study, states: Sequence[CellState]) -> Table:
    """Per cell the trials done of those planned, by phase, and how the others stand."""
    heading = "/".join(study.short_names[path] for path in (study.factor, *study.strata))
    table = _table(heading, "tune", "replicate", "running", "waiting", "failed", "best val acc")
    for state in states:
        done = [f"{state.phases[phase].done}/{state.phases[phase].total}" for phase in ("tune", "replicate")]
        others = [str(state.sum(name) or DASH) for name in ("running", "waiting", "failed")]
        best = percent(None if state.best is None else round(state.best, 3))
        table.add_row(*map(Text, (clean(state.label), *done, *others, best)))
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(Text(first), overflow="fold")
    for heading in others:
        table.add_column(heading, justify="right", overflow="fold")
    return table


def _cell_columns(text: CellText) -> tuple[str, ...]:
    return text.label, text.rates, text.n, text.reached, text.epochs, text.test_acc, text.gap


def _cells_caption(results: Results, some_failed: bool) -> str:
    against = results["study"].get("gap_end_against") or "test"
    sentences = [
        "Replicates only, trained at the learning rate that tuning chose (lr).",
        f"reached: how many got to the target, a validation accuracy of {target_text(results)} that the next "
        "evaluation confirms, with the 95 % interval of that share (Wilson).",
        "epochs: mean epochs to the target, where a run that never got there counts with the full "
        f"{results['study']['horizon']} epochs (restricted mean, RMST).",
        f"gap: train minus {against} accuracy at the end, in percentage points.",
    ]
    if some_failed:
        sentences.append("failed: share of runs that diverged or never got off the ground.")
    return " ".join(sentences)


def _verdict_group(group: VerdictGroup) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("claim", ratio=1, overflow="fold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("estimate (low to high)", overflow="fold", max_width=22)
    table.add_column("asked", justify="right", overflow="fold", max_width=13)
    for verdict in group.verdicts:
        table.add_row(
            Text(verdict.claim),
            Text(verdict.statement),
            Text(verdict.verdict, style=STYLES.get(verdict.verdict, "")),
            Text(verdict.estimate),
            Text(verdict.threshold),
        )
    whys = Table.grid(padding=(0, 2, 0, 0))
    for verdict in group.verdicts:
        whys.add_row(Text(verdict.claim), Text(verdict.why))
    title = Text(f"{group.title}; intervals at {group.level}", style="bold")
    return Group(title, table, Text(), Padding(whys, (0, 0, 1, 0)))
