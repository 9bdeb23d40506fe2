"""What a worker asks of a cluster, and nodes on which it never fits."""

from typing import Any

import pytest
from pydantic import ValidationError

from actsweep.cluster.connection import Capacity, _capacity
from actsweep.cluster.request import shown, worker_options, worker_request
from actsweep.errors import RequestError
from actsweep.settings import ResourceSettings

SMALL = {"CPU": 4.0, "memory": 8 * 2.0**30, "node:10.0.0.5": 1.0}
LARGE = {"CPU": 16.0, "GPU": 2.0, "memory": 64 * 2.0**30, "fast_disk": 1.0}


def asks(**amounts: Any) -> ResourceSettings:
    return ResourceSettings(**{"cpu": 1.0, "gpu": 0.0, **amounts})


def test_a_request_names_only_what_is_asked_for() -> None:
    assert worker_request(asks()) == {"CPU": 1.0}
    everything = asks(gpu=0.25, memory=2.0, custom={"fast_disk": 0.5})
    assert worker_request(everything) == {"CPU": 1.0, "GPU": 0.25, "memory": 2.0 * 2**30, "fast_disk": 0.5}
    assert shown(worker_request(everything)) == "1 CPU and 0.25 GPU and 2 GiB of memory and 0.5 fast_disk"


def test_a_task_asks_for_the_same_in_its_own_words() -> None:
    everything = asks(gpu=0.25, memory=2.0, custom={"fast_disk": 0.5})
    named = {"num_cpus": 1.0, "num_gpus": 0.25, "memory": 2.0 * 2**30, "resources": {"fast_disk": 0.5}}
    assert worker_options(everything) == named
    assert worker_options(asks()) == {"num_cpus": 1.0, "num_gpus": 0.0, "memory": None, "resources": {}}


@pytest.mark.parametrize(("share", "whole"), [(0.25, 1.0), (1.0, 1.0), (2.0, 2.0)])
def test_a_share_of_a_gpu_becomes_all_of_it(share: float, whole: float) -> None:
    assert worker_request(asks(gpu=share), whole_gpu=True)["GPU"] == whole


def test_without_a_gpu_there_is_none_to_have_alone() -> None:
    assert worker_request(asks(), whole_gpu=True) == {"CPU": 1.0}


@pytest.mark.parametrize(
    ("amounts", "slots"),
    [
        ({}, 20),
        ({"gpu": 0.25}, 8),
        ({"memory": 4.0}, 18),
        ({"cpu": 0.5, "custom": {"fast_disk": 0.1}}, 10),
    ],
)
def test_room_is_what_every_node_has_of_the_scarcest(amounts: dict[str, Any], slots: int) -> None:
    assert _capacity(asks(**amounts), [SMALL, LARGE]) == Capacity(2, slots)


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ({"gpu": 4}, "each asks 1 CPU and 4 GPU; the most that a node has is 16 CPU and 2 GPU"),
        ({"memory": 100}, "1 CPU and 100 GiB of memory; the most that a node has is 16 CPU and 64 GiB of memory"),
        ({"custom": {"fast_dsik": 1}}, "1 CPU and 1 fast_dsik; the most that a node has is 16 CPU and 0 fast_dsik"),
    ],
)
def test_what_no_node_has_is_refused_with_both_figures(amounts: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        _capacity(asks(**amounts), [SMALL, LARGE])


@pytest.mark.parametrize(
    ("amounts", "said"),
    [
        ({"gpu": 1.5}, "above 1 it must be a whole number of GPUs"),
        ({"custom": {"GPU": 1}}, "'GPU' is no name for a resource of one's own"),
        ({"custom": {"fast_disk": 0}}, "fast_disk=0: must be a share below 1, or a whole number"),
        ({"custom": {"fast_disk": 1.5}}, "fast_disk=1.5: must be a share below 1, or a whole number"),
        ({"memory": 0}, "greater than 0"),
    ],
)
def test_amounts_that_ray_would_not_take_are_refused(amounts: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        asks(**amounts)
