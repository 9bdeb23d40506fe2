"""A whole sweep by the command, against the same trials by plain Ray Tune over a Lightning template: wall seconds.

`python -m bench plain_tune` runs 40 trials, about 20 seconds each for ours in fp32, on two cores: by plain Tune
as it comes, by ours in fp32, and by ours in bf16. `python -m bench.plain_tune 8` does so for eight trials.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import cifar

TRIALS = 40
CORES = 2
EPOCHS = 8
SIZES = {"train": 8000, "val": 1000, "test": 2000}
ACTIVATIONS = ("relu", "sigmoid")


def run(trials: int = TRIALS) -> dict[str, Any]:
    """Wall seconds of each, and how many times faster ours are."""
    plain = _timed([sys.executable, "-m", "bench.plain_tune", "--plain", str(trials)])
    figures: dict[str, Any] = {"trials": trials, "plain Ray Tune, wall seconds": plain}
    for precision in ("fp32", "bf16"):
        with tempfile.TemporaryDirectory() as place:
            ours = _timed([sys.executable, "-m", "actsweep", "sweep", *_words(trials, place, precision)])
            ended = json.loads((Path(place) / "study" / "results.json").read_text())["study"]["trials"]
        figures[f"ours in {precision}, wall seconds"] = ours
        figures[f"ours in {precision}, trials"] = json.dumps(ended)
        figures[f"plain / ours in {precision}"] = plain / ours
    return figures


def _words(trials: int, root: str, precision: str) -> tuple[str, ...]:
    """The study of so many trials: two cells, in each a half of tune trials and a half of replicates."""
    of_cell = trials // len(ACTIVATIONS)
    return (
        *("experiment=cifar10_small", f"data.root={cifar.folder()}", f"run.root={root}", "run.name=study"),
        *("tracker=none", "scheduler=none", "study.measure_cost=false", f"trainer.precision={precision}"),
        *(f"study.tune.points={of_cell // 2}", f"study.replicate.seeds={of_cell - of_cell // 2}"),
        *("model.width=16", f"trainer.epochs={EPOCHS}", *(f"data.{name}={size}" for name, size in SIZES.items())),
    )


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"RAY_AIR_NEW_OUTPUT": "0"})
    return time.perf_counter() - started


def _plain(trials: int) -> None:
    """What a user writes: a function trainable, a search space, a `Tuner` with its defaults."""
    import ray
    from ray import tune

    root = str(cifar.folder())
    sys_path = str(Path(__file__).parents[1])

    def trainable(config: Mapping[str, Any]) -> None:
        sys.path.insert(0, sys_path)
        import torch

        from bench.lightning_template import fit

        torch.set_num_threads(1)
        trial = {
            "seed": config["seed"],
            "model": {"activation": config["activation"], "depth": 3, "width": 16},
            "optimizer": {"lr": config["lr"]},
            "data": {"batch_size": 128, "augment": False},
        }
        fit(trial, Path(root), SIZES, EPOCHS, lambda metrics: tune.report(dict(metrics)))

    ray.init(address="local", num_cpus=CORES, include_dashboard=False, log_to_driver=False)
    space = {
        "activation": tune.grid_search(list(ACTIVATIONS)),
        "lr": tune.loguniform(1e-4, 1e-1),
        "seed": tune.randint(0, 10**6),
    }
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(metric="val_acc", mode="max", num_samples=trials // len(ACTIVATIONS)),
        run_config=tune.RunConfig(storage_path=tempfile.mkdtemp(), verbose=0),
    )
    results = tuner.fit()
    assert len(results) == trials, f"{len(results)} of {trials} trials"
    assert not results.errors, results.errors[0]
    ray.shutdown()


if __name__ == "__main__":
    if sys.argv[1] == "--plain":
        _plain(int(sys.argv[2]))
    else:
        print(json.dumps(run(int(sys.argv[1])), indent=1))
