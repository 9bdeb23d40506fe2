"""What a sweep is asked for, held against what its folder holds."""

from dataclasses import dataclass
from pathlib import Path

from actsweep.data import Source
from actsweep.errors import RequestError
from actsweep.events import StudyRecord
from actsweep.records import LedgerContent, OpenedStudy, StudyFolder, holds_study, open_study
from actsweep.settings import StudyConfig
from actsweep.study import Change, Extension, extension


@dataclass(frozen=True)
class Request:
    """What is asked for: a study, whether its folder's may be added to, and what is known of the ledger there."""

    config: StudyConfig
    extend: bool
    known: LedgerContent | None


def additions(folder: StudyFolder, request: Request) -> tuple[OpenedStudy | None, tuple[Change, ...]]:
    """The study that the folder holds, if any, and what is added to it.

    Raises:
        RequestError: the folder holds another study, or one that trials were not to be added to, or none to extend.
    """
    folder.refuse_links()
    if not holds_study(folder):
        if request.extend:
            raise RequestError(f"--extend: {folder.path} holds no study yet, so there is nothing to add to")
        return None, ()
    opened = open_study(folder, request.known)
    difference = extension(opened.recorded, request.config)
    if difference.other or (difference.added and not request.extend):
        raise RequestError(_other_study(folder, opened.recorded, difference, request.extend))
    return opened, difference.added


def _other_study(folder: StudyFolder, before: StudyConfig, difference: Extension, extend: bool) -> str:
    changes = difference.other if extend else sorted((*difference.added, *difference.other))
    shown = "\n".join(f"  {path}: {old!r} there, {now!r} asked" for path, old, now in changes)
    name = "Give the new study a name of its own (run.name=...)"
    if extend:
        what = "seeds, blocks, points, arms and strata"
        if before.study.tune.widen:
            what = "seeds alone where ranges may widen (study.tune.widen)"
        return f"--extend can add {what}; it cannot change this in {folder.path}:\n{shown}\n{name}."
    advice = f"{name}, or ask for the settings of the old one."
    if not difference.other:
        advice = f"To add these to it: --extend. Or: {name[0].lower()}{name[1:]}."
    return f"{folder.path} holds a study of the same name with other settings:\n{shown}\n{advice}"


def refuse_other_data(record: StudyRecord, source: Source, folder: StudyFolder) -> None:
    """Refuse to go on with a study on other images than those of now.

    Raises:
        RequestError: the images found now are others.
    """
    if record.started is not None and record.started.data["fingerprint"] != source.fingerprint:
        raise RequestError(
            f"{folder.path} holds a study on other images than those found now "
            f"({record.started.data['label']} there, {source.label} now); give the new study a name: run.name=..."
        )


def refuse_missing_storage(config: StudyConfig) -> None:
    """Of a job: where a volume is not mounted, its study would be written to the driver's node, and lost with it.

    Raises:
        RequestError: the driver's node has no such folder.
    """
    storage = config.cluster.storage
    if storage and Path(config.run.root) == Path(storage) and not Path(storage).is_dir():
        raise RequestError(
            f"cluster.storage={storage}: the node of the driver has no such folder; mount it there, and on all nodes"
        )
