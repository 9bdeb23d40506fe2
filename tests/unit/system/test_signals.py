"""What signals do, sent to this process itself."""

import os
import signal
from collections.abc import Iterator

import pytest

from actsweep.system.halt import Halt
from actsweep.system.signals import halting, ignore, interrupting

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Handlers that do nothing, instead of those that would end the tests; none may be lost."""
    before = {number: signal.signal(number, _nothing) for number in NUMBERS}
    yield
    there = [signal.getsignal(number) for number in NUMBERS]
    for number, handler in before.items():
        signal.signal(number, handler)
    assert there == [_nothing] * 3


def _nothing(number: int, frame: object) -> None:
    pass


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_halts_the_second_interrupts_and_further_ones_do_nothing(number: signal.Signals) -> None:
    halt = Halt()
    cleaned = []

    def clean() -> None:
        for again in NUMBERS:
            send(again)
        cleaned.append(True)

    with interrupting():
        with pytest.raises(KeyboardInterrupt), halting(halt):
            try:
                send(number)
                assert halt.is_set()
                send(number)
            finally:
                clean()
        clean()
    assert cleaned == [True, True]
    assert halt.reason is None


def test_without_a_halt_the_first_interrupts() -> None:
    with interrupting():
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGTERM)
        send(signal.SIGTERM)


def test_in_blocks_within_each_other_one_interruption_is_all() -> None:
    with interrupting():
        with pytest.raises(KeyboardInterrupt), interrupting():
            send(signal.SIGINT)
        send(signal.SIGINT)


def test_where_a_handler_of_another_comes_between_it_does_not_come_back() -> None:
    def foreign(number: int, frame: object) -> None:
        pytest.fail("the handler of Ray was called")

    halt = Halt()
    with interrupting():
        signal.signal(signal.SIGTERM, foreign)
        with pytest.raises(KeyboardInterrupt), halting(halt):
            send(signal.SIGTERM)
            send(signal.SIGTERM)
        send(signal.SIGTERM)


def test_who_says_how_to_go_on_is_left_in_peace() -> None:
    with interrupting():
        ignore()
        for number in NUMBERS:
            send(number)
            assert signal.getsignal(number) is signal.SIG_IGN


def test_a_hangup_that_is_ignored_as_by_nohup_stays_so() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    halt = Halt()
    with interrupting(), halting(halt):
        send(signal.SIGHUP)
        assert not halt.is_set()
    assert signal.signal(signal.SIGHUP, before) is signal.SIG_IGN
