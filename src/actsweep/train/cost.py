"""What one training step costs: arms measured against each other in short interleaved blocks."""

import statistics
import time
from collections.abc import Iterator, Sequence

import torch

from actsweep.data import Data, order_generator, training_batches
from actsweep.model import build_module
from actsweep.settings import TrialConfig
from actsweep.train import clean_state

BLOCK_STEPS = 4
WARM_UP_STEPS = 3
SECONDS_PER_ARM = 0.5
MIN_ROUNDS, MAX_ROUNDS = 2, 10
MAX_STEPS = WARM_UP_STEPS + 2 * MAX_ROUNDS * BLOCK_STEPS


class _Stepper:
    """Training steps of one trial, each with its batch, one after the other without end."""

    def __init__(self, config: TrialConfig, data: Data, device: torch.device) -> None:
        clean_state(config)
        self._device = device
        self._half = config.trainer.precision == "bf16"
        self._module = build_module(config, data.image_shape, data.classes).to(device)
        self._loader = training_batches(config.data, data, device, order_generator(config.seed))
        steps = max(config.trainer.epochs * len(self._loader), MAX_STEPS)  # a schedule cannot go on beyond its end
        self._optimizer, self._schedule = self._module.optimizer_and_schedule(steps, len(self._loader))
        self._batches = self._endless()
        self.milliseconds: list[float] = []

    def block(self, steps: int, *, keep: bool) -> None:
        """Run a few steps, and keep their times or not."""
        for _ in range(steps):
            started = self._now()
            self._step()
            if keep:
                self.milliseconds.append(1000 * (self._now() - started))

    def _step(self) -> None:
        images, labels = next(self._batches)
        self._optimizer.zero_grad()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._half):
            loss = self._module.loss((images, labels))
        loss.backward()
        self._module.configure_gradient_clipping(self._optimizer)
        self._optimizer.step()
        if self._schedule is not None:
            self._schedule.step()

    def _endless(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        while True:
            yield from self._loader

    def _now(self) -> float:
        if self._device.type == "cpu":
            return time.thread_time()
        torch.cuda.synchronize(self._device)
        return time.perf_counter()


def step_costs(configs: Sequence[TrialConfig], data: Data) -> list[float]:
    """Median milliseconds of one training step, with its batch, clipping and schedule, for each of several trials.

    Blocks of a few steps alternate in the order A B ... B A, so that a machine that changes its pace does so for all.
    On a CPU the time is the thread's own, on a GPU wall time between synchronised points.

    Args:
        configs: one trial of each arm; the device is that of the first.
        data: the data that they train on.
    """
    device = torch.device("cuda" if configs[0].trainer.accelerator == "gpu" else "cpu")
    resident = data.to(device)
    steppers = [_Stepper(config, resident, device) for config in configs]
    for stepper in steppers:
        stepper.block(WARM_UP_STEPS, keep=False)
    for done in range(1, MAX_ROUNDS + 1):
        for stepper in (*steppers, *reversed(steppers)):
            stepper.block(BLOCK_STEPS, keep=True)
        if done >= MIN_ROUNDS and min(sum(stepper.milliseconds) for stepper in steppers) > 1000 * SECONDS_PER_ARM:
            break
    return [statistics.median(stepper.milliseconds) for stepper in steppers]
