"""The network that a trial trains, its evaluation, and the probes that look inside it.

activation.py   activation modules by name, and their derivatives
init.py         initial weights
network.py      the convolutional classifier, a LightningModule
build.py        the module that a trial trains
optimizers.py   optimizers by name
schedules.py    the course of the learning rate
length.py       how long a Trainer's training is
normalisation.py    images as they are stored, made what a network is trained on
plugin.py       models and optimizers of plugins
evaluation.py   loss and accuracy over a split
probes.py       gradient norms by layer, saturated and dead units
"""

from actsweep.model.activation import build_activation, derivative, largest_derivative
from actsweep.model.build import build_module
from actsweep.model.evaluation import Evaluation, evaluate, evaluating
from actsweep.model.init import hidden_gain, init_layer, init_network, matched_gain
from actsweep.model.network import Classifier
from actsweep.model.normalisation import Normalisation
from actsweep.model.optimizers import build_optimizer
from actsweep.model.probes import Probe, dead_share, grad_slope, gradient_norms, probe, saturated_share
from actsweep.model.schedules import build_schedule

__all__ = [
    "Classifier",
    "Evaluation",
    "Normalisation",
    "Probe",
    "build_activation",
    "build_module",
    "build_optimizer",
    "build_schedule",
    "dead_share",
    "derivative",
    "evaluate",
    "evaluating",
    "grad_slope",
    "gradient_norms",
    "hidden_gain",
    "init_layer",
    "init_network",
    "largest_derivative",
    "matched_gain",
    "probe",
    "saturated_share",
]
