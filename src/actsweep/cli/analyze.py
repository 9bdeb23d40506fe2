"""The command `analyze`: files of curves in, results.json and report.html out."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actsweep.analysis import AnalysisOptions, TrialCurve
from actsweep.cli.command import Parser
from actsweep.errors import ActsweepError, RequestError
from actsweep.records import StudyFolder, write_whole
from actsweep.report.wording import clean
from actsweep.tables.analyze import AnalyzeOptions, analyze_table, options_for
from actsweep.tables.convert import FORMATS, open_source
from actsweep.tables.read import table_of
from actsweep.tables.schema import DEFAULT_FACTOR, DEFAULT_STRATUM, Schema, shown

if TYPE_CHECKING:
    from rich.console import Console

DEFAULT_OUT = Path("analysis")
Results = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One file to analyse: where it is, how it is read and compared, and the folder that its results go to."""

    path: Path
    format: str
    schema: Schema
    options: AnalysisOptions
    out: Path
    with_report: bool

    def run(self) -> Results:
        """Analyse the file and write its results.

        Raises:
            TableError: the table is refused.
            RequestError: an option does not fit the table, or the folder cannot be written to.
        """
        table = table_of(open_source(self.path, self.format, self.schema), self.schema)
        results, trials = analyze_table(table, self.options)
        folder = StudyFolder(self.out)
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            with write_whole(folder.results) as temporary:
                temporary.write_text(json.dumps(results, indent=1, allow_nan=False))
            if self.with_report:
                _write_report(folder.report, results, trials)
        except OSError as error:
            raise RequestError(f"--out {clean(self.out)}: cannot be written to: {error.strerror}") from error
        return results


def run_analyze(words: list[str]) -> int:
    """Analyse the files that the words after `analyze` name.

    Returns:
        0; everything that is wrong is raised.

    Raises:
        ActsweepError: a file or an option is refused; files beside a refused one are analysed all the same.
    """
    from actsweep.report.terminal.console import Screen

    arguments = _parser().parse_args(words)
    jobs = _jobs(arguments)
    refusals = []
    console = Screen()
    for job, outcome in zip(jobs, _outcomes(jobs, arguments.jobs), strict=True):
        if isinstance(outcome, ActsweepError):
            refusals.append(outcome)
        else:
            _show(job, outcome, console, titled=len(jobs) > 1)
    if len(jobs) == 1 and refusals:
        raise refusals[0]
    if refusals:
        lines = "\n".join(f"  {refusal}" for refusal in refusals)
        raise RequestError(f"{len(refusals)} of {len(jobs)} files refused, the others analysed:\n{lines}")
    return 0


def _jobs(arguments: argparse.Namespace) -> list[Job]:
    """One job a file, all options checked, before anything is read.

    Raises:
        RequestError: an option is out of its range, or two files would share a folder, or one would overwrite a study.
    """
    schema = Schema(arguments.factor, arguments.stratum, _mapping(arguments.map))
    names = [path.resolve().name if path.is_dir() else path.stem for path in arguments.curves]
    for name in names:
        if names.count(name) > 1:
            raise RequestError(f"two files are called {shown(name)}, so their results would share a folder: rename one")
    asked: AnalyzeOptions = {
        "reference": arguments.reference,
        "horizon": arguments.horizon,
        "target_hi": arguments.target_hi,
        "target_lo": arguments.target_lo,
        "level": arguments.level,
    }
    jobs = []
    for path, name in zip(arguments.curves, names, strict=True):
        out = arguments.out / name if len(names) > 1 else arguments.out
        if StudyFolder(out).ledger.exists():
            raise RequestError(f"--out {clean(out)}: is the folder of a study, whose results it would replace")
        options = options_for(name, arguments.classes, asked)
        jobs.append(Job(path, arguments.format, schema, options, out, arguments.report))
    return jobs


