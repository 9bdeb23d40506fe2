import pytest
import torch

from actsweep.model import build_activation, derivative, largest_derivative
from actsweep.plugins.activations import ACTIVATIONS


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivative_is_that_of_finite_differences(name):
    f = build_activation(name)
    z = torch.tensor([[-3.0, -0.7], [0.4, 2.5]], dtype=torch.float64)
    step = 1e-6
    expected = (f(z + step) - f(z - step)) / (2 * step)
    torch.testing.assert_close(derivative(name, z), expected, rtol=1e-6, atol=1e-8)


def test_leaky_relu_leaks_a_hundredth():
    assert build_activation("leaky_relu")(torch.tensor(-1.0)).item() == pytest.approx(-0.01)


@pytest.mark.parametrize(("name", "largest"), [("tanh", 1.0), ("sigmoid", 0.25), ("relu", 1.0)])
def test_largest_derivative_is_the_known_one(name, largest):
    assert largest_derivative(name) == pytest.approx(largest, abs=1e-12)


@pytest.mark.parametrize("name", [name for name, f in ACTIVATIONS.items() if f.bounded])
def test_what_is_registered_as_bounded_is_flat_at_both_ends(name):
    ends = derivative(name, torch.tensor([-20.0, 20.0], dtype=torch.float64))
    assert ends.abs().max() < 1e-6
