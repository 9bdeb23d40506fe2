"""The container image, built for real on a base of Debian's own packages, and used as its user would."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import timeless

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2400),
    pytest.mark.skipif(os.getuid() != 0, reason="only root may build an image without a daemon here"),
]

ROOT = Path(__file__).parents[2]
CANARY = "canary-0123456789abcdef"
HEALTH = """
actsweep-health; echo "without Ray: $?"
ray start --head --block --port=0 --num-cpus=0 --include-dashboard=false >/tmp/said 2>&1 & head=$!
until grep -q "Ray runtime started" /tmp/said; do kill -0 $head || { cat /tmp/said; exit 1; }; sleep 1; done
actsweep-health >/dev/null 2>&1; echo "with Ray: $?"
kill $head; wait $head
if actsweep-health 2>/dev/null; then echo "after Ray: 0"; else echo "after Ray: unwell"; fi
"""


def pins(text: str) -> set[tuple[str, str]]:
    """Packages by their canonical names, each with a version; a lock may have several for one."""
    found = re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)", text, re.MULTILINE)
    return {(re.sub(r"[-_.]+", "-", name).lower(), number) for name, number in found}


@dataclass(frozen=True)
class Builder:
    """Buildah, with a store of its own."""

    place: Path

    def __call__(self, *words: str, timeout: float = 900, **variables: str) -> subprocess.CompletedProcess[str]:
        store = ("--root", str(self.place / "store"), "--runroot", str(self.place / "run"))
        environment = {**os.environ, "BUILDAH_ISOLATION": "chroot", **variables}
        return subprocess.run(
            ["buildah", *store, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout
        )

    def done(self, *words: str, timeout: float = 900, **variables: str) -> str:
        """What it printed; the last word of it is often an id."""
        done = self(*words, timeout=timeout, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    needed = [tool for tool in ("buildah", "debootstrap") if shutil.which(tool) is None]
    if needed:
        subprocess.run(["apt-get", "install", "--yes", "--quiet", *needed], check=True, timeout=300)
    place = tmp_path_factory.mktemp("images")
    builder = Builder(place)
    yield builder
    builder("rm", "--all")
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def base(build: Builder) -> str:
    """An image with Debian's Python, which is what an ARG of the Dockerfile asks for."""
    release = subprocess.run(
        ["sh", "-c", '. /etc/os-release && echo "$VERSION_CODENAME"'], capture_output=True, text=True, check=True
    ).stdout.strip()
    system = build.place / "debian"
    packages = "--include=python3,python3-venv,ca-certificates"
    subprocess.run(["debootstrap", "--variant=minbase", packages, release, system], check=True, timeout=600)
    container = build.done("from", "scratch").strip()
    build.done("copy", "--quiet", container, str(system), "/")
    build.done("commit", "--quiet", "--rm", container, "localhost/debian-python:test")
    return "localhost/debian-python:test"


def pip_settings(place: Path) -> Path:
    """This machine's way to the package index, for pip in the container that builds."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wanted = ("cert", "index-url", "proxy", "trusted-host")
    lines = [line.split(".", 1)[1].replace("'", "") for line in listing.splitlines() if line.startswith("global.")]
    file = place / "pip.conf"
    file.write_text("\n".join(["[global]", *(line for line in lines if line.partition("=")[0] in wanted)]) + "\n")
    return file


@pytest.fixture(scope="module")
def image(build: Builder, base: str) -> str:
    volumes = [f"{pip_settings(build.place)}:/etc/pip.conf:ro"]
    certificates = os.environ.get("SSL_CERT_FILE")
    if certificates:
        volumes.append(f"{certificates}:{certificates}:ro")
    build.done(
        *("build", "--format", "docker", "--file", "docker/Dockerfile", "--build-arg", f"BASE={base}"),
        *(word for volume in volumes for word in ("--volume", volume)),
        *("--tag", "localhost/actsweep:test", "."),
        WANDB_API_KEY=CANARY,
        RAY_AUTH_TOKEN=CANARY,
    )
    return "localhost/actsweep:test"


@pytest.fixture
def container(build: Builder, image: str) -> Iterator[str]:
    name = build.done("from", image).strip()
    yield name
    build.done("rm", name)


def test_the_quickstart_in_it_gives_the_results_of_one_outside(
    build: Builder, container: str, actsweep: Callable[..., Any], tmp_path: Path
) -> None:
    inside = build("run", container, "--", "actsweep", "sweep", "experiment=quickstart", timeout=400)
    assert inside.returncode == 0, inside.stderr
    assert "C3a" in inside.stdout
    root = Path(build.done("mount", container).strip())
    made = root / "studies" / "outputs" / "quickstart"
    shutil.copytree(made, tmp_path / "inside", ignore=shutil.ignore_patterns("wandb"))
    outside = actsweep("sweep", "experiment=quickstart", cwd=tmp_path, timeout=400)
    assert outside.returncode == 0, outside.stderr
    folder = tmp_path / "outputs" / "quickstart"
    assert timeless.curves(tmp_path / "inside").equals(timeless.curves(folder))
    assert timeless.results(tmp_path / "inside") == timeless.results(folder)


def test_its_user_is_no_root_and_writes_at_home_and_to_studies_alone(build: Builder, container: str) -> None:
    words = 'id -u; for place in "$HOME" /studies /opt/actsweep /usr/local /etc; do test -w $place && echo $place; done'
    said = build("run", container, "--", "sh", "-c", words).stdout
    assert said.split() == ["1000", "/home/actsweep", "/studies"]


def test_it_holds_what_is_needed_to_run_and_no_development_tools(build: Builder, container: str) -> None:
    listing = build.done("run", container, "--", "python", "-m", "pip", "list", "--format=freeze")
    found = pins(listing)
    others = found - pins((ROOT / "requirements.lock").read_text())
    assert ("actsweep", version("actsweep")) in others
    assert {name for name, _ in others} <= {"actsweep", "pip", "setuptools"}
    assert not {"pytest", "mypy", "ruff", "moto", "hypothesis"} & {name for name, _ in found}


def test_no_secret_of_the_building_machine_is_in_it(build: Builder, image: str, container: str) -> None:
    assert CANARY not in build.done("inspect", "--type", "image", image)
    root = build.done("mount", container).strip()
    search = ["grep", "--recursive", "--files-with-matches", "--exclude-dir=lib", CANARY, root]
    assert subprocess.run(search, capture_output=True, text=True, timeout=300).stdout == ""


def test_its_health_is_that_of_the_ray_in_it(build: Builder, container: str) -> None:
    said = build.done("run", container, "--", "sh", "-c", HEALTH, timeout=120)
    assert said.splitlines()[-3:] == ["without Ray: 0", "with Ray: 0", "after Ray: unwell"]
