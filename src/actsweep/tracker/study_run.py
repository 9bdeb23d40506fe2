"""The run of a study as a whole, which holds its aggregates, and what its end means for the runs of its trials."""

from collections.abc import Callable, Iterator
from typing import Any

from actsweep.study import Study
from actsweep.tracker.client import Client
from actsweep.tracker.description import RunDescription, run_id
from actsweep.tracker.faults import fault_of
from actsweep.tracker.outcome import DIGEST, StudyOutcome
from actsweep.tracker.stored import add_to_summary, files_of, read_run
from actsweep.tracker.transaction_log import RunFile


def describe_study(study: Study, key: str) -> RunDescription:
    """The run of a study as a whole; see `study_key` for its key."""
    name = study.config.run.name
    settings = study.config.model_dump(mode="json")
    return RunDescription(
        run_id=f"study-{key}",
        name=name,
        group="study",
        job_type="study",
        tags=("study",),
        config={"study": name, "study_id": key, "phase": "study", "settings": settings},
    )


def show_outcome(client: Client, study: Study, outcome: StudyOutcome) -> RunFile:
    """Write what a study came to into its run, after what an earlier end of it may have left there.

    Raises:
        Exception: whatever wandb raises, or an OSError about the folder.
    """
    run = client.open(describe_study(study, outcome.key), resume="allow")
    summary = outcome.summary()
    run.drop(lambda key: "/" in key and key not in summary)  # of cells that went by another name, as before --extend
    run.show(outcome)
    if study.config.tracker.alert:
        run.alert(f"actsweep: {study.config.run.name} has ended", outcome.headline)
    return run.finish(summary, failed=False)


def tell(client: Client, study: Study, key: str, what: str, text: str) -> RunFile:
    """Let W&B tell people what becomes of a study that has not come to its end.

    Args:
        client: the door to wandb.
        study: the study.
        key: see `study_key`.
        what: the news in two or three words.
        text: more of it.

    Raises:
        Exception: whatever wandb raises, or an OSError about the folder.
    """
    run = client.open(describe_study(study, key), resume="allow")
    run.alert(f"actsweep: {study.config.run.name} {what}", text)
    return run.finish({}, failed=False)


def add_study_keys(client: Client, outcome: StudyOutcome) -> Iterator[tuple[str, str]]:
    """Add to each trial's run at W&B the keys of its summary that need the whole study.

    Yields:
        one by one the run that was seen to, and what went wrong; empty where nothing did.
    """
    for trial_id, keys in outcome.of_trials.items():
        name = run_id(outcome.key, outcome.record.trials[trial_id].started)
        yield name, fault_of(_adding(client, name, keys))


def lacking_outcome(client: Client, outcome: StudyOutcome) -> str:
    """What W&B does not have of what a study came to, in a few words; empty where it has all."""
    path = client.path(f"study-{outcome.key}")
    run = read_run(client.api(), path)
    if run is None:
        return "it is not there"
    if run.summary.get(DIGEST) != outcome.digest:
        return "it shows other results"
    tables = {name: run.summary.get(name, {}) for name in outcome.tables()}
    wanted = {outcome.report.name, *(table.get("path") for table in tables.values())}
    missing = wanted - files_of(client.api(), path)
    return f"{len(missing)} of {len(wanted)} files are not there" if missing else ""


def _adding(client: Client, name: str, keys: Any) -> Callable[[], None]:
    def add() -> None:
        if not add_to_summary(client.api(), client.path(name), keys):
            raise LookupError("the run is not at W&B, so it cannot be added to")

    return add
