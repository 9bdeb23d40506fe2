"""Commands around W&B: publish, export-sweep, agents."""

import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from actsweep.cli.command import DONE, INCOMPLETE, Command, Parser, option
from actsweep.cli.memory import RAY
from actsweep.errors import RequestError

if TYPE_CHECKING:
    from argparse import Namespace

    from actsweep.settings import ClusterSettings, StudyConfig


def _export_sweep(words: list[str], debug: bool) -> int:
    from actsweep.config import run_with_hydra

    out, words = option("--out", words)

    def export(config: "StudyConfig", overrides: list[str]) -> int:
        from actsweep.records import write_whole
        from actsweep.study import Study
        from actsweep.tracker import agents_sweep, sweep_text

        asked = shlex.join(["actsweep", "export-sweep", *overrides])
        study = Study(config)
        text = sweep_text(agents_sweep(study, overrides), asked, sum(study.planned.values()))
        if out is None:
            print(text, end="")  # noqa: T201
            return DONE
        with write_whole(Path(out)) as temporary:
            temporary.write_text(text)
        print(f"{out}; next: wandb sweep {shlex.quote(out)}, then wandb agent with the id that it prints")  # noqa: T201
        return DONE

    return run_with_hydra("export-sweep", words, export, COMMANDS["export-sweep"].flags)


def _publish(words: list[str], debug: bool) -> int:
    from rich.progress import Progress

    from actsweep.errors import RecordsError, TrialsFailedError
    from actsweep.plural import count
    from actsweep.records import StudyFolder, open_study
    from actsweep.report.terminal.console import Screen
    from actsweep.studies.results import outcome_of, rebuilt
    from actsweep.tracker import StudyOutcome, publish

    parser = Parser("publish", COMMANDS["publish"].usage, COMMANDS["publish"].summary)
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="a study's folder, such as outputs/quickstart")
    parser.add_argument("--project", metavar="P", help="the project, this time (the study's tracker.project)")
    parser.add_argument("--entity", metavar="E", help="whose project, this time (the study's tracker.entity)")
    asked = parser.parse_args(words)
    folder, screen = StudyFolder(asked.run_dir), Screen()
    opened = open_study(folder)
    outcome: StudyOutcome | None = None
    with suppress(RecordsError, TrialsFailedError):  # nothing to compare yet, or ever; the runs are sent all the same
        outcome = outcome_of(folder, rebuilt(folder, opened))
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        bar = progress.add_task("W&B")
        published = publish(
            folder,
            opened,
            outcome,
            lambda what, done, total: progress.update(bar, description=f"W&B: {what}", completed=done, total=total),
            {name: value for name in ("project", "entity") if (value := getattr(asked, name)) is not None},
        )
    for line in published.missing:
        screen.print(f"W&B: missing: {line}", style="yellow", markup=False, soft_wrap=True)
    whole = f"{published.runs - len(published.missing)} of {count(published.runs, 'run')} whole, {published.sent} sent"
    for line in (whole, *published.urls):
        screen.print(f"W&B: {line}", markup=False, soft_wrap=True)
    return INCOMPLETE if published.missing else DONE


def _agents(words: list[str], debug: bool) -> int:
    from actsweep.cluster import AgentsAsked, access_notes, run_agents
    from actsweep.plural import count
    from actsweep.report.terminal.console import Screen
    from actsweep.report.wording import clean
    from actsweep.system.redaction import redacted
    from actsweep.system.signals import interrupting
    from actsweep.tracker import identity

    arguments = _agents_parser().parse_args(words)
    settings, screen = _cluster_of(arguments), Screen()

    def show(number: int, line: str) -> None:
        screen.print(f"agent {number}: {clean(redacted(line))}", markup=False, highlight=False, soft_wrap=True)

    for note in access_notes(settings.address):
        screen.print(note, style="yellow", markup=False)
    with interrupting():
        codes = run_agents(settings, AgentsAsked(arguments.sweep, arguments.count, arguments.runs, identity()), show)
    failed = sum(code != 0 for code in codes)
    screen.print(f"{len(codes) - failed} of {count(len(codes), 'agent')} came to an end as W&B said", markup=False)
    return INCOMPLETE if failed else DONE


def _agents_parser() -> Parser:
    parser = Parser("agents", COMMANDS["agents"].usage, COMMANDS["agents"].summary)
    parser.add_argument("sweep", metavar="SWEEP_ID", type=_sweep_id, help="as wandb prints it: ENTITY/PROJECT/ID")
    parser.add_argument("--count", metavar="N", type=int, required=True, help="how many agents")
    parser.add_argument("--runs", metavar="R", type=int, help="how many runs each does at most; else as W&B has them")
    parser.add_argument("--address", help="of the cluster, such as auto or 10.0.0.5:6379; else one of its own here")
    parser.add_argument("--cpu", type=float, default=1.0, help="what each takes of the cluster (1)")
    parser.add_argument("--gpu", type=float, default=0.0, help="what each takes of the cluster (0)")
    return parser


def _sweep_id(text: str) -> str:
    from argparse import ArgumentTypeError

    if not re.fullmatch(r"\w[\w.-]*(/\w[\w.-]*){0,2}", text):
        raise ArgumentTypeError(f"needs the form ENTITY/PROJECT/ID, PROJECT/ID or ID, not {text!r}")
    return text


def _cluster_of(arguments: "Namespace") -> "ClusterSettings":
    from actsweep.settings import ClusterSettings, ResourceSettings

    whole = min(arguments.count, 1 if arguments.runs is None else arguments.runs) >= 1
    if not (whole and arguments.cpu > 0 and arguments.gpu >= 0):
        raise RequestError(
            "agents: --count and --runs need a whole number from 1 on, --cpu a number above 0, --gpu one of at least "
            f"0, not --count {arguments.count} --runs {arguments.runs} --cpu {arguments.cpu:g} --gpu {arguments.gpu:g}"
        )
    return ClusterSettings(
        name="ray" if arguments.address else "local",
        address=arguments.address,
        max_concurrent=None,
        retries=0,
        storage=None,
        side_by_side=1,
        resources=ResourceSettings(cpu=arguments.cpu, gpu=arguments.gpu),
    )


COMMANDS = {
    "publish": Command(
        "send a study's W&B records, and read them back",
        "RUN_DIR [--project P] [--entity E]",
        _publish,
        examples=(
            "actsweep publish outputs/quickstart",
            "actsweep publish outputs/quickstart --project my-project --entity my-team",
        ),
    ),
    "export-sweep": Command(
        "the W&B sweep file of a study",
        "[--out sweeps/NAME.yaml] [OVERRIDES]",
        _export_sweep,
        examples=("actsweep export-sweep experiment=quickstart --out sweeps/quickstart.yaml",),
        options=(("--out FILE", "the file (the screen)"),),
    ),
    "agents": Command(
        "W&B's own agents on a Ray cluster",
        "SWEEP_ID --count N [--runs R] [--address A] [--cpu C] [--gpu G]",
        _agents,
        RAY,
        examples=("actsweep agents ENTITY/actsweep/ID --count 8 --runs 10 --address auto --gpu 0.25",),
    ),
}
