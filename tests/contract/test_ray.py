"""Ray as `actsweep.cluster` uses it."""

import subprocess
import sys

TWICE = """
from actsweep.cluster import connected
from actsweep.settings import ClusterSettings, ResourceSettings
settings = ClusterSettings(
    name="local", address=None, max_concurrent=None, retries=2, storage=None,
    resources=ResourceSettings(cpu=1.0, gpu=0.0),
)
for _ in range(2):
    with connected(settings) as capacity:
        print(capacity.nodes)
"""


def test_one_process_can_start_a_cluster_of_its_own_again() -> None:
    done = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, timeout=180, check=False)
    assert done.stdout.split() == ["1", "1"], done.stderr
