"""What is said to the user where a sweep ends before its end, and how to go on."""

import sys

from actsweep.errors import RequestError
from actsweep.records import StudyFolder, holds_study, open_study
from actsweep.system.halt import Halt


def last_words(halt: Halt, folder: StudyFolder) -> int:
    """Said by a process that cannot come to its end by itself; returns its exit code."""
    print(f"actsweep: {stopped(halt, folder)}", file=sys.stderr, flush=True)  # noqa: T201
    return 130


def stopped(halt: Halt, folder: StudyFolder) -> str:
    """Why the sweep was stopped, if that is known, and how to go on."""
    why = f"stopped: {halt.reason}" if halt.reason else "stopped"
    return f"{why}; {way_on(folder)}"


def way_on(folder: StudyFolder) -> str:
    """How to go on after an interruption."""
    try:
        if not holds_study(folder):
            return "the study had not begun"
        if open_study(folder).record.finished:
            return f"all trials have ended. To see what came of them: actsweep report {folder.path}"
    except RequestError:  # whatever is wrong there, resume says it
        pass
    return f"what has ended is kept. To go on: actsweep resume {folder.path}"
