"""Activations, models and optimizers of plugins, as a trial builds them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

import actsweep
from actsweep.errors import RequestError
from actsweep.model import build_activation, derivative, largest_derivative, matched_gain, saturated_share
from actsweep.model.plugin import plugin_network, plugin_optimizer
from actsweep.settings import ModelSettings, validated

pytestmark = pytest.mark.usefixtures("clean_registries")
MODEL = {"activation": "relu", "depth": 3, "width": 8, "init": "he", "norm": "none", "dropout": 0.0}


class Leaning(nn.Module):
    """z (1 + a) with a trainable a of 1, in float32."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.ones(()))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return z * (1 + self.slope)


def settings(name: str) -> ModelSettings:
    return validated(ModelSettings, {**MODEL, "name": name})


# Activations.


def test_an_activation_of_a_plugin_is_built_anew_each_time() -> None:
    actsweep.register_activation("leaning")(Leaning)
    assert isinstance(actsweep.build_activation("leaning"), Leaning)
    assert build_activation("leaning") is not build_activation("leaning")


def test_the_probes_derivatives_of_a_plugins_activation_are_autograds() -> None:
    actsweep.register_activation("softsign", bounded=True)(nn.Softsign)
    z = torch.tensor([-1.0, 0.0, 3.0])
    torch.testing.assert_close(derivative("softsign", z), 1 / (1 + z.abs()) ** 2)
    assert largest_derivative("softsign") == pytest.approx(1.0)
    # |f'| <= 0.1 from |z| = sqrt(10) - 1 on.
    edge = 10**0.5 - 1
    assert saturated_share("softsign", [torch.tensor([edge - 0.01, edge + 0.01, -edge - 0.01, 0.0])]) == 0.5


def test_a_largest_derivative_that_is_declared_is_believed() -> None:
    actsweep.register_activation("declared", bounded=True, largest_derivative=3.5)(nn.Tanh)
    assert largest_derivative("declared") == 3.5


def test_an_activation_that_differs_in_training_is_probed_as_in_evaluation() -> None:
    actsweep.register_activation("noisy")(nn.RReLU)
    z = torch.full((1000,), -1.0)
    assert derivative("noisy", z).unique().tolist() == pytest.approx([(1 / 8 + 1 / 3) / 2])


def test_the_matched_gain_of_a_trainable_activation_is_that_of_its_start() -> None:
    actsweep.register_activation("leaning_gain")(Leaning)
    assert matched_gain("leaning_gain") == pytest.approx(0.5)


def test_what_is_no_module_is_refused() -> None:
    actsweep.register_activation("function")(lambda: torch.tanh)
    with pytest.raises(
        RequestError, match=r"^the activation 'function' of a plugin is no torch.nn.Module but <built-in"
    ):
        build_activation("function")


def test_an_activation_leaves_what_it_reads_alone() -> None:
    actsweep.register_activation("in_place")(lambda: nn.ReLU6(inplace=True))
    with pytest.raises(RequestError, match=r"^the activation 'in_place' of a plugin works in place"):
        build_activation("in_place")


def test_a_bounded_activation_keeps_its_shape() -> None:
    actsweep.register_activation("moving", bounded=True)(Leaning)
    with pytest.raises(RequestError, match=r"'moving' of a plugin is declared bounded and has trainable parameters"):
        build_activation("moving")


# Models.


def small(answer: Callable[[torch.Tensor], Any]) -> Callable[..., nn.Module]:
    class Answer(nn.Module):
        def forward(self, images: torch.Tensor) -> Any:
            return answer(images)

    return lambda model, image_shape, classes: Answer()


def test_a_model_is_told_the_settings_the_shape_and_the_classes() -> None:
    told: list[Any] = []

    def build(model: ModelSettings, image_shape: tuple[int, int, int], classes: int) -> nn.Module:
        told.extend([model.width, image_shape, classes])
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(classes), nn.BatchNorm1d(classes))

    actsweep.register_model("lazy")(build)
    network = plugin_network(settings("lazy"), (1, 8, 8), 4)
    assert told == [8, (1, 8, 8), 4]
    assert [parameter.shape[0] for parameter in network.parameters()] == [4] * 4
    assert network.training
    assert network[2].num_batches_tracked == 0


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda images: images, "a tensor of shape (2, 1, 8, 8)"),
        (lambda images: images.flatten(1)[:, :3], "a tensor of shape (2, 3)"),
        (lambda images: None, "None"),
    ],
)
def test_a_model_that_gives_no_logits_is_refused(answer: Callable[[torch.Tensor], Any], found: str) -> None:
    actsweep.register_model("wrong")(small(answer))
    with pytest.raises(RequestError) as refusal:
        plugin_network(settings("wrong"), (1, 8, 8), 4)
    assert str(refusal.value) == (
        f"model.name=wrong: for 2 images the plugin's model gives {found}, not logits of shape (2, 4): "
        "one for each of the classes"
    )


def test_a_model_that_is_no_module_is_refused() -> None:
    actsweep.register_model("nothing")(lambda model, image_shape, classes: 3)
    with pytest.raises(RequestError, match=r"^model.name=nothing: the plugin's model is no torch.nn.Module but 3$"):
        plugin_network(settings("nothing"), (1, 8, 8), 4)


# Optimizers.


def test_an_optimizer_that_is_none_is_refused() -> None:
    actsweep.register_optimizer("nothing")(lambda parameters, settings: parameters)
    with pytest.raises(RequestError, match=r"^optimizer.name=nothing: the plugin's optimizer is no torch.optim.Optim"):
        plugin_optimizer([], _named("nothing"))


def _named(name: str) -> Any:
    from types import SimpleNamespace

    return SimpleNamespace(name=name)
