"""A study that has begun, as its folder holds it."""

from pathlib import Path

from actsweep.events import Event, StudyStarted
from actsweep.records import Ledger, StudyFolder
from actsweep.settings import StudyConfig

DATA = {"label": "digits", "fingerprint": "f", "classes": 10}


def began(place: Path, config: StudyConfig, *later: Event) -> StudyFolder:
    """The folder of a study of these settings on `DATA`, with what happened later in its ledger."""
    folder = StudyFolder(place)
    folder.write_config(config)
    with Ledger(folder.ledger) as ledger:
        for event in (StudyStarted("x", DATA, {}, config.model_dump(mode="json"), 1.0), *later):
            ledger(event)
    return folder
