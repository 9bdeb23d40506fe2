"""A worker whose trial hangs."""

import subprocess
import sys
from pathlib import Path

HANGING = """
import sys, time
from pathlib import Path
from actsweep.records import Attempt
from actsweep.worker import hung
hung.worker_seconds = lambda limit: limit
attempt = Attempt(Path(sys.argv[1]))
with hung.ended_when_hung(0.2, attempt):
    pass
with hung.ended_when_hung(None, attempt):
    time.sleep(0.5)
later = Attempt(Path(sys.argv[1]), 2)
with hung.ended_when_hung(100, later), hung.ended_when_hung(0.2, attempt), hung.ended_when_hung(200, later):
    time.sleep(60)
"""


def test_a_worker_that_hangs_ends_itself_and_says_where(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HANGING, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 1
    assert 'File "<string>", line 14 in <module>' in (tmp_path / "attempt-1.log").read_text()
