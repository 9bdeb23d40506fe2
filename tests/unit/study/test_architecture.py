"""The layers of the network as plain values; `tests/unit/model` holds them against the network itself."""

from collections.abc import Callable

import pytest

from actsweep.settings import ModelSettings, StudyConfig
from actsweep.study.architecture import features, stages, weights_bytes

DIGITS, PHOTOS = (1, 8, 8), (3, 32, 32)


@pytest.fixture
def model(compose: Callable[..., StudyConfig]) -> Callable[..., ModelSettings]:
    return lambda **changes: compose("experiment=smoke").model.model_copy(update={"width": 4, **changes})


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (1, [[(3, 4)], [], []]),
        (2, [[(3, 4)], [(4, 8)], []]),
        (3, [[(3, 4)], [(4, 8)], [(8, 16)]]),
        (5, [[(3, 4), (4, 4)], [(4, 8), (8, 8)], [(8, 16)]]),
    ],
)
def test_convolutions_are_spread_over_three_stages_earlier_ones_first_each_twice_as_wide(
    model: Callable[..., ModelSettings], depth: int, expected: list[list[tuple[int, int]]]
) -> None:
    assert stages(model(depth=depth), channels=3) == expected


def test_each_stage_halves_the_image_and_the_widest_leaves_the_features(model: Callable[..., ModelSettings]) -> None:
    assert features(model(depth=3), DIGITS) == 16 * 1 * 1
    assert features(model(depth=3), PHOTOS) == 16 * 4 * 4
    assert features(model(depth=2), PHOTOS) == 8 * 4 * 4


@pytest.mark.parametrize(("norm", "of_norm"), [("none", 0), ("group", 4 * 2 * 12), ("batch", 4 * 4 * 12 + 8 * 2)])
def test_bytes_are_those_of_kernels_biases_norms_and_the_linear_layer(
    model: Callable[..., ModelSettings], norm: str, of_norm: int
) -> None:
    kernels = 9 * 1 * 4 + 4 + 9 * 4 * 8 + 8
    linear = (8 + 1) * 10
    assert weights_bytes(model(depth=2, norm=norm), DIGITS, classes=10) == 4 * (kernels + linear) + of_norm
