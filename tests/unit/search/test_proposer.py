from actsweep.search.proposer import Proposer
from actsweep.study.space import Dimension

SPACE = (Dimension("lr", "log_uniform", 1e-4, 1e-1), Dimension("norm", "choice", values=("none", "batch")))
POINTS = [{"lr": lr, "norm": norm} for lr, norm in ((0.001, "none"), (0.1, "batch"), (0.0001, "none"))]


def proposer() -> Proposer:
    return Proposer(SPACE, POINTS)  # type: ignore[arg-type]


def test_points_come_in_order_and_unchanged() -> None:
    asked = proposer()
    assert [asked.ask() for _ in range(4)] == [*enumerate(POINTS), None]


def test_the_best_point_is_that_of_the_highest_accuracy() -> None:
    asked = proposer()
    for accuracy in (0.3, 0.9, 0.5):
        number, _ = asked.ask() or (0, {})
        asked.tell(number, accuracy)
    assert asked.best() == POINTS[1]


def test_of_equal_points_the_earliest_is_best_whatever_came_back_first() -> None:
    asked = proposer()
    numbers = [number for number, _ in (asked.ask(), asked.ask(), asked.ask())]  # type: ignore[misc]
    for number in reversed(numbers):
        asked.tell(number, 0.5)
    assert asked.best() == POINTS[0]


def test_failed_points_are_never_best() -> None:
    asked = proposer()
    for accuracy in (None, 0.1, None):
        number, _ = asked.ask() or (0, {})
        asked.tell(number, accuracy)
    assert asked.settled
    assert asked.best() == POINTS[1]


def test_where_all_failed_nothing_is_best() -> None:
    asked = proposer()
    for _ in POINTS:
        number, _point = asked.ask() or (0, {})
        asked.tell(number, None)
    assert asked.best() is None


def test_a_block_is_settled_when_every_point_came_back() -> None:
    asked = proposer()
    numbers = [number for number, _ in (asked.ask(), asked.ask(), asked.ask())]  # type: ignore[misc]
    for number in numbers:
        assert not asked.settled
        asked.tell(number, 0.5)
    assert asked.settled
