"""Benchmarks: each module measures one thing side by side; `python -m bench` prints and keeps the figures."""