def _outcomes(jobs: Sequence[Job], processes: int) -> Iterator[Results | ActsweepError]:
    """What each job comes to, in order, as soon as it is there."""
    if processes == 1 or len(jobs) == 1:
        for job in jobs:
            try:
                yield job.run()
            except ActsweepError as error:
                yield error
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(jobs)), context, initializer=_end_when_interrupted) as pool:
        for job, future in zip(jobs, [pool.submit(job.run) for job in jobs], strict=True):
            try:
                yield future.result()
            except ActsweepError as error:
                yield error
            except BrokenProcessPool:
                yield ActsweepError(f"{clean(job.path)}: the process that analysed it died; is there enough memory?")
            except KeyboardInterrupt:
                for process in multiprocessing.active_children():
                    process.terminate()
                raise


def _end_when_interrupted() -> None:
    """Let Ctrl-C end a worker at once and without words; the parent says what there is to say."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _write_report(path: Path, results: Results, trials: Sequence[TrialCurve]) -> None:
    from actsweep.report.page import write_report

    write_report(path, results, trials)


def _show(job: Job, results: Results, console: Console, titled: bool) -> None:
    from rich.text import Text

    from actsweep.report.terminal.tables import cells_table, verdicts_table, warnings

    if titled:
        console.print(Text(clean(job.path), style="bold"))
    for part in (cells_table(results), verdicts_table(results), warnings(results)):
        if part is not None:
            console.print(part)
    folder = StudyFolder(job.out)
    for label, file in (("report", folder.report), ("results", folder.results)):
        if job.with_report or file != folder.report:
            console.print(f"{label:<8} {clean(file)}", markup=False, highlight=False, soft_wrap=True)


def _parser() -> Parser:
    parser = Parser(
        "analyze",
        "CURVES... [OPTIONS]",
        "Analyse anyone's curves as a study of our own: measures, intervals, verdicts, report.",
    )
    add = parser.add_argument
    add(
        "curves",
        metavar="CURVES",
        nargs="+",
        type=Path,
        help="CSV or Parquet, a row a trial and evaluation; see --from",
    )
    add("--out", metavar="DIR", type=Path, default=DEFAULT_OUT, help=f"folder for the results ({DEFAULT_OUT})")
    add("--reference", metavar="ARM", help="the arm that the others are compared with (relu, where there is one)")
    add("--horizon", metavar="H", type=float, help="cut all curves at this epoch")
    add("--classes", metavar="N", type=int, default=10, help="number of classes (10), which sets the chance level")
    add("--target-hi", metavar="X", type=float, help="high target accuracy, a fraction (derived from the replicates)")
    add("--target-lo", metavar="Y", type=float, help="low target accuracy, a fraction (derived from the replicates)")
    add("--level", metavar="L", type=float, help="level of one interval (95 %% over all intervals together)")
    add("--factor", metavar="COLUMN", default=DEFAULT_FACTOR, help=f"what was compared ({DEFAULT_FACTOR})")
    add(
        "--stratum", metavar="COLUMN[,...]", type=_names, default=DEFAULT_STRATUM, help="what divides the study (depth)"
    )
    add("--from", dest="format", choices=FORMATS, default=FORMATS[0], help="format (csv, which Parquet is read under)")
    add("--map", metavar="OUR=THEIRS", type=_pair, action="append", default=[], help="a column by its name in the file")
    add("--jobs", metavar="N", type=_positive, default=1, help="files analysed at a time, each in its own process (1)")
    add("--no-report", dest="report", action="store_false", help="write no report.html")
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"needs a whole number from 1 on, not {text!r}")
    return int(text)


def _pair(text: str) -> tuple[str, str]:
    ours, _, theirs = text.partition("=")
    if not ours or not theirs:
        raise argparse.ArgumentTypeError(f"needs the form our=theirs, such as val_acc=accuracy, not {text!r}")
    return ours, theirs


def _mapping(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise RequestError("--map: one of our columns is named twice")
    return mapping
