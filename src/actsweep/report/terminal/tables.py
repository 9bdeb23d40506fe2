"""Tables for the terminal, readable at 80 columns and without colour."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from actsweep.events import StudyRecord
from actsweep.report.rows import CellText, Results, VerdictGroup, cell_heading, cell_terms, cell_texts, verdict_groups
from actsweep.report.summary import CellState, board_of, cells_as_texts
from actsweep.report.wording import DASH, clean
from actsweep.study import Study

_LOOK: Mapping[str, Any] = {"box": box.SIMPLE_HEAD, "show_edge": False, "pad_edge": False, "padding": (0, 1, 0, 0)}
STYLES = {"supported": "green", "refuted": "red", "undecided": "yellow", "not assessable": "dim"}


def cells_table(results: Results) -> RenderableType:
    """What each cell's replicates came to, best test accuracy first, with a caption that says how to read it."""
    texts = cell_texts(results)
    table = _table(cell_heading(results), "lr", "n", "reached\n(low-high, %)", "epochs", "test acc\n% (sd)", "gap\npp")
    for column in table.columns[2:]:
        column.no_wrap = True
    some_failed = any(text.failed != DASH for text in texts)
    if some_failed:
        table.add_column("failed", justify="right", overflow="fold")
    for text in texts:
        table.add_row(*map(Text, _cell_columns(text)), *([Text(text.failed)] if some_failed else []))
    return Group(table, Text(), _terms(cell_terms(results)), Text())


def verdicts_table(results: Results) -> RenderableType | None:
    """The verdict on each claim, and under each table the reasons; None where nothing was compared."""
    groups = verdict_groups(results)
    return Group(*map(_verdict_group, groups)) if groups else None


def warnings(results: Results) -> RenderableType | None:
    """What a reader must know before trusting the results; None where there is nothing."""
    texts = [Text(f"Warning: {clean(warning)}", style="yellow") for warning in results["study"]["warnings"]]
    return Group(*texts) if texts else None


def stopping_notes(results: Results) -> RenderableType | None:
    """What stopping tune trials early saved and cost, a sentence a cell; None where nothing could be stopped."""
    texts = [Text(clean(costs["sentence"])) for costs in results["study"].get("stopping", [])]
    return Group(Text("Early stopping of tune trials", style="bold"), *texts, Text()) if texts else None


def status_table(study: Study, record: StudyRecord, running: str = "running") -> RenderableType:
    """Where a study stands, cell by cell; `running` says what trials that have begun and not ended are now."""
    return states_table(study, board_of(study, record).cells(), running)


def states_table(study: Study, states: Sequence[CellState], running: str = "running") -> Table:
    """Per cell the trials done of those planned, by phase, and how the others stand."""
    heading, *rows = cells_as_texts(study, states, running)
    table = _table(*heading)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def plain_table(*headings: str) -> Table:
    """An empty table of texts, in the look of the others."""
    table = Table(**_LOOK)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(**_LOOK)
    table.add_column(Text(first.replace("/", "/\n")), overflow="fold")
    for heading in others:
        table.add_column(heading, justify="right", overflow="fold")
    return table


def _cell_columns(text: CellText) -> tuple[str, ...]:
    return text.label, text.rates, text.n, text.reached, text.epochs, text.test_acc, text.gap


def _verdict_group(group: VerdictGroup) -> RenderableType:
    table = Table(**_LOOK)
    table.add_column("", no_wrap=True)
    table.add_column("claim", ratio=1, overflow="fold")
    table.add_column("verdict", no_wrap=True)
    table.add_column("estimate\n(low to high)", overflow="fold", max_width=22)
    table.add_column("asked", justify="right", overflow="fold", max_width=13)
    for verdict in group.verdicts:
        table.add_row(
            Text(verdict.claim),
            Text(verdict.statement),
            Text(verdict.verdict, style=STYLES.get(verdict.verdict, "")),
            Text(f"{verdict.estimate}\n{verdict.interval}".rstrip()),
            Text(verdict.threshold),
        )
    whys = _terms([(verdict.claim, verdict.why) for verdict in group.verdicts])
    title = Text(f"{group.title}; intervals at {group.level}", style="bold")
    return Group(title, table, Text(), Padding(whys, (0, 0, 1, 0)))


def _terms(pairs: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for term, said in pairs:
        table.add_row(Text(term), Text(said))
    return table
