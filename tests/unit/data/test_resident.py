"""What a trial is given: splits of one mapped file, and the moments of its training split."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from actsweep.data import Data, Split, load, prepare
from actsweep.data.images.origin import Origin, array_images
from actsweep.errors import DataError

SPLITS = ("train", "probe", "val", "test")


def of(root, ask, **changes) -> Data:
    settings = ask(root, **changes)
    return load(prepare(settings), settings)


def rows(split: Split) -> set[tuple[int, ...]]:
    """The images of a split as a set; those of the fixtures are all different."""
    return {tuple(image.flatten().tolist()) for image in split.images}


def test_types_and_shapes(two_classes, ask):
    data = of(two_classes, ask)
    assert [len(getattr(data, name).labels) for name in SPLITS] == [45, 5, 5, 10]
    for name in SPLITS:
        split = getattr(data, name)
        assert split.images.shape == (len(split.labels), 3, 8, 8)
        assert (split.images.dtype, split.labels.dtype) == (torch.uint8, torch.int64)
    assert (data.image_shape, data.classes, data.label) == ((3, 8, 8), 2, "images")
    assert data.fingerprint == prepare(ask(two_classes)).fingerprint


def test_each_image_has_the_label_of_its_folder(two_classes, ask):
    from PIL import Image

    data = of(two_classes, ask)
    for name, pool in (("train", "train"), ("val", "train"), ("test", "test")):
        split = getattr(data, name)
        for image, label in zip(split.images, split.labels.tolist(), strict=True):
            files = (two_classes / pool / ("cat", "dog")[label]).iterdir()
            arrays = (np.asarray(Image.open(file)).transpose(2, 0, 1) for file in files)
            assert any(np.array_equal(image.numpy(), array) for array in arrays)


@pytest.mark.parametrize("layout", [("train/", "test/"), ("",)], ids=["train and test", "one folder"])
def test_splits_share_no_image_and_the_probe_is_of_training(folder, ask, layout):
    data = of(folder({f"{part}{name}": 40 for part in layout for name in ("cat", "dog")}), ask)
    train, probe, val, test = (rows(getattr(data, name)) for name in SPLITS)
    assert len(train | val | test) == len(train) + len(val) + len(test) == 80 * len(layout)
    assert probe < train


def test_splits_are_stratified(ask):
    settings = ask(train=700, val=300, test=200)
    data = load(prepare(settings), settings)
    counts = torch.stack([getattr(data, name).labels.bincount(minlength=10) for name in ("train", "val", "test")])
    # 1,797 digits: 178, 182, 177, 183, 181, 182, 181, 179, 174 and 180 of a class.
    share = torch.tensor([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]) / 1797
    expected = torch.tensor([[700], [300], [200]]) * share
    assert ((counts - expected).abs() < torch.tensor([[1], [2], [1]])).all()


def test_smaller_training_sets_are_part_of_larger_ones_and_validation_stays(two_classes, ask):
    small, large = (of(two_classes, ask, train=size) for size in (10, 40))
    assert torch.equal(small.train.images, large.train.images[:10])
    assert torch.equal(small.val.images, large.val.images)
    assert torch.equal(small.test.images, large.test.images)


def test_the_data_seed_alone_decides(two_classes, ask):
    first = of(two_classes, ask)
    torch.manual_seed(99)
    again, other = of(two_classes, ask), of(two_classes, ask, seed=1)
    assert all(torch.equal(getattr(first, name).images, getattr(again, name).images) for name in SPLITS)
    assert rows(first.val) != rows(other.val)
    assert rows(first.train) | rows(first.val) == rows(other.train) | rows(other.val)


def test_mean_and_std_are_those_of_the_training_split(two_classes, ask):
    data = of(two_classes, ask, train=17)
    pixels = data.train.images.numpy() / 255
    assert data.mean.dtype == data.std.dtype == torch.float64
    assert data.mean.numpy() == pytest.approx(pixels.mean(axis=(0, 2, 3)), rel=1e-14)
    assert data.std.numpy() == pytest.approx(pixels.std(axis=(0, 2, 3)), rel=1e-14)


def test_mean_and_std_of_more_images_than_are_summed_at_once(ask):
    settings = ask(train=1200, val=300, test=200)
    data = load(prepare(settings), settings)
    assert data.mean.item() == pytest.approx((data.train.images.numpy() / 255).mean(), rel=1e-14)
    assert data.std.item() == pytest.approx((data.train.images.numpy() / 255).std(), rel=1e-13)


def test_floats_are_stored_and_served_as_they_are(ask):
    images = np.random.default_rng(0).normal(5, 2, (1400, 2, 8, 9)).astype(np.float32)
    labels = np.arange(1400) % 3
    origin = Origin("floats", "floats", lambda entry: array_images([(images, labels)], "abc", "floats"))
    data = load(prepare(ask(), {"digits": lambda settings: origin}), ask())
    assert (data.train.images.dtype, data.image_shape) == (torch.float32, (2, 8, 9))
    assert len(rows(data.train) | rows(data.val) | rows(data.test)) == 1400
    assert rows(data.train) < {tuple(image.flatten().tolist()) for image in images}
    pixels = data.train.images.numpy().astype(np.float64)
    assert data.mean.numpy() == pytest.approx(pixels.mean(axis=(0, 2, 3)), rel=1e-12)
    assert data.std.numpy() == pytest.approx(pixels.std(axis=(0, 2, 3)), rel=1e-6)


def test_a_channel_that_never_changes_has_std_1(folder, ask):
    from PIL import Image

    root = folder({"cat": 10, "dog": 10})
    for path in root.rglob("*.png"):
        red, green, _ = Image.open(path).split()
        Image.merge("RGB", (red, green, Image.new("L", (8, 8), 7))).save(path)
    data = of(root, ask)
    assert (data.mean[2].item(), data.std[2].item()) == (7 / 255, 1.0)


def test_all_splits_are_views_of_one_mapped_file(two_classes, ask):
    settings = ask(two_classes)
    source = prepare(settings)
    data = load(source, settings)
    file = str(Path(source.path) / "order-0.bin")
    (mapping,) = (line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(file))
    start, end = (int(place, 16) for place in mapping.split()[0].split("-"))
    tensors = [tensor for name in SPLITS for tensor in (getattr(data, name).images, getattr(data, name).labels)]
    assert all(start <= tensor.data_ptr() < end for tensor in tensors)


def test_a_trial_that_writes_to_its_images_changes_no_other(two_classes, ask):
    settings = ask(two_classes)
    source = prepare(settings)
    data = load(source, settings)
    before = data.train.images.clone()
    data.train.images.zero_()
    assert torch.equal(load(source, settings).train.images, before)


def test_another_seed_than_prepared_is_split_on_first_use(two_classes, ask):
    source = prepare(ask(two_classes, seed=0))
    late = load(source, ask(two_classes, seed=5))
    assert torch.equal(late.train.images, of(two_classes, ask, seed=5).train.images)


def test_a_truncated_order_is_rebuilt_without_the_images(two_classes, ask):
    source = prepare(ask(two_classes))
    before = load(source, ask(two_classes)).val.images.clone()
    os.truncate(Path(source.path) / "order-0.bin", 100)
    assert torch.equal(load(source, ask(two_classes)).val.images, before)


def test_damaged_pixels_are_never_served(two_classes, ask):
    source = prepare(ask(two_classes))
    path = Path(source.path) / "pixels.bin"
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(DataError, match="is damaged; start again"):
        load(source, ask(two_classes, seed=1))


def test_an_entry_that_is_gone_or_of_other_data_is_refused(two_classes, ask):
    source = prepare(ask(two_classes))
    for wrong in (replace(source, path=source.path + "0"), replace(source, fingerprint="0" * 16)):
        with pytest.raises(DataError, match="missing, damaged or of other data; start again"):
            load(wrong, ask(two_classes))


def test_splits_that_do_not_fit_are_refused(two_classes, ask):
    source = prepare(ask(two_classes))
    with pytest.raises(DataError, match=r"data\.train=60"):
        load(source, ask(two_classes, train=60))
    with pytest.raises(DataError, match=r"data\.val: none of its 1 images"):
        load(source, ask(two_classes, val=1))


def test_to_another_device(two_classes, ask):
    data = of(two_classes, ask)
    moved = data.to("meta")
    assert {getattr(moved, name).images.device.type for name in SPLITS} == {"meta"}
    assert torch.equal(moved.mean, data.mean)
    assert data.to("cpu").train.images.data_ptr() == data.train.images.data_ptr()
