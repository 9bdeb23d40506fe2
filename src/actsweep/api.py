"""The Python door: a study's results as DataFrames."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from actsweep.records import Results, StudyFolder, read_results
from actsweep.tables import analyze

__all__ = ["LoadedStudy", "analyze", "load"]

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LoadedStudy:
    """A study that has been run.

    Attributes:
        path: its folder.
        results: the content of `results.json`, one dictionary.
    """

    path: Path
    results: Results = field(repr=False)

    @cached_property
    def curves(self) -> "pd.DataFrame":
        """One row per trial and evaluation."""
        import pandas as pd

        return pd.read_parquet(StudyFolder(self.path).curves)

    @property
    def trials(self) -> "pd.DataFrame":
        """One row per trial: its measures."""
        return self._frame("trials")

    @property
    def cells(self) -> "pd.DataFrame":
        """One row per cell: what its replicates came to."""
        return self._frame("cells")

    @property
    def comparisons(self) -> "pd.DataFrame":
        """One row per endpoint, pair and stratum: estimate and interval."""
        return self._frame("comparisons")

    @property
    def verdicts(self) -> "pd.DataFrame":
        """One row per claim, pair and stratum."""
        return self._frame("verdicts")

    def _frame(self, name: str) -> "pd.DataFrame":
        import pandas as pd

        return pd.DataFrame(self.results[name])


def load(run_dir: str | Path) -> LoadedStudy:
    """Open the folder of a study, such as `outputs/quickstart`.

    Raises:
        RecordsError: there are no results in it.
    """
    folder = StudyFolder(Path(run_dir))
    return LoadedStudy(folder.path, read_results(folder))
