"""The columns of a curve table, and the names they go by in a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from actsweep.errors import RequestError, TableError
from actsweep.report.wording import clean
from actsweep.settings import known_are

DEFAULT_FACTOR, DEFAULT_STRATUM = "activation", ("depth",)
PHASES = ("tune", "replicate", "cross")
STATUSES = ("completed", "stopped", "diverged", "failed")

LOSSES = ("train_loss", "val_loss", "test_loss")
ACCURACIES = ("val_acc", "train_acc", "test_acc", "best_test_acc")
SHARES = ("saturated", "dead")
CUMULATIVE = ("step", "seconds")
ONCE = ("test_acc", "test_loss", "best_test_acc")  # on a trial's last row
NUMBERS = ("epoch", *ACCURACIES, *LOSSES, *SHARES, *CUMULATIVE, "grad_slope", "step_ms", "wall", "rung")

TEXT, WHOLE, NUMBER, ANY = "text", "whole", "number", "any"
LABELS: Mapping[str, str] = {
    "trial_id": TEXT,
    "phase": TEXT,
    "status": TEXT,
    "seed": WHOLE,
    "block": WHOLE,
    "depth": WHOLE,
    "lr": NUMBER,
}
KNOWN = (*LABELS, *NUMBERS, "seconds_from")


def shown(text: object) -> str:
    """Foreign text as a message shows it: one short line without control characters."""
    return clean(text, 80)


@dataclass(frozen=True)
class Schema:
    """Which columns a study reads, and which column of the file each of them is.

    Attributes:
        factor: the column whose values are the arms.
        stratum: the columns whose values form the strata; may be empty.
        mapping: the file's name of a column by our name, where they differ.

    Raises:
        RequestError: a column cannot serve as factor or stratum, or the mapping names a column that is never read.
    """

    factor: str = DEFAULT_FACTOR
    stratum: tuple[str, ...] = DEFAULT_STRATUM
    mapping: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for option, name in (("--factor", self.factor), *(("--stratum", name) for name in self.stratum)):
            if not name or name in KNOWN and name != "depth":
                raise RequestError(
                    f"{option} {shown(name)!r}: has its own meaning in a table of curves; choose a column that says "
                    "what was compared, such as activation, depth or optimizer"
                )
        columns = (self.factor, *self.stratum)
        if len(set(columns)) < len(columns):
            raise RequestError(
                f"--factor {shown(self.factor)} --stratum {shown(','.join(self.stratum))}: "
                "name each column once (a stratum of its own is needed where --factor is depth)"
            )
        for name in self.mapping:
            if name not in (*columns, *KNOWN):
                raise RequestError(
                    f"--map {shown(name)}=...: no such column; {known_are([*columns, *KNOWN], shown(name))}"
                )

    @property
    def labels(self) -> dict[str, str]:
        """The columns of labels, and how the values of each are read."""
        return {**dict.fromkeys(self.stratum, ANY), self.factor: TEXT, **LABELS}

    def find(self, columns: Collection[str], name: str) -> dict[str, str]:
        """The file's column for each of ours that it has.

        Args:
            columns: the file's columns.
            name: the file, for messages.

        Raises:
            TableError: a required column is missing.
            RequestError: the mapping, or a stratum other than depth, names a column that the file does not have.
        """
        for ours, theirs in self.mapping.items():
            if theirs not in columns:
                raise RequestError(
                    f"--map {ours}={shown(theirs)}: {name} has no such column; it has {_listed(columns)}"
                )
        found = {ours: self.mapping.get(ours, ours) for ours in (*self.labels, *NUMBERS)}
        found = {ours: theirs for ours, theirs in found.items() if theirs in columns}
        for required in ("trial_id", self.factor, "seed", "epoch", "val_acc"):
            if required not in found:
                raise TableError(
                    f"{name}: the column {shown(required)} is missing; the file has {_listed(columns)}. "
                    f"Where it goes by another name, say --map {shown(required)}=NAME"
                )
        for stratum in self.stratum:
            if stratum not in found and stratum not in DEFAULT_STRATUM:
                raise RequestError(f"--stratum {shown(stratum)}: {name} has no such column; it has {_listed(columns)}")
        return found


def _listed(columns: Collection[str]) -> str:
    shown = [shown(column) or "''" for column in columns][:20]
    return ", ".join(shown) + (f" and {len(columns) - len(shown)} more" if len(columns) > len(shown) else "")
