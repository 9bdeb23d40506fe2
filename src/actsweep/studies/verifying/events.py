"""Whether a ledger is whole, and whether what it says can have happened in that order."""

import re
from collections.abc import Iterator, Sequence

from actsweep.errors import RecordsError
from actsweep.events import (
    Evaluation,
    Event,
    Place,
    StudyRecord,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialRecord,
    TrialStarted,
    TrialStopped,
    place_of,
)
from actsweep.plural import count
from actsweep.records import LedgerContent, StudyFolder, read_ledger
from actsweep.records.derived.stopping import best_accuracies
from actsweep.report.wording import clean
from actsweep.studies.verifying.findings import Check, Finding
from actsweep.study import Study, cell_label

NO_COPY = "nothing can make it anew: put back a copy, or run the study again under another name"
_PLACE = re.compile(r": (line \d+ \(byte (\d+)\)) ")


def read_events(folder: StudyFolder) -> tuple[LedgerContent, StudyRecord] | Finding:
    """A ledger and what its events lead to, or why it cannot be read: where it is damaged, and how to go on."""
    try:
        content = read_ledger(folder.ledger)
        return content, content.fold()
    except RecordsError as error:
        said = str(error).removeprefix(str(folder.ledger))
        found = _PLACE.match(said)
        if found is None:
            return Finding(folder.ledger.name, said, NO_COPY)
        mend = (
            f"put back a copy; or, to keep what is before it: truncate -s {found[2]} {folder.ledger}, "
            f"then actsweep resume {folder.path}"
        )
        return Finding(folder.ledger.name, said[found.end() :], mend, found[1])


def check_events(folder: StudyFolder, content: LedgerContent, record: StudyRecord) -> Check:
    """No attempt ends twice, epochs go up, and nothing happens to a trial before it begins or after it has a result."""
    name = folder.ledger.name
    findings = tuple(
        Finding(name, problem, NO_COPY, f"line {number}") for number, problem in _impossible(content.events)
    )
    torn = f"its last {content.torn_bytes} bytes are a line cut off in writing, which is ignored"
    said = f"{count(len(content.events), 'event')} of {count(len(record.trials), 'trial')}"
    return Check("ledger", said, findings, (torn,) * bool(content.torn_bytes))


def check_choices(folder: StudyFolder, study: Study, record: StudyRecord) -> Check:
    """What was chosen for each cell and block is the best of its tune trials."""
    tuned: dict[Place, list[TrialRecord]] = {}
    for trial in record.trials.values():
        if trial.started.phase == "tune" and trial.has_result and trial.rows:
            tuned.setdefault(place_of(trial.started), []).append(trial)
    classes = record.started.data["classes"] if record.started else 0
    findings = [
        Finding(folder.ledger.name, f"{cell_label(dict(place[0]))}, block {place[1]}: {problem}", NO_COPY, "chosen")
        for place in sorted(record.settled, key=str)
        if (problem := _wrong_choice(study, record, place, tuned.get(place, []), classes))
    ]
    return Check("choices", f"{count(len(record.settled), 'point')} chosen", tuple(findings))


def _wrong_choice(
    study: Study, record: StudyRecord, place: Place, tuned: Sequence[TrialRecord], classes: int
) -> str | None:
    chosen = record.chosen[place]
    values = best_accuracies(tuned, study.config.trainer.epochs, classes)
    of_chosen = [value for value, trial in zip(values, tuned, strict=True) if trial.started.nuisance == chosen]
    if not of_chosen:
        return f"the chosen {clean(dict(chosen))} was not tried"
    if max(of_chosen) < max(values):
        return f"the chosen {clean(dict(chosen))} came to {max(of_chosen):.4f}, another point to {max(values):.4f}"
    return None


def _impossible(events: Sequence[Event]) -> Iterator[tuple[int, str]]:
    """Line by line what cannot have happened after the lines before."""
    trials: dict[str, _Attempts] = {}
    for number, event in enumerate(events, start=1):
        problem = None
        if isinstance(event, StudyStarted) != (number == 1):
            problem = "the study begins a second time" if number > 1 else "does not begin the study"
        elif isinstance(event, TrialStarted | Evaluation | TrialFinished | TrialStopped | TrialFailed):
            problem = trials.setdefault(event.trial_id, _Attempts()).problem_of(event)
            problem = problem and f"trial {event.trial_id}, attempt {event.attempt}: {problem}"
        if problem:
            yield number, problem


class _Attempts:
    """The attempts at one trial so far."""

    def __init__(self) -> None:
        self._latest = 0
        self._epoch = -1
        self._over: set[int] = set()
        self._has_result = False

    def problem_of(self, event: TrialStarted | Evaluation | TrialFinished | TrialStopped | TrialFailed) -> str | None:
        """What is wrong with the next event of the trial."""
        if isinstance(event, TrialStarted):
            problem = "begins again, though the trial has a result" if self._has_result else None
            if event.attempt <= self._latest:
                problem = f"begins after attempt {self._latest}"
            self._latest, self._epoch = event.attempt, -1
            return problem
        if event.attempt in self._over:
            return f"{event.kind} after its end"
        if not isinstance(event, Evaluation):
            self._over.add(event.attempt)
            self._has_result |= event.attempt == self._latest and not isinstance(event, TrialFailed)
        elif event.attempt == self._latest:
            before, self._epoch = self._epoch, event.row["epoch"]
            return f"epoch {self._epoch} after epoch {before}" if self._epoch <= before else None
        return None
