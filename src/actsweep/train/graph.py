"""Training steps as CUDA graphs: a small network's step is bound by the launching of its parts, which a graph saves.

No part of this has run on a GPU yet: what it gains there is not known, and it is off unless it is asked for.
"""

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
    whole step: both passes, clipping, and the optimizer. Adam and AdamW find the learning rate in a tensor; SGD takes
    it from the host, so its steps are captured where it never changes. Where a step cannot be captured, all are taken
    as they come, and it is said once.

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
        self._rates: list[Tensor | float] = []

    def __call__(self, batch: Batch) -> None:
        """Take a step."""
        if self._refused or (self._size and len(batch[1]) != self._size):
            self._step(batch)
        elif self._warm < WARM_UP_STEPS:
            self._warm_up(batch)
        elif (self._replay or self._captured(batch)) and self._rates_are_as_captured():
            self._replayed(batch)
        else:
            self._step(batch)

    def _warm_up(self, batch: Batch) -> None:
        before = _drawn_so_far()
        self._step(batch)
        self._size = len(batch[1])
        self._warm += 1
        if type(self._optimizer) not in _CAPTURABLE:
            self._refuse(f"what {type(self._optimizer).__name__} does on the host is not known")
        elif self._warm == WARM_UP_STEPS and not torch.equal(before, _drawn_so_far()):
            self._refuse("it draws random numbers, and a trial beside it would draw the same")

    def _captured(self, batch: Batch) -> bool:
        """Capture a step, which is not taken by that; whether it could be."""
        kept = batch[0].clone(memory_format=torch.preserve_format), batch[1].clone()
        self._prepare_optimizer(batch[0].device)
        try:
            with self._captured_rates():
                self._replay = self._capture(lambda: self._step(kept))
        except RuntimeError as error:
            self._refuse(str(error).splitlines()[0])
            self._optimizer.zero_grad()  # of which the capture that failed may have left some without values
            return False
        self._batch = kept
        return True

    def _replayed(self, batch: Batch) -> None:
        assert self._batch is not None
        assert self._replay is not None
        for kept, new in zip(self._batch, batch, strict=True):
            kept.copy_(new)
        self._replay()

    def _prepare_optimizer(self, device: torch.device) -> None:
        """Bring to the GPU what an optimizer would look up on the host, where it can find it there."""
        self._optimizer._warned_capturable_if_run_uncaptured = True  # on smaller batches, which is meant
        for group in self._optimizer.param_groups:
            movable = "capturable" in group
            self._rates.append(torch.tensor(group["lr"], device=device) if movable else group["lr"])
            if movable:
                group["capturable"] = device.type == "cuda"
        for state in self._optimizer.state.values():
            if isinstance(state.get("step"), Tensor):
                state["step"] = state["step"].to(device)

    @contextmanager
    def _captured_rates(self) -> Iterator[None]:
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

    def _rates_are_as_captured(self) -> bool:
        """Whether a replay would find the learning rates of now; those in tensors are brought there."""
        for rate, group in zip(self._rates, self._optimizer.param_groups, strict=True):
            if isinstance(rate, Tensor):
                rate.fill_(group["lr"])
            elif rate != group["lr"]:
                self._refuse(f"the learning rate changes, which {type(self._optimizer).__name__} looks up on the host")
                return False
        return True

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
