"""Sweep files against the schema that W&B publishes, in an environment that is thrown away."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from actsweep.settings import StudyConfig
from actsweep.study import Study
from actsweep.tracker.sweeps.sweep_file import study_sweep

ROOT = Path(__file__).parents[2]
CHECK = """
import json, sys
from sweeps.config.cfg import schema_violations_from_proposed_config as violations
print(json.dumps([violations(sweep) for sweep in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the package that holds the schema, which our own environment cannot have."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from setup_venv import pip_variables
    finally:
        sys.path.pop(0)
    place = tmp_path_factory.mktemp("schema") / "venv"
    uv = Path(sys.executable).parent / "uv"
    environment = os.environ | pip_variables()
    for words in (
        ("venv", "--python", sys.executable, str(place)),
        ("pip", "install", "--python", str(place / "bin" / "python"), "sweeps==0.2.0"),
    ):
        subprocess.run([uv, "--quiet", *words], env=environment, check=True, timeout=200)
    return place / "bin" / "python"


@pytest.mark.slow
@pytest.mark.timeout(500)
def test_every_sweep_that_we_make_is_one_by_wandbs_own_schema(
    python: Path, compose: Callable[..., StudyConfig]
) -> None:
    files = sorted((ROOT / "sweeps").glob("*.yaml"))
    ours = [yaml.safe_load(file.read_text()) for file in files]
    shown = study_sweep(Study(compose("experiment=relu_vs_sigmoid")))
    wrong = {**ours[0], "run_cap": 3}
    done = subprocess.run(
        [python, "-W", "ignore", "-c", CHECK],
        input=json.dumps([*ours, shown, wrong]),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    *found, of_the_wrong = json.loads(done.stdout)
    assert len(found) == len(files) + 1 > 1
    assert found == [[]] * len(found)
    assert of_the_wrong
