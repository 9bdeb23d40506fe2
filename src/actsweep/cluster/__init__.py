"""Where trials run: the only place that starts, finds, or submits to a Ray cluster."""

from actsweep.cluster.access import access_notes
from actsweep.cluster.admission import is_job_server, require_cluster
from actsweep.cluster.agents import AgentsAsked, run_agents
from actsweep.cluster.connection import Capacity, connected
from actsweep.cluster.jobs import Job, JobAsked, JobServer
from actsweep.cluster.nodes import Node, asked_nodes, check_nodes, cluster_resources, refuse_node
from actsweep.cluster.request import shown, worker_options, worker_request
from actsweep.cluster.room import told_when_full
from actsweep.cluster.staging import CONFIG as STAGED_CONFIG
from actsweep.cluster.watch import ended_with_ray

__all__ = [
    "STAGED_CONFIG",
    "AgentsAsked",
    "Capacity",
    "Job",
    "JobAsked",
    "JobServer",
    "Node",
    "access_notes",
    "asked_nodes",
    "check_nodes",
    "cluster_resources",
    "connected",
    "ended_with_ray",
    "is_job_server",
    "refuse_node",
    "require_cluster",
    "run_agents",
    "shown",
    "told_when_full",
    "worker_options",
    "worker_request",
]
