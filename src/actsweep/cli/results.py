"""Commands about results: report, analyze, compare, export."""

from pathlib import Path
from typing import TYPE_CHECKING

from actsweep.cli.command import DONE, INCOMPLETE, Command, Parser, warn
from actsweep.cli.memory import TORCH

if TYPE_CHECKING:
    from rich.console import Console

    from actsweep.records import OpenedStudy, Results, StudyFolder


def _report(words: list[str], debug: bool) -> int:
    from actsweep.records import StudyFolder
    from actsweep.report.console import Screen
    from actsweep.results import rebuild

    path = _parser("report", nargs=None).parse_args(words).run_dir
    folder = StudyFolder(path)
    return show_results(rebuild(folder, _opened(folder)), path, Screen())


def _opened(folder: "StudyFolder") -> "OpenedStudy":
    """A study to read, with a warning where the ledger has to stand in for its settings."""
    from actsweep.records import open_study

    opened = open_study(folder)
    if opened.problem:
        warn(f"{opened.problem}; the settings are those of the ledger")
    return opened


def show_results(results: "Results", path: Path, console: "Console") -> int:
    """Print a study's tables and where its files are.

    Returns:
        the exit code: 1 where trials failed for good.
    """
    from actsweep.records import StudyFolder
    from actsweep.report.terminal import cells_table, stopping_notes, verdicts_table, warnings

    for part in (cells_table(results), verdicts_table(results), stopping_notes(results), warnings(results)):
        if part is not None:
            console.print(part)
    folder = StudyFolder(path)
    for label, file in (("report", folder.report), ("results", folder.results), ("curves", folder.curves)):
        console.print(f"{label:<8} {file}", markup=False, highlight=False, soft_wrap=True)
    return INCOMPLETE if results["study"]["failures"] else DONE


def _analyze(words: list[str], debug: bool) -> int:
    from actsweep.tables import run_analyze

    return run_analyze(words)


def _compare(words: list[str], debug: bool) -> int:
    from actsweep.records import StudyFolder, read_results
    from actsweep.report.console import Screen
    from actsweep.report.side_by_side import compare_studies, comparison_tables

    folders = [StudyFolder(path) for path in _parser("compare", nargs="+").parse_args(words).run_dir]
    configs = [_opened(folder).recorded for folder in folders]
    results = [read_results(folder) for folder in folders]
    Screen().print(comparison_tables(compare_studies([config.run.name for config in configs], configs, results)))
    return DONE


def _export(words: list[str], debug: bool) -> int:
    from actsweep.exporting import FORMATS, export_model

    parser = _parser("export", nargs=None)
    parser.add_argument("--cell", metavar="VALUES", help="of a cell, such as relu,3; needed where there are several")
    parser.add_argument("--format", default="ckpt", dest="form", metavar="FORMAT", help=f"{' | '.join(FORMATS)} (ckpt)")
    parser.add_argument("--out", metavar="FILE", type=Path, help="the file (STUDY-CELL in the working folder)")
    asked = parser.parse_args(words)
    file, trial = export_model(asked.run_dir, asked.cell, asked.form, asked.out)
    print(f"model of trial {trial}: {file}")  # noqa: T201
    return DONE


def _parser(command: str, nargs: str | None) -> Parser:
    parser = Parser(command, COMMANDS[command].usage, COMMANDS[command].summary)
    parser.add_argument(
        "run_dir", metavar="RUN_DIR", type=Path, nargs=nargs, help="a study's folder, such as outputs/quickstart"
    )
    return parser


COMMANDS = {
    "report": Command(
        "rebuild results.json and report.html from the records",
        "RUN_DIR",
        _report,
        examples=("actsweep report outputs/quickstart",),
    ),
    "analyze": Command(
        "the same analysis of anyone's curves",
        "CURVES... [OPTIONS]",
        _analyze,
        examples=(
            "actsweep analyze curves.csv",
            "actsweep analyze logs/ --from tensorboard --map val_acc=val/accuracy",
        ),
    ),
    "export": Command(
        "the best model of a cell, for other programs",
        "RUN_DIR [--cell relu,3] [--format ckpt|torch|onnx] [--out FILE]",
        _export,
        TORCH,
        examples=("actsweep export outputs/quickstart --cell relu,3 --format onnx",),
    ),
    "compare": Command(
        "settings and verdicts of several studies side by side",
        "RUN_DIR RUN_DIR...",
        _compare,
        examples=("actsweep compare outputs/mine outputs/quickstart",),
    ),
}
