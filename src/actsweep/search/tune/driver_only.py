"""For what lives in the driver's process only."""

from typing import Any, Self


class DriverOnly:
    """Tune pickles all that it is given, for a restore that is never made, since the ledger says what is done.

    What descends from this leaves nothing of itself in such a pickle, and is never copied.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return (DriverOnly, ())

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self
