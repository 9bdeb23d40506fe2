"""What a study has come to so far: computed beside the reading, since it takes a minute for 10,000 trials."""

import json
import time
from dataclasses import dataclass, replace
from datetime import datetime

from markupsafe import Markup

from actsweep.errors import ActsweepError
from actsweep.events import StudyRecord
from actsweep.records import OpenedStudy, StudyFolder
from actsweep.report.page import Body, body
from actsweep.report.wording import clean

_REST = 4  # times as long as computing took: so it takes a fifth of the time


@dataclass(frozen=True)
class Report:
    """What a study had come to at one moment.

    Attributes:
        html: the body of the report, or the sentence that says why there is none.
        data: JSON text of what its figures draw; empty where there is nothing.
        of: the revision of the study's results that it shows.
        time: the time of day at which that was.
        due: when the next may be computed, on the monotonic clock.
    """

    html: Markup
    data: str
    of: int
    time: str
    due: float


def make_report(folder: StudyFolder, opened: OpenedStudy, revision: int) -> Report:
    """Compute what a study has come to; whatever goes wrong is told in its place."""
    began = time.monotonic()
    at = f"{datetime.now():%H:%M:%S}"
    try:
        content = _body(folder, opened)
        html, data = content.html, json.dumps(content.data, allow_nan=False, separators=(",", ":"))
    except ActsweepError as error:
        html, data = _sentence(str(error)), ""
    except Exception as error:  # whatever records of somebody else lead to
        html, data = _sentence(f"The results cannot be computed: {type(error).__name__}: {error}"), ""
    ended = time.monotonic()
    return Report(html, data, revision, at, ended + _REST * (ended - began))


def copied(record: StudyRecord) -> StudyRecord:
    """A record that stays as it is while events go on."""
    trials = {trial_id: replace(trial, rows=list(trial.rows)) for trial_id, trial in list(record.trials.items())}
    return replace(
        record,
        trials=trials,
        widened=list(record.widened),
        chosen=dict(record.chosen),
        settled=set(record.settled),
        given_up=dict(record.given_up),
    )


def _body(folder: StudyFolder, opened: OpenedStudy) -> Body:
    from actsweep.studies.results import compute

    computed = compute(folder, opened)
    return body(computed.results, computed.trials, computed.provenance)


def _sentence(text: str) -> Markup:
    return Markup("<p>{}</p>").format(clean(text))
