"""What a study's folder knows of what W&B has of it: the ids of its sweep and of its views."""

import json
from pathlib import Path
from typing import Any

from actsweep.records import write_whole
from actsweep.settings import TrackerSettings
from actsweep.tracker.login import server

FILE = "actsweep-sweep.json"


class Notes:
    """Ids that hold at one server, entity and project; those of other places are kept beside them.

    Args:
        folder: the study's.
        settings: the project and the entity.
    """

    def __init__(self, folder: Path, settings: TrackerSettings) -> None:
        self._file = folder / "wandb" / FILE
        self._where = [server(), settings.entity, settings.project]

    def get(self, name: str) -> dict[str, Any]:
        """What is noted under a name; empty where nothing is."""
        found: dict[str, Any] = self._of_here(self._places()).get(name, {})
        return found

    def put(self, name: str, ids: dict[str, Any]) -> None:
        """Note ids under a name.

        Raises:
            OSError: the file cannot be written.
        """
        known = self._places()
        mine = {**self._of_here(known), "where": self._where, name: ids}
        self._file.parent.mkdir(exist_ok=True)
        with write_whole(self._file) as temporary:
            temporary.write_text(json.dumps([*(one for one in known if one.get("where") != self._where), mine]))

    def _of_here(self, known: list[dict[str, Any]]) -> dict[str, Any]:
        return next((one for one in known if one.get("where") == self._where), {})

    def _places(self) -> list[dict[str, Any]]:
        """What is noted, a mapping for each place; files of before have that of one alone."""
        try:
            known = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return []
        return [one for one in (known if isinstance(known, list) else [known]) if isinstance(one, dict)]
