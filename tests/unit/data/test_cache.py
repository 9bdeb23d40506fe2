"""A cache file is there whole or not at all, and damage shows."""

import json
import os
import threading

import numpy as np
import pytest

from actsweep.data import cache
from actsweep.errors import DataError

CHUNKS = [np.arange(10, dtype=np.uint8), np.arange(6, dtype=np.int64)]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file.u8"
    cache.write(path, CHUNKS, {"of": "tests"})
    return path


def test_holds_the_bytes_of_all_chunks_and_what_was_noted(file):
    assert file.read_bytes() == b"".join(chunk.tobytes() for chunk in CHUNKS)
    assert cache.recorded(file)["notes"] == {"of": "tests"}
    assert cache.intact(file)


def test_a_shorter_or_longer_file_is_not_recorded(file):
    for size in (57, 59):
        os.truncate(file, size)
        assert cache.recorded(file) is None
        assert not cache.intact(file)


def test_one_changed_byte_shows_in_the_checksum(file):
    content = bytearray(file.read_bytes())
    content[3] ^= 1
    file.write_bytes(content)
    assert cache.recorded(file) is not None
    assert not cache.intact(file)


def test_a_missing_file_or_sidecar_is_not_recorded(file, tmp_path):
    file.with_suffix(".json").rename(tmp_path / "elsewhere.json")
    assert cache.recorded(file) is None
    (tmp_path / "elsewhere.json").rename(file.with_suffix(".json"))
    file.unlink()
    assert cache.recorded(file) is None


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "{}", '{"record": {}, "check": ""}'])
def test_a_damaged_sidecar_is_not_recorded(file, content):
    file.with_suffix(".json").write_text(content)
    assert cache.recorded(file) is None


def test_a_sidecar_that_was_edited_is_not_recorded(file):
    sidecar = json.loads(file.with_suffix(".json").read_text())
    sidecar["record"]["notes"]["of"] = "others"
    file.with_suffix(".json").write_text(json.dumps(sidecar))
    assert cache.recorded(file) is None


def test_a_write_that_fails_leaves_the_former_file_and_no_other(file):
    def failing():
        yield CHUNKS[0]
        raise DataError("a corrupt image")

    before = sorted(file.parent.iterdir())
    with pytest.raises(DataError, match="a corrupt image"):
        cache.write(file, failing(), {})
    assert sorted(file.parent.iterdir()) == before
    assert cache.intact(file)


def test_what_a_killed_process_left_is_overwritten(file):
    file.with_suffix(".part").write_bytes(b"x" * 1000)
    cache.write(file, CHUNKS, {})
    assert cache.intact(file)
    assert not file.with_suffix(".part").exists()


def test_a_rewritten_file_leaves_the_former_one_to_those_who_have_it_mapped(file):
    mapped = np.memmap(file, dtype=np.uint8, mode="r")
    cache.write(file, [np.zeros(3, dtype=np.uint8)], {})
    assert mapped[:10].tolist() == list(range(10))


def test_a_folder_that_cannot_be_written_names_the_variable(tmp_path):
    (tmp_path / "taken").write_text("a file, no folder")
    message = r"taken/entry cannot be used: File exists; set ACTSWEEP_CACHE"
    with pytest.raises(DataError, match=message), cache.locked(tmp_path / "taken" / "entry"):
        pass
    with pytest.raises(DataError, match=r"missing cannot be used: No such file.*set ACTSWEEP_CACHE"):
        cache.write(tmp_path / "missing" / "file.u8", CHUNKS, {})


def test_an_entry_in_which_nothing_was_written_is_gone_again(tmp_path):
    with cache.locked(tmp_path / "entry"):
        assert (tmp_path / "entry").is_dir()
    assert not (tmp_path / "entry").exists()


def test_an_entry_with_a_file_stays(tmp_path):
    with cache.locked(tmp_path / "entry"):
        (tmp_path / "entry" / "file").touch()
    assert (tmp_path / "entry" / "file").exists()


def test_whoever_waited_for_an_entry_that_is_gone_holds_a_new_one_alone(tmp_path):
    inside, most = [], []

    def hold():
        for _ in range(50):
            with cache.locked(tmp_path / "entry"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (200, 1)
    assert not (tmp_path / "entry").exists()


def test_a_scratch_folder_is_empty_and_gone_afterwards(tmp_path):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "of a killed process").touch()
    with pytest.raises(DataError, match="disk full"), cache.scratch(tmp_path) as folder:
        assert not list(folder.iterdir())
        (folder / "file").touch()
        raise OSError(28, "disk full")
    assert not list(tmp_path.iterdir())


def test_a_second_holder_waits_for_the_first(tmp_path):
    entered = threading.Event()

    def second():
        with cache.locked(tmp_path / "entry"):
            entered.set()

    with cache.locked(tmp_path / "entry"):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(10)
    thread.join()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"ACTSWEEP_CACHE": "/a", "XDG_CACHE_HOME": "/x"}, "/a/data/key"),
        ({"ACTSWEEP_CACHE": "~/a"}, "/home/user/a/data/key"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/actsweep/data/key"),
        ({}, "/home/user/.cache/actsweep/data/key"),
    ],
)
def test_where_entries_are(monkeypatch, variables, expected):
    for name in ("ACTSWEEP_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/user")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(cache.entry_folder("key")) == expected


def test_a_wait_for_another_process_is_told(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(cache, "SILENT_SECONDS", 0.1)
    entry, held, done = tmp_path / "entry", threading.Event(), threading.Event()

    def hold():
        with cache.locked(entry):
            held.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    threading.Timer(0.5, done.set).start()
    with cache.locked(entry):
        assert "another actsweep prepares the same data" in caplog.text
    holder.join()
