"""The files of an image folder: which are found, in which order, and which folders are refused."""

import os
from pathlib import Path

import pytest
from torchvision.datasets import ImageFolder

from actsweep.data.images.listing import DEEPEST, EXTENSIONS, list_images
from actsweep.errors import DataError


def test_finds_what_torchvision_finds_in_its_order(folder):
    root = folder({"Cat": 3, "ant": 2, "ant/more": 2, "dog": 1})
    (root / "dog" / "0000.png").rename(root / "dog" / "B.JPEG")
    (root / "dog" / "notes.txt").write_text("no image")
    (root / "README").write_text("no class")
    theirs = ImageFolder(str(root))
    ours = list_images(str(root))
    labels = [label for label, count in enumerate(ours.counts[0]) for _ in range(count)]
    assert ours.classes == tuple(theirs.classes)
    assert [(str(root / file.name), label) for file, label in zip(ours.files, labels, strict=True)] == theirs.samples


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_an_extension_counts_in_either_case(tmp_path, extension):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"1{extension.upper()}").touch()
    assert list_images(str(tmp_path)).counts == ((1, 1),)


def test_train_and_test_are_two_pools(two_classes):
    listing = list_images(str(two_classes))
    assert listing.counts == ((30, 20), (6, 4))
    assert listing.files[0].name == "train/cat/0000.png"
    assert listing.files[-1].name == "test/dog/0003.png"


def test_a_file_is_known_by_its_size_and_time(two_classes):
    path = two_classes / "train/cat/0000.png"
    os.utime(path, ns=(5, 7))
    assert list_images(str(two_classes)).files[0][1:] == (path.stat().st_size, 7)


def test_a_class_may_be_called_train(folder):
    assert list_images(str(folder({"bus": 2, "train": 3}))).classes == ("bus", "train")


def test_a_few_links_cannot_stand_for_very_many_folders(folder, monkeypatch):
    root = folder({"cat": 1, "dog": 1})
    for level in range(3):
        (root / "cat" / f"level{level}").mkdir()
    for level in range(2):
        for link in range(10):
            (root / "cat" / f"level{level}" / f"{link}").symlink_to(root / "cat" / f"level{level + 1}")
    monkeypatch.setattr("actsweep.data.images.listing.MOST_FOLDERS", 100)
    with pytest.raises(DataError, match="cat holds more than 100 folders"):
        list_images(str(root))


def test_folders_lie_only_so_deep(folder):
    root = folder({"cat": 1, "dog": 1})
    (root / "cat" / "/".join("x" * DEEPEST)).mkdir(parents=True)
    with pytest.raises(DataError, match="folders deep"):
        list_images(str(root))


def test_a_link_to_a_folder_is_followed(folder, tmp_path):
    root = folder({"cat": 2, "dog": 2})
    (root / "dog").rename(tmp_path / "dogs")
    (root / "dog").symlink_to(tmp_path / "dogs")
    assert list_images(str(root)).counts == ((2, 2),)


@pytest.mark.parametrize(
    ("link", "target"),
    [("cat/again", "cat"), ("cat/up", "."), ("ant", "."), ("cat/far", ".."), ("cat/self", "cat/self")],
)
def test_a_loop_of_links_is_refused_by_name(folder, link, target):
    root = folder({"cat": 1, "dog": 1})
    (root / link).symlink_to(root / target)
    message = rf"data\.root: \S*{link}\S* leads back to a folder that it lies in|cannot read \S*{link}: Too many levels"
    with pytest.raises(DataError, match=message):
        list_images(str(root))


def test_a_pipe_with_the_name_of_an_image_is_refused_and_not_waited_for(folder):
    root = folder({"cat": 1, "dog": 1})
    os.mkfifo(root / "cat" / "pipe.png")
    with pytest.raises(DataError, match=r"cat/pipe\.png has the name of an image, but is no file"):
        list_images(str(root))


def test_a_home_that_nobody_has_is_refused():
    with pytest.raises(DataError, match=r"data\.root=~nobody-here/x: there is no such home folder"):
        list_images("~nobody-here/x")


def test_a_root_may_start_at_home(two_classes, monkeypatch):
    monkeypatch.setenv("HOME", str(two_classes.parent))
    assert list_images("~/images").root == two_classes


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"train/cat": 1, "train/dog": 1}, r"holds train/ but no test/"),
        ({"test/cat": 1, "test/dog": 1}, r"holds test/ but no train/"),
        ({"train/cat": 1, "train/dog": 1, "test/cat": 1, "test/fox": 1}, r"train has a class 'dog', but test/ has not"),
        ({"train/cat": 1, "train/dog": 1, "test/cat": 1, "test/dog": 1, "test/ant": 1}, r"test has a class 'ant', but"),
        ({"train/cat": 1, "train/dog": 0, "test/cat": 1, "test/dog": 1}, r"class folder \S*train/dog holds no image"),
        ({"train": 3, "test": 3}, r"train holds 0 class folders; at least two"),
        ({"train/cat": 1, "train/dog": 1, "test": 3}, r"test holds 0 class folders"),
        ({"cat": 3}, r"holds 1 class folders; at least two"),
        ({"cat": 3, "dog": 0}, r"class folder \S*dog holds no image"),
        ({".": 3}, r"holds 0 class folders"),
    ],
)
def test_a_folder_of_another_form_is_refused(folder, counts, message):
    with pytest.raises(DataError, match=message):
        list_images(str(folder(counts)))


@pytest.mark.parametrize(
    ("make", "message"),
    [(lambda path: None, "there is no such folder"), (Path.touch, "that is a file, not a folder")],
    ids=["missing", "a file"],
)
def test_a_root_that_is_no_folder_is_refused(tmp_path, make, message):
    make(tmp_path / "nowhere")
    with pytest.raises(DataError, match=rf"data\.root=\S*nowhere: {message}"):
        list_images(str(tmp_path / "nowhere"))


def test_a_dangling_link_is_refused_by_name(folder):
    root = folder({"cat": 1, "dog": 1})
    (root / "cat" / "gone.png").symlink_to(root / "nothing.png")
    with pytest.raises(DataError, match=r"cannot read \S*cat/gone\.png: No such file"):
        list_images(str(root))
