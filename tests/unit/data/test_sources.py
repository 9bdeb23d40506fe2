"""Decoded once, found again, rebuilt after damage, and one fingerprint for one content."""

import dataclasses
import json
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from actsweep.data import Data, Source, cache, load, prepare
from actsweep.data.entry import check_room
from actsweep.data.images.origin import Origin, array_images
from actsweep.errors import DataError
from actsweep.settings import DataSettings

CIFAR_ARCHIVE = Path(__file__).parents[4] / "shared" / "data" / "cifar10-jpeg.tar.xz"

PREPARE = """
import sys
from actsweep.data import load, prepare
from actsweep.settings import DataSettings
print("ready", flush=True)
for argument in sys.argv[1:]:
    settings = DataSettings.model_validate_json(argument)
    source = prepare(settings)
    load(source, settings)
    print(source.fingerprint)
print(*sorted({"PIL", "sklearn", "torchvision"} & set(sys.modules)))
"""


def start(*settings: DataSettings) -> subprocess.Popen[str]:
    arguments = [each.model_dump_json() for each in settings]
    command = [sys.executable, "-W", "error", "-c", PREPARE, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def cached(source: Source) -> dict[str, tuple[int, int]]:
    """Identity of each file of an entry: a file that was written anew has another."""
    files = (path for path in Path(source.path).iterdir() if path.suffix == ".bin")
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def damage(source: Source, name: str, how: str) -> None:
    path = Path(source.path) / name
    if how == "truncated":
        os.truncate(path, path.stat().st_size // 2)
    elif how == "changed":
        content = bytearray(path.read_bytes())
        content[-1] ^= 255
        path.write_bytes(content)
    elif how == "no sidecar":
        path.with_suffix(".json").unlink()
    else:
        path.unlink()


def black_images(data: Data) -> int:
    images = torch.cat([data.train.images, data.val.images])
    return int((images == 0).all(dim=3).all(dim=2).all(dim=1).sum())


def test_digits_are_those_of_scikit_learn(ask):
    source = prepare(ask())
    data = load(source, ask(train=1077, val=360, test=360))
    assert (source.label, source.classes) == ("digits", tuple("0123456789"))
    images, labels = load_digits(return_X_y=True)
    theirs = {(label, *np.rint(image * 255 / 16).astype(int)) for image, label in zip(images, labels, strict=True)}
    splits = (data.train, data.val, data.test)
    ours = [
        (label, *image.flatten().tolist())
        for split in splits
        for image, label in zip(split.images, split.labels.tolist(), strict=True)
    ]
    assert len(ours) == 1797
    assert set(ours) == theirs
    assert max(data.train.images.flatten().tolist()) == 255


def test_a_source_survives_pickle_and_json(two_classes, ask):
    source = prepare(ask(two_classes))
    assert pickle.loads(pickle.dumps(source)) == source
    parsed = json.loads(json.dumps(dataclasses.asdict(source)))
    lists = {name: tuple(parsed[name]) for name in ("classes", "image_shape")}
    assert Source(**parsed | lists) == source
    assert (source.label, source.classes, source.image_shape) == ("images", ("cat", "dog"), (3, 8, 8))


def test_a_second_time_nothing_is_decoded(two_classes, ask):
    source = prepare(ask(two_classes))
    before = cached(source)
    assert prepare(ask(two_classes)) == source
    assert cached(source) == before


def test_other_sizes_use_the_same_files(two_classes, ask):
    source = prepare(ask(two_classes))
    before = cached(source)
    assert prepare(ask(two_classes, train=10, val=4, test=4)) == source
    assert cached(source) == before


def test_what_is_cached_needs_no_image_library(two_classes, ask):
    settings = (ask(two_classes), ask())
    fingerprints = [prepare(each).fingerprint for each in settings]
    assert start(*settings).communicate(timeout=120)[0].split() == ["ready", *fingerprints]


def test_of_two_processes_at_once_one_decodes_and_the_other_waits(two_classes, ask):
    source = prepare(ask(two_classes))
    for path in Path(source.path).glob("*.*"):
        path.unlink()
    with cache.locked(Path(source.path)):
        processes = [start(ask(two_classes)) for _ in range(2)]
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
        time.sleep(0.3)
        assert not cached(source)
    results = sorted(process.communicate(timeout=120)[0].split() for process in processes)
    assert results == [[source.fingerprint], [source.fingerprint, "PIL"]]


@pytest.mark.parametrize("name", ["pixels.bin", "order-0.bin"])
@pytest.mark.parametrize("how", ["truncated", "changed", "no sidecar", "deleted"])
def test_a_damaged_cache_is_rebuilt(two_classes, ask, name, how):
    source = prepare(ask(two_classes))
    before = load(source, ask(two_classes)).train.images.clone()
    damage(source, name, how)
    assert prepare(ask(two_classes)) == source
    assert torch.equal(load(source, ask(two_classes)).train.images, before)


def test_damage_to_both_files_is_rebuilt(two_classes, ask):
    source = prepare(ask(two_classes))
    for name in ("pixels.bin", "order-0.bin"):
        damage(source, name, "changed")
    assert prepare(ask(two_classes)) == source
    assert cache.intact(Path(source.path) / "pixels.bin")
    assert cache.intact(Path(source.path) / "order-0.bin")


def test_a_changed_image_is_seen(two_classes, ask):
    source = prepare(ask(two_classes))
    Image.new("RGB", (8, 8)).save(two_classes / "train/cat/0003.png")
    changed = prepare(ask(two_classes))
    assert changed.fingerprint != source.fingerprint
    assert black_images(load(source, ask(two_classes))) == 0
    assert black_images(load(changed, ask(two_classes))) == 1


def test_times_do_not_matter_to_the_fingerprint(two_classes, ask):
    source = prepare(ask(two_classes))
    os.utime(two_classes / "train/cat/0003.png", ns=(1, 1))
    again = prepare(ask(two_classes))
    assert again.path != source.path
    assert again.fingerprint == source.fingerprint


def test_the_place_of_the_root_does_not_matter_to_the_fingerprint(two_classes, ask, tmp_path):
    source = prepare(ask(two_classes))
    shutil.copytree(two_classes, tmp_path / "elsewhere")
    copy = prepare(ask(tmp_path / "elsewhere"))
    assert copy.fingerprint == source.fingerprint
    assert copy.label == "elsewhere"


def test_other_images_of_the_same_names_sizes_and_times_are_another_entry(tmp_path, ask):
    sources = []
    for shade, root in enumerate((tmp_path / "first", tmp_path / "second")):
        for number, name in enumerate(("cat", "dog") * 10):
            path = root / name / f"{number}.bmp"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8), (shade, number, 0)).save(path)
            os.utime(path, ns=(0, 0))
        sources.append(prepare(ask(root)))
    assert sources[0].fingerprint != sources[1].fingerprint


