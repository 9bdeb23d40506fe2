"""What a study's folder knows of what W&B has of it: the ids of its sweep and of its views."""

import json
from pathlib import Path
from typing import Any

from actsweep.records import write_whole
from actsweep.settings import TrackerSettings
from actsweep.tracker.login import server

FILE = "actsweep-sweep.json"


class Notes:
    """Ids that hold at one server, entity and project; of another nothing is known.

    Args:
        folder: the study's.
        settings: the project and the entity.
    """

    def __init__(self, folder: Path, settings: TrackerSettings) -> None:
        self._file = folder / "wandb" / FILE
        self._where = [server(), settings.entity, settings.project]

    def get(self, name: str) -> dict[str, Any]:
        """What is noted under a name; empty where nothing is."""
        found: dict[str, Any] = self._read().get(name, {})
        return found

    def put(self, name: str, ids: dict[str, Any]) -> None:
        """Note ids under a name.

        Raises:
            OSError: the file cannot be written.
        """
        self._file.parent.mkdir(exist_ok=True)
        with write_whole(self._file) as temporary:
            temporary.write_text(json.dumps({**self._read(), "where": self._where, name: ids}))

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return known if isinstance(known, dict) and known.get("where") == self._where else {}
