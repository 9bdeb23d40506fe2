"""What runs on a worker: packs of trials, one or several at a time, each in a thread that the driver hears from.

runner.py          the trainable that Tune makes actors of
images.py          the decoded images, which each node asks for once
remote_trials.py   trials' files at an address, where nodes do not see the study's folder
hung.py            the end of a process whose trial hangs
failures.py        why a trial failed, told from what it raised
"""

from actsweep.worker.failures import reason_of
from actsweep.worker.hung import ended_when_hung, worker_seconds
from actsweep.worker.runner import TrialRunner

__all__ = ["TrialRunner", "ended_when_hung", "reason_of", "worker_seconds"]
