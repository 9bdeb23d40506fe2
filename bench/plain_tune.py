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

from actsweep.events import TrialStarted
from actsweep.records import StudyFolder, read_ledger
from bench import cifar

TRIALS = 40
CORES = 2
EPOCHS = 8
SIZES = {"train": 8000, "val": 1000, "test": 2000}
ACTIVATIONS = ("relu", "sigmoid")


def run(trials: int = TRIALS) -> dict[str, Any]:
    """Wall seconds of each, and how many times faster ours are."""
    figures: dict[str, Any] = {"trials": trials}
    ours: dict[str, float] = {}
    configurations: list[dict[str, Any]] = []
    for precision in ("fp32", "bf16"):
        with tempfile.TemporaryDirectory() as place:
            ours[precision] = _timed([sys.executable, "-m", "actsweep", "sweep", *_words(trials, place, precision)])
            configurations = _configurations(StudyFolder(Path(place) / "study"))
        assert len(configurations) == trials
        figures[f"ours in {precision}, wall seconds"] = ours[precision]
    with tempfile.TemporaryDirectory() as home:
        asked = json.dumps(configurations)
        plain = _timed([sys.executable, "-m", "bench.plain_tune", "--plain", asked], HOME=home)
    figures["plain Ray Tune, wall seconds"] = plain
    return figures | {f"plain / ours in {precision}": plain / seconds for precision, seconds in ours.items()}


def _configurations(folder: StudyFolder) -> list[dict[str, Any]]:
    """What the study's trials were, for plain Tune to run the same."""
    starts = [event for event in read_ledger(folder.ledger).events if isinstance(event, TrialStarted)]
    return [
        {"activation": start.cell["model.activation"], "lr": start.nuisance["optimizer.lr"], "seed": start.seed}
        for start in starts
    ]


def _words(trials: int, root: str, precision: str) -> tuple[str, ...]:
    """The study of so many trials: two cells, in each a half of tune trials and a half of replicates."""
    of_cell = trials // len(ACTIVATIONS)
    return (
        *("experiment=cifar10_small", f"data.root={cifar.folder()}", f"run.root={root}", "run.name=study"),
        *("tracker=none", "scheduler=none", "study.measure_cost=false", f"trainer.precision={precision}"),
        *(f"study.tune.points={of_cell // 2}", f"study.replicate.seeds={of_cell - of_cell // 2}"),
        *("model.width=16", f"trainer.epochs={EPOCHS}", *(f"data.{name}={size}" for name, size in SIZES.items())),
    )


def _timed(command: list[str], **environment: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ | environment)
    return time.perf_counter() - started


def _plain(configurations: list[dict[str, Any]]) -> None:
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
            "seed": config["trial"]["seed"],
            "model": {"activation": config["trial"]["activation"], "depth": 3, "width": 16},
            "optimizer": {"lr": config["trial"]["lr"]},
            "data": {"batch_size": 128, "augment": False},
        }
        fit(trial, Path(root), SIZES, EPOCHS, lambda metrics: tune.report(dict(metrics)))

    ray.init(address="local", num_cpus=CORES, include_dashboard=False, log_to_driver=False)
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space={"trial": tune.grid_search(configurations)},
        tune_config=tune.TuneConfig(metric="val_acc", mode="max"),
        run_config=tune.RunConfig(storage_path=os.environ["HOME"], verbose=0),
    )
    results = tuner.fit()
    assert len(results) == len(configurations), f"{len(results)} of {len(configurations)} trials"
    assert not results.errors, results.errors[0]
    ray.shutdown()


if __name__ == "__main__":
    if sys.argv[1] == "--plain":
        _plain(json.loads(sys.argv[2]))
    else:
        print(json.dumps(run(int(sys.argv[1])), indent=1))
