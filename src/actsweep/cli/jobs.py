"""Commands about jobs on a running Ray cluster: submit, jobs, logs, stop, fetch."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from actsweep.cli.command import DONE, INCOMPLETE, Command, Parser, option, taken
from actsweep.cli.memory import RAY
from actsweep.errors import RequestError

if TYPE_CHECKING:
    from actsweep.cluster import Job, JobServer
    from actsweep.settings import StudyConfig

_PLACE_WORDS = ("cluster=", "cluster.address=", "run.root=")
_ENVIRONMENT = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")  # where Ray's own job commands look too


def _submit(words: list[str], debug: bool) -> int:
    from actsweep.config import config_folder, run_with_hydra

    follow, words = taken("--follow", words)
    resume, words = taken("--resume", words)
    own_conf, _ = option("--config-dir", words)

    def send(config: "StudyConfig", overrides: list[str]) -> int:
        from actsweep.cluster import JobAsked, JobServer, access_notes
        from actsweep.study import Study

        Study(config)
        address, storage = _job_server(config)
        for note in access_notes(address):
            print(f"actsweep: {note}", file=sys.stderr)  # noqa: T201
        server = JobServer(address)
        asked = JobAsked(
            words=_resumed(config) if resume else _swept(config, overrides, own_conf),
            study=config.run.name,
            storage=storage,
            copy=config.cluster.copy_to,
            conf=config_folder(),
            own_conf=Path(own_conf) if own_conf else None,
            plugins=config.plugins,
        )
        job_id = server.submit(asked)
        _remember(address)
        print(f"submitted {job_id}", flush=True)  # noqa: T201
        return _follow(server, job_id) if follow else DONE

    return run_with_hydra("submit", words, send, COMMANDS["submit"].flags)


def _job_server(config: "StudyConfig") -> tuple[str, str]:
    """The address of the job server, and the folder on the cluster for studies.

    Raises:
        RequestError: one of them is not given.
    """
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
    return address, config.cluster.storage


def _swept(config: "StudyConfig", overrides: Sequence[str], own_conf: str | None) -> list[str]:
    """The command on the cluster; words that say where a study runs and is kept are replaced by the job's own."""
    from actsweep.cluster import STAGED_CONFIG

    kept = [word for word in overrides if not word.lstrip("+").startswith(_PLACE_WORDS)]
    conf = ["--config-dir", STAGED_CONFIG] if own_conf else []
    here = ["cluster=ray", "cluster.address=auto", f"run.root={config.cluster.storage}"]
    return ["sweep", *conf, *kept, *here]


def _resumed(config: "StudyConfig") -> list[str]:
    return ["resume", str(Path(str(config.cluster.storage)) / config.run.name)]


def _follow(server: "JobServer", job_id: str) -> int:
    """Show what a job writes until it ends; Ctrl-C ends the showing, not the job."""
    try:
        succeeded = server.follow(job_id, lambda text: print(text, end="", flush=True))  # noqa: T201
    except KeyboardInterrupt:
        print(f"\n{job_id} goes on; to see more: actsweep logs {job_id} -f; to end it: actsweep stop {job_id}")  # noqa: T201
        raise
    return DONE if succeeded else INCOMPLETE


def _jobs(words: list[str], debug: bool) -> int:
    server = _server(_parser("jobs", with_id=False).parse_args(words).place)
    found = server.jobs()
    for job in found:
        began = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.began)) if job.began else "-"
        print(f"{job.job_id:<26} {job.status:<9} {began:<16} {job.storage}/{job.study}")  # noqa: T201
    if not found:
        print(f"no jobs of ours at {server.address}")  # noqa: T201
    return DONE


def _logs(words: list[str], debug: bool) -> int:
    parser = _parser("logs")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the job ends")
    arguments = parser.parse_args(words)
    server = _server(arguments.place)
    server.job(arguments.job)
    if arguments.follow:
        return _follow(server, arguments.job)
    print(server.logs(arguments.job), end="")  # noqa: T201
    return DONE


