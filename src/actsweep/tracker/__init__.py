"""Mirrors a study into Weights & Biases for review; the only place that knows wandb, and it never slows a study."""

from actsweep.tracker.login import LOGIN_HINT, has_key, require_login
from actsweep.tracker.subscriber import Tracker, TrackerSummary, tracker

__all__ = ["LOGIN_HINT", "Tracker", "TrackerSummary", "has_key", "require_login", "tracker"]
