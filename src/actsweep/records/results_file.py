"""The results of a study, as they were last written."""

import json
from typing import Any

from actsweep.errors import RecordsError
from actsweep.records.folder import StudyFolder

_LARGEST = 2**28  # bytes: those of the largest study that may be asked for take far fewer
Results = dict[str, Any]


def read_results(folder: StudyFolder) -> Results:
    """The results of a study as they were last written.

    Raises:
        RecordsError: there is no such folder, there are none yet, or the file is damaged.
    """
    folder.refuse_missing()
    damaged = f"{folder.results} is damaged; to rebuild it: actsweep report {folder.path}"
    try:
        with folder.results.open("rb") as file:
            content = file.read(_LARGEST + 1)
        results = json.loads(content) if len(content) <= _LARGEST else None
    except FileNotFoundError as error:
        hint = f"actsweep report {folder.path}"
        raise RecordsError(f"{folder.path}: no {folder.results.name} in it yet; to make it: {hint}") from error
    except (ValueError, RecursionError) as error:
        raise RecordsError(damaged) from error
    if not isinstance(results, dict) or not {"study", "cells", "verdicts"} <= results.keys():
        raise RecordsError(damaged)
    if any("estimate_kind" not in verdict for verdict in results["verdicts"]):
        raise RecordsError(
            f"{folder.results} is of an earlier version; to write it anew: actsweep report {folder.path}"
        )
    return results
