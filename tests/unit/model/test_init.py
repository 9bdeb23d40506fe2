import math

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

from actsweep.model import (
    build_activation,
    grad_slope,
    gradient_norms,
    hidden_gain,
    init_layer,
    init_network,
    matched_gain,
)
from actsweep.plugins.activations import ACTIVATIONS

SCHEMES = ("torch_default", "xavier", "he", "matched")


def weights(network):
    return [layer.weight for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


def test_matched_gain_of_relu_is_that_of_he():
    assert matched_gain("relu") == pytest.approx(math.sqrt(2), rel=1e-12)


def test_matched_gain_of_leaky_relu_is_the_closed_form():
    assert matched_gain("leaky_relu") == pytest.approx(math.sqrt(2 / (1 + 0.01**2)), rel=1e-12)


def test_matched_gain_of_elu_is_the_closed_form():
    below_zero = math.exp(2) * norm.cdf(-2) - 2 * math.exp(0.5) * norm.cdf(-1) + 0.5
    assert matched_gain("elu") == pytest.approx(1 / math.sqrt(0.5 + below_zero), rel=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_matched_gain_agrees_with_a_fine_sum_over_the_density(activation):
    z = np.linspace(-12, 12, 200_001)
    squares = build_activation(activation)(torch.from_numpy(z)).numpy() ** 2
    assert matched_gain(activation) == pytest.approx(np.trapezoid(squares * norm.pdf(z), z) ** -0.5, rel=1e-5)


@pytest.mark.parametrize(
    ("scheme", "gain", "variance"),
    [("xavier", 1.0, 2 / (9 * 40 + 9 * 60)), ("he", math.sqrt(2), 2 / (9 * 40)), ("matched", 1.5, 2.25 / (9 * 40))],
)
def test_variance_of_a_convolutions_weights(scheme, gain, variance):
    layer = nn.Conv2d(40, 60, kernel_size=3)
    init_layer(layer, scheme, gain)
    assert layer.weight.mean().item() == pytest.approx(0, abs=4 * math.sqrt(variance / layer.weight.numel()))
    assert layer.weight.var().item() == pytest.approx(variance, rel=0.04)
    assert not layer.bias.any()


def test_each_layer_of_a_classifier_has_the_gain_of_its_scheme(classifier):
    expected = {
        "he": [math.sqrt(2), math.sqrt(2), math.sqrt(2), 1.0],
        "matched": [1.0, matched_gain("sigmoid"), matched_gain("sigmoid"), 1.0],
    }
    for scheme, gains in expected.items():
        module = classifier(image_shape=(3, 8, 8), width=32, init=scheme, activation="sigmoid", classes=100)
        measured = [(w.square().mean() * w[0].numel()).sqrt().item() for w in weights(module)]
        assert measured == pytest.approx(gains, rel=0.08)


def test_torch_default_leaves_the_weights_alone():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Linear(2, 2))
    before = [parameter.clone() for parameter in network.parameters()]
    init_network(network, "torch_default", "relu")
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_initial_weights_follow_from_torchs_seed_alone(classifier, scheme):
    first, again, other = (classifier(init=scheme, seed=seed) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(again), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(weights(first), weights(other), strict=True))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("norm_name", ["none", "batch", "group"])
def test_arms_share_their_draws_up_to_the_scale(classifier, scheme, norm_name):
    reference = classifier(init=scheme, activation="relu")
    for activation in ACTIVATIONS:
        arm = classifier(init=scheme, activation=activation, norm=norm_name)
        for a, b in zip(weights(reference), weights(arm), strict=True):
            torch.testing.assert_close(a / a.std(), b / b.std(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_matched_keeps_the_second_moment_of_pre_activations_at_one(activation):
    first, second = nn.Conv2d(3, 512, kernel_size=3), nn.Conv2d(512, 512, kernel_size=3)
    f = build_activation(activation)
    init_network(nn.Sequential(first, f, second), "matched", activation)
    with torch.no_grad():
        z1 = first(torch.randn(8, 3, 10, 10))
        z2 = second(f(z1))
    # What a sigmoid puts out is mostly one constant, so over 512 channels their second moment scatters by 5 %.
    assert z1.square().mean().item() == pytest.approx(1, rel=0.12)
    assert z2.square().mean().item() == pytest.approx(1, rel=0.12)


@pytest.mark.parametrize(
    ("activation", "scheme", "gain", "known"),
    [
        ("relu", "he", None, 1.000),
        ("relu", "xavier", None, 0.707),
        ("relu", "torch_default", None, 0.408),
        ("sigmoid", "xavier", None, 0.2361),
        ("sigmoid", "torch_default", None, 0.1414),
        ("tanh", "xavier", 5 / 3, 1.0999),
    ],
)
def test_gradient_gain_per_layer_of_a_wide_stack_is_the_known_one(activation, scheme, gain, known):
    width, depth, settling = 768, 16, 4
    f = build_activation(activation)
    layers = [nn.Linear(width, width) for _ in range(depth)]
    if scheme != "torch_default":
        for layer in layers:
            init_layer(layer, scheme, gain or hidden_gain(scheme, activation))
    pre_activations, x = [], torch.randn(64, width)
    for layer in layers:
        pre_activations.append(layer(x))
        x = f(pre_activations[-1])
    loss = (x * torch.randn_like(x)).sum()
    norms = gradient_norms(loss, pre_activations[settling:])
    # Over 11 steps between layers the mean gain of a stack this wide scatters by about 1 %.
    assert 10 ** grad_slope(norms) == pytest.approx(known, rel=0.03)
