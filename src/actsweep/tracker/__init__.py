"""Mirrors a study into Weights & Biases for review; the only place that knows wandb, and it never slows a study.

A study that runs: `subscriber` (the queue and its thread), `recorder` (from events to runs), `study_run` (what it came
to). One that has run: `published/`, with `publish`, and `dashboard` for the views. Both stand on `client` (the door to
wandb), `stored` (what W&B has), `description` and `outcome` (what W&B is told, as plain values). `alone`: the run of a
trial of no study. W&B's own sweeps: `sweeps/`, with their files and anyone's runs, to be analysed.
"""

from actsweep.tracker.alone import LoneRun, lone_run
from actsweep.tracker.login import LOGIN_HINT, has_key, identity, require_login
from actsweep.tracker.outcome import ModelFile, StudyOutcome
from actsweep.tracker.published.publish import Published, publish
from actsweep.tracker.subscriber import Tracker, TrackerSummary, tracker
from actsweep.tracker.sweeps.sweep_file import agents_sweep, sweep_text
from actsweep.tracker.sweeps.sweep_runs import SweepRun, runs_of_sweep

__all__ = [
    "LOGIN_HINT",
    "LoneRun",
    "ModelFile",
    "Published",
    "StudyOutcome",
    "SweepRun",
    "Tracker",
    "TrackerSummary",
    "agents_sweep",
    "has_key",
    "identity",
    "lone_run",
    "publish",
    "require_login",
    "runs_of_sweep",
    "sweep_text",
    "tracker",
]
