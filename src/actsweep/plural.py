"""Numbers with their nouns."""


def count(number_of: float, noun: str, nouns: str = "") -> str:
    """A number with its noun, in the plural where there is not just one.

    Args:
        number_of: how many, or how much.
        noun: in the singular.
        nouns: in the plural, where an s is not all of it.
    """
    text = f"{number_of:g}" if isinstance(number_of, float) else str(number_of)
    return f"{text} {plural(noun, text, nouns)}"


def plural(noun: str, number_of: str, nouns: str = "") -> str:
    """The noun of a number that is written already, in the plural unless that is 1."""
    return noun if number_of == "1" else nouns or f"{noun}s"
