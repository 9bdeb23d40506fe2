"""A study's folder that is damaged again and again: what `verify` and `report` say, and what was there before."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from actsweep.errors import ActsweepError
from actsweep.records import StudyFolder
from actsweep.studies.results import rebuilt
from actsweep.studies.verifying import Verification, verify_study

DERIVED = ("curves.parquet", "results.json", "report.html")
NOT_OF_THE_STUDY = re.compile(r"wandb/.*|ledger\.lock|trials/\w+/attempt-\d+\.log")
TOLD = re.compile(r"The study has not ended|bytes of the ledger are a line cut off in writing")


class Patient:
    """A study's folder, and the content of all its files as they should be."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.whole = {
            str(file.relative_to(path)): file.read_bytes()
            for file in sorted(path.rglob("*"))
            if file.is_file() and not file.is_symlink()
        }
        self.results = json.loads(self.whole["results.json"])
        self.healthy = verify_study(path)
        assert self.healthy.findings == ()

    def examine(self, name: str, content: bytes) -> Verification:
        """Give a file another content: `verify` finds it or it is harmless, and `report` never tells other results.

        Everything is as before when this returns.
        """
        file = self.path / name
        file.write_bytes(content)
        try:
            found = verify_study(self.path)
            assert self.detects(found, name) or harmless(name, self.whole[name], content, file)
            self.check_report()
        finally:
            for written in {name, *DERIVED}:
                (self.path / written).write_bytes(self.whole[written])
        return found

    def examine_cut(self, ledger: bytes) -> Verification:
        """Cut off the end of the ledger: what the results lack by that is found, and told in those made anew."""
        found = self.examine("ledger.jsonl", ledger)
        assert any(finding.file == "results.json" for finding in found.findings)
        return found

    def detects(self, found: Verification, name: str) -> bool:
        """Whether something is said about a file; where the ledger is another, all else no longer agrees with it."""
        if name == "ledger.jsonl":
            return bool(found.findings)
        told = [note for check in found.checks for note in check.notes if note.startswith(name)]
        return bool(told) or any(finding.file == name for finding in found.findings)

    def check_report(self) -> None:
        try:
            now = json.loads(json.dumps(rebuilt(StudyFolder(self.path)).results))
        except ActsweepError:
            return  # refused
        if now != self.results:
            assert any(TOLD.search(warning) for warning in now["study"]["warnings"])
        assert json.loads((self.path / "results.json").read_bytes()) == now


def harmless(name: str, before: bytes, after: bytes, file: Path) -> bool:
    """Whether a file still says the same to whoever reads it, or nothing that results are made from or judged by."""
    if NOT_OF_THE_STUDY.fullmatch(name):
        return True
    if name.endswith(".yaml"):
        return bool(yaml.safe_load(before) == yaml.safe_load(after))
    if name == "results.json":
        return bool(json.loads(before) == json.loads(after))
    if name == "curves.parquet":
        return _rows(before, file.with_name("before.parquet")) == _rows(after, file.with_name("after.parquet"))
    if name == "optuna.db":
        return _dump(before, file.with_name("before.db")) == _dump(after, file.with_name("after.db"))
    return False


def _rows(content: bytes, scratch: Path) -> list[Any]:
    scratch.write_bytes(content)
    rows = repr(pq.read_table(scratch).to_pylist())  # in which a NaN equals another
    scratch.unlink()
    return [rows]


def _dump(content: bytes, scratch: Path) -> list[str]:
    scratch.write_bytes(content)
    with closing(sqlite3.connect(scratch)) as connection:
        dump = list(connection.iterdump())
    scratch.unlink()
    return dump
