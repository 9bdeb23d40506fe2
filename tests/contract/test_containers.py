"""What docker/ holds, by the parsers and schemas of those who read it; each objects to what would not work."""

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import compose_spec
import jsonschema
import kubernetes_validate
import pytest
import yaml

import actsweep

DOCKER = Path(__file__).parents[2] / "docker"
KUBERNETES = "1.31"
SCHEMA = json.loads((Path(__file__).parent / "kuberay.schema.json").read_text())
MANIFESTS = sorted((DOCKER / "kuberay").glob("*.yaml"))


def hadolint(text: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "hadolint"
    return subprocess.run([program, "-"], input=text, capture_output=True, text=True, timeout=60)


def compose_file(name: str = "compose.yaml") -> str:
    """With the defaults in the place of variables, which the parser leaves to its caller."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (DOCKER / name).read_text())


def parsed(text: str) -> compose_spec.PyCompose:
    found = compose_spec.PyOptions(apply_merge=True).from_yaml(text)
    found.validate()
    return found


def objects(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def cluster_of(manifest: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = manifest["spec"]
    return spec.get("rayClusterSpec", spec)


def pods(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    spec = cluster_of(manifest)
    for group in (spec["headGroupSpec"], *spec["workerGroupSpecs"]):
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "any"}, **group["template"]}


def check(manifest: dict[str, Any]) -> None:
    if manifest["apiVersion"] != "ray.io/v1":
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
        return
    jsonschema.validate(manifest, SCHEMA)
    for pod in pods(manifest):
        kubernetes_validate.validate(pod, KUBERNETES, strict=True)


@pytest.fixture
def manifest() -> dict[str, Any]:
    """Of a cluster, to be broken."""
    [found] = [one for one in objects(DOCKER / "kuberay" / "raycluster.yaml") if one["kind"] == "RayCluster"]
    return copy.deepcopy(found)  # what an anchor repeats is one object in both places


def test_hadolint_has_nothing_to_say_of_the_dockerfile() -> None:
    done = hadolint((DOCKER / "Dockerfile").read_text())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("WORKDIR /studies", "WORKDIR studies", "DL3000"),
        ("USER 1000:1000", "USER root", "DL3002"),
        ("RUN useradd", "RUN apt-get install -y tini && useradd", "DL3008"),
        ("ARG BASE=python:3.11-slim-bookworm\n\nFROM ${BASE} AS packages", "FROM python AS packages", "DL3006"),
    ],
)
def test_hadolint_objects_to_a_worse_dockerfile(old: str, new: str, rule: str) -> None:
    text = (DOCKER / "Dockerfile").read_text()
    assert old in text
    done = hadolint(text.replace(old, new))
    assert done.returncode == 1
    assert rule in done.stdout


def test_compose_has_a_head_workers_and_a_sweep_that_share_a_token_and_a_volume() -> None:
    services = parsed(compose_file()).to_dict()["services"]
    assert set(services) == {"head", "worker", "sweep"}
    for service in services.values():
        [secret] = service["secrets"]
        assert (secret["source"], secret["uid"], secret["mode"]) == ("ray_token", "1000", 0o400)
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
        assert service["environment"]["RAY_AUTH_TOKEN_PATH"] == f"/run/secrets/{secret['target']}"
        assert service["volumes"] == ["studies:/studies"]
        assert service["cap_drop"] == ["ALL"]
    assert services["head"]["ports"] == ["127.0.0.1:8265:8265"]
    assert set(parsed(compose_file("compose.gpu.yaml")).to_dict()["services"]) == {"worker"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("profiles: [sweep]", "profile: [sweep]"),
        ("condition: service_healthy", "condition: service_well"),
        ("  ray_token:\n    environment: RAY_AUTH_TOKEN\n", "  other:\n    environment: RAY_AUTH_TOKEN\n"),
        ("volumes:\n  studies:\n", "volumes:\n  others:\n"),
        ("<<: *node", "<<: *nodes"),
    ],
)
def test_the_compose_parser_objects_to_a_broken_file(old: str, new: str) -> None:
    text = compose_file()
    assert old in text
    with pytest.raises(ValueError, match=r"."):
        parsed(text.replace(old, new))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifests_are_what_kubernetes_and_kuberay_accept(path: Path) -> None:
    for found in objects(path):
        check(found)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_every_pod_is_closed_sized_watched_and_sees_the_studies(path: Path) -> None:
    for found in objects(path):
        if found["apiVersion"] != "ray.io/v1":
            continue
        assert cluster_of(found)["rayVersion"] == version("ray")
        assert cluster_of(found)["authOptions"] == {"mode": "token"}
        for pod in pods(found):
            assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
            [container] = pod["spec"]["containers"]
            assert container["image"] == f"actsweep:{actsweep.__version__}"
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"] == container["resources"]["limits"]
            assert "/studies" in {mount["mountPath"] for mount in container["volumeMounts"]}
            assert container["livenessProbe"]["exec"]["command"] == ["actsweep-health"]
        [gpu] = cluster_of(found)["workerGroupSpecs"]
        assert gpu["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_a_cluster_for_one_job_is_like_one_that_stays(manifest: dict[str, Any]) -> None:
    [job] = objects(DOCKER / "kuberay" / "rayjob.yaml")
    assert cluster_of(job) == cluster_of(manifest)


def break_head(spec: dict[str, Any]) -> None:
    spec["headGroup"] = spec.pop("headGroupSpec")


def break_numbers(spec: dict[str, Any]) -> None:
    spec["headGroupSpec"]["rayStartParams"]["num-cpus"] = 0


def break_mode(spec: dict[str, Any]) -> None:
    spec["authOptions"]["mode"] = "password"


def break_replicas(spec: dict[str, Any]) -> None:
    spec["workerGroupSpecs"][0]["minReplicas"] = -1


def break_pod(spec: dict[str, Any]) -> None:
    spec["headGroupSpec"]["template"]["spec"]["containers"][0]["imagePull"] = "Always"


def break_probe(spec: dict[str, Any]) -> None:
    spec["workerGroupSpecs"][0]["template"]["spec"]["containers"][0]["livenessProbe"]["periodSeconds"] = "15s"


@pytest.mark.parametrize(
    "broken",
    [break_head, break_numbers, break_mode, break_replicas, break_pod, break_probe],
    ids=lambda broken: broken.__name__,
)
def test_the_schemas_object_to_a_broken_manifest(manifest: dict[str, Any], broken: Any) -> None:
    check(manifest)
    broken(manifest["spec"])
    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
        check(manifest)


def launcher() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DOCKER / "cluster-launcher.yaml").read_text())
    return found


@pytest.mark.parametrize("change", [{}, {"max_worker": 3}, {"head_node_type": "other"}], ids=["ours", "word", "type"])
def test_the_cluster_launcher_accepts_its_file_and_objects_to_others(change: dict[str, Any]) -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    try:
        validate_config(prepare_config({**launcher(), **change}))
    except (ValueError, jsonschema.ValidationError):
        assert change
    else:
        assert not change
