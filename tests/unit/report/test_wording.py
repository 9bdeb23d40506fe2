import pytest

from actsweep.report.wording import clean, duration, hundredths, number, percent, points


def test_control_characters_become_visible() -> None:
    assert clean("a\x1b[31mb\x07") == "a\\x1b[31mb\\x07"


def test_text_direction_cannot_be_turned_round() -> None:
    assert clean("abc\u202ecba") == "abc\\u202ecba"


def test_text_that_no_encoding_can_write_becomes_visible() -> None:
    assert clean("a\ud800b") == "a\\ud800b"


def test_several_lines_become_one() -> None:
    assert clean("  first\r\n\tsecond\u2028third ") == "first second third"


def test_letters_of_any_language_stay() -> None:
    assert clean("größe 大きさ") == "größe 大きさ"


def test_long_text_is_cut_where_asked() -> None:
    assert clean("x" * 100, longest=10) == "x" * 7 + "..."
    assert clean("x" * 10, longest=10) == "x" * 10
    assert clean("x" * 10_000) == "x" * 10_000


def test_what_does_not_exist_is_a_dash() -> None:
    assert [number(None), hundredths(None), percent(None), duration(None)] == ["-"] * 4


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.5, "50 %"), (0.9653, "96.5 %"), (1.0, "100 %"), (0.0, "0 %"), (-0.0001, "0 %")]
)
def test_percentages_have_no_more_decimals_than_say_it(fraction: float, text: str) -> None:
    assert percent(fraction) == text


def test_a_level_keeps_two_decimals() -> None:
    assert percent(0.99917, decimals=2) == "99.92 %"


def test_nothing_rounds_to_minus_zero() -> None:
    assert hundredths(-0.0004) == "0.0"


def test_one_point_is_singular() -> None:
    assert [points(0.01), points(0.013)] == ["1.0 percentage point", "1.3 percentage points"]


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (754, "12:34"), (3661, "1:01:01")])
def test_durations_are_read_like_a_clock(seconds: float, text: str) -> None:
    assert duration(seconds) == text