def test_the_data_seed_does_not_matter_to_the_fingerprint(two_classes, ask):
    assert prepare(ask(two_classes, seed=1)).fingerprint == prepare(ask(two_classes)).fingerprint


def test_names_matter_to_the_fingerprint(two_classes, ask):
    source = prepare(ask(two_classes))
    (two_classes / "train/cat/0003.png").rename(two_classes / "train/cat/9999.png")
    assert prepare(ask(two_classes)).fingerprint != source.fingerprint


def test_the_fingerprint_of_the_digits_is_the_same_on_every_machine(ask):
    assert prepare(ask()).fingerprint == "5f766dc929904c2d"


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"train": 60}, r"data\.train=60"),
        ({"test": 11}, r"data\.test=11: there are 10"),
        ({"val": 1}, r"data\.val: none of its 1 images"),
    ],
)
def test_splits_that_do_not_fit_are_refused_before_any_trial(two_classes, ask, sizes, message):
    with pytest.raises(DataError, match=message):
        prepare(ask(two_classes, **sizes))


def test_a_corrupt_image_is_refused_and_leaves_no_entry_behind(two_classes, ask, cache_folder):
    path = two_classes / "test/dog/0002.png"
    good = path.read_bytes()
    path.write_bytes(good[:40])
    with pytest.raises(DataError, match=r"test/dog/0002\.png is no readable image"):
        prepare(ask(two_classes))
    assert not list((cache_folder / "data").iterdir())
    path.write_bytes(good)
    prepare(ask(two_classes))


def test_splits_that_do_not_fit_are_refused_before_an_image_is_decoded(two_classes, ask, cache_folder):
    (two_classes / "test/dog/0002.png").write_bytes(b"?")
    with pytest.raises(DataError, match=r"data\.train=60"):
        prepare(ask(two_classes, train=60))
    with pytest.raises(DataError, match=r"data\.val: none of its 1 images is of class"):
        prepare(ask(two_classes, val=1))
    assert not list((cache_folder / "data").iterdir())


