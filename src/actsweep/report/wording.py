"""Numbers and foreign text as people read them; a value that does not exist is a dash."""

DASH = "-"


def clean(text: object, longest: int | None = None) -> str:
    """Foreign text on one line, of at most `longest` characters, every control character as a visible escape."""
    line = escaped(" ".join(str(text).split()))
    return line if longest is None or len(line) <= longest else f"{line[: longest - 3]}..."


def escaped(line: str) -> str:
    """A line of foreign text as it is, tabs as spaces, every other control character as a visible escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line.replace("\t", "    "))


def number(value: float | None) -> str:
    """A plain number with three significant digits, such as a learning rate or a ratio."""
    return DASH if value is None else f"{value:.3g}"


def plain_number(value: float) -> str:
    """A whole number as it is, any other with three significant digits."""
    return str(value) if isinstance(value, int) else number(value)


def hundredths(fraction: float | None) -> str:
    """A fraction times 100 with one decimal, without a unit: per cent or percentage points."""
    return DASH if fraction is None else f"{_rounded(fraction, 1):.1f}"


def percent(fraction: float | None, decimals: int = 1) -> str:
    """A fraction in per cent, with no more decimals than say it."""
    if fraction is None:
        return DASH
    text = f"{_rounded(fraction, decimals):.{decimals}f}"
    return f"{text.rstrip('0').rstrip('.')} %"


def points(fraction: float) -> str:
    """A difference of fractions in percentage points."""
    text = hundredths(fraction)
    return f"{text} percentage point" + ("" if text == "1.0" else "s")


def duration(seconds: float | None) -> str:
    """Seconds as minutes:seconds, or hours:minutes:seconds from an hour on."""
    if seconds is None:
        return DASH
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(number_of_bytes: float) -> str:
    """Bytes in the largest unit of 1,000 that leaves a number from 1 on."""
    units = ("bytes", "kB", "MB", "GB", "TB")
    power = next((power for power in range(len(units) - 1, 0, -1) if number_of_bytes >= 1000**power), 0)
    return f"{number_of_bytes / 1000**power:.3g} {units[power]}"


def _rounded(fraction: float, decimals: int) -> float:
    return round(100 * fraction, decimals) + 0.0  # no minus before a zero
