"""What a sweep would run, and what that would take, from a short probe on this machine."""

from actsweep.run.plan.plan import Plan, concurrency, make_plan
from actsweep.run.plan.show import plan_tables

__all__ = ["Plan", "concurrency", "make_plan", "plan_tables"]
