"""Running a study's trials: Optuna proposes, Ray Tune schedules, and each event goes to the stream as it happens."""

from actsweep.search.cost import measure_costs
from actsweep.search.mirror import Mirror
from actsweep.search.queue import Outcome, TrialQueue
from actsweep.search.run import drop_resume_checkpoint, run_trials

__all__ = ["Mirror", "Outcome", "TrialQueue", "drop_resume_checkpoint", "measure_costs", "run_trials"]
