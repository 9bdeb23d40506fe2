"""Our searcher and scheduler in a Tuner that is not ours, with real Ray."""

import json
import subprocess
import sys
import tempfile
from typing import Any

import pytest

pytestmark = pytest.mark.slow
PROGRAM = """
import json, os, sys
from pathlib import Path
import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from actsweep.search import EqualPoints, GroupedScheduler

os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = "0"
mine = Path("mine").resolve()
again = mine.exists()
ended = Path("ended").resolve()

class Ends(tune.Callback):
    def on_trial_complete(self, iteration, trials, trial, **info):
        if len(trials) == 4 and not ended.exists():
            ended.touch()
            os._exit(7)

def train(config):
    for epoch in range(1, 4):
        tune.report({"epoch": epoch, "acc": config["x"] * (0.1 if config["arm"] == "slow" else 1.0)})

small = 100 * 2**20
ray.init(address="local", num_cpus=1, include_dashboard=False, _temp_dir=sys.argv[1], object_store_memory=small)
if again:
    found = tune.Tuner.restore(str(mine), trainable=train).fit()
    print(json.dumps([{**result.config, "epoch": result.metrics["epoch"]} for result in found]))
else:
    asha = ASHAScheduler("epoch", max_t=9, reduction_factor=3)
    tune_config = tune.TuneConfig(
        metric="acc",
        mode="max",
        num_samples=-1,
        max_concurrent_trials=1,
        search_alg=EqualPoints({"arm": ["fast", "slow"]}, {"x": tune.uniform(0.1, 0.9)}, points=4),
        scheduler=GroupedScheduler(asha, lambda config: config["arm"]),
        reuse_actors=True,
    )
    run_config = tune.RunConfig(name="mine", storage_path=os.getcwd(), callbacks=[Ends()], verbose=0)
    tune.Tuner(train, param_space={"seed": 0}, tune_config=tune_config, run_config=run_config).fit()
"""


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The trials of a Tuner whose process ended during its fourth trial, and that was restored in another one."""
    mine = tmp_path_factory.mktemp("tuner")
    with tempfile.TemporaryDirectory(prefix="tuner-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-c", PROGRAM, folder]
        first, second = (
            subprocess.run(command, cwd=mine, capture_output=True, text=True, timeout=120) for _ in range(2)
        )
    assert (first.returncode, second.returncode) == (7, 0), first.stderr + second.stderr
    return json.loads(second.stdout.splitlines()[-1])  # type: ignore[no-any-return]


def test_a_restored_tuner_goes_on_with_the_points_that_are_left(trials: list[dict[str, Any]]) -> None:
    points = {arm: [trial["x"] for trial in trials if trial["arm"] == arm] for arm in ("fast", "slow")}
    assert len(set(points["fast"])) == len(trials) / 2 == 4
    assert sorted(points["fast"]) == sorted(points["slow"])
    assert {trial["seed"] for trial in trials} == {0}


def test_a_group_whose_trials_are_all_worse_than_those_of_another_keeps_its_best(trials: list[dict[str, Any]]) -> None:
    slow = sorted((trial for trial in trials if trial["arm"] == "slow"), key=lambda trial: float(trial["x"]))
    assert slow[-1]["epoch"] == 3
    assert any(trial["epoch"] < 3 for trial in trials)
