"""Commands about results: report, analyze, compare, export."""

from pathlib import Path
from typing import TYPE_CHECKING

from actsweep.cli.command import DONE, INCOMPLETE, Command, Parser, warn
from actsweep.cli.memory import TORCH

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from rich.console import Console

    from actsweep.records import OpenedStudy, Results, StudyFolder
    from actsweep.studies.results import Computed


def _report(words: list[str], debug: bool) -> int:
    from actsweep.records import StudyFolder
    from actsweep.report.files import FIGURE_FORMATS, TABLE_FORMATS
    from actsweep.report.terminal.console import Screen
    from actsweep.studies.results import rebuilt

    parser = _parser("report", nargs=None)
    parser.add_argument(
        "--figures", metavar="FORMAT", choices=FIGURE_FORMATS, help=f"also {' | '.join(FIGURE_FORMATS)}"
    )
    parser.add_argument("--tables", metavar="FORMAT", choices=TABLE_FORMATS, help=f"also {' | '.join(TABLE_FORMATS)}")
    parser.add_argument("--tensorboard", action="store_true", help="also a run a trial, for TensorBoard's HParams view")
    asked = parser.parse_args(words)
    folder = StudyFolder(asked.run_dir)
    computed = rebuilt(folder, _opened(folder))
    code = show_results(computed.results, asked.run_dir, Screen())
    for label, place in _written_beside(asked, computed):
        _show_place(label, place, Screen())
    return code


def _written_beside(asked: "Namespace", computed: "Computed") -> "Iterator[tuple[str, Path]]":
    """Write what is asked for beside the report itself, each into a folder of its own in the study's."""
    from actsweep.report.files import write_figures, write_tables, write_tensorboard

    if asked.figures:
        write_figures(asked.run_dir / "figures", computed.results, computed.trials, asked.figures)
        yield "figures", asked.run_dir / "figures"
    if asked.tables:
        write_tables(asked.run_dir / "tables", computed.results, asked.tables)
        yield "tables", asked.run_dir / "tables"
    if asked.tensorboard:
        yield "runs", write_tensorboard(asked.run_dir / "tensorboard", computed.results, computed.trials)


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
    from actsweep.report.terminal.tables import cells_table, stopping_notes, verdicts_table, warnings

    for part in (cells_table(results), verdicts_table(results), stopping_notes(results), warnings(results)):
        if part is not None:
            console.print(part)
    folder = StudyFolder(path)
    for label, file in (("report", folder.report), ("results", folder.results), ("curves", folder.curves)):
        _show_place(label, file, console)
    return INCOMPLETE if results["study"]["failures"] else DONE


def _show_place(label: str, place: Path, console: "Console") -> None:
    console.print(f"{label:<8} {place}", markup=False, highlight=False, soft_wrap=True)


def _analyze(words: list[str], debug: bool) -> int:
    from actsweep.cli.analyze import run_analyze

    return run_analyze(words)


def _compare(words: list[str], debug: bool) -> int:
    from actsweep.records import StudyFolder, read_results
    from actsweep.report.terminal.console import Screen
    from actsweep.report.terminal.side_by_side import compare_studies, comparison_tables

    parser = _parser("compare", nargs="+")
    paths = parser.parse_args(words).run_dir
    if len({path.resolve() for path in paths}) < max(len(paths), 2):
        parser.error("needs the folders of two studies or more, each once")
    folders = [StudyFolder(path) for path in paths]
    configs = [_opened(folder).recorded for folder in folders]
    results = [read_results(folder) for folder in folders]
    Screen().print(comparison_tables(compare_studies([config.run.name for config in configs], configs, results)))
    return DONE


def _export(words: list[str], debug: bool) -> int:
    from actsweep.studies.exporting import FORMATS, export_model

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
        "RUN_DIR [--figures png|svg] [--tables csv|md] [--tensorboard]",
        _report,
        examples=("actsweep report outputs/quickstart", "actsweep report outputs/quickstart --figures png --tables md"),
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
