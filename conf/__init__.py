"""Hydra groups; other applications compose them from `pkg://actsweep.conf`."""
