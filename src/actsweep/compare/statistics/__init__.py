"""Estimates, intervals and tests over plain arrays, which know nothing of studies."""
