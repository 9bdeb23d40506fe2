"""Splits are stratified, disjoint, nested, and fixed by the data seed alone."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actsweep.data.splits import check_classes, class_sequence, cut, stratified_order
from actsweep.errors import DataError

COUNTS = st.lists(st.integers(1, 60), min_size=1, max_size=8)


@given(COUNTS)
def test_every_beginning_and_every_end_is_in_proportion_to_within_one(counts):
    sequence = class_sequence(counts)
    total = sum(counts)
    assert np.bincount(sequence, minlength=len(counts)).tolist() == counts
    for k, count in enumerate(counts):
        seen = np.cumsum(sequence == k)
        quota = np.arange(1, total + 1) * count / total
        assert (np.abs(seen - quota) < 1).all()
        assert (np.abs((count - seen) - (count - quota)) < 1).all()


def test_equal_classes_take_turns():
    assert class_sequence([3, 3, 3]).tolist() == [0, 1, 2] * 3


@given(st.lists(COUNTS.filter(lambda c: len(c) >= 3).map(lambda c: tuple(c[:3])), min_size=1, max_size=2))
def test_an_order_holds_every_image_once_under_its_own_class(pools):
    order, labels = stratified_order(tuple(pools), seed=3)
    classes = np.concatenate([np.repeat(np.arange(3), pool) for pool in pools])
    assert sorted(order) == list(range(len(classes)))
    assert (classes[order] == labels).all()


def test_test_images_come_after_all_training_images():
    order, _ = stratified_order(((5, 4), (2, 3)), seed=0)
    assert sorted(order[:9]) == list(range(9))


def test_the_seed_changes_which_images_come_first_but_not_where_a_class_stands():
    (order, labels), (other, other_labels) = (stratified_order(((40, 30),), seed) for seed in (0, 1))
    assert (order != other).any()
    assert (labels == other_labels).all()


def test_an_order_is_the_same_on_every_machine():
    order, _ = stratified_order(((5, 3), (2, 2)), seed=0)
    assert order.tolist() == [2, 7, 4, 3, 5, 0, 1, 6, 8, 11, 9, 10]


CIFAR = ((5000,) * 10, (1000,) * 10)


@pytest.mark.parametrize(
    ("counts", "sizes", "expected"),
    [
        (CIFAR, {}, (45000, 5000, 10000)),
        (CIFAR, {"val": 5000}, (45000, 5000, 10000)),
        (CIFAR, {"train": 6000, "val": 1000, "test": 2000}, (6000, 1000, 2000)),
        (CIFAR, {"train": 1000}, (1000, 5000, 10000)),
        (((180,) * 10,), {}, (1080, 360, 360)),
        (((180,) * 10,), {"test": 200}, (1240, 360, 200)),
        (((180,) * 10,), {"train": 256, "val": 128, "test": 128}, (256, 128, 128)),
    ],
)
def test_splits_have_the_sizes_asked_for_or_their_share_or_what_is_left(ask, counts, sizes, expected):
    cuts = cut(counts, ask(**sizes))
    assert tuple(part.stop - part.start for part in (cuts.train, cuts.val, cuts.test)) == expected


@pytest.mark.parametrize("counts", [CIFAR, ((180,) * 10,)])
@pytest.mark.parametrize("sizes", [{}, {"train": 300, "val": 100, "test": 100}])
def test_splits_share_no_image_and_the_probe_lies_in_training(ask, counts, sizes):
    cuts = cut(counts, ask(**sizes))
    spans = sorted((part.start, part.stop) for part in (cuts.train, cuts.val, cuts.test))
    assert all(stop <= start for (_, stop), (start, _) in pairwise(spans))
    assert (cuts.probe.start, cuts.train.start) == (0, 0)
    assert cuts.probe.stop <= cuts.train.stop


@pytest.mark.parametrize(
    ("counts", "sizes", "probe"),
    [
        (((30000, 30000), (10, 10)), {"val": 20000}, 10000),
        (CIFAR, {}, 5000),
        (CIFAR, {"train": 700}, 700),
    ],
)
def test_the_probe_has_10000_images_or_as_many_as_validation_or_training(ask, counts, sizes, probe):
    cuts = cut(counts, ask(**sizes))
    assert cuts.probe == slice(0, probe)


def test_what_is_held_out_does_not_depend_on_how_many_images_are_trained_on(ask):
    full, small = cut(CIFAR, ask(val=5000)), cut(CIFAR, ask(val=5000, train=100))
    assert (full.val, full.test) == (small.val, small.test)
    assert small.train.stop == 100


@pytest.mark.parametrize(
    ("counts", "sizes", "message"),
    [
        (CIFAR, {"train": 46000}, r"data\.train=46000 and data\.val=null .*50000 .*takes 5000 and leaves 45000"),
        (CIFAR, {"val": 50000}, r"data\.val=50000 .* leaves 0"),
        (CIFAR, {"val": 60000}, r"data\.val=60000 .* leaves 0"),
        (CIFAR, {"test": 10001}, r"data\.test=10001: there are 10000"),
        (
            ((50, 50),),
            {"test": 101},
            r"^data\.test=101: there are 100 images; ask for fewer, or for all there are: data",
        ),
        (
            ((50, 50), (5, 5)),
            {"train": 99, "test": 11},
            r"^data\.test=11: there are 10 test images; data\.train=99 and",
        ),
        (((50, 50),), {"train": 99, "test": 101}, r"^data\.test=101: .*; data\.train=99 .* takes 20 and leaves 80"),
        (CIFAR, {"val": 60000}, r"or for all there are: data\.train=null data\.val=null data\.test=null$"),
        (((50, 50),), {"test": 60, "train": 30}, r"data\.train=30 .* testing takes 60.* leaves 20"),
    ],
)
def test_more_than_there_is_is_refused_by_the_name_of_the_option(ask, counts, sizes, message):
    with pytest.raises(DataError, match=message):
        cut(counts, ask(**sizes))


@pytest.mark.parametrize("option", ["train", "val", "test"])
def test_a_split_without_a_class_is_refused(ask, option):
    cuts = cut(((98, 2),), ask(train=40, val=40, test=20))
    labels = np.zeros(100, dtype=np.int64)
    for part in {"train", "val", "test"} - {option}:
        labels[getattr(cuts, part).start] = 1
    with pytest.raises(DataError, match=rf"data\.{option}: none of its \d+ images is of class 'rare'.*\(2 in all\)"):
        check_classes(labels, ("common", "rare"), cuts)


def test_a_split_with_all_classes_is_accepted(ask):
    _, labels = stratified_order(((100, 5),), seed=0)
    check_classes(labels, ("common", "rare"), cut(((100, 5),), ask(train=40, val=40, test=25)))
