"""The tracker of a sweep, and the time that it gets at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from actsweep.errors import Interrupted
from actsweep.records import StudyFolder
from actsweep.study import Study
from actsweep.tracker import Tracker, tracker

TRACKER_SECONDS = 60.0
HURRIED_TRACKER_SECONDS = 3.0


@contextmanager
def tracking(study: Study, folder: StudyFolder, console: Console) -> Iterator[Tracker | None]:
    """The tracker that the study asks for, which gets the time that it needs, unless the user waits for an end."""
    tracked = tracker(study, folder)
    hurried = True
    try:
        yield tracked
        hurried = False
    except Interrupted:
        raise
    except Exception as error:
        hurried = False
        if tracked is not None:
            tracked.fail(str(error))
        raise
    finally:
        if tracked is not None:
            _close(tracked, folder, console, hurried=hurried)


def _close(tracked: Tracker, folder: StudyFolder, console: Console, *, hurried: bool) -> None:
    try:
        summary = tracked.close(HURRIED_TRACKER_SECONDS if hurried else TRACKER_SECONDS, hurried=hurried)
    except KeyboardInterrupt:  # only W&B is still waited for
        tracked.close(HURRIED_TRACKER_SECONDS, hurried=True)
        raise
    if summary.url:
        console.print(f"W&B: {summary.url}", markup=False, soft_wrap=True)
    for problem in summary.problems:
        console.print(f"W&B: {problem}", style="yellow", markup=False)
    if summary.problems:
        console.print(f"W&B: to bring all of it there: actsweep publish {folder.path}", markup=False, soft_wrap=True)
