"""The checkpoint that a trial goes on from, and the weights that stay when it has ended.

A resume checkpoint is a line `actsweep-resume FORMAT IDENTITY CRC32` and then what `torch.save` makes of plain values
and tensors. It is replaced as a whole and checked when it is read, so it is not brought to the disk at once: what a
power failure leaves of it is either whole or not used.
"""

import io
import pickle
import zlib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.io import CheckpointIO
from torch import Tensor

from actsweep.records import RESUME_FILE, append_log

_MAGIC = b"actsweep-resume 1"


class ResumeFile(CheckpointIO):
    """The resume checkpoint of one trial, through which Lightning's Trainer writes and reads.

    Args:
        folder: the trial's.
        trial: what the trial is known by; a checkpoint of another trial is not used, and neither is one of another
            version of torch or Lightning.
    """

    def __init__(self, folder: Path, trial: str) -> None:
        self.path = folder / RESUME_FILE
        self._identity = f"{trial}/{torch.__version__}/{version('pytorch-lightning')}".encode()

    def find(self) -> Path | None:
        """Where a usable checkpoint is; None where there is none, and if it is damaged or foreign a note in the log."""
        if not self.path.exists():
            return None
        try:
            self.load_checkpoint(self.path)
        except _UnusableError as error:
            append_log(self.path.parent, f"{self.path.name} is not used, and the trial starts anew: {error}")
            return None
        return self.path

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Replace the checkpoint.

        Raises:
            OSError: it cannot be written; the one before stays, and the trial fails and can go on from it.
        """
        content = _saved(checkpoint)
        _replace(self.path, b"%s %s %08x\n" % (_MAGIC, self._identity, zlib.crc32(content)), content)

    def load_checkpoint(
        self, path: Any, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """What was saved, with all tensors on the CPU; no class is ever unpickled."""
        header, _, content = self.path.read_bytes().partition(b"\n")
        magic, _, rest = header.rpartition(b" ")[0].rpartition(b" ")
        if magic != _MAGIC or header.rpartition(b" ")[2] != b"%08x" % zlib.crc32(content):
            raise _UnusableError("it is damaged")
        if rest != self._identity:
            raise _UnusableError(
                f"it is of another trial or version ({rest.decode(errors='replace')}), not {self._identity.decode()}"
            )
        try:
            loaded: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise _UnusableError("it holds more than plain values and tensors") from error
        return loaded

    def remove_checkpoint(self, path: Any = None) -> None:
        """Remove the checkpoint, and what an interrupted attempt to write one left."""
        self.path.unlink(missing_ok=True)
        _partial(self.path).unlink(missing_ok=True)


def save_weights(folder: Path, module: pl.LightningModule, *, last: dict[str, Tensor], best: dict[str, Tensor]) -> None:
    """Write `last.ckpt` and `best.ckpt`: weights, and the arguments to construct the module with.

    `LightningModule.load_from_checkpoint` loads them, also with `weights_only=True`.

    Raises:
        OSError: they cannot be written; what was there before stays.
    """
    for name, weights in (("last", last), ("best", best)):
        content = {
            "state_dict": weights,
            "hyper_parameters": dict(module.hparams),
            "pytorch-lightning_version": version("pytorch-lightning"),
        }
        _replace(folder / f"{name}.ckpt", _saved(content))


def _saved(content: dict[str, Any]) -> memoryview:
    """What `torch.save` makes of a tree; straight to a full disk it would fail without a word on file or cause."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getbuffer()


def _replace(path: Path, *parts: bytes | memoryview) -> None:
    """Write a file whole or not at all; on a full disk nothing of it stays."""
    partial = _partial(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("wb") as file:
            for part in parts:
                file.write(part)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}")


class _UnusableError(Exception):
    """Why a checkpoint cannot be used."""
