"""A study's views at W&B: workspaces for its replicates and its tuning, and a report with both and the verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actsweep.report.rows import verdict_groups
from actsweep.study import ARM, Study
from actsweep.tracker.notes import Notes
from actsweep.tracker.outcome import StudyOutcome

_LOG = "log_uniform"


@dataclass(frozen=True)
class Place:
    """Where a study is at W&B, and what its runs have as `study_id`."""

    entity: str
    project: str
    key: str


def replicates_view(study: Study, place: Place, outcome: StudyOutcome) -> Any:
    """The replicates, a line or bar for each arm, and what the study came to: a `Workspace`, not saved."""
    import wandb_workspaces.workspaces as ws

    sections = [
        ws.Section(name="Convergence", is_open=True, panels=_convergence(study)),
        ws.Section(name="Overfitting gap", is_open=True, panels=_gaps(study)),
        ws.Section(name="Results", is_open=True, panels=_results(outcome)),
    ]
    return _workspace(study, place, study.config.run.name, sections, ["replicate", "study"])


def tuning_view(study: Study, place: Place) -> Any:
    """The trials that chose each arm's nuisance values: a `Workspace`, not saved."""
    import wandb_workspaces.workspaces as ws

    sections = [ws.Section(name="Tuning", is_open=True, panels=_tuning(study))]
    return _workspace(study, place, f"{study.config.run.name}: tuning", sections, ["tune"], grouped=False)


def report(study: Study, place: Place, outcome: StudyOutcome) -> Any:
    """The answer in words, the verdicts, and the panels of both views: a `Report`, not saved."""
    import wandb_workspaces.reports.v2 as wr

    grid = wr.PanelGrid
    parts = [
        (wr.P(outcome.headline),),
        (wr.H2("Verdicts"), wr.MarkdownBlock(_verdicts(outcome))),
        (wr.H2("Convergence"), grid(runsets=[_runset(study, place, "replicate")], panels=_convergence(study))),
        (wr.H2("Overfitting gap"), grid(runsets=[_runset(study, place, "replicate")], panels=_gaps(study))),
        (wr.H2("Tuning"), grid(runsets=[_runset(study, place, "tune")], panels=_tuning(study))),
        (wr.H2("Results"), grid(runsets=[_runset(study, place, "study")], panels=_results(outcome))),
    ]
    return wr.Report(
        entity=place.entity,
        project=place.project,
        title=study.config.run.name,
        description="Each arm with an equal, tuned chance; a run that never got to the target counts with the horizon.",
        blocks=[block for part in parts for block in part],
        width="fluid",
    )


def saved_report(notes: Notes) -> str:
    """Where W&B shows the report that `save_views` has saved; empty where there is none."""
    return str(notes.get("views").get("url", ""))


def views_show(outcome: StudyOutcome, notes: Notes) -> bool:
    """Whether the views that were saved last are of these results."""
    return bool(notes.get("views").get("digest") == outcome.digest)


def save_views(study: Study, place: Place, outcome: StudyOutcome, notes: Notes) -> None:
    """Save the views and the report, in the place of those that were saved before.

    Args:
        study: the study.
        place: where it is at W&B.
        outcome: what it came to.
        notes: where the ids of what is saved are kept.

    Raises:
        Exception: whatever wandb raises, or an OSError about the folder.
    """
    known = notes.get("views")
    for name, view in (("replicates", replicates_view(study, place, outcome)), ("tuning", tuning_view(study, place))):
        view._internal_name, view._internal_id = known.get(name, ("", ""))
        view.save()
        known[name] = view._internal_name, view._internal_id
    page = report(study, place, outcome)
    page.id = known.get("report", "")
    page.save()
    notes.put("views", {**known, "report": page.id, "url": page.url, "digest": outcome.digest})


def _workspace(
    study: Study, place: Place, name: str, sections: Sequence[Any], phases: Sequence[str], *, grouped: bool = True
) -> Any:
    import wandb_workspaces.workspaces as ws
    from wandb_workspaces import expr

    return ws.Workspace(
        entity=place.entity,
        project=place.project,
        name=name,
        sections=list(sections),
        settings=ws.WorkspaceSettings(x_axis="epoch", max_runs=100),
        runset_settings=ws.RunsetSettings(
            filters=expr.And(expr.Config("study_id") == place.key, expr.Config("phase").isin(list(phases))),
            groupby=[expr.Config(_factor(study))] if grouped else [],
        ),
    )


