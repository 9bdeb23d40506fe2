"""Optuna, asked for the nuisance points of one cell and block, and told what came of them."""

from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from actsweep.study.space import Dimension, Value

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
        points: the points to try first, in this order.
        learned: how many points follow that Optuna's tree-structured Parzen estimator chooses, one after the other.
        seed: of that estimator.
    """

    def __init__(
        self, space: Sequence[Dimension], points: Sequence[Mapping[str, Value]], learned: int = 0, seed: int = 0
    ) -> None:
        sampler: BaseSampler = RandomSampler(seed=seed)
        if learned:
            sampler = TPESampler(n_startup_trials=len(points), seed=seed)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._open: dict[int, dict[str, Value]] = {}
        self._given = self._learned = 0
        self.asked = 0
        self.add(space, points)
        self._learned = learned

    def add(self, space: Sequence[Dimension], points: Sequence[Mapping[str, Value]]) -> None:
        """Try more points, after those that are already there, from now on in another space."""
        self._distributions = {dimension.path: distribution(dimension) for dimension in space}
        for point in points:
            self._study.enqueue_trial(dict(point))
        self._given += len(points)

    def ask(self) -> tuple[int, dict[str, Value]] | None:
        """The next point with its number; None where all were handed out, or the next depends on those that are out."""
        if not self.ready:
            return None
        if self._given:
            self._given -= 1
        else:
            self._learned -= 1
        self.asked += 1
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
    def ready(self) -> int:
        """How many points can be asked for now; one that is learned depends on all before it."""
        return self._given or int(bool(self._learned and not self._open))

    @property
    def settled(self) -> bool:
        """Whether every point has been handed out and told."""
        return not (self._given or self._learned or self._open)

    def best(self) -> dict[str, Value] | None:
        """The point of the highest validation accuracy, the earliest of equals; None where all failed."""
        complete = self._study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])
        if not complete:
            return None
        return dict(max(complete, key=lambda trial: (trial.value, -trial.number)).params)
