import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("words", "allowed", "needed"),
    [
        (("list",), 0.5, 1),
        (("train", "experiment=smoke"), 4.5, 5),
        (("plan", "experiment=smoke"), 4.5, 5),
        (("verify", "outputs/smoke"), 4.5, 5),
        (("sweep", "experiment=smoke"), 5.5, 6),
        (("resume", "outputs/smoke"), 5.5, 6),
        (("doctor",), 5.5, 6),
    ],
)
def test_a_command_that_would_lack_address_space_is_refused(
    words: tuple[str, ...], allowed: float, needed: int, tmp_path: Path
) -> None:
    limited = f'ulimit -v {int(allowed * 2**20)}; exec "$@"'
    command = ["sh", "-c", limited, "sh", sys.executable, "-m", "actsweep", *words]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert refused.stderr == (
        f"actsweep: ulimit -v: {allowed:g} GiB of address space are allowed, and {words[0]} needs {needed} GiB; "
        "ulimit -v unlimited lifts the limit\n"
    )
    assert list(tmp_path.iterdir()) == []
