"""A study that has run, as W&B holds it and shows it."""
