"""Where trials run: the only place that starts, finds, or submits to a Ray cluster."""

from actsweep.cluster.access import access_notes
from actsweep.cluster.admission import require_cluster
from actsweep.cluster.agents import AgentsAsked, run_agents
from actsweep.cluster.connection import OBJECT_STORE_BYTES, Capacity, connected
from actsweep.cluster.jobs import Job, JobAsked, JobServer
from actsweep.cluster.nodes import check_nodes
from actsweep.cluster.staging import CONFIG as STAGED_CONFIG
from actsweep.cluster.watch import ended_with_ray

__all__ = [
    "OBJECT_STORE_BYTES",
    "STAGED_CONFIG",
    "AgentsAsked",
    "Capacity",
    "Job",
    "JobAsked",
    "JobServer",
    "access_notes",
    "check_nodes",
    "connected",
    "ended_with_ray",
    "require_cluster",
    "run_agents",
]
