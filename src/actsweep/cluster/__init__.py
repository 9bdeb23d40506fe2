"""Where trials run: the only place that starts, finds, or submits to a Ray cluster."""

from actsweep.cluster.connection import OBJECT_STORE_BYTES, Capacity, connected
from actsweep.cluster.jobs import submit_job, wait_for_job
from actsweep.cluster.reach import unreachable

__all__ = ["OBJECT_STORE_BYTES", "Capacity", "connected", "submit_job", "unreachable", "wait_for_job"]
