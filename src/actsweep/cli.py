"""The commands: words in, an exit code out; what each needs is imported only when it runs."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from actsweep import __version__
from actsweep.errors import ActsweepError, Interrupted, RequestError, TrialsFailedError

if TYPE_CHECKING:
    from rich.console import Console

    from actsweep.results import Results
    from actsweep.settings import StudyConfig

DONE, INCOMPLETE, WRONG_REQUEST, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        summary: a line for the list of commands.
        usage: what follows the command's name.
        run: takes the words after the name, and whether to debug; returns the exit code.
    """

    summary: str
    usage: str
    run: Callable[[list[str], bool], int]


def run(words: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        0 done; 1 done, but trials failed for good; 2 the request is wrong; 130 interrupted.
    """
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        return _dispatch(words, debug)
    except Interrupted as error:
        return _refuse(error, INTERRUPTED, debug)
    except TrialsFailedError as error:
        return _refuse(error, INCOMPLETE, debug)
    except ActsweepError as error:
        return _refuse(error, WRONG_REQUEST, debug)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return _refuse(RequestError(f"{error.filename or 'a file'}: {error.strerror or error}"), WRONG_REQUEST, debug)


def _dispatch(words: list[str], debug: bool) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_overview())  # noqa: T201
        return DONE
    if words[0] == "--version":
        print(f"actsweep {__version__}")  # noqa: T201
        return DONE
    if words[0] in ("-sc", "--shell-completion"):
        return _complete(words)
    if words[0] not in COMMANDS:
        from actsweep.settings import known_are

        return _refuse(
            ActsweepError(f"{words[0]!r} is no command; {known_are(list(COMMANDS), words[0])}"), WRONG_REQUEST
        )
    return COMMANDS[words[0]].run(words[1:], debug)


def _refuse(error: ActsweepError, code: int, debug: bool = False) -> int:
    print(f"actsweep: {error}", file=sys.stderr)  # noqa: T201
    if debug:
        traceback.print_exception(error)
    return code


def _overview() -> str:
    width = max(len(name) + len(command.usage) for name, command in COMMANDS.items()) + 1
    lines = [f"  {f'{name} {command.usage}':<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: actsweep COMMAND ...",
            "",
            "Sweeps that give each activation an equal, tuned chance, and honest measures of what comes out.",
            "",
            *lines,
            "",
            "OVERRIDES are Hydra's, such as experiment=quickstart; `actsweep sweep --help` shows all settings.",
            "--debug shows tracebacks and Ray's own messages; --version the version.",
        ]
    )


def _sweep(words: list[str], debug: bool) -> int:
    from actsweep.config import run_with_hydra

    return run_with_hydra("sweep", words, lambda config, overrides: _run_study(config, debug))


def _resume(words: list[str], debug: bool) -> int:
    from actsweep.records import StudyFolder

    path = _arguments("resume", words).run_dir
    config = StudyFolder(path).read_config()
    place = config.run.model_copy(update={"name": path.resolve().name, "root": str(path.parent)})
    return _run_study(config.model_copy(update={"run": place}), debug)


def _run_study(config: "StudyConfig", debug: bool) -> int:
    from rich.console import Console

    from actsweep.sweep import run_sweep

    console = Console()
    return _show(run_sweep(config, console, debug=debug), Path(config.run.root) / config.run.name, console)


def _report(words: list[str], debug: bool) -> int:
    from rich.console import Console

    from actsweep.records import StudyFolder
    from actsweep.results import rebuild

    path = _arguments("report", words).run_dir
    return _show(rebuild(StudyFolder(path)), path, Console())


def _show(results: "Results", path: Path, console: "Console") -> int:
    from actsweep.records import StudyFolder
    from actsweep.report.terminal import cells_table, verdicts_table, warnings

    for part in (cells_table(results), verdicts_table(results), warnings(results)):
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
    from rich.console import Console

    from actsweep.records import StudyFolder
    from actsweep.report.side_by_side import compare_studies, comparison_tables
    from actsweep.results import read_results

    folders = [StudyFolder(path) for path in _arguments("compare", words, nargs="+").run_dir]
    configs = [folder.read_config() for folder in folders]
    results = [read_results(folder) for folder in folders]
    Console().print(comparison_tables(compare_studies([config.run.name for config in configs], configs, results)))
    return DONE


def _status(words: list[str], debug: bool) -> int:
    from rich.console import Console

    from actsweep.records import StudyFolder, read_ledger
    from actsweep.report.terminal import status_table
    from actsweep.study import Study

    folder = StudyFolder(_arguments("status", words).run_dir)
    study = Study(folder.read_config())
    Console().print(status_table(study, read_ledger(folder.ledger).fold()))
    return DONE


def _train(words: list[str], debug: bool) -> int:
    from actsweep.config import run_with_hydra
    from actsweep.one_trial import run_one_trial

    return run_with_hydra("train", words, lambda config, overrides: run_one_trial(config))


def _submit(words: list[str], debug: bool) -> int:
    from actsweep.config import config_folder, run_with_hydra

    follow = "--follow" in words
    words = [word for word in words if word != "--follow"]

    def send(config: "StudyConfig", overrides: list[str]) -> int:
        from actsweep.cluster import submit_job, wait_for_job
        from actsweep.study import Study

        Study(config)
        address = _job_server(config)
        job_id = submit_job(address, _job_words(config, overrides), config_folder())
        print(f"submitted {job_id}", flush=True)  # noqa: T201
        if not follow:
            return DONE
        return DONE if wait_for_job(address, job_id, lambda text: print(text, end="", flush=True)) else INCOMPLETE  # noqa: T201

    return run_with_hydra("submit", words, send)


def _job_server(config: "StudyConfig") -> str:
    address = config.cluster.address or ""
    if config.cluster.name != "ray" or not address.startswith(("http://", "https://")):
        raise RequestError(
            "submit needs cluster=ray and cluster.address=http://HOST:8265, the address of the cluster's job server, "
            f"not cluster={config.cluster.name} cluster.address={config.cluster.address}"
        )
    if not config.cluster.storage:
        raise RequestError(
            "submit needs cluster.storage: a folder that the cluster's nodes mount, for the study's files"
        )
    return address


def _job_words(config: "StudyConfig", overrides: Sequence[str]) -> list[str]:
    kept = [word for word in overrides if not word.startswith("run.root=")]
    return [*kept, f"run.root={config.cluster.storage}"]


def _arguments(command: str, words: Sequence[str], nargs: str | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"actsweep {command}", description=COMMANDS[command].summary)
    parser.add_argument(
        "run_dir", metavar="RUN_DIR", type=Path, nargs=nargs, help="a study's folder, such as outputs/quickstart"
    )
    return parser.parse_args(words)


def _complete(words: list[str]) -> int:
    """Complete the command word ourselves and leave the rest to Hydra, which must not see that word."""
    from actsweep.config import run_with_hydra

    line = os.environ.get("COMP_LINE", "").split(" ")
    if words[1:2] == ["query=bash"] and len(line) <= 2:
        print(" ".join(name for name in COMMANDS if name.startswith(line[-1])))  # noqa: T201
        return DONE
    os.environ["COMP_LINE"] = " ".join([*line[:1], *line[2:]])
    return run_with_hydra("sweep", words, lambda config, overrides: DONE)


COMMANDS = {
    "sweep": Command("tune, replicate, analyse, report", "[OVERRIDES]", _sweep),
    "resume": Command("continue an interrupted sweep", "RUN_DIR", _resume),
    "train": Command("one trial in this process, without Ray", "[OVERRIDES]", _train),
    "report": Command("rebuild results.json and report.html from the records", "RUN_DIR", _report),
    "analyze": Command("the same analysis of anyone's curves", "CURVES... [OPTIONS]", _analyze),
    "compare": Command("settings and verdicts of several studies side by side", "RUN_DIR RUN_DIR...", _compare),
    "status": Command("how far a sweep is", "RUN_DIR", _status),
    "submit": Command("a sweep as a job on a running Ray cluster", "[--follow] [OVERRIDES]", _submit),
}
