"""The documented Tuner of one's own, with our parts, from its first trial to its analysis."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actsweep import analyze
from documented import write_files

START = """
import runpy, sys
import ray
small = 100 * 2**20
ray.init(address="local", num_cpus=2, include_dashboard=False, _temp_dir=sys.argv[1], object_store_memory=small)
stops = runpy.run_path("my_tuning.py", run_name="__main__")["scheduler"].stops
print(*sorted(stops))
ray.shutdown()
"""


@pytest.mark.slow
def test_its_results_are_analysed(tmp_path: Path, actsweep: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    write_files(tmp_path)
    with tempfile.TemporaryDirectory(prefix="tuner-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-c", START, folder]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr

    results: dict[str, Any] = analyze(tmp_path / "tuned", kind="ray")
    assert results["study"]["arms"] == ["relu", "logistic"]
    trials = {phase: [row for row in results["trials"] if row["phase"] == phase] for phase in ("tune", "replicate")}
    points = {
        arm: sorted(row["lr"] for row in trials["tune"] if row["activation"] == arm) for arm in ("relu", "logistic")
    }
    assert points["relu"] == points["logistic"]
    assert len(points["relu"]) == 4
    assert sorted((row["activation"], row["seed"]) for row in trials["replicate"]) == [
        (arm, seed) for arm in ("logistic", "relu") for seed in (1, 2, 3)
    ]
    assert set(done.stdout.splitlines()[-1].split()) <= {row["trial_id"] for row in trials["tune"]}

    said = actsweep("analyze", "tuned", "--from", "ray", "--out", "tuned_analysis", cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    assert (tmp_path / "tuned_analysis" / "report.html").exists()