def _runset(study: Study, place: Place, phase: str) -> Any:
    import wandb_workspaces.reports.v2 as wr
    from wandb_workspaces import expr

    return wr.Runset(
        entity=place.entity,
        project=place.project,
        name=phase,
        filters=expr.And(expr.Config("study_id") == place.key, expr.Config("phase") == phase),
        groupby=[f"config.{_factor(study)}"] if phase == "replicate" else [],
    )


def _convergence(study: Study) -> list[Any]:
    return [
        _by_epoch(study, "val_acc", "Validation accuracy by epoch (median and range)"),
        _by_epoch(study, "train_loss", "Training loss by epoch (median and range)", log_y=True),
        _bars(study, "epochs_to_target_hi", "Epochs to the target (restricted mean)"),
        _bars(study, "seconds_to_target_hi", "Seconds to the target (restricted mean)"),
        _bars(study, "test_acc", "Test accuracy (mean)"),
    ]


def _gaps(study: Study) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    by_stratum = [
        wr.ScatterPlot(
            title=f"Gap at the end against {study.short_names[path]}",
            x=wr.Config(study.short_names[path]),
            y=wr.SummaryMetric("gap_end"),
        )
        for path in study.strata
    ]
    return [
        _by_epoch(study, "gap", "Training minus validation accuracy by epoch (median and range)"),
        _bars(study, "gap_match", "Gap at equal training loss (mean)"),
        _bars(study, "gap_end", "Gap at the end (mean)"),
        *by_stratum,
    ]


def _tuning(study: Study) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    logarithmic = {dimension.path: dimension.distribution == _LOG for dimension in study.space}
    swept = {study.short_names[path]: logarithmic.get(path, False) for path in _swept(study)}
    columns = [wr.ParallelCoordinatesPlotColumn(wr.Config(name), log=log or None) for name, log in swept.items()]
    measured = [wr.ParallelCoordinatesPlotColumn(wr.SummaryMetric(name)) for name in ("best_val_acc", "gap_end")]
    return [
        wr.ParallelCoordinatesPlot(title="What was swept, and what came of it", columns=[*columns, *measured]),
        wr.ParameterImportancePlot(with_respect_to="best_val_acc"),
        *(
            wr.ScatterPlot(
                title=f"Best validation accuracy by {study.short_names[path]}",
                x=wr.Config(study.short_names[path]),
                y=wr.SummaryMetric("best_val_acc"),
                log_x=log or None,
            )
            for path, log in logarithmic.items()
        ),
    ]


def _results(outcome: StudyOutcome) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    tables = [wr.WeavePanelSummaryTable(table_name=name) for name in outcome.tables()]
    return [*tables, wr.MediaBrowser(title="Figures", media_keys=list(outcome.figures))]


def _by_epoch(study: Study, metric: str, title: str, *, log_y: bool | None = None) -> Any:
    import wandb_workspaces.reports.v2 as wr

    return wr.LinePlot(
        title=title,
        x="epoch",
        y=[metric],
        log_y=log_y,
        groupby=wr.Config(_factor(study)),
        groupby_aggfunc="median",
        groupby_rangefunc="minmax",
        max_runs_to_show=100,
    )


def _bars(study: Study, metric: str, title: str) -> Any:
    import wandb_workspaces.reports.v2 as wr

    return wr.BarPlot(
        title=title,
        metrics=[wr.SummaryMetric(metric)],
        groupby=wr.Config(_factor(study)),
        groupby_aggfunc="mean",
        groupby_rangefunc="minmax",
        max_runs_to_show=100,
    )


def _factor(study: Study) -> str:
    return study.short_names[study.factor]


def _swept(study: Study) -> list[str]:
    arms: Mapping[str, Any] = {} if study.factor == ARM else {study.factor: None}
    return [*arms, *study.strata, *(dimension.path for dimension in study.space)]


def _verdicts(outcome: StudyOutcome) -> str:
    lines = []
    for group in verdict_groups(outcome.results):
        lines += [
            f"**{group.title}**, intervals at {group.level}",
            "",
            "| claim | verdict | estimate |",
            "|---|---|---|",
        ]
        for row in group.verdicts:
            lines.append(f"| {row.claim} {row.statement} | {row.verdict} | {row.estimate} {row.interval} |")
        lines.append("")
    return "\n".join(lines)
