"""Batches: every image once an epoch, all randomness from the trial's own generator, normalised."""

import numpy as np
import pytest
import torch

from actsweep.data import Batches, Split, eval_batches

MEAN = torch.tensor([0.2, 0.5, 0.7], dtype=torch.float64)
STD = torch.tensor([0.1, 0.3, 0.25], dtype=torch.float64)
RAW = {"mean": torch.zeros(3, dtype=torch.float64), "std": torch.full((3,), 1 / 255, dtype=torch.float64)}


def batches(split, batch_size=8, *, seed=0, augment=False, mean=MEAN, std=STD):
    generator = torch.Generator().manual_seed(seed)
    return Batches(split, batch_size, mean=mean, std=std, augment=augment, generator=generator)


def epoch(source):
    images, labels = zip(*source, strict=True)
    return torch.cat(images), torch.cat(labels)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize(("n", "size", "sizes"), [(20, 8, [8, 8, 4]), (16, 8, [8, 8]), (5, 8, [5]), (3, 1, [1] * 3)])
def test_the_last_batch_is_kept_though_smaller(numbered, n, size, sizes):
    source = batches(numbered(n), size)
    assert [len(labels) for _, labels in source] == sizes
    assert len(source) == len(sizes)


@pytest.mark.parametrize("augment", [False, True])
def test_every_image_comes_once_an_epoch(numbered, augment):
    _, labels = epoch(batches(numbered(50), augment=augment))
    assert labels.sort().values.tolist() == list(range(50))


def test_each_image_comes_with_its_own_label(numbered):
    split = numbered(20)
    images, labels = epoch(batches(split, **RAW))
    assert torch.equal(images.round().to(torch.uint8), split.images[labels])


@pytest.mark.parametrize("augment", [False, True])
def test_the_same_seed_gives_the_same_epochs_and_another_seed_others(numbered, augment):
    split = numbered(40)
    first, again, other = (batches(split, seed=seed, augment=augment) for seed in (3, 3, 4))
    for _ in range(2):
        expected = epoch(first)
        assert same(expected, epoch(again))
        assert not same(expected, epoch(other))


@pytest.mark.parametrize("augment", [False, True])
def test_each_epoch_has_its_own_order_and_views(numbered, augment):
    source = batches(numbered(40), augment=augment)
    (images, labels), (later_images, later_labels) = epoch(source), epoch(source)
    assert not torch.equal(labels, later_labels)
    moved = images[labels.argsort()] != later_images[later_labels.argsort()]
    assert bool(moved.any()) is augment


def test_nothing_is_drawn_from_the_global_generator(numbered):
    state = torch.get_rng_state()
    epoch(batches(numbered(20), augment=True))
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_drawn_depends_neither_on_the_batch_size_nor_on_how_much_is_used(numbered):
    split = numbered(40)
    narrow, wide = batches(split, 7, augment=True), batches(split, 16, augment=True)
    next(iter(narrow))
    epoch(wide)
    assert same(epoch(narrow), epoch(wide))


def test_an_iterator_that_is_made_and_not_used_draws_nothing(numbered):
    split = numbered(40)
    source, idle = batches(split, augment=True), batches(split, augment=True)
    iter(idle)
    assert same(epoch(source), epoch(idle))


def test_an_epoch_can_be_repeated_from_the_generators_state(numbered):
    generator = torch.Generator().manual_seed(0)
    source = Batches(numbered(40), 8, mean=MEAN, std=STD, augment=True, generator=generator)
    epoch(source)
    state = generator.get_state()
    second = epoch(source)
    generator.set_state(state)
    assert same(second, epoch(source))


@pytest.mark.parametrize("serve", [batches, lambda split: eval_batches(split, 8, mean=MEAN, std=STD)])
def test_images_are_normalised_per_channel(numbered, serve):
    split = numbered(20)
    images, labels = epoch(serve(split))
    expected = (split.images.numpy() / 255 - MEAN.numpy()[:, None, None]) / STD.numpy()[:, None, None]
    assert images.dtype == torch.float32
    assert labels.dtype == torch.int64
    np.testing.assert_allclose(images.numpy(), expected[labels.numpy()], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("serve", [batches, lambda split: eval_batches(split, 8, mean=MEAN, std=STD)])
def test_floats_are_normalised_as_they_are_and_stay(serve):
    generator = torch.Generator().manual_seed(1)
    split = Split(torch.randn(20, 3, 8, 8, generator=generator), torch.arange(20))
    before = split.images.clone()
    images, labels = epoch(serve(split))
    expected = (before.numpy() - MEAN.numpy()[:, None, None]) / STD.numpy()[:, None, None]
    np.testing.assert_allclose(images.numpy(), expected[labels.numpy()], rtol=1e-5, atol=1e-6)
    assert torch.equal(split.images, before)


def test_bytes_and_the_floats_that_they_stand_for_give_the_same_batches(numbered):
    split = numbered(20)
    floats = Split(split.images / 255, split.labels)
    (images, labels), (theirs, their_labels) = (epoch(batches(each, augment=True)) for each in (split, floats))
    assert torch.equal(labels, their_labels)
    torch.testing.assert_close(images, theirs)


def test_evaluation_keeps_the_order(numbered):
    served = list(eval_batches(numbered(20), 8, mean=MEAN, std=STD))
    assert [labels.tolist() for _, labels in served] == [list(range(8)), list(range(8, 16)), list(range(16, 20))]


def test_serving_leaves_the_split_as_it_was(numbered):
    split = numbered(20)
    before = split.images.clone()
    epoch(batches(split, augment=True))
    epoch(eval_batches(split, 8, mean=MEAN, std=STD))
    assert torch.equal(split.images, before)


@pytest.fixture(scope="module")
def views():
    """Flips, rows and columns of 8,000 augmented images, read off pixels that hold their own position."""
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    image = torch.stack([rows, columns, rows]).to(torch.uint8) + 1
    n = 8_000
    split = Split(image.expand(n, -1, -1, -1), torch.arange(n))
    images, _ = epoch(batches(split, 500, augment=True, **RAW))
    row, column = images[:, 0].round().long(), images[:, 1].round().long()
    flipped = column[:, 16, 16] < column[:, 16, 15]
    left = torch.where(flipped, column[:, 16, 15], column[:, 16, 16]) - 13
    return flipped.numpy(), (row[:, 16, 16] - 13).numpy(), left.numpy()


def test_half_of_the_images_are_mirrored(views):
    flipped, _, _ = views
    assert flipped.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(flipped)))


def test_shifts_are_uniform_and_independent_of_each_other_and_of_the_flip(views):
    flipped, top, left = views
    cells = np.bincount((flipped * 9 + top) * 9 + left, minlength=162)
    expected = len(top) / 162
    chi_square = ((cells - expected) ** 2 / expected).sum()
    assert len(cells) == 162
    assert 161 - 4 * np.sqrt(2 * 161) < chi_square < 161 + 4 * np.sqrt(2 * 161)
