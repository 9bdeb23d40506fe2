"""The columns of a curve table, and the names they go by in a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from actsweep.curves import GRAD_NORMS, LISTED
from actsweep.errors import RequestError, TableError
from actsweep.report.wording import clean
from actsweep.settings import known_are

DEFAULT_FACTOR, DEFAULT_STRATUM = "activation", ("depth",)
STATUSES = ("completed", "stopped", "diverged", "failed")

LOSSES = ("train_loss", "val_loss", "test_loss")
ACCURACIES = ("val_acc", "train_acc", "test_acc", "best_test_acc")
SHARES = ("saturated", "dead")
CUMULATIVE = ("step", "seconds")
ONCE = ("test_acc", "test_loss", "best_test_acc")  # on a trial's last row
NUMBERS = ("epoch", *ACCURACIES, *LOSSES, *SHARES, *CUMULATIVE, "grad_slope", "step_ms", "wall", "rung", *GRAD_NORMS)

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
SHIFT = "+1"  # after the name of a column of epochs that are counted from 0: its 0 is the end of our epoch 1
KNOWN = (*LABELS, *NUMBERS, "seconds_from")

# What a factor or stratum would collide with: our columns, and the keys of the rows of results.
_RESERVED = {
    *{*KNOWN, *LISTED} - {"depth"},
    *("a", "b", "endpoint", "estimate", "low", "high", "level", "bound", "largest", "parts", "equivalent"),
    *("claim", "claim_title", "claim_asks", "statement", "verdict", "why", "estimate_kind", "estimate_of", "threshold"),
    "more_units",
    *("n", "n_a", "n_b", "units", "units_a", "units_b"),
    *("depends_on_lr", "healthy", "failure_share", "p_value", "p_permutation", "hi", "lo", "loss_match", "rule"),
    *("lrs", "lr_a", "lr_b", "a_at_lr_a", "a_at_lr_b", "b_at_lr_a", "b_at_lr_b", "best_of_k", "best_val_acc_median"),
}
_RESERVED_ENDS = ("_mean", "_sd", "_hi", "_lo", "_low", "_high")


def is_reserved(name: str) -> bool:
    """Whether a column of that name can be neither factor nor stratum, as results have another meaning for it."""
    return not name or "," in name or name in _RESERVED or name.endswith(_RESERVED_ENDS)


def shown(text: object) -> str:
    """Foreign text as a message shows it: one short line without control characters."""
    return clean(text, 80)


def listed(names: Iterable[str]) -> str:
    """Foreign names as a message shows them, the first 20 of many."""
    texts = [shown(name) or "''" for name in names]
    return ", ".join(texts[:20]) + (f" and {len(texts) - 20} more" if len(texts) > 20 else "")


@dataclass(frozen=True)
class Schema:
    """Which columns a study reads, and which column of the file each of them is.

    Attributes:
        factor: the column whose values are the arms.
        stratum: the columns whose values form the strata; may be empty.
        mapping: the file's name of a column by our name, where they differ; that of epoch may end in +1.

    Raises:
        RequestError: a column cannot serve as factor or stratum, or the mapping names a column that is never read.
    """

    factor: str = DEFAULT_FACTOR
    stratum: tuple[str, ...] = DEFAULT_STRATUM
    mapping: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for option, name in (("--factor", self.factor), *(("--stratum", name) for name in self.stratum)):
            if is_reserved(name):
                raise RequestError(
                    f"{option} {shown(name)!r}: cannot be used, as tables of curves and results have a meaning for it; "
                    "choose a column such as activation, depth or optimizer, or give it another name with --map"
                )
        columns = (self.factor, *self.stratum)
        if len(set(columns)) < len(columns):
            raise RequestError(
                f"--factor {shown(self.factor)} --stratum {shown(','.join(self.stratum))}: "
                "name each column once (a stratum of its own is needed where --factor is depth)"
            )
        known = dict.fromkeys((*columns, *KNOWN))
        for name in self.mapping:
            if name not in known:
                named = [column for column in known if column not in GRAD_NORMS[1:]]
                raise RequestError(f"--map {shown(name)}=...: no such column; {known_are(named, shown(name))}")

    @property
    def labels(self) -> dict[str, str]:
        """The columns of labels, trial_id first, and how the values of each are read."""
        return {"trial_id": TEXT, **dict.fromkeys(self.stratum, ANY), self.factor: TEXT, **LABELS}

    def theirs(self, ours: str, columns: Collection[str]) -> str:
        """The name that one of our columns has in a file with these columns, whether or not the file has it."""
        name = self.mapping.get(ours, ours)
        is_shifted = ours == "epoch" and name not in columns and name.endswith(SHIFT)
        return name.removesuffix(SHIFT) if is_shifted else name

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
            if self.theirs(ours, columns) not in columns:
                raise RequestError(f"--map {ours}={shown(theirs)}: {name} has no such column; it has {listed(columns)}")
        found = {ours: self.theirs(ours, columns) for ours in (*self.labels, *NUMBERS)}
        found = {ours: theirs for ours, theirs in found.items() if theirs in columns}
        for required in ("trial_id", self.factor, "seed", "epoch", "val_acc"):
            if required not in found:
                advice = f"Where it goes by another name, say --map {shown(required)}=NAME"
                if len(columns) == 1:
                    advice = "Columns must be separated by commas"
                raise TableError(
                    f"{name}: the column {shown(required)} is missing; the file has {listed(columns)}. {advice}"
                )
        for stratum in self.stratum:
            if stratum not in found and stratum not in DEFAULT_STRATUM:
                raise RequestError(f"--stratum {shown(stratum)}: {name} has no such column; it has {listed(columns)}")
        return found
