"""Saved views: workspaces and reports."""

import json
from typing import Any

PROJECT = "p"


class Views:
    """All views by their ids, as the client sent them with `spec` as a tree, and the operations about them."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, Any]] = {}

    def _ProjectInternalId(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"id": PROJECT, "internalId": PROJECT}}

    def _UpsertView2(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"upsertView": self._upsert(variables)}

    def _upsertView(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"upsertView": self._upsert(variables)}

    def _View(self, variables: dict[str, Any]) -> dict[str, Any]:
        found = [
            {"node": {"id": identity, "displayName": view["displayName"], "spec": json.dumps(view["spec"])}}
            for identity, view in self.kept.items()
            if view["name"] == variables["viewName"]
        ]
        return {"project": {"allViews": {"edges": found}}}

    def _upsert(self, variables: dict[str, Any]) -> dict[str, Any]:
        identity = variables.get("id") or f"view{len(self.kept) + 1}"
        inserted = identity not in self.kept
        self.kept[identity] = {**variables, "spec": json.loads(variables["spec"])}
        project = {"id": PROJECT, "name": variables["projectName"], "entityName": variables["entityName"]}
        view = {key: variables[key] for key in ("name", "type", "displayName", "description", "spec")}
        return {"view": {"id": identity, "project": project, "updatedAt": None, **view}, "inserted": inserted}
