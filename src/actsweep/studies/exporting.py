"""The best model of a cell as a file that other programs load."""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from actsweep.errors import RecordsError, RequestError
from actsweep.records import BEST_WEIGHTS, StudyFolder, best_of_cells, open_study
from actsweep.settings import known_are
from actsweep.study import Study

if TYPE_CHECKING:
    from torch import Tensor, nn

EXAMPLE_IMAGES = 2  # two, since exporters take a size of one for a constant
ONNX_HINT = "--format onnx needs the packages of an extra: pip install '/path/to/clone[onnx]'"


def export_model(path: Path, cell: str | None, form: str, out: Path | None) -> tuple[Path, str]:
    """Write the best model of a cell: that of its best replicate at the epoch of its best validation accuracy.

    Args:
        path: the study's folder.
        cell: the cell's scientific values, with commas between them, such as `relu,3`; None where there is one cell.
        form: `ckpt`, Lightning's checkpoint; `torch`, a program of `torch.export`; `onnx`. The latter two need nothing
            of ours: they take float images of shape (n, channels, height, width), any n, from 0 to 1 where they are
            stored as bytes, else as they are stored, normalise them, and give logits.
        out: the file to write; None for one in the working folder that is named after study and cell.

    Returns:
        the file, and the id of the trial that the model is of.

    Raises:
        RecordsError: the study or the weights are missing or damaged.
        RequestError: there is no such cell or format, the file exists already, or a package is not installed.
    """
    if form not in FORMATS:
        raise RequestError(f"--format {form}: {known_are(list(FORMATS), form)}")
    folder = StudyFolder(path)
    opened = open_study(folder)
    study = Study(opened.config)
    best = {
        study.cell_at(opened.record.trials[trial_id].started.cell).label: trial_id
        for trial_id in best_of_cells(opened.record)
    }
    label = _label(cell, [one.label for one in study.cells])
    if label not in best:
        raise RecordsError(f"{path}: no trial of {label} has ended yet, so there is no model of it")
    weights = folder.trial(best[label]) / BEST_WEIGHTS
    if not weights.is_file():
        raise RecordsError(f"{weights}: the weights are missing, those of the best trial of {label}; put back a copy")
    suffix, write = FORMATS[form]
    target = out or Path(f"{opened.config.run.name}-{label.replace('/', '-')}{suffix}")
    if target.exists():
        raise RequestError(f"--out {target}: exists already; give another file: --out FILE")
    write(weights, target)
    return target, best[label]


def _label(asked: str | None, known: list[str]) -> str:
    spelled = {label.replace("/", ","): label for label in known}
    if asked is None and len(known) == 1:
        return known[0]
    if asked is None:
        raise RequestError(f"--cell is needed, there are several: {known_are(list(spelled), '')}")
    label = spelled.get(asked.replace("/", ","))
    if label is None:
        raise RequestError(f"--cell {asked}: no such cell; {known_are(list(spelled), asked)}")
    return label


def _copy(weights: Path, target: Path) -> None:
    shutil.copyfile(weights, target)


def _torch(weights: Path, target: Path) -> None:
    import torch

    network, example = _loaded(weights)
    batch = torch.export.Dim("n", min=1)
    with warnings.catch_warnings():
        # torch says so of every program that it saves, and nothing is amiss
        warnings.filterwarnings("ignore", "No complete tensor found in the group", UserWarning)
        program = torch.export.export(network, (example,), dynamic_shapes=({0: batch},))
        torch.export.save(program, target)


def _onnx(weights: Path, target: Path) -> None:
    import torch

    network, example = _loaded(weights)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                (example,),
                target,
                input_names=["images"],
                output_names=["logits"],
                dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except ImportError as error:  # torch asks for them when they are needed
        raise RequestError(ONNX_HINT) from error


def _loaded(weights: Path) -> "tuple[nn.Module, Tensor]":
    """The network behind a normalisation of its images, and images for which a tracer can call it."""
    import torch

    from actsweep.model import Classifier, Normalisation

    model: Classifier = Classifier.load_from_checkpoint(weights, map_location="cpu", weights_only=True)
    scale = torch.load(weights, map_location="cpu", weights_only=True).get("normalisation")
    if scale is None:
        raise RecordsError(
            f"{weights}: does not say how images are normalised, as actsweep did not write that once; --format ckpt "
            "exports it as it is"
        )
    network = torch.nn.Sequential(Normalisation(scale["mean"], scale["std"]), model.network).eval()
    return network, torch.zeros(EXAMPLE_IMAGES, *model.hparams["image_shape"])


FORMATS: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "ckpt": (".ckpt", _copy),
    "torch": (".pt2", _torch),
    "onnx": (".onnx", _onnx),
}
"""Per format the suffix of its files, and what writes one from a checkpoint."""
