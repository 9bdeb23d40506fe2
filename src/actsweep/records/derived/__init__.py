"""What follows from a study's records alone: what stopping cost, what mattered, what was given up, how to repeat it."""
