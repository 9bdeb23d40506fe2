"""A study as its folder holds it: settings and events, with the ledger as the one truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actsweep.errors import RecordsError, RequestError
from actsweep.events import StudyExtended, StudyRecord, StudyStarted
from actsweep.plugins import refuse_plugins_in
from actsweep.records.folder import StudyFolder
from actsweep.records.ledger import LedgerContent, read_ledger
from actsweep.settings import StudyConfig, validated
from actsweep.study import changed_settings


@dataclass(frozen=True)
class OpenedStudy:
    """A study as its folder holds it.

    Attributes:
        config: its settings; where and how it runs may have been changed by hand in study.yaml since it began.
        recorded: the settings as the ledger holds them.
        content: the ledger.
        record: the state that the ledger's events lead to.
        problem: what is wrong with study.yaml, where the ledger had to stand in for it; else empty.
    """

    config: StudyConfig
    recorded: StudyConfig
    content: LedgerContent
    record: StudyRecord
    problem: str = ""


def open_study(folder: StudyFolder, known: LedgerContent | None = None) -> OpenedStudy:
    """Read a study's settings and its ledger; a study.yaml that is lost or damaged is made good from the ledger.

    Args:
        folder: the study's.
        known: what its ledger held when it was read before; see `read_ledger`.

    Raises:
        RecordsError: the folder holds no study, its ledger is damaged, or study.yaml now asks for another study
            than the one that has begun.
        RequestError: the settings are of another version.
    """
    folder.refuse_links()
    content = read_ledger(folder.ledger, known)
    return opened_study(folder, content, content.fold())


def opened_study(folder: StudyFolder, content: LedgerContent, record: StudyRecord) -> OpenedStudy:
    """A study whose ledger has been read.

    Args:
        folder: the study's.
        content: the ledger; of its events only those that hold settings need be there.
        record: the state that all its events lead to.

    Raises:
        RecordsError, RequestError: see `open_study`.
    """
    if not record.settings:
        config = folder.read_config()
        return OpenedStudy(config, config, content, record)
    recorded = recorded_config(folder, record.settings)
    if not folder.config_file.exists():
        return OpenedStudy(recorded, recorded, content, record, f"{folder.config_file} is missing")
    try:
        config = folder.read_config()
    except RequestError as error:
        return OpenedStudy(recorded, recorded, content, record, str(error))
    changes = changed_settings(recorded, config)
    if changes and _is_of_before(folder, content, config):
        stale = f"{folder.config_file} is of before trials were added to the study"
        return OpenedStudy(recorded, recorded, content, record, stale)
    if changes:
        shown = "\n".join(f"  {path}: {before!r} recorded, {now!r} in the file" for path, before, now in changes)
        raise RecordsError(
            f"{folder.config_file} is not that of the study which began here:\n{shown}\n"
            "Take that back in the file, or remove the file: it is then made anew from the ledger. "
            "To add trials to the study: actsweep sweep --extend with the settings that it shall have."
        )
    return OpenedStudy(config, recorded, content, record)


def recorded_config(folder: StudyFolder, settings: Mapping[str, Any]) -> StudyConfig:
    """The settings that an event in a study's ledger holds.

    Raises:
        RequestError: they are of another version, or list a plugin that would be imported from a study's folder.
    """
    refuse_plugins_in(folder.path, settings.get("plugins"))
    return validated(StudyConfig, settings)


def _is_of_before(folder: StudyFolder, content: LedgerContent, config: StudyConfig) -> bool:
    """Whether settings are those that the study had before an extension, whose driver was killed as it wrote them."""
    earlier = [event.settings for event in content.events if isinstance(event, StudyStarted | StudyExtended)][:-1]
    return any(not changed_settings(recorded_config(folder, settings), config) for settings in earlier)


def holds_study(folder: StudyFolder) -> bool:
    """Whether a study has begun in a folder, or was about to."""
    return folder.config_file.exists() or (folder.ledger.exists() and folder.ledger.stat().st_size > 0)
