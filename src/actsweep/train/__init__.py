"""One trial: from its configuration and data to its curve; the only place with a Lightning Trainer.

loop.py         `train`, and what a trial starts from
epoch.py        the training steps of an epoch
epoch_loop.py   the same in Lightning's Trainer
graph.py        training steps as CUDA graphs
recorder.py     the measurements before, between and after the epochs
stopwatch.py    exclusive training time
randomness.py   the states of all random generators
turns.py        several trials in one process, each in its turn
cost.py         what a step costs by itself
checkpoint.py   the checkpoint that a trial goes on from, and the weights that stay
"""

from actsweep.train.loop import clean_state, train
from actsweep.train.turns import TURNS

__all__ = ["TURNS", "clean_state", "train"]
