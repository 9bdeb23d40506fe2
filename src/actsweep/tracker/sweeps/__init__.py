"""W&B's own sweeps: their files, their making, and anyone's runs."""
