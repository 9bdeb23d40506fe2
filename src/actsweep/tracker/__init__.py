"""Mirrors a study into Weights & Biases for review; the only place that knows wandb, and it never slows a study."""

from actsweep.tracker.alone import AgentsRun, agents_run
from actsweep.tracker.login import LOGIN_HINT, has_key, require_login
from actsweep.tracker.publish import Published, publish
from actsweep.tracker.subscriber import Tracker, TrackerSummary, tracker
from actsweep.tracker.sweep_file import agents_sweep, sweep_text

__all__ = [
    "LOGIN_HINT",
    "AgentsRun",
    "Published",
    "Tracker",
    "TrackerSummary",
    "agents_run",
    "agents_sweep",
    "has_key",
    "publish",
    "require_login",
    "sweep_text",
    "tracker",
]
