"""W&B's own agents on a Ray cluster: each is an actor that runs `wandb agent` where Ray finds room for it."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from actsweep.cluster.connection import connected
from actsweep.cluster.request import worker_options
from actsweep.errors import RequestError
from actsweep.settings import ClusterSettings

POLL_SECONDS = 1.0
STOP_SECONDS = 5.0
LOST = -1


@dataclass(frozen=True)
class AgentsAsked:
    """What is to run.

    Attributes:
        sweep: as `wandb agent` takes it, such as ENTITY/PROJECT/ID.
        count: how many agents.
        runs: how many runs each does at most; None for as many as W&B has for it.
        variables: what they need of the environment, secrets among it: Ray writes it down nowhere.
    """

    sweep: str
    count: int
    runs: int | None
    variables: Mapping[str, str]


def run_agents(settings: ClusterSettings, asked: AgentsAsked, said: Callable[[int, str], None]) -> list[int]:
    """Run agents until W&B has no more for them to do.

    Args:
        settings: where, and what each takes of the cluster.
        asked: what to run.
        said: told each line that an agent writes, with its number from 1.

    Returns:
        each agent's exit code; `LOST` where Ray lost it.

    Raises:
        RequestError: the cluster does not answer, or has no room for so many.
        KeyboardInterrupt: on the user's wish; the agents have been ended.
    """
    with connected(settings) as capacity:
        if asked.count > capacity.slots:
            raise RequestError(
                f"--count {asked.count}: the cluster has room for {capacity.slots} at a time, as each takes "
                f"{settings.resources.cpu:g} CPU (--cpu) and {settings.resources.gpu:g} GPU (--gpu)"
            )
        return _run(settings, asked, said)


def _run(settings: ClusterSettings, asked: AgentsAsked, said: Callable[[int, str], None]) -> list[int]:
    import ray

    actor = ray.remote(_Agent).options(scheduling_strategy="SPREAD", **worker_options(settings.resources))
    agents = {number: actor.remote() for number in range(1, asked.count + 1)}
    words = [*([] if asked.runs is None else ["--count", str(asked.runs)]), asked.sweep]
    codes: dict[int, int] = {}
    try:
        for agent in agents.values():  # a method's arguments go from process to process, an actor's own to Ray's tables
            agent.start.remote(words, dict(asked.variables), str(Path.cwd()))
        while len(codes) < len(agents):
            time.sleep(POLL_SECONDS)
            for number in agents.keys() - codes.keys():
                lines, code = _polled(agents[number])
                for line in lines:
                    said(number, line)
                if code is not None:
                    codes[number] = code
    finally:
        stopped = [agent.stop.remote() for agent in agents.values()]
        ray.wait(stopped, num_returns=len(stopped), timeout=2 * STOP_SECONDS)
    return [codes[number] for number in agents]


def _polled(agent: Any) -> tuple[list[str], int | None]:
    import ray

    try:
        found: tuple[list[str], int | None] = ray.get(agent.poll.remote())
    except ray.exceptions.RayActorError:
        return ["Ray lost this agent, or the node that it ran on"], LOST
    return found


class _Agent:
    """An agent on some node; its methods return at once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lines: deque[str] = deque()
        self._reader: threading.Thread | None = None

    def start(self, words: list[str], variables: dict[str, str], folder: str) -> None:
        """Start it, in the driver's folder where this node has it too."""
        binaries = str(Path(sys.executable).parent)
        path = {"PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "wandb", "agent", *words],
            cwd=folder if os.access(folder, os.W_OK) else tempfile.mkdtemp(prefix="actsweep-agent-"),
            env={**os.environ, **variables, **path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def poll(self) -> tuple[list[str], int | None]:
        """What it wrote since the last call, and its exit code once it has ended and all is told."""
        ended = self._reader is not None and not self._reader.is_alive()
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        return lines, self._process.wait() if ended and self._process is not None else None

    def stop(self) -> None:
        """End it with all that it has started, by force where it does not end by itself."""
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            agent = psutil.Process(self._process.pid)
            all_of_it = [*agent.children(recursive=True), agent]
            for process in all_of_it:
                with suppress(psutil.NoSuchProcess):
                    process.terminate()
            for process in psutil.wait_procs(all_of_it, timeout=STOP_SECONDS)[1]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.append(line.rstrip())
