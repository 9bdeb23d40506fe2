"""Trials with their curves, as they are given, to the table of measures that all comparisons start from."""
