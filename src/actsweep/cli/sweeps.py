"""Commands that run something: plan, sweep, resume, train."""

from pathlib import Path
from typing import TYPE_CHECKING

from actsweep.cli.command import DONE, INCOMPLETE, Command, Parser, taken, warn
from actsweep.cli.memory import RAY, TORCH

if TYPE_CHECKING:
    from actsweep.records import LedgerContent
    from actsweep.settings import StudyConfig


def _plan(words: list[str], debug: bool) -> int:
    from actsweep.config import run_with_hydra

    as_json, words = taken("--json", words)

    def show(config: "StudyConfig", overrides: list[str]) -> int:
        import json

        from actsweep.report.terminal.console import Screen
        from actsweep.run.plan import make_plan, plan_tables

        plan = make_plan(config)
        if as_json:
            print(json.dumps(plan.figures(), indent=1))  # noqa: T201
        else:
            Screen().print(plan_tables(plan))
        return DONE

    return run_with_hydra("plan", words, show, COMMANDS["plan"].flags)


def _sweep(words: list[str], debug: bool) -> int:
    from actsweep.config import run_with_hydra

    extend, words = taken("--extend", words)
    return run_with_hydra(
        "sweep",
        words,
        lambda config, overrides: _run_study(config, extend=extend, debug=debug),
        COMMANDS["sweep"].flags,
    )


def _resume(words: list[str], debug: bool) -> int:
    parser = Parser("resume", COMMANDS["resume"].usage, COMMANDS["resume"].summary)
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="a study's folder, such as outputs/quickstart")
    parser.add_argument("--dry-run", action="store_true", help="say what would run, and run nothing")
    arguments = parser.parse_args(words)
    if arguments.dry_run:
        return _show_remaining(arguments.run_dir)
    return _resume_study(arguments.run_dir, debug=debug)


def _resume_study(path: Path, *, debug: bool) -> int:
    """Go on with a study."""
    from actsweep.records import StudyFolder, open_study

    opened = open_study(StudyFolder(path))
    if opened.problem:
        warn(f"{opened.problem}; it is made anew from the ledger")
    return _run_study(_placed(opened.config, path), debug=debug, known=opened.content)


def _placed(config: "StudyConfig", path: Path) -> "StudyConfig":
    """A study's settings, with its folder where it is now."""
    named = path if path.name not in ("", "..") else path.resolve()  # a link keeps its name
    place = config.run.model_copy(update={"name": named.name, "root": str(named.parent)})
    return config.model_copy(update={"run": place})


def _show_remaining(path: Path) -> int:
    from actsweep.report.terminal.console import Screen
    from actsweep.studies import remaining_of
    from actsweep.studies.show import remaining_text

    Screen().print(remaining_text(remaining_of(path)))
    return DONE


def _run_study(
    config: "StudyConfig", *, extend: bool = False, debug: bool, known: "LedgerContent | None" = None
) -> int:
    from actsweep.cli.results import show_results
    from actsweep.report.terminal.console import Screen
    from actsweep.run.sweep import run_sweep

    screen = Screen()
    _require_copy(config)
    results = run_sweep(config, screen, extend=extend, debug=debug, known=known)
    folder = Path(config.run.root) / config.run.name
    code = show_results(results, folder, screen)
    return code if config.cluster.copy_to is None else max(code, _copied(folder, config.cluster.copy_to))


def _require_copy(config: "StudyConfig") -> None:
    """Refuse before anything runs what the end would only say after hours."""
    from actsweep.errors import RemoteError, RequestError
    from actsweep.records import StudyFolder
    from actsweep.studies import reach_copy

    if config.cluster.copy_to is not None:
        try:
            reach_copy(StudyFolder(Path(config.run.root) / config.run.name), config.cluster.copy_to)
        except RemoteError as error:
            raise RequestError(f"cluster.copy_to: {error}") from error


def _copied(folder: Path, address: str) -> int:
    from actsweep.errors import RemoteError
    from actsweep.records import StudyFolder
    from actsweep.studies import copy_study

    try:
        print(f"copy     {copy_study(StudyFolder(folder), address).address}")  # noqa: T201
    except RemoteError as error:
        warn(
            f"cluster.copy_to: {error}; all of it is in {folder}. To copy it again: the same command, with another "
            "cluster.copy_to if need be"
        )
        return INCOMPLETE
    return DONE


def _train(words: list[str], debug: bool) -> int:
    if any(word == "--from" or word.startswith("--from=") for word in words):
        return _repeat(words)
    from actsweep.config import run_with_hydra
    from actsweep.report.terminal.console import Screen
    from actsweep.run.one_trial import run_one_trial

    def run(config: "StudyConfig", overrides: list[str]) -> int:
        return run_one_trial(config, Screen(), track=any(word.startswith("tracker=") for word in overrides))

    return run_with_hydra("train", words, run, COMMANDS["train"].flags)


def _repeat(words: list[str]) -> int:
    from actsweep.report.terminal.console import Screen
    from actsweep.run.repeat import repeat_trial

    parser = Parser("train", "--from RUN_DIR/trials/ID", "repeat a recorded trial, and compare the curves")
    parser.add_argument("--from", dest="trial", type=Path, required=True, help="the folder of the trial")
    return DONE if repeat_trial(parser.parse_args(words).trial, Screen()) else INCOMPLETE


COMMANDS = {
    "plan": Command(
        "what a sweep would run, its time and its disk",
        "[--json] [OVERRIDES]",
        _plan,
        TORCH,
        examples=("actsweep plan experiment=relu_vs_sigmoid", "actsweep plan --json experiment=quickstart"),
        options=(("--json", "seconds, hours and bytes as plain numbers, for programs"),),
    ),
    "sweep": Command(
        "tune, replicate, analyse, report",
        "[--extend] [OVERRIDES]",
        _sweep,
        RAY,
        examples=(
            "actsweep sweep experiment=quickstart",
            "actsweep sweep study.scientific.model.activation=[relu,gelu] trainer.epochs=30 run.name=mine",
            "actsweep sweep --extend study.replicate.seeds=20",
        ),
        options=(("--extend", "add seeds, blocks, points, arms or strata to a study that has been run"),),
    ),
    "resume": Command(
        "continue an interrupted sweep",
        "RUN_DIR [--dry-run]",
        _resume,
        RAY,
        examples=("actsweep resume outputs/quickstart", "actsweep resume outputs/quickstart --dry-run"),
    ),
    "train": Command(
        "one trial in this process, without Ray",
        "[OVERRIDES] | --from RUN_DIR/trials/ID",
        _train,
        TORCH,
        examples=(
            "actsweep train model.activation=gelu optimizer.lr=0.003",
            "actsweep train model.activation=relu,gelu --multirun",
            "actsweep train --from outputs/quickstart/trials/0123456789ab",
        ),
        options=(
            ("--from RUN_DIR/trials/ID", "repeat a recorded trial, and compare the curves; takes no settings"),
            ("--multirun", "one trial for each combination of values separated by commas"),
        ),
    ),
}
