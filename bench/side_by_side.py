"""Several trials on one device: one after the other, replayed as CUDA graphs, in processes, side by side, and as one.

Trials per hour of CIFAR-10 at width 16, each of a few epochs with its evaluations, and how many times those of one
trial after the other, taken as steps come. `vmap` is what a rewrite could gain: K networks as one, training alone,
without evaluations. On a machine without a GPU a few steps of each show that all of it works, and nothing more.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn import functional

from actsweep.data import Data, load, order_generator, prepare, training_batches
from actsweep.model import build_module
from actsweep.settings import TrialConfig
from actsweep.train import TURNS, train
from bench import cifar
from bench.training import trial

GPU = torch.cuda.is_available()
WIDTHS = (4, 8, 16) if GPU else (2,)
SIZES = {"train": 45000, "val": 5000, "test": 10000} if GPU else {"train": 300, "val": 100, "test": 100}
EPOCHS = 4 if GPU else 1


def run() -> dict[str, Any]:
    """Trials per hour of each way, and how many times those of one after the other."""
    if not GPU:
        print("  (there is no GPU here: these figures say nothing)", file=sys.stderr)
    config, data = trial(*_words())
    _alone(config, data)  # what a process does once
    hourly: dict[str, float] = {}
    for graphs in (False, True) if GPU else (False,):
        ours, how = _with(config, cuda_graph=graphs), ", graphs" if graphs else ""
        hourly[f"one after the other{how}"] = _hourly(1, partial(_alone, ours, data))
        for k in WIDTHS:
            hourly[f"{k} side by side in one process{how}"] = _hourly(k, partial(_together, k, ours, data))
    for k in WIDTHS:
        hourly[f"{k} processes"] = _hourly(k, partial(_processes, k))
        hourly[f"{k} as one by vmap, training alone"] = _hourly(k, partial(_stacked, k, config, data))
    first = hourly["one after the other"]
    device = torch.cuda.get_device_name() if GPU else "none"
    figures: dict[str, Any] = {"device": device, "images of an epoch": SIZES["train"], "epochs of a trial": EPOCHS}
    for name, value in hourly.items():
        figures |= {f"{name}, trials per hour": value, f"{name}, ratio": value / first}
    return figures


def _words() -> tuple[str, ...]:
    sizes = (f"data.{name}={size}" for name, size in SIZES.items())
    on_gpu = ("trainer=gpu", "trainer.precision=bf16") if GPU else ()
    return ("data=image_folder", f"data.root={cifar.folder()}", *sizes, *on_gpu, f"trainer.epochs={EPOCHS}")


def _with(config: TrialConfig, *, cuda_graph: bool) -> TrialConfig:
    return config.model_copy(update={"trainer": config.trainer.model_copy(update={"cuda_graph": cuda_graph})})


def _hourly(trials: int, way: Callable[[], None]) -> float:
    started = time.perf_counter()
    way()
    if GPU:
        torch.cuda.synchronize()
    return 3600 * trials / (time.perf_counter() - started)


def _alone(config: TrialConfig, data: Data) -> None:
    assert train(config, data).status == "completed"


def _together(k: int, config: TrialConfig, data: Data) -> None:
    """As a worker does it, without its records."""
    resident, done = data.to("cuda" if GPU else "cpu"), []

    def passing() -> bool:
        TURNS.pass_on()
        return False

    def one(config: TrialConfig) -> None:
        with TURNS.turn():
            done.append(train(config, resident, should_stop=passing).status)

    seeded = [config.model_copy(update={"seed": seed}) for seed in range(k)]
    threads = [threading.Thread(target=one, args=(each,)) for each in seeded]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == ["completed"] * k


def _processes(k: int) -> None:
    """One trial each, with their imports: in a sweep a worker pays for those once."""
    command = [sys.executable, "-c", "from bench.side_by_side import one_trial; one_trial()"]
    running = [subprocess.Popen(command) for _ in range(k)]
    assert not any(process.wait() for process in running)


def one_trial() -> None:
    config, _ = trial(*_words())
    _alone(config, load(prepare(config.data), config.data))


def _stacked(k: int, config: TrialConfig, data: Data) -> None:
    device = torch.device("cuda" if GPU else "cpu")
    modules = [build_module(config, data.image_shape, data.classes).network.to(device) for _ in range(k)]
    weights, buffers = stack_module_state(modules)  # type: ignore[arg-type]
    leaves = {name: value.detach().requires_grad_() for name, value in weights.items()}
    optimizer = torch.optim.Adam(leaves.values(), lr=config.optimizer.lr)
    batches = training_batches(config.data, data, device, order_generator(config.seed))

    def loss(own: Any, kept: Any, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with torch.autocast(device.type, torch.bfloat16, enabled=config.trainer.precision == "bf16"):
            return functional.cross_entropy(functional_call(modules[0], (own, kept), (images,)), labels)

    gradients = vmap(grad(loss), in_dims=(0, 0, None, None))
    for _ in range(config.trainer.epochs):
        for images, labels in batches:
            for leaf, gradient in zip(
                leaves.values(), gradients(weights, buffers, images, labels).values(), strict=True
            ):
                leaf.grad = gradient
            optimizer.step()
