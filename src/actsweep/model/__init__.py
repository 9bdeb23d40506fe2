"""The network that a trial trains, its evaluation, and the probes that look inside it.

activation.py   activation modules by name, and their derivatives
init.py         initial weights
network.py      the convolutional classifier, a LightningModule
evaluation.py   loss and accuracy over a split
probes.py       gradient norms by layer, saturated and dead units
"""

from actsweep.model.activation import build_activation, derivative, largest_derivative
from actsweep.model.evaluation import Evaluation, evaluate, evaluating
from actsweep.model.init import hidden_gain, init_layer, init_network, matched_gain
from actsweep.model.network import Classifier
from actsweep.model.probes import Probe, dead_share, grad_slope, gradient_norms, probe, saturated_share

__all__ = [
    "Classifier",
    "Evaluation",
    "Probe",
    "build_activation",
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
