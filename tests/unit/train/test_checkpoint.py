import itertools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from actsweep.curves import Curve
from actsweep.data import Data
from actsweep.errors import TrialTimeoutError
from actsweep.events import Row
from actsweep.model import Classifier
from actsweep.records import Attempt
from actsweep.settings import TrialConfig
from actsweep.study import trial_id
from actsweep.train import train
from actsweep.train.checkpoint import ResumeFile
from alike import same

Trial = tuple[TrialConfig, Data]
CASES = {
    "adam": (),
    "sgd": (
        *("optimizer=sgd", "optimizer.lr=0.05", "optimizer.nesterov=true", "optimizer.schedule=one_cycle"),
        *("data.augment=true", "model.dropout=0.3", "optimizer.clip=1.0", "optimizer.label_smoothing=0.1"),
    ),
    "adamw": ("optimizer=adamw", "optimizer.schedule=cosine", "optimizer.warmup=0.5", "model.norm=batch"),
    "step": ("optimizer.schedule=step", "optimizer.step_epochs=2", "optimizer.gamma=0.5", "optimizer.warmup=1"),
    "bf16": ("trainer.precision=bf16", "model.dropout=0.3"),
    "seldom": ("trainer.eval_every=2", "data.augment=true"),
}
PROCESS = """
import os, sys
from pathlib import Path
from actsweep.data import load, prepare
from actsweep.records import Attempt
from actsweep.settings import TrialConfig
from actsweep.study import trial_id
from actsweep.train import train
from actsweep.train.checkpoint import ResumeFile
config = TrialConfig.model_validate_json(sys.stdin.read())
folder, last = Path(sys.argv[1]), int(sys.argv[2])
def report(row):
    if row["epoch"] == last:
        os._exit(9)
curve = train(config, load(prepare(config.data), config.data), report, Attempt(folder), checkpoint_seconds=0)
print(repr((curve.val_loss.tolist(), curve.train_loss.tolist(), curve.test_loss, curve.best_test_acc)))
"""


class PowerCutError(Exception):
    pass


def interrupted(trial: Trial, folder: Path, epoch: int) -> None:
    """Train until the evaluation after an epoch has been reported."""

    def cut(row: Row) -> None:
        if row["epoch"] == epoch:
            raise PowerCutError

    with pytest.raises(PowerCutError):
        train(*trial, cut, Attempt(folder), checkpoint_seconds=0)


