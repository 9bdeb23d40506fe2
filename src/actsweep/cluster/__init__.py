"""Where trials run: the only place that starts, finds, or submits to a Ray cluster."""

from actsweep.cluster.access import access_notes
from actsweep.cluster.admission import require_cluster
from actsweep.cluster.agents import AgentsAsked, run_agents
from actsweep.cluster.connection import OBJECT_STORE_BYTES, Capacity, connected
from actsweep.cluster.jobs import submit_job, wait_for_job
from actsweep.cluster.watch import ended_with_ray

__all__ = [
    "OBJECT_STORE_BYTES",
    "AgentsAsked",
    "Capacity",
    "access_notes",
    "connected",
    "ended_with_ray",
    "require_cluster",
    "run_agents",
    "submit_job",
    "wait_for_job",
]
