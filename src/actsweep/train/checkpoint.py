"""The checkpoint that a trial goes on from, and the weights that stay when it has ended.

A resume checkpoint is a line `actsweep-resume FORMAT IDENTITY CRC32` and then what `torch.save` makes of plain values
and tensors. It is replaced as a whole and checked when it is read, so it is not brought to the disk at once: what a
power failure leaves of it is either whole or not used.
"""

import hashlib
import io
import os
import pickle
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.io import CheckpointIO
from torch import Tensor

from actsweep.data import Data
from actsweep.records import BEST_WEIGHTS, LAST_WEIGHTS, RESUME_FILE, Attempt

_MAGIC = b"actsweep-resume 2"


class ResumeFile(CheckpointIO):
    """The resume checkpoint of one trial, through which Lightning's Trainer writes and reads.

    Args:
        attempt: the attempt at the trial that this is.
        trial: what the trial is known by; a checkpoint of another trial is not used, and neither is one of another
            version of torch or Lightning.
    """

    def __init__(self, attempt: Attempt, trial: str) -> None:
        self.path = attempt.folder / RESUME_FILE
        self._attempt = attempt
        self._trial = trial
        self._identity = f"{trial}/{torch.__version__}/{version('pytorch-lightning')}".encode()

    def find(self) -> Path | None:
        """Where a usable checkpoint is; None where there is none, and if it is damaged or foreign a note in the log."""
        if not self.path.exists():
            return None
        try:
            self.load_checkpoint(self.path)
        except _UnusableError as error:
            self._attempt.note(f"{self.path.name} is not used, and the trial starts anew: {error}")
            return None
        return self.path

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Replace the checkpoint.

        Raises:
            OSError: it cannot be written; the one before stays, and the trial fails and can go on from it.
            OutdatedError: a later attempt has begun; the one before stays.
        """
        content = _saved(checkpoint)
        head = b"%s %s %08x\n" % (_MAGIC, self._identity, zlib.crc32(content))
        self._attempt.replace(self.path.name, head, content)

    def load_checkpoint(
        self, path: Any, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """What was saved, with all tensors on the CPU; no class is ever unpickled."""
        header, _, content = _read(self.path).partition(b"\n")
        magic, _, rest = header.rpartition(b" ")[0].rpartition(b" ")
        if magic != _MAGIC or header.rpartition(b" ")[2] != b"%08x" % zlib.crc32(content):
            raise _UnusableError("it is damaged")
        if rest != self._identity:
            other = _OtherVersionError if rest.startswith(f"{self._trial}/".encode()) else _UnusableError
            raise other(
                f"it is of another trial or version ({rest.decode(errors='replace')}), not {self._identity.decode()}"
            )
        try:
            loaded: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise _UnusableError("it holds more than plain values and tensors") from error
        return loaded

    def remove_checkpoint(self, path: Any = None) -> None:
        """Remove the checkpoint."""
        self._attempt.remove(self.path.name)


def save_weights(
    attempt: Attempt, module: pl.LightningModule, data: Data, *, last: dict[str, Tensor], best: dict[str, Tensor]
) -> None:
    """Write `last.ckpt` and `best.ckpt`, and note their hashes.

    Each holds weights, the arguments to construct the module with, and as `normalisation` the `mean` and `std` per
    channel by which images were normalised (bytes as 0 to 1, floats as they are).
    `LightningModule.load_from_checkpoint` loads them, also with `weights_only=True`. They are on the disk when this
    returns: the end of a trial, which names their hashes, is never at risk.

    Raises:
        OSError: they cannot be written; what was there before stays.
        OutdatedError: a later attempt at the trial has begun; what was there before stays.
    """
    for name, weights in ((LAST_WEIGHTS, last), (BEST_WEIGHTS, best)):
        content = _saved(
            {
                "state_dict": weights,
                "hyper_parameters": dict(module.hparams),
                "normalisation": {"mean": data.mean.tolist(), "std": data.std.tolist()},
                "pytorch-lightning_version": version("pytorch-lightning"),
            }
        )
        attempt.replace(name, content, durable=True)
        attempt.weights[name] = hashlib.sha256(content).hexdigest()


def resume_problem(folder: Path, trial: str) -> str | None:
    """Why the resume checkpoint in a trial's folder is damaged or of another trial; None where it is neither.

    One of another version of torch or Lightning is neither, though the trial will not go on from it.
    """
    resume = ResumeFile(Attempt(folder), trial)
    try:
        resume.load_checkpoint(resume.path)
    except _OtherVersionError:
        return None
    except _UnusableError as error:
        return str(error)
    return None


def weights_problem(path: Path) -> str | None:
    """Why a file of weights cannot be loaded as tensors and plain values; None where it can be."""
    try:
        torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # whatever torch makes of a damaged file
        return " ".join(str(error).split()[:12]) or type(error).__name__
    return None


def _read(path: Path) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read()
    except OSError as error:
        raise _UnusableError(f"it cannot be read ({error.strerror})") from error


def _saved(content: dict[str, Any]) -> memoryview:
    """What `torch.save` makes of a tree; straight to a full disk it would fail without a word on file or cause."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getbuffer()


class _UnusableError(Exception):
    """Why a checkpoint cannot be used."""


class _OtherVersionError(_UnusableError):
    """It is whole and of this trial, but was written by another version of torch or Lightning."""
