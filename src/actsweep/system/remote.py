"""Folders that are not on this machine's file system, such as s3://bucket/folder, through pyarrow's file systems.

Credentials come from where the storage's own tools look: for S3, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws,
or the machine's role; AWS_ENDPOINT_URL names another server than Amazon's.
"""

import errno
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

from actsweep.errors import RemoteError, RequestError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

SCHEMES = ("s3", "gs")
CHUNK = 2**20
PARTIAL = ".part"  # of a file that is being copied here
AT_A_TIME = 16  # files: each waits for the network most of its time
_CREDENTIALS = {"access_key", "secret_key", "session_token"}
_ADDRESS = re.compile(rf"(?:{'|'.join(SCHEMES)})://[\w.-]+(?:/[\w.=-]+)*/?(?:\?[^#\s]*)?")


class RemoteFile(NamedTuple):
    """A file below a remote folder.

    Attributes:
        name: its path, relative to the folder.
        size: in bytes.
        changed: when it was written, in nanoseconds since 1970.
    """

    name: str
    size: int
    changed: int


def is_remote(place: str | None) -> bool:
    """Whether a place is an address, and not a path of this machine."""
    return place is not None and "://" in place


def check_address(option: str, place: str) -> None:
    """Refuse what is no address.

    Raises:
        ValueError: we cannot use it, or it holds a secret; the message names the option.
    """
    parts = urlsplit(place)
    if "@" in parts.netloc or _CREDENTIALS & set(parse_qs(parts.query, keep_blank_values=True)):
        raise ValueError(
            f"{option}: the address holds a password, which would be written down with the study; give it in the "
            "environment instead (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) or in ~/.aws/credentials"
        )
    if not _ADDRESS.fullmatch(place):
        accepted = " or ".join(f"{scheme}://BUCKET/FOLDER" for scheme in SCHEMES)
        raise ValueError(
            f"{option}={place}: must be an address of the form {accepted}, of letters, digits and the signs . _ - ="
        )


@dataclass(frozen=True)
class RemoteFolder:
    """A folder at an address.

    Args:
        address: such as s3://bucket/folder; `?region=...&endpoint_override=...` may follow.
    """

    address: str

    def __truediv__(self, name: str) -> "RemoteFolder":
        place, mark, query = self.address.partition("?")
        return RemoteFolder(f"{place.rstrip('/')}/{name}{mark}{query}")

    @property
    def name(self) -> str:
        """The last part of its address."""
        return self.address.partition("?")[0].rstrip("/").rpartition("/")[2]

    def files(self) -> list[RemoteFile]:
        """All files below, in the order of their names; none where there is no such folder.

        Raises:
            RemoteError: the storage does not answer, or refuses.
        """
        from pyarrow.fs import FileSelector, FileType

        with self._reached() as (system, path):
            found = system.get_file_info(FileSelector(path, recursive=True, allow_not_found=True))
        files = [info for info in found if info.type == FileType.File]
        return sorted(RemoteFile(info.path[len(path) + 1 :], info.size, info.mtime_ns or 0) for info in files)

    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none.

        Raises:
            RemoteError: the storage does not answer, or refuses.
        """
        with self._reached() as (system, path):
            try:
                with system.open_input_stream(f"{path}/{name}") as source:
                    return bytes(source.read())
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole, in the place of one that is there.

        Raises:
            RemoteError: the storage does not answer, or refuses.
        """
        with self._reached() as (system, path), system.open_output_stream(f"{path}/{name}") as target:
            target.write(content)

    def download(self, names: Iterable[str], target: Path) -> None:
        """Copy files into a folder of this machine; each appears there whole or not at all.

        Raises:
            RemoteError: the storage does not answer, or refuses.
        """
        with self._reached() as (system, path), ThreadPoolExecutor(AT_A_TIME) as pool:

            def copy(name: str) -> None:
                place = inside(target, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                partial = place.with_name(f".{place.name}{PARTIAL}")
                with system.open_input_stream(f"{path}/{name}") as source, partial.open("wb") as file:
                    while chunk := source.read(CHUNK):
                        file.write(chunk)
                partial.replace(place)

            for _ in pool.map(copy, names):
                pass

    def upload(self, source: Path, names: Iterable[str]) -> None:
        """Copy files of a folder of this machine, by their paths relative to it, in their order.

        Raises:
            RemoteError: the storage does not answer, or refuses.
        """
        with self._reached() as (system, path):
            for name in names:
                # All of it first: what is cut off would take the place of a file.
                content = (source / name).read_bytes()
                with system.open_output_stream(f"{path}/{name}") as target:
                    target.write(content)

    def remove(self) -> None:
        """Remove the folder with all below it, if it is there.

        Raises:
            RemoteError: the storage does not answer, or refuses.
        """
        with self._reached() as (system, path), suppress(FileNotFoundError):
            system.delete_dir(path)

    @contextmanager
    def _reached(self) -> Iterator[tuple["FileSystem", str]]:
        from pyarrow import ArrowInvalid
        from pyarrow.fs import FileSystem

        try:
            system, path = FileSystem.from_uri(self.address)
            yield system, path.rstrip("/")
        except (OSError, ArrowInvalid) as error:
            if isinstance(error, OSError) and (error.filename or error.errno not in (None, errno.ENOENT)):
                raise  # it is of this machine, such as a full disk: what storages say names no file and has no number
            raise RemoteError(f"{self.address.partition('?')[0]}: {_gist(error)}") from error


def inside(folder: Path, name: str) -> Path:
    """The path of a file below a folder.

    Raises:
        RequestError: the name leads out of the folder, as one that others chose might.
    """
    if name.startswith("/") or ".." in Path(name).parts:
        raise RequestError(f"{name!r} leads out of the folder that it is to be copied to")
    return folder / name


def _gist(error: Exception) -> str:
    """What a storage said, without the words around it."""
    said = " ".join(str(error).split())
    return said.rpartition("AWS Error ")[2] or said
