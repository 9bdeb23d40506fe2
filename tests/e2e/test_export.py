"""The best model of a cell in files that other programs load."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import torch

from actsweep import compose
from actsweep.cli import run
from actsweep.data import load, prepare
from actsweep.model import Classifier

Command = Callable[..., subprocess.CompletedProcess[str]]
IMAGES = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
WITHOUT_US = """
import sys, torch
program = torch.export.load(sys.argv[1])
torch.save(program.module()(torch.load(sys.argv[2])), sys.argv[3])
assert not any(name.split(".")[0] == "actsweep" for name in sys.modules)
"""


@pytest.fixture
def expected(smoke: Any) -> tuple[str, torch.Tensor]:
    """The best replicate of relu by the study's own results, and its logits of images as they are stored."""
    replicates = [
        trial for trial in smoke.results["trials"] if (trial["phase"], trial["activation"]) == ("replicate", "relu")
    ]
    best = max(replicates, key=lambda trial: trial["best_val_acc"])["trial_id"]
    weights = smoke.folder / "trials" / best / "best.ckpt"
    model = Classifier.load_from_checkpoint(weights, weights_only=True).eval()
    scale = torch.load(weights, weights_only=True)["normalisation"]
    mean, std = (torch.tensor(scale[name]).view(1, -1, 1, 1) for name in ("mean", "std"))
    with torch.no_grad():
        return best, model((IMAGES - mean) / std)


def test_a_checkpoint_is_that_of_the_best_replicate(
    actsweep: Command, smoke: Any, expected: tuple[str, torch.Tensor], tmp_path: Path, capsys: Any
) -> None:
    done = actsweep("export", str(smoke.folder), "--cell", "relu,3", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"model of trial {expected[0]}: smoke-relu-3.ckpt\n"
    weights = smoke.folder / "trials" / expected[0] / "best.ckpt"
    assert (tmp_path / "smoke-relu-3.ckpt").read_bytes() == weights.read_bytes()
    assert run(["export", str(smoke.folder), "--cell", "relu,3", "--out", str(tmp_path / "smoke-relu-3.ckpt")]) == 2
    assert "exists already; give another file" in capsys.readouterr().err


def test_a_program_of_torch_needs_nothing_of_ours(
    actsweep: Command, smoke: Any, expected: tuple[str, torch.Tensor], tmp_path: Path
) -> None:
    words = ("--cell", "relu/3", "--format", "torch", "--out", "model.pt2")
    done = actsweep("export", str(smoke.folder), *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    torch.save(IMAGES, tmp_path / "images")
    command = [sys.executable, "-c", WITHOUT_US, "model.pt2", "images", "logits"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=100)
    torch.testing.assert_close(torch.load(tmp_path / "logits").detach(), expected[1])


def test_on_images_as_they_are_stored_it_has_the_accuracy_that_was_recorded(
    actsweep: Command, smoke: Any, expected: tuple[str, torch.Tensor], tmp_path: Path
) -> None:
    done = actsweep(
        "export", str(smoke.folder), "--cell", "relu,3", "--format", "torch", "--out", "m.pt2", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    settings = compose("experiment=smoke").data
    test = load(prepare(settings), settings).test
    logits = torch.export.load(tmp_path / "m.pt2").module()(test.images / 255)
    accuracy = (logits.argmax(1) == test.labels).float().mean().item()
    curves = pd.read_parquet(smoke.folder / "curves.parquet")
    recorded = curves[curves.trial_id == expected[0]].best_test_acc.dropna().item()
    assert accuracy == pytest.approx(recorded, abs=1e-6)


def test_onnx_gives_the_same_logits(
    actsweep: Command, smoke: Any, expected: tuple[str, torch.Tensor], tmp_path: Path
) -> None:
    done = actsweep("export", str(smoke.folder), "--cell", "relu,3", "--format", "onnx", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    session = onnxruntime.InferenceSession(tmp_path / "smoke-relu-3.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"images": IMAGES.numpy()})
    np.testing.assert_allclose(logits, expected[1].numpy(), atol=1e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["smoke-relu-3.onnx"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "--cell is needed, there are several: known are relu,3, sigmoid,3"),
        (("--cell", "rleu,3"), "--cell rleu,3: no such cell; known are relu,3, sigmoid,3; did you mean 'relu,3'?"),
        (("--cell", "relu,3", "--format", "pickle"), "--format pickle: known are ckpt, torch, onnx"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    smoke: Any, words: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["export", str(smoke.folder), *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_weights_that_were_removed_are_named(smoke: Any, tmp_path: Path, capsys: Any) -> None:
    folder = shutil.copytree(smoke.folder, tmp_path / "smoke")
    for weights in (folder / "trials").glob("*/best.ckpt"):
        weights.unlink()
    assert run(["export", str(folder), "--cell", "relu,3"]) == 2
    assert "the weights are missing" in capsys.readouterr().err


def test_weights_that_do_not_say_how_images_are_normalised_are_refused(
    smoke: Any, expected: tuple[str, torch.Tensor], tmp_path: Path, capsys: Any
) -> None:
    folder = shutil.copytree(smoke.folder, tmp_path / "smoke")
    path = folder / "trials" / expected[0] / "best.ckpt"
    content = torch.load(path, weights_only=True)
    del content["normalisation"]
    torch.save(content, path)
    assert run(["export", str(folder), "--cell", "relu,3", "--format", "torch", "--out", str(tmp_path / "m.pt2")]) == 2
    assert "does not say how images are normalised" in capsys.readouterr().err
