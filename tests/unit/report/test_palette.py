import pytest

from actsweep.report.palette import COLOURS, MARKERS, styles


def test_each_arm_has_a_look_of_its_own() -> None:
    drawn = styles(f"arm {index}" for index in range(64))
    assert len({(style.colour, style.marker) for style in drawn.values()}) == 64


def test_the_first_arms_differ_in_colour_and_in_marker() -> None:
    drawn = list(styles("abcdefgh").values())
    assert [style.colour for style in drawn] == list(COLOURS)
    assert [style.marker for style in drawn] == list(MARKERS)


def test_an_arm_named_twice_counts_once() -> None:
    assert list(styles(["relu", "tanh", "relu"])) == ["relu", "tanh"]


def test_a_colour_can_be_faint() -> None:
    assert styles(["relu"])["relu"].faint(0.15) == "rgba(0,114,178,0.15)"


@pytest.mark.parametrize("colour", COLOURS[:7])
@pytest.mark.parametrize(("paper", "least"), [("#ffffff", 2.2), ("#14181c", 3.0)])
def test_colours_stand_out_on_light_and_on_dark_pages(colour: str, paper: str, least: float) -> None:
    light, dark = sorted((_luminance(colour), _luminance(paper)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) > least


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
