"""What a figure is, and the conventions that all figures share; plain plotly specifications, without plotly."""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from actsweep.plural import count
from actsweep.report.palette import Style
from actsweep.report.wording import clean

Trace = dict[str, Any]

PLOT_HEIGHT = 420  # pixels
ROW_HEIGHT, MARGINS = 48, 110  # pixels, of figures that have a row a cell
MOST_LINES = 40  # thin lines of one cell
MOST_POINTS = 200  # of one thin line, or markers of one cell
_LONGEST_NAME = 60  # characters
_DIGITS = 5  # significant ones: finer than any screen


@dataclass(frozen=True)
class View:
    """One way to look at a figure.

    Attributes:
        where: the stratum shown, such as `depth 3`; empty where there is one alone.
        form: which of the figure's forms it is, such as `high target, epochs`; empty where there is one alone.
        caption: what is shown, and of how many runs.
        data: plotly's traces.
        layout: plotly's layout.
    """

    where: str
    form: str
    caption: str
    data: list[Trace]
    layout: dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """One figure of the page: a title, its views, and why there are none where nothing can be drawn.

    Attributes:
        title: the heading.
        views: what can be shown, the first at first; every stratum has the same forms.
        missing: why there is nothing, or not all, to be seen; else empty.
        height: pixels.
    """

    title: str
    views: tuple[View, ...]
    missing: str = ""
    height: int = PLOT_HEIGHT

    @property
    def main(self) -> list[View]:
        """The first form of each stratum."""
        return [view for view in self.views if view.form == self.views[0].form]


def layout(x: str, y: str, **more: Any) -> dict[str, Any]:
    """A layout with titled axes (each with its unit) and a legend above; `xaxis` and `yaxis` are added to its own."""
    axes = {
        name: {"title": {"text": title}, "zeroline": False, "automargin": True, **more.pop(name, {})}
        for name, title in (("xaxis", x), ("yaxis", y))
    }
    return {
        **axes,
        "margin": {"l": 10, "r": 10, "t": 40, "b": 10},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "hovermode": "closest",
        **more,
    }


def named(name: str, **more: Any) -> Trace:
    """What the traces of one arm or cell share; their legend entries act as one."""
    return {"type": "scatter", "name": shown(name), "legendgroup": shown(name), **more}


def line_and_marker(style: Style) -> Trace:
    """How the middle of an arm is drawn."""
    marker = {"symbol": style.marker, "size": 8, "color": style.colour}
    return {"mode": "lines+markers", "line": stroke(style), "marker": marker}


def stroke(style: Style) -> dict[str, Any]:
    """How a line of an arm is drawn."""
    return {"width": 2.5, "color": style.colour, "dash": style.dash}


def band(name: str, style: Style, x: ArrayLike, low: ArrayLike, high: ArrayLike) -> Trace:
    """The area between two lines over the same x, shape (T,) each."""
    return named(
        name,
        mode="lines",
        showlegend=False,
        hoverinfo="skip",
        x=plain(np.concatenate([np.asarray(x), np.asarray(x)[::-1]])),
        y=plain(np.concatenate([np.asarray(high), np.asarray(low)[::-1]])),
        fill="toself",
        fillcolor=style.faint(0.15),
        line={"width": 0},
    )


def thin_lines(name: str, style: Style, lines: Iterable[tuple[ArrayLike, ArrayLike]]) -> Trace:
    """Single runs as one trace, each (x, y) of equal length, with a break after each."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for x, y in lines:
        keep = spread(len(np.asarray(x)), MOST_POINTS)
        xs += [*plain(np.asarray(x)[keep]), None]
        ys += [*plain(np.asarray(y)[keep]), None]
    line = {"width": 0.8, "color": style.faint(0.35), "dash": style.dash}
    return named(name, mode="lines", showlegend=False, hoverinfo="skip", x=xs, y=ys, line=line)


def spread(number: int, most: int) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Indices of at most `most` of `number` things, evenly spaced, both ends among them."""
    if number <= most:
        return np.arange(number)
    return np.unique(np.linspace(0, number - 1, most).round().astype(np.intp))


def runs_text(shown_runs: Iterable[tuple[str, int]], noun: str = "replicate") -> str:
    """How many runs a figure shows, such as `20 replicates: 10 relu, 10 sigmoid`."""
    parts = list(shown_runs)
    total = sum(number for _, number in parts)
    return f"{count(total, noun)}: {', '.join(f'{number} {clean(name, _LONGEST_NAME)}' for name, number in parts)}"


def thinned_text(numbers: Sequence[int], most: int, what: str) -> str:
    """A sentence that says what was left out of a figure that would be too full; else empty."""
    if max(numbers, default=0) <= most:
        return ""
    return f" Of more than {most} runs of a cell {what} of {most} are drawn, evenly spread from the best to the worst."


def shown(text: str) -> str:
    """Foreign text as plotly shows it as it is, and not as the markup that it understands; what is very long is cut."""
    return html.escape(clean(text, _LONGEST_NAME), quote=False).replace("$", "&#36;")  # dollars would ask for MathJax


def plain(values: ArrayLike) -> list[float | None]:
    """Numbers with as many digits as can be seen, None for those that are not finite."""
    numbers = np.asarray(values, dtype=np.float64).ravel()
    finite = np.isfinite(numbers)
    size = np.ones_like(numbers)
    size[finite] = np.where(numbers[finite] == 0, 1.0, np.abs(numbers[finite]))
    places = np.clip(_DIGITS - 1 - np.floor(np.log10(size)), -300, 300)
    with np.errstate(over="ignore"):
        scale = 10.0**places
        rounded = np.where(
            finite & np.isfinite(scale), np.round(np.where(finite, numbers, 0.0) * scale) / scale, numbers
        )
    return [value if ok else None for value, ok in zip(rounded.tolist(), finite.tolist(), strict=True)]
