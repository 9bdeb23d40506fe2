"""What a check of a study's files comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        file: the file, seen from the study's folder.
        problem: what is wrong with it.
        mend: what to do about it.
        place: where in the file: a line, a row, a key; empty where that says nothing.
    """

    file: str
    problem: str
    mend: str
    place: str = ""


@dataclass(frozen=True)
class Check:
    """One kind of files, and whether it agrees with the ledger.

    Attributes:
        name: what was checked.
        said: how much of it, or why not, in a few words.
        findings: what does not agree.
        notes: what a reader may want to know, though nothing is wrong.
    """

    name: str
    said: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """All checks of one study.

    Attributes:
        path: the study's folder.
        state: finished, interrupted, running, or damaged, where the ledger cannot be read.
        checks: the checks, the ledger's first.
    """

    path: Path
    state: str
    checks: tuple[Check, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Whatever does not agree."""
        return tuple(finding for check in self.checks for finding in check.findings)

    def as_json(self) -> Mapping[str, Any]:
        """The same as plain values."""
        return {
            "path": str(self.path),
            "state": self.state,
            "agrees": not self.findings,
            "checks": [
                {
                    "name": check.name,
                    "said": check.said,
                    "findings": [vars(finding) for finding in check.findings],
                    "notes": list(check.notes),
                }
                for check in self.checks
            ],
        }
