"""A study's folder copied from where a cluster keeps it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from actsweep.errors import RequestError
from actsweep.studies import fetch_study


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_is_copied_but_what_belongs_to_a_running_process(smoke: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "there", tmp_path / "here"
    shutil.copytree(smoke.folder, source)
    (source / ".scratch").mkdir(exist_ok=True)
    (source / ".scratch" / "halt").touch()
    copied = fetch_study(str(source), target)
    wanted = {name: raw for name, raw in files(source).items() if name not in (".scratch/halt", "ledger.lock")}
    assert files(target) == wanted
    assert copied == len(wanted)


def test_a_copy_gets_what_is_new_and_nothing_else_is_overwritten(smoke: Any, tmp_path: Path) -> None:
    target = tmp_path / "here"
    fetch_study(str(smoke.folder), target)
    ledger = target / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:-1]))
    fetch_study(str(smoke.folder), target)
    assert ledger.read_bytes() == (smoke.folder / "ledger.jsonl").read_bytes()
    ledger.write_bytes(ledger.read_bytes().replace(b"relu", b"gelu", 1))
    with pytest.raises(RequestError, match="holds something else; give another folder: --out DIR"):
        fetch_study(str(smoke.folder), target)


def test_a_storage_that_is_not_mounted_here_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"nowhere: no study is there, as far as this machine can see"):
        fetch_study(str(tmp_path / "nowhere"), tmp_path / "here")
    assert not (tmp_path / "here").exists()
