"""Running a study's trials: Optuna proposes, Ray Tune schedules, and each event goes to the stream as it happens.

`GroupedScheduler` needs no study: it is for any `ray.tune.Tuner`.
"""

from actsweep.search.cost import measure_costs
from actsweep.search.grouped import GroupedScheduler
from actsweep.search.mirror import Mirror
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.search.run import drop_resume_checkpoint, run_trials

__all__ = [
    "GroupedScheduler",
    "Mirror",
    "Outcome",
    "TrialQueue",
    "drop_resume_checkpoint",
    "measure_costs",
    "run_trials",
]
