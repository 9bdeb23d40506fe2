"""Hyperparameter sweeps that give each activation an equal, tuned chance, and honest measures of what comes out."""

__version__ = "0.1.0"
