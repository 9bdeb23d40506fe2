"""Running a study's trials: points are drawn, or proposed by Optuna; Ray Tune runs them; each event goes to the stream.

queue.py tuning.py points.py proposer.py    which trial is next
run.py tune/    the one fit of Ray Tune, and what Tune asks for
outcomes.py policy.py giving_up.py failures.py    what ends of trials mean
mirror.py mirrored.py    optuna.db
cost.py         what a step costs, measured when nothing else runs

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
