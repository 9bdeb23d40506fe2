"""Mirrors a study into Weights & Biases for review; the only place that knows wandb, and it never slows a study."""

from actsweep.tracker.subscriber import Tracker, TrackerSummary, tracker

__all__ = ["Tracker", "TrackerSummary", "tracker"]
