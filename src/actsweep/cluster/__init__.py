"""Where trials run: the only place that starts, finds, or submits to a Ray cluster."""

from actsweep.cluster.connection import Capacity, connected
from actsweep.cluster.jobs import submit_job, wait_for_job

__all__ = ["Capacity", "connected", "submit_job", "wait_for_job"]
