"""Folders at an address, by a real server of the S3 protocol."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from actsweep.data import prepare
from actsweep.errors import DataError, OutdatedError, RemoteError, RequestError
from actsweep.events import StudyStarted, TrialFailed, TrialFinished, TrialStarted
from actsweep.records import RESUME_FILE, EventStream, Ledger, StudyFolder
from actsweep.settings import StudyConfig
from actsweep.studies import copy_study, fetch_study, reach_copy
from actsweep.study import Study
from actsweep.system.halt import Halt
from actsweep.system.remote import RemoteFolder, check_address, inside
from actsweep.worker.remote_trials import RemoteAttempt, files_brought
from s3 import Storage, s3_server

Compose = Callable[..., StudyConfig]


@pytest.fixture(scope="module")
def server() -> Iterator[Storage]:
    with s3_server() as running:
        yield running


@pytest.fixture
def place(server: Storage, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> RemoteFolder:
    """A folder of the test's own, with the way to it in the environment."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return RemoteFolder(f"s3://bucket/{request.node.originalname}")


def test_files_go_there_and_come_back_whole(place: RemoteFolder, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "large").write_bytes(os.urandom(3 * 2**20 + 1))
    (source / "empty").touch()
    assert place.files() == []
    assert place.read("empty") is None
    place.upload(source, ["deep/large", "empty"])
    assert [(file.name, file.size) for file in place.files()] == [("deep/large", 3 * 2**20 + 1), ("empty", 0)]
    place.download(["deep/large", "empty"], target)
    assert (target / "deep" / "large").read_bytes() == (source / "deep" / "large").read_bytes()
    assert sorted(path.name for path in target.rglob("*")) == ["deep", "empty", "large"]
    (place / "deep").remove()
    assert [file.name for file in place.files()] == ["empty"]


def test_a_server_that_is_away_and_a_bucket_that_is_none_are_named(
    place: RemoteFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RemoteError, match="s3://no-bucket/x: NO_SUCH_BUCKET"):
        RemoteFolder("s3://no-bucket/x").write("file", b"")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(RemoteError, match=r"s3://bucket/x: NETWORK_CONNECTION .*Could not connect"):
        RemoteFolder("s3://bucket/x").write("file", b"")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ftp://bucket/x", "must be an address of the form s3://BUCKET/FOLDER or gs://BUCKET/FOLDER"),
        ("s3:///x", "must be an address of the form"),
        ("s3://key:secret@bucket/x", "the address holds a password"),
        ("s3://bucket/x?access_key=key&secret_key=secret", "the address holds a password"),
        ("s3://bucket/x?access%5Fkey=key", "the address holds a password"),
        ("s3://bucket/my folder", "of letters, digits and the signs"),
        ("s3://bucket/a#b", "of letters, digits and the signs"),
        ("s3://bucket/a//b", "of letters, digits and the signs"),
    ],
)
def test_what_is_no_address_or_holds_a_secret_is_refused(address: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        check_address("cluster.copy_to", address)
    assert "secret@" not in str(refused.value)
    assert "secret_key=" not in str(refused.value)


def test_what_is_cut_off_leaves_the_file_that_was_there(
    place: RemoteFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"whole")
    place.upload(tmp_path, ["file"])
    (tmp_path / "file").unlink()
    with pytest.raises(FileNotFoundError):
        place.upload(tmp_path, ["file"])
    assert place.read("file") == b"whole"


def test_a_full_disk_of_this_machine_is_not_taken_for_the_storage(place: RemoteFolder, tmp_path: Path) -> None:
    place.write("file", b"0" * 2**20)
    (tmp_path / ".file.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        place.download(["file"], tmp_path)
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up"])
def test_no_name_leads_out_of_a_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="leads out of the folder"):
        inside(tmp_path, name)


def images(folder: Path) -> Path:
    pixels = np.random.default_rng(0)
    for split in ("train", "test"):
        for name in ("blue", "red"):
            (folder / split / name).mkdir(parents=True)
            for number in range(20):
                image = Image.fromarray(pixels.integers(0, 256, (8, 8, 3), dtype=np.uint8))
                image.save(folder / split / name / f"{number}.png")
    return folder


def test_images_there_are_those_of_a_folder_here(
    place: RemoteFolder, compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = images(tmp_path / "images")
    names = [str(path.relative_to(here)) for path in here.rglob("*.png")]
    (place / "images").upload(here, names)
    words = ("data=image_folder", "data.train=null", "data.val=8", "data.test=null")
    monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path / "first"))
    local = prepare(compose(*words, f"data.root={here}").data)
    monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path / "second"))
    remote = prepare(compose(*words, f"data.root={place.address}/images").data)
    assert (remote.label, remote.fingerprint, remote.classes) == (local.label, local.fingerprint, local.classes)
    assert list(Path(remote.path).rglob("*.png")) == []
    (place / "images" / "train" / "red").write("0.png", (here / "test" / "red" / "0.png").read_bytes())
    assert prepare(compose(*words, f"data.root={place.address}/images").data).fingerprint != local.fingerprint