def in_a_process(trial: Trial, folder: Path, until: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROCESS, str(folder), str(until)]
    return subprocess.run(
        command, input=trial[0].model_dump_json(), capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("case", CASES)
def test_a_trial_goes_on_as_if_it_had_not_been_interrupted(
    trial: Callable[..., Trial], tmp_path: Path, case: str
) -> None:
    """Interrupted at two epochs, the second time at the last, with another trial in between."""
    ours = trial("trainer.epochs=4", *CASES[case])
    whole = train(*ours)
    interrupted(ours, tmp_path, epoch=2)
    train(*trial("trainer.epochs=1", "optimizer=sgd", "seed=9"))
    interrupted(ours, tmp_path, epoch=4)
    rows: list[Row] = []
    assert same(train(*ours, rows.append, Attempt(tmp_path)), whole)
    assert [row["epoch"] for row in rows] == whole.epoch.tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.ckpt", "last.ckpt", "resume.ckpt"]


def test_a_trial_that_ended_unheard_is_not_trained_again(trial: Callable[..., Trial], tmp_path: Path) -> None:
    """The driver may be killed between a trial's end and the ledger's line that says so."""
    ours = trial("trainer.epochs=3")
    first: list[Row] = []
    again: list[Row] = []
    whole = train(*ours, first.append, Attempt(tmp_path))
    assert same(train(*ours, again.append, Attempt(tmp_path, 2)), whole)
    assert [row["wall"] for row in again] == [row["wall"] for row in first]


def test_a_killed_process_is_continued_by_another(trial: Callable[..., Trial], tmp_path: Path) -> None:
    ours = trial("trainer.epochs=4", *CASES["sgd"])
    assert in_a_process(ours, tmp_path, until=2).returncode == 9
    done = in_a_process(ours, tmp_path, until=99)
    curve = train(*ours)
    assert curve.val_loss is not None
    assert curve.train_loss is not None
    expected = (curve.val_loss.tolist(), curve.train_loss.tolist(), curve.test_loss, curve.best_test_acc)
    assert done.stdout.strip() == repr(expected), done.stderr


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_trial_on_a_gpu_goes_on_too(trial: Callable[..., Trial], tmp_path: Path) -> None:
    ours = trial("trainer=gpu", "trainer.epochs=4", *CASES["sgd"])
    whole = train(*ours)
    interrupted(ours, tmp_path, epoch=2)
    curve = train(*ours, None, Attempt(tmp_path))
    assert curve.val_loss is not None
    np.testing.assert_allclose(curve.val_loss, whole.val_loss, rtol=0.02)


def test_seconds_accumulate_over_attempts_and_leave_the_checkpoints_out(
    trial: Callable[..., Trial], tmp_path: Path
) -> None:
    ours = trial("trainer.epochs=4")
    interrupted(ours, tmp_path, epoch=2)
    rows: list[Row] = []
    curve = train(*ours, rows.append, Attempt(tmp_path))
    assert curve.seconds is not None
    assert (np.diff(curve.seconds) > 0).all()
    assert all(later["wall"] > earlier["wall"] for earlier, later in itertools.pairwise(rows))


def test_weights_of_a_trial_that_went_on_are_those_of_one_that_was_not_interrupted(
    trial: Callable[..., Trial], tmp_path: Path
) -> None:
    ours = trial("trainer.epochs=4", "optimizer.lr=0.05")
    train(*ours, None, Attempt(tmp_path / "whole"))
    interrupted(ours, tmp_path / "parts", epoch=3)
    train(*ours, None, Attempt(tmp_path / "parts"))
    for name in ("last.ckpt", "best.ckpt"):
        one, two = (torch.load(tmp_path / part / name, weights_only=True) for part in ("whole", "parts"))
        assert all(torch.equal(value, two["state_dict"][key]) for key, value in one["state_dict"].items())


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    place = len(content) - 1000
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [cut_off, flipped, lambda content: b"", lambda content: b"\x80\x04N."])
def test_a_damaged_checkpoint_is_left_aside_with_a_note(
    trial: Callable[..., Trial], tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    ours = trial()
    interrupted(ours, tmp_path, epoch=2)
    path = tmp_path / "resume.ckpt"
    path.write_bytes(damage(path.read_bytes()))
    assert same(train(*ours, None, Attempt(tmp_path)), train(*ours))
    assert (
        "resume.ckpt is not used, and the trial starts anew: it is damaged" in (tmp_path / "attempt-1.log").read_text()
    )


class Foreign:
    """What `torch.load` would have to import code for."""


def test_a_checkpoint_that_would_need_code_to_load_is_left_aside(trial: Callable[..., Trial], tmp_path: Path) -> None:
    ours = trial()
    file = ResumeFile(Attempt(tmp_path), trial_id(ours[0], ours[1].fingerprint))
    file.save_checkpoint({"state_dict": Foreign()}, file.path)
    assert file.find() is None
    assert "it holds more than plain values and tensors" in (tmp_path / "attempt-1.log").read_text()


@pytest.mark.parametrize("words", [("seed=1",), ("optimizer.lr=0.02",)])
def test_a_checkpoint_of_another_trial_is_left_aside_with_a_note(
    trial: Callable[..., Trial], tmp_path: Path, words: tuple[str, ...]
) -> None:
    interrupted(trial(*words), tmp_path, epoch=2)
    ours = trial()
    assert same(train(*ours, None, Attempt(tmp_path)), train(*ours))
    assert "it is of another trial or version" in (tmp_path / "attempt-1.log").read_text()


def test_what_an_interrupted_attempt_to_write_left_does_no_harm_and_goes(
    trial: Callable[..., Trial], tmp_path: Path
) -> None:
    ours = trial()
    interrupted(ours, tmp_path, epoch=1)
    (tmp_path / ".resume.ckpt.1").write_bytes(b"half of a")
    assert same(train(*ours, None, Attempt(tmp_path)), train(*ours))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.ckpt", "last.ckpt", "resume.ckpt"]


FULL_DISK = """
import resource, sys
from pathlib import Path
from actsweep.data import load, prepare
from actsweep.records import Attempt
from actsweep.settings import TrialConfig
from actsweep.train import train
config = TrialConfig.model_validate_json(sys.stdin.read())
folder = Path(sys.argv[1])
data = load(prepare(config.data), config.data)
def fill(row):
    if row["epoch"] == int(sys.argv[2]):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    train(config, data, fill, Attempt(folder), checkpoint_seconds=0)
except OSError as error:
    print(error)
"""


@pytest.mark.parametrize(("epoch", "file"), [(1, "resume.ckpt"), (3, "last.ckpt")])
def test_a_full_disk_fails_the_trial_by_name_and_leaves_the_checkpoint_before(
    trial: Callable[..., Trial], tmp_path: Path, epoch: int, file: str
) -> None:
    ours = trial()
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path), str(epoch)]
    done = subprocess.run(
        command, input=ours[0].model_dump_json(), capture_output=True, text=True, timeout=120, check=True
    )
    assert str(tmp_path / file) in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["resume.ckpt"]
    assert same(train(*ours, None, Attempt(tmp_path)), train(*ours))
    assert not (tmp_path / "attempt-1.log").exists()


