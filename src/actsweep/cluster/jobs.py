"""A sweep as a job on a running Ray cluster, its driver there."""

import shlex
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from actsweep.cluster.access import TOKEN_HINT, token_environment
from actsweep.cluster.admission import require_cluster
from actsweep.cluster.connection import first_line
from actsweep.cluster.environment import environment, read_again
from actsweep.errors import RequestError

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

POLL_SECONDS = 1.0
AGENT_WAIT_SECONDS = 90.0  # a head that has just started, on a busy machine
NO_AGENT = "No available agent"
AGENT_HINT = (
    " (the head's agent does not serve: where two Rays run on one machine, the second needs its own port for it,"
    " `ray start --dashboard-agent-listen-port=PORT`)"
)


def submit_job(address: str, words: Sequence[str], conf: Path) -> str:
    """Send a sweep to a cluster and return the job's id.

    The installed package travels with the job; the cluster's own Python environment brings the dependencies.

    Args:
        address: of the cluster's job server, such as http://10.0.0.5:8265.
        words: Hydra overrides of the sweep; those that choose the cluster are replaced by the job's own.
        conf: the folder of the configuration groups.

    Raises:
        RequestError: no job server answers, or it does not take the job.
    """
    kept = [word for word in words if not word.startswith(("cluster=", "cluster.address="))]
    entrypoint = shlex.join(["python", "-m", "actsweep", "sweep", *kept, "cluster=ray", "cluster.address=auto"])
    with tempfile.TemporaryDirectory(prefix="actsweep-") as staged:
        _stage(Path(staged), conf)
        return _accepted(_client(address), entrypoint, staged)


def wait_for_job(address: str, job_id: str, show: Callable[[str], None]) -> bool:
    """Pass a job's output on as it comes, until the job ends.

    Returns:
        whether the job succeeded.
    """
    from ray.job_submission import JobStatus

    client, shown, ended = _client(address), 0, False
    while not ended:
        ended = client.get_job_status(job_id).is_terminal()
        logs = client.get_job_logs(job_id)
        show(logs[shown:])
        shown = len(logs)
        if not ended:
            time.sleep(POLL_SECONDS)
    return bool(client.get_job_status(job_id) == JobStatus.SUCCEEDED)


def _client(address: str) -> "JobSubmissionClient":
    require_cluster(address)
    try:
        with environment(token_environment()):
            from ray.exceptions import AuthenticationError
            from ray.job_submission import JobSubmissionClient

            read_again()
            return JobSubmissionClient(address)
    except AuthenticationError as error:
        raise RequestError(
            f"cluster.address={address}: the cluster does not accept this token; {TOKEN_HINT}"
        ) from error
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise RequestError(f"cluster.address={address}: no job server answers ({first_line(error)})") from error


def _stage(folder: Path, conf: Path) -> None:
    package = Path(__file__).resolve().parents[1]
    shutil.copytree(package, folder / "actsweep", ignore=shutil.ignore_patterns("__pycache__", "conf"))
    shutil.copytree(conf, folder / "actsweep" / "conf")


def _accepted(client: "JobSubmissionClient", entrypoint: str, staged: str) -> str:
    """A head that has just started answers for a while that it has no agent; then the same request is made again."""
    deadline = time.monotonic() + AGENT_WAIT_SECONDS
    while True:
        try:
            return str(client.submit_job(entrypoint=entrypoint, runtime_env={"working_dir": staged}))
        except RuntimeError as error:
            no_agent = NO_AGENT in str(error)
            if not no_agent or time.monotonic() > deadline:
                hint = AGENT_HINT if no_agent else ""
                raise RequestError(f"the cluster did not take the job: {first_line(error)}{hint}") from error
            time.sleep(POLL_SECONDS)
