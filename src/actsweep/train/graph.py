"""Training steps as CUDA graphs: a small network's step is bound by the launching of its parts, which a graph saves.

No part of this has run on a GPU yet: what it gains there is not known, and it is off unless it is asked for.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer

from actsweep.train.epoch import Batch, Step

WARM_UP_STEPS = 3  # in which libraries choose their algorithms, and optimizers make their states
_CAPTURABLE = (Adam, AdamW, SGD)  # exactly these: what another one reads on the host would be captured as it was
Capture = Callable[[Callable[[], None]], Callable[[], None]]


class CapturedStep:
    """Takes training steps as they come until it has seen some of one size, and replays a capture of one from then on.

    Steps on batches of another size, as the last of an epoch may be, are taken as they come. What is captured is the
    whole step: both passes, clipping, and the optimizer, which finds the learning rate in a tensor. Where a step cannot
    be captured, all are taken as they come, and it is said once.

    Args:
        step: see `training_step`.
        optimizer: the one that it steps.
        say: told why a step cannot be captured.
        capture: records what a call asks a GPU for, and returns what repeats it.
    """

    def __init__(self, step: Step, optimizer: Optimizer, say: Callable[[str], None], capture: Capture) -> None:
        self._step = step
        self._optimizer = optimizer
        self._say = say
        self._capture = capture
        self._size = 0
        self._warm = 0
        self._replay: Callable[[], None] | None = None
        self._refused = False
        self._batch: Batch | None = None
        self._rates: list[Tensor] = []

    def __call__(self, batch: Batch, number: int) -> None:
        """Take a step."""
        if self._refused or (self._size and len(batch[1]) != self._size):
            self._step(batch, number)
        elif self._warm < WARM_UP_STEPS:
            self._warm_up(batch, number)
        else:
            self._replayed(batch, number)

    def _warm_up(self, batch: Batch, number: int) -> None:
        before = _drawn_so_far()
        self._step(batch, number)
        self._size = len(batch[1])
        self._warm += 1
        if self._warm == WARM_UP_STEPS and not torch.equal(before, _drawn_so_far()):
            self._refuse("it draws random numbers, and a trial beside it would draw the same")
        elif type(self._optimizer) not in _CAPTURABLE:
            self._refuse(f"what {type(self._optimizer).__name__} does on the host is not known")

    def _replayed(self, batch: Batch, number: int) -> None:
        if self._replay is None:
            self._batch = (batch[0].clone(memory_format=torch.preserve_format), batch[1].clone())
            self._prepare_optimizer(batch[0].device)
            try:
                with self._rates_in_tensors():
                    self._replay = self._capture(lambda: self._step(self._batch, number))  # type: ignore[arg-type]
            except RuntimeError as error:
                self._refuse(str(error).splitlines()[0])
                self._optimizer.zero_grad()  # of which the capture that failed may have left some without values
                self._step(batch, number)
                return
        assert self._batch is not None
        for kept, new in zip(self._batch, batch, strict=True):
            kept.copy_(new)
        for rate, group in zip(self._rates, self._optimizer.param_groups, strict=True):
            rate.fill_(group["lr"])
        self._replay()

    def _prepare_optimizer(self, device: torch.device) -> None:
        """Bring to the GPU what an optimizer would look up on the host."""
        groups = self._optimizer.param_groups
        self._rates = [torch.tensor(math.nan, device=device) for _ in groups]
        for group in groups:
            if "capturable" in group:
                group["capturable"] = device.type == "cuda"
        for state in self._optimizer.state.values():
            if isinstance(state.get("step"), Tensor):
                state["step"] = state["step"].to(device)

    @contextmanager
    def _rates_in_tensors(self) -> Iterator[None]:
        """For a capture alone: schedules go on to compute with plain numbers, in double precision."""
        groups = self._optimizer.param_groups
        before = [group["lr"] for group in groups]
        try:
            for group, rate in zip(groups, self._rates, strict=True):
                group["lr"] = rate
            yield
        finally:
            for group, rate in zip(groups, before, strict=True):
                group["lr"] = rate

    def _refuse(self, why: str) -> None:
        self._refused = True
        self._say(f"trainer.cuda_graph=true: a step is not captured, and is taken as without it: {why}")


def cuda_capture(call: Callable[[], None]) -> Callable[[], None]:
    """A CUDA graph of what a call asks the current stream for; must not be the default stream.

    Raises:
        RuntimeError: it asks for something that cannot be captured, such as a wait for the GPU.
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=torch.cuda.current_stream()):
        call()
    return graph.replay


def _drawn_so_far() -> Tensor:
    """The state of the generator that steps draw from: it is another one once they have."""
    return torch.cuda.get_rng_state() if torch.cuda.is_initialized() else torch.get_rng_state()
