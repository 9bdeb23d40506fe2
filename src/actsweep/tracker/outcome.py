"""What a study came to, as W&B shows it: what its runs get that needs the whole study, and its cells' aggregates."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from actsweep.analysis import TrialCurve
from actsweep.events import StudyRecord
from actsweep.report.figures import Figure, View, figures
from actsweep.report.headline import headline
from actsweep.report.rows import Results, Row, arm_of, cell_label, strata
from actsweep.tracker.description import study_key

TARGETS = ("hi", "lo")
OF_THE_STUDY = (
    *(f"{name}_{target}" for target in TARGETS for name in ("reached", "epochs_to_target", "seconds_to_target")),
    "gap_match",
)
_ENDS = (("low", "_low"), ("high", "_high"))
DIGEST = "results_digest"
_TABLES = ("cells", "comparisons", "verdicts")


def figure_key(figure: Figure, view: View) -> str:
    """What W&B knows a view of a figure by."""
    return f"figures/{plain_name(', '.join(filter(None, (figure.title, view.where)))).lower()}"


def plain_name(text: str) -> str:
    """A text as a name that W&B takes for files and artifacts."""
    return re.sub(r"[^\w.-]+", "_", text).strip("_")


@dataclass(frozen=True)
class ModelFile:
    """The weights of a cell's best replicate.

    Attributes:
        cell: the cell's label.
        path: the file.
        facts: what the trial is and how good.
    """

    cell: str
    path: Path
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class StudyOutcome:
    """What a study came to.

    Attributes:
        record: what happened in it.
        results: the content of results.json.
        trials: the trials with their curves.
        report: the page for people.
        models: files to keep at W&B as models.
    """

    record: StudyRecord
    results: Results
    trials: Sequence[TrialCurve]
    report: Path
    models: Sequence[ModelFile] = ()

    @property
    def key(self) -> str:
        """What tells the study from others of its name; see `study_key`."""
        assert self.record.started is not None, "a study that has an outcome has begun"
        return study_key(self.record.started)

    @cached_property
    def digest(self) -> str:
        """What tells these results from others, and what is kept with them."""
        kept = [self.results, [(model.cell, model.facts) for model in self.models]]
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()

    @cached_property
    def of_trials(self) -> Mapping[str, Mapping[str, Any]]:
        """By trial id the keys of its run's summary that need the study's targets, without those it does not have."""
        return {
            row["trial_id"]: {name: row[name] for name in OF_THE_STUDY if row[name] is not None}
            for row in self.results["trials"]
        }

    @property
    def headline(self) -> str:
        """The answer in a few sentences."""
        return " ".join(headline(self.results))

    @cached_property
    def figures(self) -> Mapping[str, View]:
        """By key the figures of the report, of each the first form in every stratum."""
        drawn = figures(self.results, self.trials)
        return {figure_key(figure, view): view for figure in drawn for view in figure.main}

    def summary(self) -> dict[str, Any]:
        """The aggregates as flat keys, each cell's under its label, or its arm where there is one stratum alone.

        A value has its 95 % interval beside it as `low` and `high`: Student's on the means of independent units, and
        Wilson's of a share. Times are restricted means (RMST): a run that never got there counts with the horizon.
        """
        alone = len(strata(self.results)) == 1
        found = {"headline": self.headline, DIGEST: self.digest}
        for cell in self.results["cells"]:
            label = arm_of(self.results, cell) if alone else cell_label(self.results, cell)
            found |= {f"{label}/{key}": value for key, value in _cell_keys(cell).items() if value is not None}
        return found

    def tables(self) -> dict[str, tuple[list[str], list[list[Any]]]]:
        """The tables of the results as columns and rows, lists as text."""
        return {name: _table(self.results[name]) for name in _TABLES if self.results[name]}


def _cell_keys(cell: Row) -> dict[str, Any]:
    keys = {"n": cell["n"], "healthy": cell["healthy"]}
    for target in TARGETS:
        suffix = "" if target == "hi" else "_lo"
        for unit in ("epochs", "seconds"):
            keys |= _with_ends(f"{unit}_to_target{suffix}", "rmst", cell, f"rmst_{unit}_{target}")
        keys |= _with_ends(f"reached{suffix}", "share", cell, f"reached_{target}")
    for name in ("gap_end", "gap_best", "gap_match", "test_acc"):
        keys |= _with_ends(name, "mean", cell, f"{name}_mean")
    return keys | _with_ends("failed", "share", cell, "failure_share")


def _with_ends(prefix: str, what: str, cell: Row, name: str) -> dict[str, Any]:
    return {f"{prefix}/{what}": cell[name], **{f"{prefix}/{end}": cell[name + suffix] for end, suffix in _ENDS}}


def _table(rows: Sequence[Row]) -> tuple[list[str], list[list[Any]]]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return columns, [[_plain(row.get(name)) for name in columns] for row in rows]


def _plain(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value
