"""Whether a study has room on the disk, before any of it runs; without the probe of a plan, which takes a while."""

import shutil
from contextlib import suppress
from pathlib import Path

from actsweep.data import Source
from actsweep.errors import RequestError
from actsweep.events import StudyRecord
from actsweep.report.wording import size
from actsweep.study import Study
from actsweep.study.architecture import weights_bytes

_FILE_BYTES = 8 * 1024  # of a file of weights, around them
_ROW_BYTES = 600  # of an evaluation, in the ledger and in the table of curves
_COPIES_TO_GO_ON = 4  # weights, the best ones, and up to two moments of the optimizer


def free_bytes(place: Path) -> int:
    """What is free where a path is, or would be."""
    return shutil.disk_usage(existing(place)).free


def existing(place: Path) -> Path:
    """A path, or the nearest of its parents that exists."""
    place = place.absolute()
    return next(path for path in (place, *place.parents) if path.exists())


def refuse_small_disk(study: Study, source: Source, record: StudyRecord) -> None:
    """Check that what a study still lacks has room.

    Raises:
        RequestError: it has not; the message gives both figures.
    """
    root = Path(study.config.run.root)
    needed, free = lacking_bytes(study, source, record), free_bytes(root)
    if needed > free:
        raise RequestError(
            f"run.root={root}: {size(free)} free there, and the study needs about {size(needed)} more; free some, ask "
            "for fewer trials, or choose another run.root"
        )


def lacking_bytes(study: Study, source: Source, record: StudyRecord) -> int:
    """Weights, checkpoints and curves of the trials without a result, each as large as the largest."""
    lacking = sum(study.planned.values()) - sum(trial.has_result for trial in record.trials.values())
    trainer = study.config.trainer
    weights = _largest_weights(study, source)
    left = 2 * (weights + _FILE_BYTES) + (trainer.epochs // trainer.eval_every + 1) * _ROW_BYTES
    return max(0, lacking) * left + _COPIES_TO_GO_ON * weights


def _largest_weights(study: Study, source: Source) -> int:
    """Bytes of the weights of the largest cell's network."""
    shape, classes = source.image_shape, len(source.classes)
    largest = 0
    for cell in study.cells:
        config = study.trial_config(cell, cell.middle, seed=0)
        if config.model.name == "cnn":
            largest = max(largest, weights_bytes(config.model, shape, classes))
            continue
        from actsweep.model import build_module  # loads torch, which a driver needs for nothing else

        with suppress(Exception):  # a plugin's model that cannot be built is a failure of its trials
            weights = build_module(config, shape, classes).state_dict().values()
            largest = max(largest, sum(value.numel() * value.element_size() for value in weights))
    return largest
