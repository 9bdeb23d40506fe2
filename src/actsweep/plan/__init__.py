"""What a sweep would run, and what that would take, from a short probe on this machine."""

from actsweep.plan.disk import free_bytes, refuse_small_disk
from actsweep.plan.plan import Plan, concurrency, make_plan
from actsweep.plan.show import plan_tables

__all__ = ["Plan", "concurrency", "free_bytes", "make_plan", "plan_tables", "refuse_small_disk"]
