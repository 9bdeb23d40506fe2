import math
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from actsweep.model import dead_share, grad_slope, gradient_norms, probe, saturated_share
from actsweep.plugins.activations import ACTIVATIONS

IMAGES = (16, 1, 8, 8)


@pytest.fixture
def batch():
    return torch.randn(IMAGES), torch.arange(IMAGES[0]) % 10


@pytest.mark.parametrize("norm", ["none", "batch", "group"])
def test_gradient_norms_are_those_of_autograd_by_hand(classifier, batch, norm):
    module = classifier(depth=5, activation="tanh", norm=norm)
    module.eval()
    x, inputs = batch[0], []
    for layer in module.network:
        if isinstance(layer, nn.Tanh):
            x.retain_grad()
            inputs.append(x)
        x = layer(x)
    functional.cross_entropy(x, batch[1]).backward()
    expected = [z.grad.square().sum().sqrt().item() for z in inputs]
    assert probe(module, *batch).grad_norms == pytest.approx(expected, rel=1e-5)


def test_gradient_norms_are_those_of_finite_differences(classifier):
    module = classifier(depth=3, width=1, activation="silu").double()
    images, labels = torch.randn(1, 1, 8, 8, dtype=torch.float64), torch.tensor([3])
    step = 1e-6
    expected = []
    for layer in module.activations:
        sizes = []
        with layer.register_forward_pre_hook(lambda _, args, sizes=sizes: sizes.append(args[0].shape)):
            module(images)
        squares = 0.0
        for index in range(sizes[0].numel()):
            shift = torch.zeros(sizes[0].numel(), dtype=torch.float64)
            shift[index] = step
            shift = shift.reshape(sizes[0])
            losses = []
            for sign in (1, -1):
                with layer.register_forward_pre_hook(lambda _, args, by=sign * shift: args[0] + by), torch.no_grad():
                    losses.append(functional.cross_entropy(module(images), labels).item())
            squares += ((losses[0] - losses[1]) / (2 * step)) ** 2
        expected.append(math.sqrt(squares))
    assert probe(module, images, labels).grad_norms == pytest.approx(expected, rel=1e-6)


def test_norms_of_gradients_below_the_square_root_of_float32_are_not_lost():
    z = torch.ones(4, requires_grad=True)
    assert gradient_norms((1e-30 * z).sum(), [z]) == pytest.approx([2e-30], rel=1e-6, abs=0)


def test_slope_is_in_decades_per_layer_and_negative_where_gradients_vanish_towards_the_input():
    assert grad_slope([1e-4, 1e-3, 1e-2, 1e-1]) == pytest.approx(-1)
    assert grad_slope([4, 2, 1]) == pytest.approx(math.log10(2))


def test_slope_is_the_least_squares_line():
    norms = [0.3, 0.1, 0.25, 0.9, 0.4]
    from_output = np.log10(norms[::-1])
    assert grad_slope(norms) == pytest.approx(np.polyfit(np.arange(5), from_output, 1)[0])


@pytest.mark.parametrize("norms", [[], [1.0], [0.0, 1.0], [math.nan, 1.0], [1.0, math.inf]])
def test_no_slope_where_there_is_none(norms):
    assert grad_slope(norms) is None


def test_saturated_is_where_the_derivative_is_at_most_a_tenth_of_the_largest():
    # tanh' = 1 - tanh^2 reaches 0.1 at artanh(sqrt(0.9)); sigmoid'(z) = tanh'(z / 2) / 4.
    edge = math.atanh(math.sqrt(0.9))
    first = torch.tensor([0.0, edge - 0.01, edge + 0.01, -edge - 0.01])
    second = torch.tensor([[5.0], [-5.0]])
    assert saturated_share("tanh", [first, second]) == pytest.approx((0.5 + 1) / 2)
    assert saturated_share("sigmoid", [2 * first, 2 * second]) == pytest.approx((0.5 + 1) / 2)


def test_a_channel_is_dead_if_it_exceeds_zero_nowhere_on_the_batch():
    first, second = -torch.ones(2, 3, 4, 4), torch.ones(2, 1, 2, 2)
    first[1, 2, 3, 0] = 0.5
    first[:, 1] = 0
    assert dead_share([first, second]) == pytest.approx(2 / 4)


def test_shares_are_none_where_a_pre_activation_is_nan():
    bad = torch.full((1, 1, 2, 2), math.nan)
    assert saturated_share("tanh", [torch.ones(1, 1, 2, 2), bad]) is None
    assert dead_share([torch.ones(1, 1, 2, 2), bad]) is None


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_shares_are_given_for_the_activations_that_they_are_about(classifier, batch, name):
    result = probe(classifier(activation=name), *batch)
    assert (result.saturated is not None) == ACTIVATIONS[name].bounded
    assert (result.dead is not None) == ACTIVATIONS[name].rectifier
    assert len(result.grad_norms) == 3
    assert result.grad_slope == grad_slope(result.grad_norms)


def test_a_channel_switched_off_shows_as_dead(classifier, batch):
    module = classifier(width=4)
    before = probe(module, *batch).dead
    module.network.conv2.bias.data[5] = -1e3
    channels = 4 + 8 + 16
    assert probe(module, *batch).dead == pytest.approx(before + 1 / channels)


def test_large_weights_saturate(classifier, batch):
    module = classifier(activation="tanh", init="xavier")
    assert probe(module, *batch).saturated < 0.2
    for layer in module.network:
        if isinstance(layer, nn.Conv2d):
            layer.weight.data *= 100
    assert probe(module, *batch).saturated > 0.8


def test_one_convolution_has_no_slope(classifier, batch):
    result = probe(classifier(depth=1), *batch)
    assert result.grad_slope is None
    assert result.grad_norms[0] > 0


def test_a_network_that_diverged_has_no_slope_and_no_shares(classifier, batch):
    module = classifier()
    module.network.conv1.weight.data.fill_(math.nan)
    result = probe(module, *batch)
    assert (result.grad_slope, result.dead) == (None, None)


def test_gradients_of_a_sigmoid_vanish_faster_than_those_of_a_relu(classifier, batch):
    slopes = [probe(classifier(depth=9, width=16, activation=f), *batch).grad_slope for f in ("relu", "sigmoid")]
    assert slopes[1] - slopes[0] < -0.15


def test_a_probe_leaves_no_trace(classifier, batch):
    module = classifier(norm="batch", dropout=0.5)
    module.network.norm2.eval()
    module.loss(batch).backward()

    def state():
        # numpy's legacy generator is global, hence a trace that code could leave.
        return (
            {name: value.tolist() for name, value in module.state_dict().items()},
            [parameter.grad.tolist() for parameter in module.parameters()],
            {name: part.training for name, part in module.named_modules()},
            [len(part._forward_pre_hooks) for part in module.modules()],
            torch.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
            random.getstate(),
        )

    before = state()
    with torch.no_grad():
        probe(module, *batch)
    assert state() == before
