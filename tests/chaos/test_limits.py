"""Too few file handles, and too little memory, from too little to start up to barely enough."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chaos.evidence import FOLDER, STUDY, Command, check_like, outcome_of, resume
from processes import count, start

GIB = 2**20  # in the kilobytes of `ulimit -v`


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize(
    "limit", ["-n 40", "-n 200", *(f"-v {int(GIB * size)}" for size in (0.0625, 2, 3, 4, 5, 8, 16))]
)
def test_a_study_that_is_starved_ends_well_or_says_why_not(
    limit: str,
    actsweep: Command,
    undisturbed: Path,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    folder = tmp_path / FOLDER
    running = start(tmp_path, "sweep", *STUDY, before=("sh", "-c", f'ulimit {limit}; exec "$@"', "sh"))
    code, errors = outcome_of(running, 300)
    record_property("ended with", code)
    record_property("said", errors)
    assert code in (0, 1, 2, 130)
    if code:
        assert errors.startswith("actsweep: ")
        assert errors.count("\n") == 1
    if count(folder, "study_started"):
        resume(actsweep, folder)
        check_like(folder, undisturbed)
