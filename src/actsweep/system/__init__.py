"""The machine that a process runs on: processors, memory, GPUs, signals, and the wish to end."""
