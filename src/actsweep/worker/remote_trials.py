"""The files of trials at an address, where the nodes of a cluster do not all see the study's folder.

A worker keeps a trial's files on its own disk. Below `ADDRESS/STUDY/TRIAL/ATTEMPT/` it keeps the checkpoint that the
trial can go on from, and all files once the attempt has ended. Each attempt writes below its own number, so a worker
that was taken for lost overwrites nothing of the next one.
"""

import atexit
import hashlib
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from actsweep.errors import RemoteError, RequestError
from actsweep.events import Event, StudyRecord, StudyStarted, TrialFinished
from actsweep.records import RESUME_FILE, Attempt, EventStream, StudyFolder
from actsweep.study import Study
from actsweep.system.halt import Halt
from actsweep.system.remote import RemoteFolder

AT_A_TIME = 4  # trials whose files are brought
LOOK_SECONDS = 10.0  # at the address, for a later attempt
PATIENCE_SECONDS = 60.0


def study_address(checkpoints: str, name: str, started: StudyStarted) -> str:
    """Where the trials of a study are, which no other study of the same name shares.

    Args:
        checkpoints: `cluster.checkpoints`.
        name: the study's.
        started: the event by which it began.
    """
    key = hashlib.sha256(f"{started.time!r} {started.data}".encode()).hexdigest()[:12]
    return (RemoteFolder(checkpoints) / f"{name}-{key}").address


@lru_cache
def local_folder(address: str) -> StudyFolder:
    """What a worker has in the place of the folder of a study whose trials are at an address: its own, and closed.

    It goes with the process; of one that is killed it stays among the temporary files.
    """
    folder = tempfile.mkdtemp(prefix="actsweep-trials-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return StudyFolder(Path(folder))


def _patiently(call: Callable[[], None]) -> None:
    """Ask a storage again that does not answer, with longer and longer pauses.

    Raises:
        RemoteError: it has not answered for `PATIENCE_SECONDS`.
    """
    until, pause = time.monotonic() + PATIENCE_SECONDS, 1.0
    while True:
        try:
            return call()
        except RemoteError:
            if time.monotonic() + pause > until:
                raise
            time.sleep(pause)
            pause *= 2


class RemoteAttempt(Attempt):
    """An attempt at a trial whose files are at an address, too.

    Args:
        folder: the trial's, on this machine.
        number: the attempt's.
        address: of the study; see `study_address`.
    """

    def __init__(self, folder: Path, number: int, address: str) -> None:
        super().__init__(folder, number)
        self._trial = RemoteFolder(address) / folder.name
        self._own = self._trial / str(number)
        self._latest, self._looked = number, time.monotonic()

    @property
    def outdated(self) -> bool:
        """Whether a later attempt has begun, on whatever node; that is looked for every `LOOK_SECONDS`."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            with suppress(RemoteError):
                self._latest = max(self._numbers(), default=self._latest)
        return super().outdated or self._latest > self.number

    def _numbers(self, name: str | None = None) -> list[int]:
        """Of the attempts that have left a file, or one of that name."""
        found = (file.name.partition("/") for file in self._trial.files())
        return [int(number) for number, _, file in found if number.isdigit() and file == (name or file)]

    def begin(self) -> None:
        """Begin, with the latest checkpoint of earlier attempts.

        Raises:
            OutdatedError: an attempt of this number, or a later one, has begun before.
            RemoteError: the storage does not answer.
            OSError: the disk of this machine is full, or refuses.
        """
        super().begin()
        _patiently(self._bring_checkpoint)

    def _bring_checkpoint(self) -> None:
        self._own.write(self.log.name, self.log.read_bytes())
        earlier = [number for number in self._numbers(RESUME_FILE) if number < self.number]
        (self.folder / RESUME_FILE).unlink(missing_ok=True)
        if earlier:
            (self._trial / str(max(earlier))).download([RESUME_FILE], self.folder)

    def replace(self, name: str, *parts: bytes | memoryview, durable: bool = False) -> None:
        """Write a file; what a trial can go on from is at the address when this returns.

        Raises:
            OutdatedError: a later attempt has begun; the file is as it was.
            RemoteError: the storage does not answer.
            OSError: it cannot be written; the file is as it was.
        """
        super().replace(name, *parts, durable=durable)
        if name == RESUME_FILE:
            _patiently(lambda: self._own.write(name, b"".join(parts)))

    def end(self) -> None:
        """Bring what the attempt has made to the address, and take it from this machine.

        Raises:
            RemoteError: the storage does not answer; the files stay here.
        """
        names = [path.name for path in self.folder.iterdir() if not path.name.startswith(".")]
        kept = sorted(name for name in names if name != RESUME_FILE)
        _patiently(lambda: self._own.upload(self.folder, kept))
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def files_brought(study: Study, stream: EventStream, folder: StudyFolder, halt: Halt) -> Iterator[str | None]:
    """Bring the files of trials that end during the block into the study's folder, where workers do not see that.

    Yields:
        the study's address for its workers; None where they see the folder.

    Args:
        study: the study.
        stream: its events; it has begun.
        folder: its folder.
        halt: set where some cannot be brought, so that the study does not count as finished without them.
    """
    checkpoints, started = study.config.cluster.checkpoints, stream.record.started
    if checkpoints is None or started is None:
        yield None
        return
    address = study_address(checkpoints, study.config.run.name, started)
    home = _Homecoming(RemoteFolder(address), folder, stream.record)
    stream.subscribe(home)
    try:
        yield address
    finally:
        try:
            home.close()
        except RequestError as error:
            halt.because(f"cluster.checkpoints: {error}; files of some trials are still there")


class _Homecoming:
    """Brings files of trials while the driver goes on: a subscriber of the study's events."""

    def __init__(self, study: RemoteFolder, folder: StudyFolder, record: StudyRecord) -> None:
        self._study = study
        self._folder = folder
        self._record = record
        self._pool = ThreadPoolExecutor(AT_A_TIME)

    def __call__(self, event: Event) -> None:
        """Begin to bring the files of a trial that has come to its end."""
        if isinstance(event, TrialFinished):
            self._pool.submit(self._bring_later, event.trial_id)

    def close(self) -> None:
        """Wait, and bring what is left: files of trials that failed or were stopped, or could not be brought before.

        Raises:
            RequestError: the first of what could not be brought; all others have been tried.
        """
        self._pool.shutdown()
        errors = []
        for trial_id in sorted({file.name.partition("/")[0] for file in self._study.files()}):
            try:
                self._bring(trial_id)
            except RequestError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _bring_later(self, trial_id: str) -> None:
        with suppress(RequestError, OSError):  # `close` brings it, or says why not
            self._bring(trial_id)

    def _bring(self, trial_id: str) -> None:
        """Logs of all attempts; of other files those of the attempt that counts, whichever came last.

        What a trial without a result left stays at the address, too: it can go on from there.
        """
        trial, record = self._study / trial_id, self._record.trials.get(trial_id)
        counts = record.started.attempt if record else 0
        by_attempt: dict[int, list[str]] = defaultdict(list)
        for file in trial.files():
            number, _, name = file.name.partition("/")
            wanted = name.endswith(".log") or (number == str(counts) and name != RESUME_FILE)
            if number.isdigit() and wanted:
                by_attempt[int(number)].append(name)
        for attempt, names in sorted(by_attempt.items()):
            (trial / str(attempt)).download(names, self._folder.trial(trial_id))
        if record is None or record.has_result:
            trial.remove()
