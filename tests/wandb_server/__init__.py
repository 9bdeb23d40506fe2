"""A W&B server on loopback, as much of one as the client needs: runs, their history and summaries, sweeps and agents.

It answers the GraphQL operations that wandb 0.31 sends, takes what wandb-core streams, and keeps all of it in memory,
where a test reads it. What it does not know it answers with an empty object and notes in `unknown`.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ENTITY = "someone"
KEY = "0123456789abcdef" * 2 + "01234567"
_OPERATION = re.compile(r"\b(?:query|mutation)\s+(\w+)")
_STREAM = re.compile(r"/files/([^/]+)/([^/]+)/([^/]+)/file_stream")


@dataclass
class Run:
    """One run as the server knows it."""

    name: str
    project: str
    display: str = ""
    group: str = ""
    job_type: str = ""
    tags: list[str] = field(default_factory=list)
    sweep: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: dict[int, dict[str, Any]] = field(default_factory=dict)
    state: str = "running"

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The history in order, without wandb's own columns."""
        return [
            {key: value for key, value in self.history[line].items() if not key.startswith("_")}
            for line in sorted(self.history)
        ]


class Server:
    """What is kept, and the answers.

    Attributes:
        runs: by their names, which the client calls ids.
        sweeps: the YAML of each sweep by its name.
        proposals: what agents are told to run next, as parameters by name.
        stops: runs that agents are told to stop.
        unknown: operations that were not understood.
        refused: operations that are answered with an error.
        lost: how many of the last rows of every history are taken in and forgotten.
    """

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.sweeps: dict[str, str] = {}
        self.proposals: list[dict[str, Any]] = []
        self.stops: list[str] = []
        self.unknown: list[str] = []
        self.refused: list[str] = []
        self.lost = 0
        self.url = ""
        self._proposed = 0
        self._lock = threading.Lock()

    def environment(self) -> dict[str, str]:
        """What a client needs to find this server."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": KEY, "WANDB_ENTITY": ENTITY}

    def graphql(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The answer to one operation."""
        found = _OPERATION.search(query)
        name = found[1] if found else ""
        if name in self.refused:
            return {"errors": [{"message": f"{name} is refused"}]}
        answer: Callable[[dict[str, Any]], dict[str, Any]] | None = getattr(self, f"_{name}", None)
        with self._lock:
            if answer is None:
                self.unknown.append(f"{name}: {query[:2000]} {variables}")
                return {"data": {}}
            return {"data": answer(variables)}

    def stream(self, project: str, run: str, body: dict[str, Any]) -> dict[str, Any]:
        """Take in lines of a run's files."""
        with self._lock:
            kept = self.runs.setdefault(run, Run(run, project))
            for name, part in body.get("files", {}).items():
                for place, line in enumerate(part["content"]):
                    if name == "wandb-history.jsonl":
                        kept.history[part["offset"] + place] = json.loads(line)
                    elif name == "wandb-summary.json":
                        kept.summary = json.loads(line)
            if body.get("complete"):
                kept.state = "finished" if body.get("exitcode") == 0 else "failed"
            return {"stopped": True} if run in self.stops else {}

    def _Viewer(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"viewer": {"id": "1", "entity": ENTITY, "username": ENTITY, "flags": "{}", "teams": {"edges": []}}}

    def _UpsertBucket(self, variables: dict[str, Any]) -> dict[str, Any]:
        name, project = variables["name"], variables["project"]
        inserted = name not in self.runs
        run = self.runs.setdefault(name, Run(name, project))
        run.display = variables.get("displayName") or run.display
        run.group = variables.get("groupName") or run.group
        run.job_type = variables.get("jobType") or run.job_type
        run.tags = variables.get("tags") or run.tags
        run.sweep = variables.get("sweep") or run.sweep
        if variables.get("config"):
            run.config = {key: one.get("value") for key, one in json.loads(variables["config"]).items()}
        bucket = {
            **{"id": f"id-{name}", "name": name, "displayName": run.display, "sweepName": run.sweep or None},
            "historyLineCount": len(run.history),
            "project": {"id": "p", "name": project, "entity": {"id": "e", "name": ENTITY}},
        }
        return {"upsertBucket": {"bucket": bucket, "inserted": inserted}}

    def _GetDefaultEntity(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"viewer": {"id": "1", "entity": ENTITY}}

    def _RunResumeStatus(self, variables: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.get(variables["name"])
        if run is None:
            return {"model": {"bucket": None}}
        tail = [json.dumps(run.history[line]) for line in sorted(run.history)[-1:]]
        bucket = {
            **{"name": run.name, "displayName": run.display, "tags": run.tags, "wandbConfig": json.dumps({"t": 1})},
            **{"historyLineCount": len(run.history), "eventsLineCount": 0, "logLineCount": 0},
            **{"historyTail": json.dumps(tail), "eventsTail": "[]", "summaryMetrics": json.dumps(run.summary)},
            "config": json.dumps({key: {"value": value} for key, value in run.config.items()}),
        }
        return {"model": {"id": "p", "name": run.project, "entity": {"id": "e", "name": ENTITY}, "bucket": bucket}}

    def _Run(self, variables: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.get(variables["name"])
        if run is None:
            return {"project": {"run": None}}
        known = {
            **{"id": f"id-{run.name}", "name": run.name, "displayName": run.display, "state": run.state},
            **{"sweepName": run.sweep or None, "group": run.group, "jobType": run.job_type, "tags": run.tags},
            "projectId": "1",
            "config": json.dumps({key: {"value": value} for key, value in run.config.items()}),
            "summaryMetrics": json.dumps(run.summary),
            "historyLineCount": len(run.history),
            "historyKeys": {"lastStep": len(run.history), "keys": {}, "sets": []},
            "user": {"name": ENTITY, "username": ENTITY},
        }
        return {"project": {"run": known}}

    def _OrganizationCoreWeaveOrganizationID(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"entity": {"organization": None}}

    def _RunHistoryKeys(self, variables: dict[str, Any]) -> dict[str, Any]:
        run = self.runs[variables["name"]]
        return {"project": {"run": {"historyKeys": {"lastStep": len(run.history) - 1, "keys": {}, "sets": []}}}}

    def _RunParquetHistory(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"run": {"parquetHistory": {"parquetUrls": [], "liveData": []}}}}

    def _HistoryPage(self, variables: dict[str, Any]) -> dict[str, Any]:
        kept = list(self.runs[variables["run"]].history.values())
        rows = [json.dumps(row) for row in kept[: len(kept) - self.lost]]
        return {"project": {"run": {"history": rows}}}

    def _CreateRunFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        place = f"{self.url}/upload/{variables['run']}"
        files = [{"name": name, "uploadUrl": f"{place}/{name}"} for name in variables["files"]]
        return {"createRunFiles": {"runID": f"id-{variables['run']}", "uploadHeaders": [], "files": files}}

    def _UpsertSweep(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = variables.get("id") or f"sweep{len(self.sweeps) + 1}"
        self.sweeps[name] = variables["config"]
        project = {"id": "p", "name": variables["projectName"], "entity": {"id": "e", "name": ENTITY}}
        return {"upsertSweep": {"sweep": {"name": name, "project": project}, "configValidationWarnings": []}}

    def _SweepWithRuns(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = variables["sweep"]
        known = {"id": f"id-{name}", "name": name, "state": "RUNNING", "config": self.sweeps[name], "method": "random"}
        return {"project": {"sweep": {**known, "controller": None, "scheduler": None, "runs": {"edges": []}}}}

    def _CreateAgent(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"createAgent": {"agent": {"id": "agent"}}}

    def _Heartbeat(self, variables: dict[str, Any]) -> dict[str, Any]:
        running = json.loads(variables["runState"])
        commands: list[dict[str, Any]] = [{"type": "stop", "run_id": run} for run in running if run in self.stops]
        if not running and self._proposed < len(self.proposals):
            parameters = {key: {"value": value} for key, value in self.proposals[self._proposed].items()}
            self._proposed += 1
            commands.append({"type": "run", "run_id": f"run{self._proposed}", "args": parameters, "program": ""})
        elif not running:
            commands.append({"type": "exit"})
        return {"agentHeartbeat": {"agent": {"id": "agent"}, "commands": json.dumps(commands)}}


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves in the middle of a request, or is killed, is part of what is tested."""


@contextmanager
def wandb_server() -> Iterator[Server]:
    """A server for the length of the block, on a free port of loopback."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self._body()
            if self.path == "/graphql":
                body = json.loads(raw)
                self._answer(server.graphql(body["query"], body.get("variables") or {}))
            elif stream := _STREAM.fullmatch(self.path):
                self._answer(server.stream(stream[2], stream[3], json.loads(raw)))
            elif self.path.startswith("/sdk/otel/"):  # what the client tells of itself
                self._answer({})
            else:
                server.unknown.append(f"POST {self.path} {raw[:200]!r}")
                self._answer({})

        def do_PUT(self) -> None:
            self._body()
            self._answer({})

        def do_GET(self) -> None:
            self._answer({})

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _answer(self, content: dict[str, Any]) -> None:
            raw = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *words: Any) -> None:
            """Say nothing."""

    http = _Quiet(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