@pytest.mark.parametrize(("seconds", "together"), [(0.0, [1, 1, 1, 1]), (1e6, [1, 3])])
def test_what_is_reported_is_in_a_checkpoint(
    trial: Callable[..., Trial], tmp_path: Path, seconds: float, together: list[int]
) -> None:
    """So that no epoch that others have heard of is trained again; checkpoints of short epochs are few."""
    written: dict[float, int] = {}

    def report(row: Row) -> None:
        file = tmp_path / "resume.ckpt"
        written.setdefault(file.stat().st_mtime_ns if file.exists() else 0, 0)
        written[max(written)] += 1
        if row["epoch"]:
            _, _, content = file.read_bytes().partition(b"\n")
            (tmp_path / "content").write_bytes(content)
            assert f'"epoch": {row["epoch"]}' in str(torch.load(tmp_path / "content", weights_only=True)["callbacks"])

    train(*trial(), report, Attempt(tmp_path), checkpoint_seconds=seconds)
    assert list(written.values()) == together


def stop_after(batches: int) -> Callable[[], bool]:
    """Asks to stop once it has been asked `batches` times, which is once a batch and once an evaluation."""
    asked = iter(range(10**6))
    return lambda: next(asked) >= batches


@pytest.mark.parametrize(("batches", "epochs"), [(0, [0]), (3, [0]), (8, [0]), (13, [0, 1])])
def test_a_trial_that_is_asked_to_stops_at_its_next_batch_or_evaluation(
    trial: Callable[..., Trial], tmp_path: Path, batches: int, epochs: list[int]
) -> None:
    config, data = trial()
    curve = train(config, data, None, Attempt(tmp_path), stop_after(batches))
    assert (curve.status, curve.test_acc) == ("stopped", None)
    assert curve.epoch.tolist() == epochs
    assert {path.name for path in tmp_path.iterdir()} - {"resume.ckpt"} == {"best.ckpt", "last.ckpt"}
    assert same(train(config, data, None, Attempt(tmp_path)), train(config, data))


def test_the_weights_of_a_stopped_trial_are_those_of_its_last_evaluation(
    trial: Callable[..., Trial], tmp_path: Path
) -> None:
    config, data = trial()
    train(config, data, None, Attempt(tmp_path / "stopped"), stop_after(13))
    interrupted((config, data), tmp_path / "cut", epoch=1)
    stopped = Classifier.load_from_checkpoint(tmp_path / "stopped" / "last.ckpt", weights_only=True)
    _, _, content = (tmp_path / "cut" / "resume.ckpt").read_bytes().partition(b"\n")
    (tmp_path / "content").write_bytes(content)
    expected = torch.load(tmp_path / "content", weights_only=True)["state_dict"]
    assert all(torch.equal(value, expected[name]) for name, value in stopped.state_dict().items())


def test_a_trial_that_takes_too_long_fails_and_can_go_on_with_more_time(
    trial: Callable[..., Trial], tmp_path: Path
) -> None:
    config, data = trial()
    hurried = config.model_copy(update={"trainer": config.trainer.model_copy(update={"trial_timeout": 0.001})})
    with pytest.raises(
        TrialTimeoutError, match=r"^the trial took longer than trainer.trial_timeout=0.001 seconds of wall time"
    ):
        train(hurried, data, None, Attempt(tmp_path))
    patient = config.model_copy(update={"trainer": config.trainer.model_copy(update={"trial_timeout": 600.0})})
    curve: Curve = train(patient, data, None, Attempt(tmp_path))
    assert same(curve, train(config, data))
