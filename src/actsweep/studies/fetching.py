"""A study's folder copied: from where a cluster keeps it, and to an address when the study has ended."""

import secrets
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from actsweep.errors import RemoteError, RequestError
from actsweep.records import StudyFolder
from actsweep.system.remote import PARTIAL, RemoteFolder, is_remote

_ADVICE = {
    True: "it is copied there when its sweep ends",
    False: "fetch needs cluster.storage to be mounted here too, at the same path, or a study that was submitted with "
    "cluster.copy_to=s3://BUCKET/FOLDER",
}
_LEFT = (".scratch", "ledger.lock")  # of the process that runs the study


def fetch_study(source: str, target: Path) -> int:
    """Copy a study's folder; one that was copied before gets what is new.

    The ledger is copied first, so that whatever it names is in what follows, or is made again by `resume`.

    Args:
        source: where the cluster keeps it, as this machine sees it: a path, or an address such as s3://bucket/folder.
        target: the folder here.

    Returns:
        how many files were copied.

    Raises:
        RequestError: this machine does not see the folder, or the target holds something else.
        RemoteError: the storage does not answer.
    """
    names, ledger, copy = _at_an_address(RemoteFolder(source)) if is_remote(source) else _mounted(Path(source))
    if not ledger:
        raise RequestError(f"{source}: no study is there, as far as this machine can see; {_ADVICE[is_remote(source)]}")
    if target.exists() and not _same_study(ledger, target):
        raise RequestError(f"--out {target}: holds something else; give another folder: --out DIR")
    target.mkdir(parents=True, exist_ok=True)
    wanted = _ledger_first(names)
    copy(wanted, target)
    return len(wanted)


def copy_study(folder: StudyFolder, address: str) -> RemoteFolder:
    """Copy a study's folder below an address; returns where it then is.

    The ledger is copied last: a copy that was cut off has none yet, or that of the copy before.

    Raises:
        RemoteError: the storage does not answer, or refuses, or holds another study of this name.
    """
    target = RemoteFolder(address) / folder.path.name
    _refuse_other_study(folder, target)
    names, _, _ = _mounted(folder.path)
    target.upload(folder.path, reversed(_ledger_first(names)))
    return target


def reach_copy(folder: StudyFolder, address: str) -> None:
    """Check, before anything runs, that a study can be copied below an address when it has ended.

    Raises:
        RemoteError: the storage does not answer, or refuses, or holds another study of this name.
    """
    _refuse_other_study(folder, RemoteFolder(address) / folder.path.name)
    mark = RemoteFolder(address) / f".{folder.path.name}-{secrets.token_hex(4)}"
    mark.write("mark", b"")
    mark.remove()


def _refuse_other_study(folder: StudyFolder, target: RemoteFolder) -> None:
    there = target.read("ledger.jsonl") or b""
    ours = folder.ledger.read_bytes() if folder.ledger.is_file() else b""
    if not ours.startswith(there):
        raise RemoteError(
            f"{target.address} holds another study of this name; give this one a name of its own (run.name=...), or "
            "another address"
        )


_Found = tuple[list[str], bytes | None, Callable[[list[str], Path], None]]
"""Names of files, the ledger, and a way to copy files to a folder."""


def _mounted(source: Path) -> _Found:
    def copy(names: list[str], target: Path) -> None:
        for name in names:
            place = target / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, place)

    names = [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()]
    ledger = StudyFolder(source).ledger
    return names, ledger.read_bytes() if ledger.is_file() else None, copy


def _at_an_address(source: RemoteFolder) -> _Found:
    names = [file.name for file in source.files()]

    def copy(names: list[str], target: Path) -> None:
        source.download(names[:1], target)
        source.download(names[1:], target)

    return names, source.read("ledger.jsonl"), copy


def _ledger_first(names: Iterable[str]) -> list[str]:
    kept = [name for name in names if Path(name).parts[0] not in _LEFT and not name.endswith(PARTIAL)]
    return sorted(kept, key=lambda name: (name != "ledger.jsonl", name))


def _same_study(ledger: bytes, target: Path) -> bool:
    """Whether the target is empty, or an earlier copy: then its ledger is how the source's begins."""
    if not any(target.iterdir()):
        return True
    here = StudyFolder(target).ledger
    return here.is_file() and ledger.startswith(here.read_bytes())
