"""Three trials that fail alike end a cell, unless it has shown that it can do better."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actsweep.events import CellGivenUp, Event, TrialFinished, TrialStarted
from actsweep.records import EventStream, Ledger
from actsweep.search.giving_up import GivingUp
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial

MESSAGE = "ValueError: 7 is not 8"


class Case:
    """A study of two strata, and who is told of its failures."""

    def __init__(self, study: Study, ledger: Ledger) -> None:
        self.study = study
        self.events: list[Event] = []
        self.stream = EventStream(ledger, [self.events.append])
        self.giving_up = GivingUp(study, self.stream)

    def trial(self, label: str, lr: float = 0.1) -> Trial:
        (cell,) = (cell for cell in self.study.cells if cell.label == label)
        return self.study.tune_trial(cell, 0, {"optimizer.lr": lr})

    def fail(self, label: str, *messages: str) -> list[CellGivenUp]:
        before = len(self.events)
        for message in messages or [MESSAGE] * 3:
            self.giving_up.failed(self.trial(label), message)
        return [event for event in self.events[before:] if isinstance(event, CellGivenUp)]


@pytest.fixture
def case(compose: Callable[..., StudyConfig], tmp_path: Path) -> Iterator[Case]:
    words = ("study.scientific.model.activation=[relu,tanh,sigmoid]", "+study.scientific.model.depth=[2,3]")
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        yield Case(Study(compose("experiment=smoke", *words)), ledger)


def test_the_third_failure_of_a_kind_ends_its_cell_and_no_other(case: Case) -> None:
    assert case.fail("tanh/3", MESSAGE, MESSAGE) == []
    (given_up,) = case.fail("tanh/3", MESSAGE)
    assert (given_up.cell, given_up.failures) == ({"model.activation": "tanh", "model.depth": 3}, 3)
    assert given_up.message == MESSAGE
    assert case.giving_up.skips(case.trial("tanh/3", lr=0.5))
    assert not case.giving_up.skips(case.trial("tanh/2"))
    assert not case.giving_up.skips(case.trial("relu/3"))


def test_numbers_ids_and_addresses_in_a_message_make_no_difference(case: Case) -> None:
    said = [f"<Model at 0x7f{n}a> has {n} inputs in trial {n}bcdef012345" for n in range(3)]
    assert len(case.fail("tanh/3", *said)) == 1


def test_other_failures_and_those_of_other_cells_do_not_count(case: Case) -> None:
    assert case.fail("tanh/3", MESSAGE, "KeyError: 'x'", MESSAGE, "KeyError: 'y'") == []
    assert case.fail("tanh/2", MESSAGE) == []


def test_a_cell_is_given_up_once(case: Case) -> None:
    assert len(case.fail("tanh/3", *[MESSAGE] * 6)) == 1


def test_a_cell_that_has_a_result_is_not_given_up(case: Case) -> None:
    trial = case.trial("tanh/3")
    settings = trial.cell.values, trial.nuisance
    case.stream(TrialStarted(trial.trial_id, 1, "tune", 0, trial.config.seed, *settings, 0.0))
    case.stream(TrialFinished(trial.trial_id, 1, "diverged", {}, 1.0))
    assert case.fail("tanh/3") == []
    assert len(case.fail("tanh/2")) == 1


def test_nothing_more_begins_where_no_stratum_has_anything_left_to_compare(case: Case) -> None:
    case.fail("relu/2")
    assert not case.giving_up.skips(case.trial("tanh/2"))  # the other depth is still compared
    case.fail("tanh/3")
    assert not case.giving_up.skips(case.trial("relu/3"))
    case.fail("sigmoid/3")
    assert case.giving_up.skips(case.trial("relu/3"))
    assert case.giving_up.skips(case.trial("tanh/2"))
