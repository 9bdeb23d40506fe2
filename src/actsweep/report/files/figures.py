"""The report's figures as pictures, drawn by Chrome or Chromium through kaleido."""

import asyncio
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from actsweep.analysis import TrialCurve
from actsweep.errors import RequestError
from actsweep.report.figures import Figure, View, figures
from actsweep.report.rows import Results

FIGURE_FORMATS = ("png", "svg")
WIDTH = 1000  # pixels
_LONGEST_PART = 60  # characters of a file's name
_SCALE = {"png": 2, "svg": 1}
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_HINT = "--figures needs the packages of an extra: pip install '/path/to/clone[figures]'"
_NO_BROWSER = (
    "--figures needs Chrome or Chromium to draw with: install one (Debian: apt-get install chromium), or name its "
    "program in the environment variable BROWSER_PATH"
)


def write_figures(folder: Path, results: Results, trials: Iterable[TrialCurve], form: str) -> list[Path]:
    """Write every view of every figure into a folder, which is made; black on white, whatever the reader's system.

    Args:
        folder: where the files go; those of the same names are replaced.
        results: the results dictionary.
        trials: the trials that it is of, with their curves.
        form: one of `FIGURE_FORMATS`; a png has two pixels for each of the page's.

    Returns:
        the files.

    Raises:
        RequestError: kaleido or a browser is missing, or the browser does not draw.
    """
    if find_spec("kaleido") is None:
        raise RequestError(_HINT)
    program = _browser()
    folder.mkdir(parents=True, exist_ok=True)
    asked = list(_asked(folder, figures(results, trials), form))
    try:
        asyncio.run(_draw(program, asked, form))
    except Exception as error:  # whatever becomes of a foreign program
        said = " ".join(map(str, error.args)).strip().partition("\n")[0] or type(error).__name__
        raise RequestError(f"--figures {form}: {program} does not draw: {said}") from error
    return [path for path, *_ in asked]


def _browser() -> str:
    named = os.environ.get("BROWSER_PATH")
    if named and shutil.which(named) is None:
        raise RequestError(f"--figures: BROWSER_PATH={named} is no program; name that of Chrome or Chromium")
    found = named or next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if found is None:
        raise RequestError(_NO_BROWSER)
    return found


def _asked(folder: Path, drawn: Sequence[Figure], form: str) -> Iterator[tuple[Path, dict[str, Any], int]]:
    taken: set[str] = set()
    for figure in drawn:
        for view in figure.views:
            name = _name(figure, view)
            name = next(one for number in count(1) if (one := name if number == 1 else f"{name}-{number}") not in taken)
            taken.add(name)
            yield folder / f"{name}.{form}", _specification(figure, view), figure.height


def _name(figure: Figure, view: View) -> str:
    """A file's name; a long stratum is cut, so that the form is still told."""
    parts = (re.sub(r"[^\w.-]+", "-", said).strip("-").lower() for said in (figure.title, view.where, view.form))
    return "-".join(part[:_LONGEST_PART] for part in parts if part)


def _specification(figure: Figure, view: View) -> dict[str, Any]:
    title = {"text": ", ".join(filter(None, (figure.title, view.where, view.form))), "x": 0, "xref": "paper"}
    look = {"paper_bgcolor": "white", "plot_bgcolor": "white", "title": title}
    axes = {
        name: {"gridcolor": "#d9dee3", "linecolor": "#5b6670", **view.layout.get(name, {})}
        for name in ("xaxis", "yaxis")
    }
    margin = {"margin": {"l": 10, "r": 10, "t": 90, "b": 10}}
    return {"data": view.data, "layout": {**view.layout, **look, **axes, **margin}}


async def _draw(program: str, asked: Sequence[tuple[Path, dict[str, Any], int]], form: str) -> None:
    from kaleido import Kaleido

    async with Kaleido(mathjax=False, path=program) as browser:
        for path, specification, height in asked:
            size = {"format": form, "width": WIDTH, "height": height + 50, "scale": _SCALE[form]}
            await browser.write_fig(specification, path=path, opts=size)