def test_what_is_no_set_of_images_there_is_named_by_its_address(place: RemoteFolder, compose: Compose) -> None:
    words = ("data=image_folder", f"data.root={place.address}")
    with pytest.raises(DataError, match=f"data.root={place.address}: no images are there"):
        prepare(compose(*words).data)
    place.write("train/one/0.png", b"no image")
    with pytest.raises(DataError, match=f"data.root={place.address} holds train/ but no test/"):
        prepare(compose(*words).data)


def test_a_finished_study_is_copied_there_and_fetched_by_another_machine(
    place: RemoteFolder, smoke: Any, tmp_path: Path
) -> None:
    study = StudyFolder(shutil.copytree(smoke.folder, tmp_path / "smoke"))
    there = copy_study(study, place.address)
    assert there.address == f"{place.address}/smoke"
    target = tmp_path / "fetched"
    fetch_study(there.address, target)
    wanted = {path.relative_to(study.path) for path in study.path.rglob("*") if path.is_file()}
    found = {path.relative_to(target) for path in target.rglob("*") if path.is_file()}
    assert {str(path) for path in wanted - found} <= {"ledger.lock"}
    assert found <= wanted
    assert (target / "report.html").read_bytes() == study.report.read_bytes()
    copy_study(study, place.address)
    reach_copy(study, place.address)
    study.ledger.write_bytes(study.ledger.read_bytes().replace(b"relu", b"gelu", 1))
    for refused in (copy_study, reach_copy):
        with pytest.raises(RemoteError, match=f"{there.address} holds another study of this name"):
            refused(study, place.address)
    assert (place / "smoke").read("ledger.jsonl") == (smoke.folder / "ledger.jsonl").read_bytes()
    with pytest.raises(RequestError, match="no study is there"):
        fetch_study(f"{place.address}/other", tmp_path / "other")


def test_an_attempt_goes_on_from_the_checkpoint_of_the_one_before_it(place: RemoteFolder, tmp_path: Path) -> None:
    first = RemoteAttempt(tmp_path / "one" / "trial", 1, place.address)
    first.begin()
    first.replace(RESUME_FILE, b"epoch", b" 3")
    assert [file.name for file in place.files()] == ["trial/1/attempt-1.log", f"trial/1/{RESUME_FILE}"]
    second = RemoteAttempt(tmp_path / "two" / "trial", 2, place.address)
    second.begin()
    assert (second.folder / RESUME_FILE).read_bytes() == b"epoch 3"
    first.replace(RESUME_FILE, b"epoch 9")  # by a worker that was only taken for lost
    second.replace(RESUME_FILE, b"epoch 4")
    second.replace("best.ckpt", b"weights", durable=True)
    second.end()
    assert not second.folder.exists()
    third = RemoteAttempt(tmp_path / "two" / "trial", 3, place.address)
    third.begin()
    assert (third.folder / RESUME_FILE).read_bytes() == b"epoch 4"
    assert (place / "trial" / "2").read("best.ckpt") == b"weights"
    with pytest.raises(OutdatedError):
        RemoteAttempt(tmp_path / "two" / "trial", 3, place.address).begin()


