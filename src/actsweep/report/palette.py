"""One colour and one marker per arm, the same in every figure, table and card.

Colours are those of Okabe and Ito (Color Universal Design, 2008), with grey for their black, which a dark page would
swallow.
"""

from collections.abc import Iterable
from dataclasses import dataclass

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#F0E442")
# Each marker's name in plotly, and its outline in a box of 16 by 16.
MARKERS = {
    "circle": "M8 2a6 6 0 1 0 0 12a6 6 0 1 0 0-12z",
    "square": "M3 3h10v10h-10z",
    "diamond": "M8 1l7 7l-7 7l-7-7z",
    "triangle-up": "M8 2l7 12h-14z",
    "cross": "M6 2h4v4h4v4h-4v4h-4v-4h-4v-4h4z",
    "triangle-down": "M8 14l7-12h-14z",
    "hourglass": "M2 2h12l-12 12h12z",
    "pentagon": "M8 1l7 5l-3 8h-8l-3-8z",
}
DASHES = ("solid", "dash", "dot", "dashdot")  # of lines, where colours repeat
_NAMES = tuple(MARKERS)


@dataclass(frozen=True)
class Style:
    """How an arm is drawn."""

    colour: str
    marker: str
    dash: str = "solid"

    @property
    def outline(self) -> str:
        """The marker as an SVG path in a box of 16 by 16."""
        return MARKERS[self.marker]

    def faint(self, opacity: float) -> str:
        """The colour with an opacity in [0, 1], as CSS writes it."""
        red, green, blue = (int(self.colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{opacity:g})"


def styles(arms: Iterable[str]) -> dict[str, Style]:
    """The style of each arm, by its place in the list; pairs of colour and marker repeat after 64 arms."""
    return {arm: _style(index) for index, arm in enumerate(dict.fromkeys(arms))}


def _style(index: int) -> Style:
    size = len(COLOURS)
    return Style(COLOURS[index % size], _NAMES[(index + index // size) % size], DASHES[index // size % len(DASHES)])
