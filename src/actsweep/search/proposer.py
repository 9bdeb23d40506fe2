"""Optuna, asked for the nuisance points of one cell and block, and told what came of them."""

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from actsweep.space import Dimension, Value

optuna.logging.set_verbosity(optuna.logging.WARNING)


def distribution(dimension: Dimension) -> BaseDistribution:
    """A dimension of the search space in Optuna's words."""
    if dimension.distribution == "choice":
        return CategoricalDistribution(dimension.values)
    if dimension.distribution == "int_uniform":
        return IntDistribution(int(dimension.low), int(dimension.high))
    return FloatDistribution(dimension.low, dimension.high, log=dimension.distribution == "log_uniform")


class Proposer:
    """The tuning of one cell in one block: an Optuna study in memory that maximises validation accuracy.

    Args:
        space: the nuisance dimensions.
        points: the points to try first, in this order; there are no others for a search that is fixed beforehand.
    """

    def __init__(self, space: tuple[Dimension, ...], points: list[dict[str, Value]]) -> None:
        self._study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
        self._distributions = {dimension.path: distribution(dimension) for dimension in space}
        for point in points:
            self._study.enqueue_trial(point)
        self._open: dict[int, dict[str, Value]] = {}
        self._left = len(points)

    def ask(self) -> tuple[int, dict[str, Value]] | None:
        """The next point with its number, or None when all have been handed out."""
        if not self._left:
            return None
        self._left -= 1
        trial = self._study.ask(self._distributions)
        self._open[trial.number] = dict(trial.params)
        return trial.number, dict(trial.params)

    def tell(self, number: int, best_val_acc: float | None) -> None:
        """What came of a point: the trial's best validation accuracy, or None where it failed."""
        del self._open[number]
        if best_val_acc is None:
            self._study.tell(number, state=optuna.trial.TrialState.FAIL)
        else:
            self._study.tell(number, best_val_acc)

    @property
    def settled(self) -> bool:
        """Whether every point has been handed out and told."""
        return not self._left and not self._open

    def best(self) -> dict[str, Value] | None:
        """The point of the highest validation accuracy, the earliest of equals; None where all failed."""
        complete = self._study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
        if not complete:
            return None
        return dict(max(complete, key=lambda trial: (trial.value, -trial.number)).params)
