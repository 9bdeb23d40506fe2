"""A recorded trial once more, in this process, and whether its curve is the recorded one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from actsweep.curves import Curve
from actsweep.data import Source, load, prepare
from actsweep.errors import RecordsError, RequestError
from actsweep.events import Row, StudyRecord, TrialRecord
from actsweep.plural import count
from actsweep.records import StudyFolder, open_study, read_trial
from actsweep.report.wording import clean
from actsweep.run.one_trial import CURVE_HEADING, curve_line, described
from actsweep.settings import TrialConfig
from actsweep.study import trial_id
from actsweep.train import train

_TIMES = ("seconds", "seconds_from", "wall")
_ENDS = ("test_loss", "test_acc", "best_test_acc")
_LISTED = 5


def repeat_trial(path: Path, console: Console) -> bool:
    """Train a recorded trial again, writing nothing, and say whether the curve is the recorded one, times apart.

    Args:
        path: the trial's folder, `RUN_DIR/trials/ID`.
        console: for the curve and the outcome.

    Returns:
        whether every recorded number came out the same.

    Raises:
        RecordsError: the study, the trial or its configuration is missing, damaged, or does not fit the others.
        RequestError: the images are not those of the study.
    """
    path = path.absolute()
    folder = StudyFolder(path.parent.parent)
    if folder.trial(path.name) != path:
        raise RecordsError(f"--from {path}: is no trial's folder; the form is RUN_DIR/trials/ID")
    record = open_study(folder).record
    recorded = record.trials.get(path.name)
    if recorded is None:
        raise RecordsError(f"--from {path}: {path.name} is no trial of this study; `actsweep show` finds its trials")
    config = read_trial(path)
    source = _same_data(record, config, path)
    console.print(f"trial {path.name}: {described(config)}", markup=False)
    console.print(CURVE_HEADING)
    rows: list[Row] = []

    def show(row: Row) -> None:
        rows.append(row)
        console.print(curve_line(row))

    curve = train(config, load(source, config.data), show)
    differences = list(_differences(recorded, rows, curve))
    console.print(_outcome(recorded, differences), markup=False)
    return not differences


def _same_data(record: StudyRecord, config: TrialConfig, path: Path) -> Source:
    assert record.started is not None
    there = record.started.data["fingerprint"]
    if trial_id(config, there) != path.name:
        raise RecordsError(f"{path / 'trial.yaml'} describes another trial than {path.name}: it was changed")
    source = prepare(config.data)
    if source.fingerprint != there:
        raise RequestError(
            f"data.root={config.data.root}: these are not the images of the study "
            f"({clean(record.started.data['label'])} there, {source.label} now), so no curve could be equal"
        )
    return source


def _differences(recorded: TrialRecord, rows: Sequence[Row], curve: Curve) -> Iterator[str]:
    """What is not as recorded; a trial that was stopped or interrupted is compared as far as it came."""
    if not recorded.rows:
        yield "no evaluation of it is recorded"
    if len(rows) < len(recorded.rows):
        yield f"{count(len(rows), 'evaluation')}, not {len(recorded.rows)}"
    for before, now in zip(recorded.rows, rows, strict=False):
        for name in sorted({*before, *now} - {*_TIMES}):
            if not _equal(before.get(name), now.get(name)):
                yield f"epoch {now['epoch']}: {name} {now.get(name)}, not {before.get(name)}"
    if recorded.status in ("completed", "diverged"):
        now = {"status": curve.status, **{name: getattr(curve, name) for name in _ENDS}}
        before = {"status": recorded.status, **{name: recorded.final.get(name) for name in _ENDS}}
        for name, value in before.items():
            if not _equal(value, now[name]):
                yield f"{name} {now[name]}, not {value}"


def _equal(before: Any, now: Any) -> bool:
    return bool(before == now or (before != before and now != now))  # noqa: PLR0124 - a NaN is not equal to itself


def _outcome(recorded: TrialRecord, differences: Sequence[str]) -> str:
    whole = recorded.status in ("completed", "diverged")
    extent = "" if whole else f", as far as it came: it is recorded as {recorded.status}"
    if not differences:
        return f"equal to the recorded curve ({count(len(recorded.rows), 'evaluation')}{extent})"
    more = [f"  and {len(differences) - _LISTED} more"] * (len(differences) > _LISTED)
    return "\n".join(["NOT equal to the recorded curve:", *(f"  {one}" for one in differences[:_LISTED]), *more])
