"""Several studies side by side: the settings and the verdicts in which they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from actsweep.report.rows import Results, phase_text, stratum_of, stratum_text, verdict_text
from actsweep.report.wording import DASH, clean
from actsweep.settings import StudyConfig
from actsweep.study import all_settings

Values = tuple[str, ...]  # one per study
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Comparison:
    """What is to be seen of several studies next to one another.

    Attributes:
        names: the studies' names.
        settings: by dotted path the value of each study, for every setting in which they differ.
        verdicts: by claim, statement and stratum, the verdict of each study with its estimate; "-" where it has none.
        differing: the keys of `verdicts` in which the studies do not agree.
    """

    names: Values
    settings: Mapping[str, Values]
    verdicts: Mapping[Key, Values]
    differing: frozenset[Key]


def compare_studies(names: Sequence[str], configs: Sequence[StudyConfig], results: Sequence[Results]) -> Comparison:
    """Put studies side by side, each given by its name, configuration and results, in the same order."""
    settings = _settings([all_settings(config) for config in configs])
    found = [_verdicts(result) for result in results]
    keys = dict.fromkeys(key for verdicts in found for key in verdicts)
    shown = {key: tuple(" ".join(verdicts[key]) if key in verdicts else DASH for verdicts in found) for key in keys}
    differing = frozenset(key for key in keys if len({verdicts.get(key, (DASH,))[0] for verdicts in found}) > 1)
    return Comparison(tuple(map(clean, names)), settings, shown, differing)


def comparison_tables(comparison: Comparison) -> RenderableType:
    """The differing settings, then all verdicts, those that differ marked."""
    parts: list[RenderableType] = []
    if comparison.settings:
        table = Table("setting", *comparison.names, box=None, padding=(0, 2, 0, 0), title="Settings that differ")
        for path, values in comparison.settings.items():
            table.add_row(*map(Text, (path, *values)))
        parts += [table, Text()]
    else:
        parts += [Text("The studies have the same settings."), Text()]
    table = Table("", "claim", *comparison.names, box=None, padding=(0, 2, 0, 0), title="Verdicts (* = they differ)")
    for key, values in comparison.verdicts.items():
        claim, statement, place = key
        mark = f"{claim}{' *' if key in comparison.differing else ''}"
        table.add_row(*map(Text, (mark, f"{statement}, {place}" if place else statement, *values)))
    return Group(*parts, table)


def _settings(flat: Sequence[Mapping[str, Any]]) -> dict[str, Values]:
    paths = dict.fromkeys(path for settings in flat for path in settings)
    values = {path: tuple(clean(settings.get(path, DASH)) for settings in flat) for path in paths}
    return {path: row for path, row in values.items() if len(set(row)) > 1}


def _verdicts(results: Results) -> dict[Key, tuple[str, str]]:
    found = {}
    for row in results["verdicts"]:
        shown = verdict_text(row)
        place = ", ".join(filter(None, (stratum_text(results, stratum_of(results, row)), phase_text(row))))
        found[shown.claim, shown.statement, place] = (shown.verdict, f"{shown.estimate} {shown.interval}".strip())
    return found
