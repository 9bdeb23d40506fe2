"""Running a study's trials: Optuna proposes, Ray Tune schedules, and each event goes to the stream as it happens.

`EqualPoints` and `GroupedScheduler` need no study: they are for any `ray.tune.Tuner`.
"""

from actsweep.search.cost import measure_costs
from actsweep.search.mirror import Mirror
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.search.run import drop_resume_checkpoint, run_trials
from actsweep.search.tune.equal_points import EqualPoints
from actsweep.search.tune.grouped import GroupedScheduler

__all__ = [
    "EqualPoints",
    "GroupedScheduler",
    "Mirror",
    "Outcome",
    "TrialQueue",
    "drop_resume_checkpoint",
    "measure_costs",
    "run_trials",
]
