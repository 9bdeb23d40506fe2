"""Commands about the studies at hand: status, dashboard, list, show, verify, clean."""

import re
from pathlib import Path

from actsweep.cli.command import DONE, WRONG_REQUEST, Command, Parser
from actsweep.cli.memory import TORCH

OUTPUTS = Path("outputs")
LAST_PORT = 65535


def _status(words: list[str], debug: bool) -> int:
    from actsweep.report.terminal.console import Screen
    from actsweep.studies import latest_study, status_of
    from actsweep.studies.show import status_text

    parser = _parser("status")
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, nargs="?", help="a study's folder (the latest one)")
    path = parser.parse_args(words).run_dir or latest_study(OUTPUTS)
    Screen().print(status_text(status_of(path)))
    return DONE


def _dashboard(words: list[str], debug: bool) -> int:
    from actsweep.live import serve

    parser = _parser("dashboard")
    parser.add_argument("--port", metavar="P", type=_port, help="to listen on (8270, or any free one)")
    parser.add_argument("--root", metavar="DIR", type=Path, default=OUTPUTS, help=f"where studies are ({OUTPUTS})")
    arguments = parser.parse_args(words)

    def said(address: str) -> None:
        print(f"dashboard {address} (Ctrl-C ends it)", flush=True)  # noqa: T201

    serve(arguments.root, arguments.port, said)
    return DONE


def _port(text: str) -> int:
    from argparse import ArgumentTypeError

    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > LAST_PORT:
        raise ArgumentTypeError(f"needs a whole number from 0 (any free one) to {LAST_PORT}, not {text!r}")
    return int(text)


def _list(words: list[str], debug: bool) -> int:
    import json

    from actsweep.report.terminal.console import Screen
    from actsweep.studies import list_studies
    from actsweep.studies.show import studies_table

    parser = _parser("list")
    parser.add_argument("--root", metavar="DIR", type=Path, default=OUTPUTS, help=f"where studies are ({OUTPUTS})")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    arguments = parser.parse_args(words)
    found = list_studies(arguments.root)
    if arguments.json:
        print(json.dumps([study.as_json() for study in found], indent=1))  # noqa: T201
    else:
        Screen().print(studies_table(found, arguments.root))
    return DONE


def _show(words: list[str], debug: bool) -> int:
    from actsweep.report.terminal.console import Screen
    from actsweep.studies import find_trial
    from actsweep.studies.show import trial_text

    parser = _parser("show")
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="a study's folder, such as outputs/quickstart")
    parser.add_argument("trial", metavar="TRIAL", help="a trial's id, or its first digits")
    arguments = parser.parse_args(words)
    Screen().print(trial_text(find_trial(arguments.run_dir, arguments.trial)))
    return DONE


def _verify(words: list[str], debug: bool) -> int:
    import json

    from actsweep.report.terminal.console import Screen
    from actsweep.studies.show import verification_text
    from actsweep.studies.verifying import verify_study

    parser = _parser("verify")
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="a study's folder, such as outputs/quickstart")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    arguments = parser.parse_args(words)
    found = verify_study(arguments.run_dir)
    if arguments.json:
        print(json.dumps(found.as_json(), indent=1))  # noqa: T201
    else:
        Screen().print(verification_text(found))
    return WRONG_REQUEST if found.findings else DONE


def _clean(words: list[str], debug: bool) -> int:
    from actsweep.report.terminal.console import Screen
    from actsweep.studies import Removal, clean_up
    from actsweep.studies.show import removals_text

    parser = _parser("clean")
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, nargs="*", help="studies whose left-overs may go")
    parser.add_argument("--checkpoints", action="store_true", help="weights too, but for the best of each cell")
    parser.add_argument("--cache", action="store_true", help="the decoded data sets, which are rebuilt when needed")
    parser.add_argument("--dry-run", action="store_true", help="only show what would go, as without --yes")
    parser.add_argument("--yes", action="store_true", help="remove it")
    arguments = parser.parse_args(words)
    if not (arguments.run_dir or arguments.cache):
        parser.error("nothing to clean: give a study's folder, or --cache")
    if arguments.checkpoints and not arguments.run_dir:
        parser.error("--checkpoints needs the folder of a study")
    remove = arguments.yes and not arguments.dry_run
    removals: list[Removal] = clean_up(
        arguments.run_dir, checkpoints=arguments.checkpoints, cache=arguments.cache, remove=remove
    )
    Screen().print(removals_text(removals, removed=remove))
    return DONE


def _parser(command: str) -> Parser:
    return Parser(command, COMMANDS[command].usage, COMMANDS[command].summary)


COMMANDS = {
    "status": Command(
        "how far a sweep is",
        "[RUN_DIR]",
        _status,
        examples=("actsweep status", "actsweep status outputs/quickstart"),
    ),
    "dashboard": Command(
        "live pages of the studies at hand, on this machine",
        "[--port P] [--root DIR]",
        _dashboard,
        examples=("actsweep dashboard", "actsweep dashboard --port 8000 --root /shared/studies"),
    ),
    "list": Command(
        "the studies at hand",
        "[--root DIR] [--json]",
        _list,
        examples=("actsweep list", "actsweep list --root /shared/studies --json"),
    ),
    "show": Command(
        "one trial: its settings, curve, measures and log",
        "RUN_DIR TRIAL",
        _show,
        examples=("actsweep show outputs/quickstart 0123",),
    ),
    "verify": Command(
        "proof that a study's files agree, and what to do where not",
        "RUN_DIR [--json]",
        _verify,
        TORCH,
        examples=("actsweep verify outputs/quickstart",),
    ),
    "clean": Command(
        "remove what can be rebuilt",
        "[RUN_DIR...] [--checkpoints] [--cache] [--dry-run] [--yes]",
        _clean,
        examples=("actsweep clean outputs/quickstart --checkpoints", "actsweep clean --cache --yes"),
    ),
}
