"""Artifacts: versions of named collections of files, as the client makes them."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Artifact:
    """One version; its files are those of its manifest."""

    name: str
    kind: str
    run: str
    digest: str
    aliases: list[str]
    state: str = "PENDING"
    files: dict[str, bytes] = field(default_factory=dict)


class Artifacts:
    """All artifacts by their ids, and the operations about them."""

    def __init__(self) -> None:
        self.kept: dict[str, Artifact] = {}
        self.url = ""

    def named(self, name: str) -> list[Artifact]:
        """The versions of one collection, the oldest first."""
        return [artifact for artifact in self.kept.values() if artifact.name == name]

    def upload(self, identity: str, name: str, raw: bytes) -> None:
        """Take in a file of an artifact, or its manifest, which names all files with their digests."""
        self.kept[identity].files[name] = raw

    def _ArtifactType(self, variables: dict[str, Any]) -> dict[str, Any]:
        found = self.named(variables["name"].partition(":")[0])
        return {"project": {"artifact": {"artifactType": {"name": found[0].kind}} if found else None}}

    def _FetchArtifactDigestAlgorithm(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"artifactType": {"artifactCollection": None}}}

    def _CreateArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        asked = variables["input"]
        identity = f"artifact{len(self.kept) + 1}"
        name = asked["artifactCollectionName"]
        same = [key for key, one in self.kept.items() if one.name == name and one.digest == asked["digest"]]
        identity = same[0] if same else identity
        aliases = [alias["alias"] for alias in asked.get("aliases") or []]
        self.kept.setdefault(
            identity, Artifact(name, asked["artifactTypeName"], asked["runName"], asked["digest"], aliases)
        )
        artifact = {"id": identity, "state": self.kept[identity].state, "artifactSequence": {"latestArtifact": None}}
        return {"createArtifact": {"artifact": artifact}}

    def _CreateArtifactFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        nodes = [
            {
                **{"storagePath": one["name"], "uploadHeaders": [], "uploadMultipartUrls": None},
                "uploadUrl": f"{self.url}/artifact/{one['artifactID']}/{one['name']}",
                "artifact": {"id": one["artifactID"]},
            }
            for one in variables["input"]["artifactFiles"]
        ]
        return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}

    def _CreateArtifactManifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"createArtifactManifest": {"artifactManifest": self._manifest(variables["artifactID"])}}

    def _UpdateArtifactManifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        identity = variables["artifactManifestID"].removeprefix("manifest-")
        return {"updateArtifactManifest": {"artifactManifest": self._manifest(identity)}}

    def _CommitArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        artifact = self.kept[variables["artifactID"]]
        manifest = json.loads(artifact.files["manifest"])
        artifact.state = "COMMITTED"
        assert all(base64.b64decode(entry["digest"]) for entry in manifest["contents"].values())
        return {"commitArtifact": {"artifact": {"id": variables["artifactID"], "digest": artifact.digest}}}

    def _manifest(self, identity: str) -> dict[str, Any]:
        file = {
            **{"id": "f", "name": "manifest", "displayName": "manifest", "uploadHeaders": []},
            "uploadUrl": f"{self.url}/artifact/{identity}/manifest",
        }
        return {"id": f"manifest-{identity}", "file": file}
