"""What the server keeps, and its answers to GraphQL operations."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from wandb_server.artifacts import Artifacts
from wandb_server.views import Views

ENTITY = "someone"
KEY = "0123456789abcdef" * 2 + "01234567"
_OPERATION = re.compile(r"\b(?:query|mutation)\s+(\w+)")


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
    files: dict[str, bytes] = field(default_factory=dict)

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
        artifacts: the artifacts.
        views: workspaces and reports.
        alerts: what was asked to be told to people.
        status: of every HTTP answer; anything but 200 does nothing else.
        silent: while set, no request is answered.
    """

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.sweeps: dict[str, str] = {}
        self.proposals: list[dict[str, Any]] = []
        self.stops: list[str] = []
        self.unknown: list[str] = []
        self.refused: list[str] = []
        self.lost = 0
        self.artifacts = Artifacts()
        self.views = Views()
        self.alerts: list[dict[str, Any]] = []
        self.status = 200
        self.silent = threading.Event()
        self._proposed = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where the server is."""
        return self._url

    @url.setter
    def url(self, url: str) -> None:
        self._url = self.artifacts.url = url

    def upload(self, owner: str, identity: str, name: str, raw: bytes) -> None:
        """Take in a file of a run or of an artifact."""
        with self._lock:
            if owner == "artifact":
                self.artifacts.upload(identity, name, raw)
            else:
                self.runs[identity].files[name] = raw

    def environment(self) -> dict[str, str]:
        """What a client needs to find this server."""
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": KEY, "WANDB_ENTITY": ENTITY}

    def graphql(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """The answer to one operation."""
        found = _OPERATION.search(query)
        name = found[1] if found else ""
        if name in self.refused:
            return {"errors": [{"message": f"{name} is refused"}]}
        parts = (self, self.artifacts, self.views)
        answers = (getattr(part, f"_{name}", None) for part in parts)
        answer: Callable[[dict[str, Any]], dict[str, Any]] | None = next(filter(None, answers), None)
        with self._lock:
            if answer is None:
                self.unknown.append(f"{name}: {query[:2000]} {variables}")
                return {"data": {}}
            try:
                return {"data": answer(variables)}
            except Exception as error:
                self.unknown.append(f"{name}: {error!r} {variables}")
                raise

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
        if "name" not in variables:  # the public API, which names a run by its id
            run = self.runs[variables["id"].removeprefix("id-")]
            run.summary = json.loads(variables["summaryMetrics"])
            return {"upsertBucket": {"bucket": {"id": variables["id"]}}}
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
        return {"project": {"run": self._known(run) if run is not None else None}}

    def _Runs(self, variables: dict[str, Any]) -> dict[str, Any]:
        wanted = json.loads(variables["filters"])
        assert wanted.keys() <= {"sweep"}, "no other filters are known"
        found = [run for run in self.runs.values() if run.sweep == wanted.get("sweep", run.sweep)]
        edges = [{"node": self._known(run), "cursor": run.name} for run in found]
        page = {"endCursor": None, "hasNextPage": False}
        return {"project": {"internalId": "1", "runCount": len(found), "runs": {"edges": edges, "pageInfo": page}}}

    def _known(self, run: Run) -> dict[str, Any]:
        return {
            **{"id": f"id-{run.name}", "name": run.name, "displayName": run.display, "state": run.state},
            **{"sweepName": run.sweep or None, "group": run.group, "jobType": run.job_type, "tags": run.tags},
            "projectId": "1",
            "config": json.dumps({key: {"value": value} for key, value in run.config.items()}),
            "summaryMetrics": json.dumps(run.summary),
            "historyLineCount": len(run.history),
            "historyKeys": {"lastStep": len(run.history), "keys": {}, "sets": []},
            "user": {"name": ENTITY, "username": ENTITY},
        }

    def _GetProjects(self, variables: dict[str, Any]) -> dict[str, Any]:
        known = sorted({run.project for run in self.runs.values()})
        rest = {"entityName": ENTITY, "createdAt": "", "isBenchmark": False, "user": None}
        edges = [{"node": {"id": "p", "name": name, **rest}} for name in known]
        return {"models": {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}}}

    def _RunFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        files = self.runs[variables["name"]].files
        nodes = [
            {"node": {"id": name, "name": name, "sizeBytes": len(raw)}, "cursor": ""} for name, raw in files.items()
        ]
        page = {"endCursor": "", "hasNextPage": False}
        run = {"fileCount": len(files), "files": {"edges": nodes, "pageInfo": page}}
        return {"project": {"internalId": "1", "run": run}}

    def _ServerFeaturesQuery(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"serverInfo": {"features": []}}

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
        place = f"{self.url}/run/{variables['run']}"
        files = [{"name": name, "uploadUrl": f"{place}/{name}"} for name in variables["files"]]
        return {"createRunFiles": {"runID": f"id-{variables['run']}", "uploadHeaders": [], "files": files}}

    def _UpsertSweep(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = variables.get("id") or f"sweep{len(self.sweeps) + 1}"
        self.sweeps[name] = variables["config"]
        project = {"id": "p", "name": variables["projectName"], "entity": {"id": "e", "name": ENTITY}}
        return {"upsertSweep": {"sweep": {"name": name, "project": project}, "configValidationWarnings": []}}

    def _GetSweep(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = variables["name"]
        if name not in self.sweeps:
            return {"project": {"sweep": None}}
        runs = sum(run.sweep == name for run in self.runs.values())
        known = {
            **{"id": f"id-{name}", "name": name, "displayName": name, "method": "custom", "state": "RUNNING"},
            **{"description": None, "bestLoss": None, "config": self.sweeps[name], "createdAt": "", "updatedAt": None},
            **{"runCount": runs, "runCountExpected": None},
        }
        return {"project": {"sweep": known}}

    def _SweepWithRuns(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = variables["sweep"]
        known = {"id": f"id-{name}", "name": name, "state": "RUNNING", "config": self.sweeps[name], "method": "random"}
        return {"project": {"sweep": {**known, "controller": None, "scheduler": None, "runs": {"edges": []}}}}

    def _NotifyScriptableRunAlert(self, variables: dict[str, Any]) -> dict[str, Any]:
        self.alerts.append(variables)
        return {"notifyScriptableRunAlert": {"success": True}}

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
