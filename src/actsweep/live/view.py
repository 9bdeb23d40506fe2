"""What is known of a study as texts, which no later event changes."""

import math
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from actsweep.events import TrialRecord
from actsweep.live.follow import FollowedStudy
from actsweep.report.state import StudyState
from actsweep.report.summary import CellState, best_accuracy, cells_as_texts
from actsweep.report.wording import DASH, clean, duration, number, percent
from actsweep.studies import StudyEntry
from actsweep.study.space import Value, text

MOST_TRIALS = 50
_LONGEST_MESSAGE = 200  # characters


@dataclass(frozen=True)
class Table:
    """A table of texts; the first column of each row names it."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class StudyView:
    """One study at one moment, as texts.

    Attributes:
        status: how far it is, in a sentence.
        notes: what else the reader must know.
        began: when it did, and when something last happened; dashes before the first event.
        latest: see `began`.
        elapsed: between the two.
        running_since: seconds since the epoch, of a study that runs; else None.
        left: how long it still takes; empty where that cannot be told.
        cells: where each cell stands; None while the ledger is being read.
        trials: those that run, or were heard of last.
    """

    status: str
    notes: tuple[str, ...] = ()
    began: str = DASH
    latest: str = DASH
    elapsed: str = DASH
    running_since: float | None = None
    left: str = ""
    cells: Table | None = None
    trials: Table | None = None


@dataclass(frozen=True)
class EntryView:
    """One study in the list, as texts; `damage` is empty where all is well."""

    name: str
    state: str
    done: str
    failed: str
    planned: str
    time: str
    verdicts: str
    damage: str


def entry_view(entry: StudyEntry) -> EntryView:
    """A study's line in the list."""
    verdicts = ", ".join(f"{times} {verdict}" for verdict, times in entry.verdicts)
    is_known = entry.state in ("running", "finished", "interrupted")
    return EntryView(
        name=clean(entry.name),
        state=entry.state,
        done=str(entry.done) if is_known else DASH,
        failed=str(entry.failed) if is_known else DASH,
        planned=str(entry.planned) if is_known else DASH,
        time=moment(entry.time),
        verdicts=clean(verdicts) or DASH,
        damage=clean(entry.damage),
    )


def study_view(followed: FollowedStudy) -> StudyView:
    """The page of a study."""
    entry, state = followed.entry, followed.state
    if entry.state == "damaged":
        return StudyView(f"damaged: {clean(entry.damage)}")
    if state is None or followed.opened is None:
        return StudyView(f"reading the ledger: {math.floor(100 * followed.share)} %")
    cells = state.cells()
    left = state.left(cells) if entry.state == "running" else None
    running = entry.state == "running"
    began, latest = followed.began, entry.time
    return StudyView(
        status=_status(followed, state, cells),
        notes=tuple(_notes(followed)),
        began=moment(began),
        latest=moment(latest),
        elapsed=duration(None if began is None or latest is None else latest - began),
        running_since=began if running else None,
        left=f"about {duration(max(left, 1))}" if left else "",
        cells=_cells(state, cells, "running" if running else "interrupted"),
        trials=_trials(followed, state, running=running),
    )


def moment(seconds: float | None) -> str:
    """A time of day with its date."""
    return DASH if seconds is None else f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M:%S}"


def _status(followed: FollowedStudy, state: StudyState, cells: tuple[CellState, ...]) -> str:
    entry = followed.entry
    said = f"running, {state.phase(cells)}" if entry.state == "running" else entry.state
    said += f": {state.counts(cells)}"
    if entry.state == "interrupted":
        said += f"; to go on: actsweep resume {clean(followed.folder.path)}"
    return said


def _notes(followed: FollowedStudy) -> list[str]:
    opened = followed.opened
    assert opened is not None
    notes = [f"{clean(opened.problem)}; the settings are those of the ledger"] * bool(opened.problem)
    if opened.recorded.plugins:
        named = ", ".join(map(clean, opened.recorded.plugins))
        notes.append(f"This page runs no code of the study's plugins ({named}), so measures of theirs are not shown")
    notes += [f"No more trials are begun of a cell: {clean(why)}" for why in followed.record.given_up.values()]
    return notes


def _cells(state: StudyState, cells: tuple[CellState, ...], running: str) -> Table:
    heading, *rows = cells_as_texts(state.study, cells, running)
    return Table(heading, tuple(rows))


def _trials(followed: FollowedStudy, state: StudyState, *, running: bool) -> Table:
    study, trials = state.study, followed.record.trials
    latest_first = [trials[name] for name in reversed(followed.recent) if name in trials]
    busy = islice((trial for trial in latest_first if trial.status == "running"), MOST_TRIALS)
    chosen = {trial.started.trial_id for trial in busy}
    chosen |= {trial.started.trial_id for trial in islice(latest_first, MOST_TRIALS - len(chosen))}
    shown = [trial for trial in latest_first if trial.started.trial_id in chosen]
    tuned = [dimension.path for dimension in study.space]
    names = [clean(study.short_names[path]) for path in tuned]
    heading = ("trial", "cell", "phase", "block", *names, "epoch", "val acc", "best", "status")
    return Table(heading, tuple(_trial(state, trial, tuned, running) for trial in shown))


def _trial(state: StudyState, trial: TrialRecord, tuned: list[str], running: bool) -> tuple[str, ...]:
    start, study = trial.started, state.study
    row = trial.rows[-1] if trial.rows else {}
    best = best_accuracy(trial)
    status = "interrupted" if trial.status == "running" and not running else trial.status
    return (
        start.trial_id,
        clean(study.cell_at(start.cell).label),
        start.phase,
        str(start.block),
        *(_setting(start.nuisance.get(path)) for path in tuned),
        f"{row.get('epoch', DASH)}/{study.config.trainer.epochs}",
        _accuracy(row.get("val_acc")),
        _accuracy(best),
        f"{status}: {clean(trial.message, _LONGEST_MESSAGE)}" if trial.message else status,
    )


def _setting(value: Value) -> str:
    return number(value) if isinstance(value, float) else clean(text(value))


def _accuracy(value: float | None) -> str:
    return percent(value) if value is not None and math.isfinite(value) else DASH
