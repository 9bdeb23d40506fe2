"""From comparisons to a verdict on each claim, with the reason in plain words."""
