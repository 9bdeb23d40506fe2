"""The tables of a study's results as CSV or Markdown."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from actsweep.records import write_whole
from actsweep.report.rows import Results
from actsweep.report.wording import DASH, clean

Rows = Sequence[Sequence[Any]]
_NAMES = ("cells", "comparisons", "verdicts", "targets", "trials")
_MARKUP = "\\|`[]*_~$"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_tables(folder: Path, results: Results, form: str) -> list[Path]:
    """Write the tables of a study's results into a folder, which is made, with the columns of results.json.

    Args:
        folder: where the files go; those of the same names are replaced.
        results: the results dictionary.
        form: one of `TABLE_FORMATS`.

    Returns:
        the files; a table without rows has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in _NAMES:
        if results[name]:
            path = folder / f"{name}.{form}"
            columns = list(dict.fromkeys(column for row in results[name] for column in row))
            rows = [[row.get(column) for column in columns] for row in results[name]]
            with write_whole(path) as temporary:
                temporary.write_text(_WRITERS[form](columns, rows), encoding="utf-8")
            written.append(path)
    return written


def _as_csv(columns: Sequence[str], rows: Rows) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([map(_cell, columns), *(map(_cell, row) for row in rows)])
    return text.getvalue()


def _cell(value: Any) -> Any:
    """A value for a spreadsheet, which takes no text for a formula."""
    said = _plain(value)
    return f"'{said}" if isinstance(value, str) and value.startswith(_FORMULA) else said


def _as_markdown(columns: Sequence[str], rows: Rows) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(f"| {' | '.join(map(_entry, line))} |\n" for line in lines)


def _entry(value: Any) -> str:
    """A value that Markdown shows as it is."""
    if value is None:
        return DASH
    said = f"{value:.6g}" if isinstance(value, float) else clean(_plain(value))
    said = said.replace("&", "&amp;").replace("<", "&lt;")
    for sign in _MARKUP:
        said = said.replace(sign, f"\\{sign}")
    return said


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | Mapping) else value


_WRITERS: Mapping[str, Callable[[Sequence[str], Rows], str]] = {"csv": _as_csv, "md": _as_markdown}
TABLE_FORMATS = tuple(_WRITERS)
