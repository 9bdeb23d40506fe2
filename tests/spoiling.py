"""A finished study spoiled, and what the checks of it say."""

from collections.abc import Callable, Iterable
from pathlib import Path

from actsweep.events import (
    Event,
    TrialStarted,
)
from actsweep.records import Ledger, StudyFolder, read_ledger
from actsweep.settings import StudyConfig
from actsweep.studies.verifying import Verification

Compose = Callable[..., StudyConfig]


def failed(found: Verification) -> list[str]:
    """The checks that failed."""
    return [check.name for check in found.checks if check.findings]


def notes(found: Verification) -> str:
    return "\n".join(note for check in found.checks for note in check.notes)


def events_of(study: StudyFolder) -> list[Event]:
    return list(read_ledger(study.ledger).events)


def forge(study: StudyFolder, events: Iterable[Event]) -> None:
    """Another ledger, whole in itself."""
    events = list(events)
    study.ledger.unlink()
    with Ledger(study.ledger) as ledger:
        ledger(*events)


def a_trial(study: StudyFolder, phase: str = "replicate") -> str:
    return next(e.trial_id for e in events_of(study) if isinstance(e, TrialStarted) and e.phase == phase)


def spoil(path: Path, at: float = 0.5) -> None:
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= 1
    path.write_bytes(content)