def test_files_come_home_from_the_attempt_that_counts_whichever_ends_last(
    place: RemoteFolder, compose: Compose, tmp_path: Path
) -> None:
    config = compose("experiment=smoke", "cluster=ray", f"cluster.checkpoints={place.address}")
    study, halt = Study(config), Halt()
    trial = study.tune_trial(study.cells[0], 0, {"optimizer.lr": 0.01})
    folder, one = StudyFolder(tmp_path / "study"), trial.trial_id

    def started(attempt: int) -> TrialStarted:
        return TrialStarted(one, attempt, "tune", 0, 1, trial.cell.values, trial.nuisance, 0.0)

    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        stream = EventStream(ledger, [])
        stream(StudyStarted("smoke", {"label": "x", "fingerprint": "0" * 16, "classes": 2}, {}, {}, 1.0), started(1))
        with files_brought(study, stream, folder, halt) as address:
            assert address is not None
            first = RemoteAttempt(tmp_path / "one" / one, 1, address)
            first.begin()
            first._looked -= 60  # as after a minute
            assert not first.outdated
            second = RemoteAttempt(tmp_path / "two" / one, 2, address)
            second.begin()
            first._looked -= 60
            assert first.outdated
            stream(started(2))
            second.replace("best.ckpt", b"of the second")
            second.end()
            stream(TrialFinished(one, 2, "completed", {}, 2.0, {}))
            first._latest = 1  # it has not looked since
            first.replace("best.ckpt", b"of the first")
            first.end()
    assert (folder.trial(one) / "best.ckpt").read_bytes() == b"of the second"
    assert {path.name for path in folder.trial(one).iterdir()} == {"best.ckpt", "attempt-1.log", "attempt-2.log"}
    assert RemoteFolder(address).files() == []
    assert not halt.is_set()


def test_what_a_failed_trial_can_go_on_from_stays_there(place: RemoteFolder, compose: Compose, tmp_path: Path) -> None:
    study = Study(compose("experiment=smoke", "cluster=ray", f"cluster.checkpoints={place.address}"))
    trial = study.tune_trial(study.cells[0], 0, {"optimizer.lr": 0.01})
    folder, one = StudyFolder(tmp_path / "study"), trial.trial_id
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        stream = EventStream(ledger, [])
        stream(StudyStarted("smoke", {"label": "x", "fingerprint": "0" * 16, "classes": 2}, {}, {}, 1.0))
        stream(TrialStarted(one, 1, "tune", 0, 1, trial.cell.values, trial.nuisance, 0.0))
        with files_brought(study, stream, folder, Halt()) as address:
            assert address is not None
            attempt = RemoteAttempt(tmp_path / "one" / one, 1, address)
            attempt.begin()
            attempt.replace(RESUME_FILE, b"epoch 3")
            attempt.end()
            stream(TrialFailed(one, 1, "error", "no", False, 2.0))
    assert [path.name for path in folder.trial(one).iterdir()] == ["attempt-1.log"]
    again = RemoteAttempt(tmp_path / "two" / one, 2, address)
    again.begin()
    assert (again.folder / RESUME_FILE).read_bytes() == b"epoch 3"


def test_a_study_whose_files_do_not_come_home_does_not_count_as_finished(
    place: RemoteFolder, compose: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, halt = Study(compose("experiment=smoke", "cluster=ray", f"cluster.checkpoints={place.address}")), Halt()
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        stream = EventStream(ledger, [])
        stream(StudyStarted("smoke", {"label": "x", "fingerprint": "0" * 16, "classes": 2}, {}, {}, 1.0))
        with files_brought(study, stream, StudyFolder(tmp_path / "study"), halt):
            monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert halt.reason is not None
    assert halt.reason.startswith(f"cluster.checkpoints: {place.address}/smoke-")
    assert halt.reason.endswith("files of some trials are still there")
