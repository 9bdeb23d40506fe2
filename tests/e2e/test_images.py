import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from actsweep.cli import run
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


@pytest.mark.slow
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


def emptied(folder: Path, keep: int) -> None:
    for path in sorted(folder.iterdir())[keep:]:
        path.unlink()


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size * 2 // 3)


def another_size(path: Path) -> None:
    Image.new("RGB", (9, 8)).save(path)


def linked(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def another_class(images: Path) -> None:
    (images / "test" / "red").rename(images / "test" / "rot")


def small(images: Path) -> None:
    for path in images.rglob("*.png"):
        Image.new("RGB", (7, 8)).save(path)


BROKEN = {
    "truncated": (lambda at: cut_short(at / "test/red/007.png"), "test/red/007.png is no readable image"),
    "no image": (lambda at: (at / "train/red/x.jpg").write_text("?"), "train/red/x.jpg is no readable image"),
    "unreadable": (lambda at: linked(at / "train/red/007.png", Path("/proc/self/mem")), "red/007.png is no readable"),
    "missing": (lambda at: linked(at / "train/red/007.png", at / "nothing"), "cannot read "),
    "pipe": (lambda at: os.mkfifo(at / "train/red/x.png"), "train/red/x.png has the name of an image, but is no file"),
    "another size": (lambda at: another_size(at / "test/red/007.png"), "test/red/007.png is 9 x 8 pixels, but "),
    "too small": (small, "train/blue/000.png is 7 x 8 pixels; images must have at least 8 x 8"),
    "too large": (
        lambda at: Image.new("1", (5000, 5000)).save(at / "test/red/007.png"),
        "test/red/007.png is 5000 x 5000 pixels; the largest",
    ),
    "rare class": (
        lambda at: emptied(at / "train/red", 1),
        "images is of class 'red', which has too few images (21 in all)",
    ),
    "empty class": (lambda at: emptied(at / "train/red", 0), "train/red holds no image"),
    "other classes": (another_class, "train has a class 'red', but test/ has not"),
    "no test": (lambda at: shutil.rmtree(at / "test"), "holds train/ but no test/"),
    "loop": (lambda at: (at / "train/red/up").symlink_to(at), "train/red/up leads back to a folder that it lies in"),
    "nowhere": (shutil.rmtree, "there is no such folder"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_images_that_cannot_be_used_are_refused_in_one_message_and_leave_nothing(
    case: str, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    damage, message = BROKEN[case]
    damage(images)
    monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    sizes = ("data.train=null", "data.val=null", "data.test=null")
    assert run(["train", "experiment=smoke", "data=image_folder", f"data.root='{images}'", *sizes]) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("actsweep: data.")
    assert said.err.count("\n") == 1
    assert message in said.err
    assert not list((tmp_path / "here").iterdir())
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