def test_more_than_memory_holds_is_refused_with_its_size_before_an_image_is_decoded(folder, ask, cache_folder):
    root = folder({"cat": 1, "dog": 1})
    Image.new("RGB", (4096, 4096)).save(root / "cat" / "0000.png")
    images = 2 + psutil.virtual_memory().total // (3 * 4096**2)
    for number in range(images):
        (root / ("cat", "dog")[number % 2] / f"{number + 1}.png").symlink_to(root / "cat" / "0000.png")
    with pytest.raises(DataError, match=r"the images take \d+\.\d GB of memory once decoded, but this machine has \d"):
        prepare(ask(root))
    assert not list((cache_folder / "data").iterdir())


def test_more_than_the_disk_holds_is_refused_with_its_size_and_place(tmp_path):
    check_room(10**9, tmp_path, disk=2 * 10**9, memory=10**9)
    message = rf"take 2\.0 GB of disk, but the cache folder {tmp_path} has 1\.9 GB left; set ACTSWEEP_CACHE"
    with pytest.raises(DataError, match=message):
        check_room(10**9, tmp_path, disk=19 * 10**8, memory=10**9)


@pytest.mark.parametrize(
    "form", ["{0}/", "{0}/../images", "{0}/train/..", "{0}/./", "images", "../{1}/images", "~/images"]
)
def test_a_root_may_be_written_in_any_way(two_classes, ask, form, monkeypatch):
    place = two_classes.parent
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    source = prepare(ask(form.format(two_classes, place.name)))
    assert source == prepare(ask(two_classes))


def test_a_root_and_classes_whose_names_are_no_utf_8_are_shown_with_question_marks(two_classes, ask, tmp_path):
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    two_classes.rename(odd)
    for pool in ("train", "test"):
        (odd / pool / "dog").rename(os.fsdecode(os.fsencode(odd / pool) + b"/d\xf6g"))
    settings = ask(two_classes).model_copy(update={"root": str(odd)})
    source = prepare(settings)
    assert (source.label, source.classes) == ("caf\N{REPLACEMENT CHARACTER}", ("cat", "d\N{REPLACEMENT CHARACTER}g"))
    assert len(load(source, settings).train.labels) == 45


def test_a_source_may_be_any_function_of_the_settings(ask):
    images = np.random.default_rng(0).integers(0, 256, (40, 1, 9, 8), dtype=np.uint8)
    labels = np.arange(40) % 2

    def of_arrays(settings: DataSettings) -> Origin:
        return Origin("mine", "mine-1", lambda entry: array_images([(images, labels)], ["even", "odd"], "mine"))

    source = prepare(ask(), {"digits": of_arrays})
    data = load(source, ask())
    assert (source.label, source.classes, data.image_shape) == ("mine", ("even", "odd"), (1, 9, 8))
    ours = {
        (int(label), image.numpy().tobytes()) for image, label in zip(data.train.images, data.train.labels, strict=True)
    }
    assert ours < {(label, image.tobytes()) for image, label in zip(images, labels, strict=True)}


def test_a_cache_that_cannot_be_written_is_refused(two_classes, ask, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ACTSWEEP_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError, match="set ACTSWEEP_CACHE to a folder"):
        prepare(ask(two_classes))


@pytest.mark.slow
def test_60000_images_are_decoded_in_under_a_minute(ask, tmp_path):
    if not CIFAR_ARCHIVE.exists():
        assert "CI" not in os.environ, f"{CIFAR_ARCHIVE.name} is missing"
        pytest.skip(f"{CIFAR_ARCHIVE.name} is not here")
    with tarfile.open(CIFAR_ARCHIVE) as archive:
        archive.extractall(tmp_path / "cifar10", filter="data")
    settings = ask(tmp_path / "cifar10")
    began = time.perf_counter()
    source = prepare(settings)
    assert time.perf_counter() - began < 60
    data = load(source, settings)
    assert [len(split.labels) for split in (data.train, data.probe, data.val, data.test)] == [45000, 5000, 5000, 10000]
    assert data.mean.tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=2e-3)
    assert data.std.tolist() == pytest.approx([0.2470, 0.2435, 0.2616], abs=3e-3)
