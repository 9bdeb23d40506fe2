"""Threads that take turns at a process."""

import random
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch

from actsweep.train import turns
from actsweep.train.turns import Turns


def together(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def drawn() -> tuple[float, ...]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002 - the global generator


def seed(number: int) -> None:
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 - the global generator
    torch.manual_seed(number)


@pytest.mark.parametrize("seconds", [0.0, 1e-4, 1e6])
def test_each_draws_what_it_would_draw_alone(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(turns, "TURN_SECONDS", seconds)
    alone: dict[int, list[tuple[float, ...]]] = {}
    for number in range(4):
        seed(number)
        alone[number] = [drawn() for _ in range(200)]
    found: dict[int, list[tuple[float, ...]]] = {number: [] for number in alone}
    waits = Turns()

    def work(number: int) -> None:
        with waits.turn():
            seed(number)
            for _ in range(200):
                found[number].append(drawn())
                waits.pass_on()

    together([lambda number=number: work(number) for number in alone])  # type: ignore[misc]
    assert found == alone


def test_one_at_a_time_and_in_the_order_of_coming(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.0)
    waits, here, order = Turns(), [], []

    def work(number: int) -> None:
        with waits.turn():
            for _ in range(50):
                here.append(number)
                assert here == [number]
                order.append(number)
                here.clear()
                waits.pass_on()

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(3)]
    with waits.turn():  # until all have come
        for came, thread in enumerate(threads, start=1):
            thread.start()
            while len(waits._waiting) < came:
                time.sleep(0.001)
    for thread in threads:
        thread.join(30)
    assert order == [0, 1, 2] * 50


def test_who_fails_gives_its_turn_away() -> None:
    waits, done = Turns(), []

    def fails() -> None:
        with pytest.raises(ValueError, match="no"), waits.turn():
            raise ValueError("no")

    def works() -> None:
        with waits.turn():
            done.append(1)

    together([fails, works, fails, works])
    assert done == [1, 1]


def test_who_is_alone_keeps_its_turn() -> None:
    waits = Turns()
    with waits.turn():
        seed(1)
        waits.pass_on()
        assert drawn() == (seed(1), drawn())[1]
