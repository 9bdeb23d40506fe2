"""A sweep as a job on a running Ray cluster, its driver there."""

import logging
import shlex
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actsweep.cluster.access import TOKEN_HINT, token_environment
from actsweep.cluster.admission import require_cluster
from actsweep.cluster.connection import first_line
from actsweep.cluster.environment import environment, read_again
from actsweep.cluster.staging import stage
from actsweep.errors import RequestError
from actsweep.settings import known_are

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

POLL_SECONDS = 1.0
AGENT_WAIT_SECONDS = 90.0  # a head that has just started, on a busy machine
AWAY_SECONDS = 60.0  # for which a job that is followed may be without its server
STOP_SECONDS = 60  # in which a job that is told to stop writes down what it has
_TALKATIVE = ("ray", "ray.dashboard.modules.dashboard_sdk")  # of every package that is sent
NO_AGENT = "No available agent"
AGENT_HINT = (
    " (the head's agent does not serve: where two Rays run on one machine, the second needs its own port for it,"
    " `ray start --dashboard-agent-listen-port=PORT`)"
)
_STUDY, _STORAGE, _COPY = "actsweep_study", "actsweep_storage", "actsweep_copy"  # in the metadata of our jobs


@dataclass(frozen=True)
class Job:
    """A job of ours, as its server knows it.

    Attributes:
        job_id: its id.
        status: in lower case: pending, running, stopped, succeeded or failed.
        study: the study's name.
        storage: the folder on the cluster that holds the study's folder.
        copy: the address below which the study is copied when it has ended; empty if it is not.
        began: in seconds since 1970; None for one that has not.
        message: what the server says of it.
    """

    job_id: str
    status: str
    study: str
    storage: str
    copy: str
    began: float | None
    message: str

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.status in ("stopped", "succeeded", "failed")


@dataclass(frozen=True)
class JobAsked:
    """What is to run.

    Attributes:
        words: of our command line on the cluster.
        study: the study's name.
        storage: where its folder is.
        copy: the address below which it is copied, if any.
        conf: the folder of the configuration groups.
        own_conf: the user's own, if any.
        plugins: modules that the configuration names.
    """

    words: Sequence[str]
    study: str
    storage: str
    conf: Path
    copy: str | None = None
    own_conf: Path | None = None
    plugins: Iterable[str] = ()


class JobServer:
    """The job server of a cluster.

    Args:
        address: such as http://10.0.0.5:8265.

    Raises:
        RequestError: none answers there, or it does not accept the token.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client = _client(address)

    def submit(self, asked: JobAsked) -> str:
        """Send a job and return its id.

        The installed package travels with it; the cluster's own Python environment brings the dependencies.

        Raises:
            RequestError: the server does not take it, or it is too large.
        """
        with tempfile.TemporaryDirectory(prefix="actsweep-") as staged:
            stage(Path(staged), asked.conf, asked.own_conf, asked.plugins)
            return self._accepted(asked, staged)

    def jobs(self) -> list[Job]:
        """Our jobs, the oldest first.

        Raises:
            RequestError: the server does not answer any more.
        """
        found = self._asked(self._client.list_jobs)
        ours = [_job(one) for one in found if one.submission_id and _STUDY in (one.metadata or {})]
        return sorted(ours, key=lambda job: job.began or float("inf"))

    def job(self, job_id: str) -> Job:
        """One of our jobs.

        Raises:
            RequestError: there is none of that id; the message names those there are.
        """
        known = {job.job_id: job for job in self.jobs()}
        if job_id not in known:
            raise RequestError(
                f"{job_id}: no job of ours has this id at {self.address}; {known_are(list(known), job_id)}"
            )
        return known[job_id]

    def logs(self, job_id: str) -> str:
        """All that a job has written so far.

        Raises:
            RequestError: the server does not answer any more.
        """
        return str(self._asked(lambda: self._client.get_job_logs(job_id)))

    def follow(self, job_id: str, show: Callable[[str], None]) -> bool:
        """Pass a job's output on as it comes, until the job ends; its server may be away for a minute meanwhile.

        Returns:
            whether the job succeeded.

        Raises:
            RequestError: the server does not come back, while the job may go on.
        """
        shown, ended, heard = 0, False, time.monotonic()
        while not ended:
            try:
                ended = self.job(job_id).ended
                logs = self.logs(job_id)
            except RequestError:
                if time.monotonic() - heard > AWAY_SECONDS:
                    raise
                time.sleep(POLL_SECONDS)
                continue
            heard = time.monotonic()
            show(logs[shown:])
            shown = len(logs)
            if not ended:
                time.sleep(POLL_SECONDS)
        return self.job(job_id).status == "succeeded"

    def stop(self, job_id: str) -> Job:
        """Tell a job to stop, wait until it has, and return it as it then is.

        Raises:
            RequestError: there is no such job, or it does not stop in time.
        """
        job = self.job(job_id)
        if not job.ended:
            self._asked(lambda: self._client.stop_job(job_id))
        deadline = time.monotonic() + STOP_SECONDS + AWAY_SECONDS
        while not (job := self.job(job_id)).ended:
            if time.monotonic() > deadline:
                raise RequestError(f"{job_id}: has not stopped; it is {job.status}: {job.message}")
            time.sleep(POLL_SECONDS)
        return job

    def _asked(self, question: Callable[[], Any]) -> Any:
        try:
            with environment(token_environment()):
                return question()
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            raise RequestError(f"cluster.address={self.address}: the job server said: {first_line(error)}") from error

    def _accepted(self, asked: JobAsked, staged: str) -> str:
        """A head that has just started answers for a while that it has no agent; then the same is asked again."""
        deadline = time.monotonic() + AGENT_WAIT_SECONDS
        while True:
            try:
                return str(
                    self._client.submit_job(
                        entrypoint=shlex.join(["python", "-m", "actsweep", *asked.words]),
                        runtime_env={
                            "working_dir": staged,
                            "env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(STOP_SECONDS)},
                        },
                        metadata={_STUDY: asked.study, _STORAGE: asked.storage, _COPY: asked.copy or ""},
                    )
                )
            except RuntimeError as error:
                no_agent = NO_AGENT in str(error)
                if not no_agent or time.monotonic() > deadline:
                    hint = AGENT_HINT if no_agent else ""
                    raise RequestError(f"the cluster did not take the job: {first_line(error)}{hint}") from error
                time.sleep(POLL_SECONDS)


def _client(address: str) -> "JobSubmissionClient":
    require_cluster(address)
    try:
        with environment(token_environment()):
            from ray.exceptions import AuthenticationError
            from ray.job_submission import JobSubmissionClient

            read_again()
            client = JobSubmissionClient(address)
            for name in _TALKATIVE:
                logging.getLogger(name).setLevel(logging.CRITICAL)
            return client
    except AuthenticationError as error:
        raise RequestError(
            f"cluster.address={address}: the cluster does not accept this token; {TOKEN_HINT}"
        ) from error
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise RequestError(f"cluster.address={address}: no job server answers ({first_line(error)})") from error


def _job(details: Any) -> Job:
    return Job(
        job_id=str(details.submission_id),
        status=str(details.status.value).lower(),
        study=details.metadata[_STUDY],
        storage=details.metadata.get(_STORAGE, ""),
        copy=details.metadata.get(_COPY, ""),
        began=details.start_time / 1000 if details.start_time else None,
        message=details.message or "",
    )