def _stop(words: list[str], debug: bool) -> int:
    arguments = _parser("stop").parse_args(words)
    job = _server(arguments.place).stop(arguments.job)
    print(f"{job.job_id} is {job.status}; to go on: actsweep submit --resume with the same words")  # noqa: T201
    return DONE


def _fetch(words: list[str], debug: bool) -> int:
    from actsweep.studies import fetch_study

    parser = _parser("fetch")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where to (outputs/NAME)")
    arguments = parser.parse_args(words)
    job = _server(arguments.place).job(arguments.job)
    out = arguments.out or Path("outputs") / job.study
    files = fetch_study(_place(job), out)
    print(f"{files} files in {out}; the report: {out / 'report.html'}")  # noqa: T201
    return DONE


def _place(job: "Job") -> str:
    """Where a study is to be had: where the cluster keeps it, if this machine sees that, else its copy, if any."""
    from actsweep.system.remote import RemoteFolder

    kept = Path(job.storage) / job.study
    return (RemoteFolder(job.copy) / job.study).address if job.copy and not kept.exists() else str(kept)


def _parser(command: str, *, with_id: bool = True) -> Parser:
    parser = Parser(command, COMMANDS[command].usage, COMMANDS[command].summary)
    if with_id:
        parser.add_argument("job", metavar="ID", help="as `actsweep jobs` lists it")
    parser.add_argument(
        *("--address", "-a"),
        dest="place",
        metavar="URL",
        help=f"of the cluster's job server; else ${_ENVIRONMENT[0]}, else that of the last job that was submitted",
    )
    return parser


def _server(given: str | None) -> "JobServer":
    """The job server that is asked for.

    Raises:
        RequestError: none is known, or it does not answer.
    """
    from actsweep.cluster import JobServer

    elsewhere = (*(os.environ.get(name, "") for name in _ENVIRONMENT), _remembered())
    places = [place for place in ([given] if given else elsewhere) if place.startswith(("http://", "https://"))]
    if not places:
        instead = f", not {given!r}" if given else ""
        raise RequestError(f"--address: needs the address of a job server, such as http://10.0.0.5:8265{instead}")
    return JobServer(places[0])


def _remember(address: str) -> None:
    """Keep the address of the last job's server for the commands about it."""
    file = _state_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(address)


def _remembered() -> str:
    try:
        return _state_file().read_text().strip()
    except OSError:
        return ""


def _state_file() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "actsweep" / "job_server"


COMMANDS = {
    "submit": Command(
        "a sweep as a job on a running Ray cluster",
        "[--follow] [--resume] [OVERRIDES]",
        _submit,
        RAY,
        examples=(
            "actsweep submit --follow cluster=ray cluster.address=http://10.0.0.5:8265 cluster.storage=/shared/studies",
        ),
        options=(
            ("--follow", "show what the job writes until it ends; Ctrl-C ends the showing, not the job"),
            ("--resume", "go on with a study that was stopped, or whose driver was lost"),
        ),
    ),
    "jobs": Command(
        "the jobs that were submitted",
        "[--address URL]",
        _jobs,
        RAY,
        examples=("actsweep jobs --address http://10.0.0.5:8265",),
    ),
    "logs": Command(
        "what a job has written",
        "ID [-f] [--address URL]",
        _logs,
        RAY,
        examples=("actsweep logs raysubmit_4VQ2mGrcS7bLq9Xe -f",),
    ),
    "stop": Command(
        "end a job; what has ended is kept",
        "ID [--address URL]",
        _stop,
        RAY,
        examples=("actsweep stop raysubmit_4VQ2mGrcS7bLq9Xe",),
    ),
    "fetch": Command(
        "copy a job's study here",
        "ID [--out DIR] [--address URL]",
        _fetch,
        RAY,
        examples=("actsweep fetch raysubmit_4VQ2mGrcS7bLq9Xe --out outputs/quickstart",),
    ),
}
