import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from actsweep.records import read_ledger

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three classes of 8x8 colour images that differ in their brightest channel."""
    rng = np.random.default_rng(0)
    for split, n in (("train", 60), ("test", 20)):
        for channel, name in enumerate(("red", "green", "blue")):
            folder = tmp_path / "my images" / split / name
            folder.mkdir(parents=True)
            for index in range(n):
                pixels = rng.integers(0, 120, (8, 8, 3))
                pixels[..., channel] += 100
                Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{index:03d}.png")
    return tmp_path / "my images"


def test_a_sweep_on_a_folder_of_ones_own_images(actsweep: Command, images: Path, tmp_path: Path) -> None:
    words = (
        "experiment=smoke",
        "data=image_folder",
        f"data.root='{images}'",
        "data.train=null",
        "data.val=30",
        "data.test=null",
    )
    done = actsweep("sweep", *words, "data.batch_size=16", "data.augment=true", "tracker=none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    record = read_ledger(tmp_path / "outputs" / "smoke" / "ledger.jsonl").fold()
    assert record.started is not None
    assert (record.started.data["label"], record.started.data["classes"]) == ("my images", 3)
    relu = [t for t in record.trials.values() if t.started.cell["model.activation"] == "relu"]
    assert max(trial.rows[-1]["val_acc"] for trial in relu) > 0.6


def test_other_images_under_the_same_name_are_refused(actsweep: Command, images: Path, tmp_path: Path) -> None:
    words = (
        "experiment=smoke",
        "data=image_folder",
        f"data.root='{images}'",
        "data.train=null",
        "data.val=30",
        "data.test=null",
    )
    quick = ("study.tune.points=1", "study.replicate.seeds=1", "trainer.epochs=1", "tracker=none")
    assert actsweep("sweep", *words, *quick, cwd=tmp_path).returncode == 0
    Image.new("RGB", (8, 8), "white").save(images / "train" / "red" / "000.png")
    refused = actsweep("sweep", *words, *quick, cwd=tmp_path)
    assert refused.returncode == 2
    assert "holds a study on other images than those found now" in refused.stderr
