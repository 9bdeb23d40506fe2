"""CIFAR-10: files at hand are used, a download is kept whole or not at all, and every failure says what to do."""

import contextlib
import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import CIFAR10

from actsweep.data import cache, load, prepare
from actsweep.data.images.cifar import cifar10
from actsweep.errors import DataError

FOLDER, ARCHIVE = CIFAR10.base_folder, CIFAR10.filename
REQUESTS = ["GET", "HEAD", "GET"]  # is it there, where is it (as torchvision asks), and the download itself
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]

# One of several processes at once, each with the same small publication.
PREPARE = """
import json, sys
from torchvision.datasets import CIFAR10
from actsweep.data import prepare
from actsweep.data.images.cifar import cifar10
from actsweep.settings import DataSettings
Small = type("Small", (CIFAR10,), json.loads(sys.argv[2]))
print("ready", flush=True)
source = prepare(DataSettings.model_validate_json(sys.argv[1]), {"cifar10": lambda settings: cifar10(settings, Small)})
print(source.fingerprint)
"""


@dataclass
class Server:
    """A web server of one file on this machine; `sends` turns the file into what is sent of it."""

    content: bytes
    requests: list[str] = field(default_factory=list)
    sends: str = "all"
    port: int = 0


@pytest.fixture
def server(publication) -> Iterator[Server]:
    state = Server((publication / ARCHIVE).read_bytes())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(self.headers["Method"] or "GET")  # torchvision marks the one that only asks so
            if state.sends == "nothing":
                self.send_error(404)
                return
            body = {"half": state.content[: len(state.content) // 2], "other": state.content[::-1]}
            self.send_response(200)
            self.send_header("Content-Length", str(len(state.content)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # who only asks hangs up
                self.wfile.write(body.get(state.sends, state.content))

        def log_message(self, *words: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = http.server_address[1]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture(scope="module")
def publication(tmp_path_factory) -> Path:
    """Files in CIFAR-10's own format, unpacked and as an archive: 200 training and 50 test images."""
    place = tmp_path_factory.mktemp("published")
    (place / FOLDER).mkdir()
    pixels = np.random.default_rng(0)
    for number, name in enumerate([name for name, _ in CIFAR10.train_list + CIFAR10.test_list]):
        data = pixels.integers(0, 256, (50 if number == 5 else 40, 3072), dtype=np.uint8)
        labels = [(3 * at + number) % 10 for at in range(len(data))]
        batch = {"batch_label": name, "labels": labels, "data": data, "filenames": [f"{at}.png" for at in labels]}
        (place / FOLDER / name).write_bytes(pickle.dumps(batch, protocol=2))
    meta = {"num_cases_per_batch": 40, "label_names": CLASSES, "num_vis": 3072}
    (place / FOLDER / CIFAR10.meta["filename"]).write_bytes(pickle.dumps(meta, protocol=2))
    with tarfile.open(place / ARCHIVE, "w:gz") as archive:
        archive.add(place / FOLDER, FOLDER)
    return place


@pytest.fixture
def published(publication, server) -> dict[str, object]:
    """What of torchvision's class differs for the small publication on this machine's server."""

    def checksums(listed: list[list[str]]) -> list[list[str]]:
        return [[name, md5(publication / FOLDER / name)] for name, _ in listed]

    return {
        "url": f"http://127.0.0.1:{server.port}/{ARCHIVE}",
        "tgz_md5": md5(publication / ARCHIVE),
        "train_list": checksums(CIFAR10.train_list),
        "test_list": checksums(CIFAR10.test_list),
        "meta": {**CIFAR10.meta, "md5": md5(publication / FOLDER / CIFAR10.meta["filename"])},
    }


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def get(ask, published):
    def prepared(root: Path | None = None):
        small = type("Small", (CIFAR10,), published)
        return prepare(asked(ask, root), {"cifar10": lambda settings: cifar10(settings, small)})

    return prepared


def asked(ask, root: Path | None):
    return ask(name="cifar10", root=None if root is None else str(root))


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_the_images_and_labels_are_those_of_torchvision(get, ask, published, publication):
    source = get()
    data = load(source, asked(ask, None))
    assert (source.label, source.classes) == ("CIFAR-10", tuple(CLASSES))
    assert [len(split.labels) for split in (data.train, data.val, data.test)] == [180, 20, 50]
    theirs = type("Small", (CIFAR10,), published)(str(publication), train=False)
    expected = {
        (label, image.transpose(2, 0, 1).tobytes()) for image, label in zip(theirs.data, theirs.targets, strict=True)
    }
    ours = {(int(k), image.numpy().tobytes()) for image, k in zip(data.test.images, data.test.labels, strict=True)}
    assert ours == expected


def test_it_is_downloaded_once_and_said_on_stderr(get, server, capfd, cache_folder):
    first = get()
    assert server.requests == REQUESTS
    assert capfd.readouterr() == (
        "",
        f"CIFAR-10: downloading {ARCHIVE} from 127.0.0.1:{server.port} to {first.path}, once\n",
    )
    assert get() == first
    assert server.requests == REQUESTS
    assert left(Path(first.path)) == sorted(
        [ARCHIVE, *(f"{x}.{y}" for x in ("order-0", "pixels") for y in ("bin", "json")), "lock"]
    )


def test_a_damaged_cache_is_rebuilt_from_the_archive_in_it(get, server):
    source = get()
    (Path(source.path) / "pixels.json").unlink()
    (Path(source.path) / "order-0.json").unlink()
    assert get() == source
    assert len(server.requests) == 3


def test_a_damaged_archive_in_the_cache_is_downloaded_again(get, server):
    source = get()
    for name in ("pixels.json", "order-0.json"):
        (Path(source.path) / name).unlink()
    os.truncate(Path(source.path) / ARCHIVE, 100)
    assert get() == source
    assert len(server.requests) == 6


@pytest.mark.parametrize("names", [[FOLDER], [ARCHIVE], [FOLDER, ARCHIVE]])
def test_files_at_hand_are_used_without_a_network_and_left_alone(get, server, publication, tmp_path, names):
    root = tmp_path / "mine"
    root.mkdir()
    for name in names:
        path = publication / name
        shutil.copytree(path, root / name) if path.is_dir() else shutil.copy(path, root)
    before = left(root)
    assert get(root).label == "CIFAR-10"
    assert (server.requests, left(root)) == ([], before)


def test_the_unpacked_folder_itself_may_be_the_root(get, server, publication):
    assert get(publication / FOLDER).label == "CIFAR-10"
    assert server.requests == []


def test_the_fingerprint_does_not_depend_on_where_the_files_come_from(get, publication, cache_folder):
    unpacked = get(publication)
    shutil.rmtree(cache_folder)
    assert get() == unpacked


def test_a_root_without_the_files_is_where_they_are_downloaded_to(get, server, tmp_path):
    source = get(tmp_path / "new" / "place")
    assert left(tmp_path / "new") == ["place", f"place/{ARCHIVE}"]
    assert ARCHIVE not in left(Path(source.path))
    assert len(server.requests) == 3


def test_a_damaged_file_is_made_up_for_by_the_archive_beside_it(get, server, publication, tmp_path):
    shutil.copytree(publication, tmp_path / "mine")
    (tmp_path / "mine" / FOLDER / "data_batch_2").unlink()
    assert get(tmp_path / "mine").label == "CIFAR-10"
    assert server.requests == []


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
@pytest.mark.parametrize("how", ["missing", "changed"])
def test_a_damaged_file_of_the_users_is_refused_by_name_and_not_replaced(get, server, publication, tmp_path, name, how):
    shutil.copytree(publication / FOLDER, tmp_path / "mine" / FOLDER)
    path = tmp_path / "mine" / FOLDER / name
    path.unlink() if how == "missing" else path.write_bytes(path.read_bytes() + b"?")
    before = left(tmp_path / "mine")
    with pytest.raises(DataError, match=rf"^data\.root: {path} is missing, damaged or another file"):
        get(tmp_path / "mine")
    assert (server.requests, left(tmp_path / "mine")) == ([], before)


def test_a_damaged_archive_of_the_users_is_refused_by_name_and_not_replaced(get, server, tmp_path):
    (tmp_path / ARCHIVE).write_bytes(server.content[:-1])
    with pytest.raises(DataError, match=rf"^data\.root: {tmp_path / ARCHIVE} is missing, damaged or another file"):
        get(tmp_path)
    assert (tmp_path / ARCHIVE).read_bytes() == server.content[:-1]
    assert server.requests == []


def test_a_root_that_is_a_file_is_refused(get, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match=rf"^data\.root={tmp_path}/file is no folder; give the folder that holds {FOLDER}"
    ):
        get(tmp_path / "file")


def test_without_a_network_one_message_says_from_where_and_what_to_do(get, published, tmp_path, cache_folder, capfd):
    published["url"] = f"http://127.0.0.1:1/{ARCHIVE}"  # a port at which nobody listens
    instead = rf"give data\.root=FOLDER that holds {FOLDER} or {ARCHIVE}, or use data=image_folder$"
    failed = rf"from 127\.0\.0\.1:1 failed: Connection refused; {instead}"
    with pytest.raises(DataError, match=rf"^data=cifar10: the download of {ARCHIVE} {failed}"):
        get()
    root = tmp_path / "new"
    missing = rf"data\.root={root} holds no {FOLDER} or {ARCHIVE}"
    with pytest.raises(DataError, match=rf"^{missing}, and the download of the latter {failed}"):
        get(root)
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / "new").exists()
    assert left(cache_folder) == ["data"]


@pytest.mark.parametrize(
    ("sends", "message"),
    [
        (
            "half",
            "do not have the MD5 .* cut short or the file is another one; nothing of it is kept; try again, give data",
        ),
        (
            "other",
            "do not have the MD5 .* cut short or the file is another one; nothing of it is kept; try again, give data",
        ),
        ("nothing", "HTTP Error 404: Not Found; give data"),
    ],
)
def test_a_download_that_fails_leaves_nothing_and_the_next_one_starts_anew(get, server, sends, message, cache_folder):
    server.sends = sends
    with pytest.raises(DataError, match=message):
        get()
    assert left(cache_folder) == ["data"]
    server.sends = "all"
    assert get().label == "CIFAR-10"


def test_what_a_killed_download_left_is_not_taken_for_the_archive(get, server):
    entry = cache.entry_folder("cifar10-2")
    (entry / "scratch").mkdir(parents=True)
    (entry / "scratch" / ARCHIVE).write_bytes(server.content[:1000])
    assert Path(get().path) == entry
    assert "scratch" not in left(entry)
    assert md5(entry / ARCHIVE) == hashlib.md5(server.content).hexdigest()


def test_of_two_processes_at_once_one_downloads(get, ask, published, server, publication, cache_folder):
    command = [sys.executable, "-W", "error", "-c", PREPARE, asked(ask, None).model_dump_json(), json.dumps(published)]
    with cache.locked(cache.entry_folder("cifar10-2")):
        processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
    results = {process.communicate(timeout=120)[0].strip() for process in processes}
    assert results == {get().fingerprint}
    assert server.requests == REQUESTS


def test_what_is_cached_needs_neither_files_nor_torchvision(get, ask, server, publication, tmp_path):
    source = get(publication)
    code = "import sys; from actsweep.data import prepare; from actsweep.settings import DataSettings\n"
    code += "print(prepare(DataSettings.model_validate_json(sys.argv[1])).fingerprint, 'torchvision' in sys.modules)"
    command = [sys.executable, "-c", code, asked(ask, tmp_path / "gone").model_dump_json()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split() == [source.fingerprint, "False"]
