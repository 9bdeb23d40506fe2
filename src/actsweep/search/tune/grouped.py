"""A scheduler for each group of trials by itself, in any Tuner: no group is stopped for being slower than another."""

import copy
from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from actsweep.errors import RequestError
from actsweep.study import in_share

Config = Mapping[str, Any]


class GroupedScheduler(FIFOScheduler):
    """Compares trials within their group only: each group has a scheduler of its own.

    A spared trial counts in its group like any other, until it would be stopped. From then on it goes on unseen, as if
    it had been stopped, so that it changes nothing for the others.

    Trials begin in the order in which they came. Tune keeps no scheduler's state: after `Tuner.restore` those of the
    groups begin anew, as any other does.

    Args:
        scheduler: each group gets a copy of it, such as an `ASHAScheduler`. Its metric and mode may come from
            `TuneConfig`.
        by: a trial's group: a key of its configuration, or a function of that. Trials of the group None are neither
            stopped nor seen by others.
        spared: the trials that are never stopped: a share from 0 to 1 of each group's, spread evenly over the order in
            which they come, or a function of a trial's configuration. They have to end by themselves.

    Attributes:
        stops: by trial id, the result (as a flat dictionary) at which its group's scheduler stopped a trial, or would
            have, had it not been spared.

    Raises:
        RequestError: the scheduler chooses which trial runs next, as HyperBand and population based training do, or
            the share is none.
    """

    def __init__(
        self,
        scheduler: TrialScheduler,
        by: str | Callable[[Config], Hashable],
        spared: float | Callable[[Config], bool] = 0.0,
    ) -> None:
        super().__init__()
        if not isinstance(scheduler, TrialScheduler):
            raise RequestError(f"scheduler={scheduler!r}: needs a scheduler of Ray Tune's, such as ASHAScheduler()")
        if type(scheduler).choose_trial_to_run is not FIFOScheduler.choose_trial_to_run:
            raise RequestError(
                f"scheduler={type(scheduler).__name__}: chooses which trial runs next, which a group by itself cannot; "
                "use one that only stops trials, such as ASHAScheduler"
            )
        if not callable(spared) and not (isinstance(spared, int | float) and 0 <= spared <= 1):
            raise RequestError(f"spared={spared}: needs a share from 0 to 1, or a function of a trial's configuration")
        self._scheduler = scheduler
        self._by = by
        self._spared = spared
        self._schedulers: dict[Hashable, TrialScheduler] = {}
        self._members: dict[str, _Member] = {}
        self._sizes: Counter[Hashable] = Counter()
        self.stops: dict[str, dict[str, Any]] = {}

    @property
    def metric(self) -> str | None:
        """The metric that trials are compared by."""
        metric: str | None = self._scheduler.metric
        return metric

    @property
    def supports_buffered_results(self) -> bool:
        """Whether several results may be handed over at a time."""
        return bool(self._scheduler.supports_buffered_results)

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Take in metric and mode of `TuneConfig`; whether they are not given twice."""
        return bool(self._scheduler.set_search_properties(metric, mode, **spec))

    def scheduler_of(self, group: Hashable) -> TrialScheduler:
        """The scheduler of a group."""
        if group not in self._schedulers:
            self._schedulers[group] = copy.deepcopy(self._scheduler)
        return self._schedulers[group]

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """A trial comes, or comes again after a failure.

        Raises:
            RequestError: its configuration does not say which group it belongs to.
        """
        if trial.trial_id not in self._members:
            self._members[trial.trial_id] = self._member(trial)
        if (scheduler := self._watching(trial)) is not None:
            scheduler.on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """Whether a trial goes on after a result."""
        scheduler = self._watching(trial)
        if scheduler is None:
            return str(self.CONTINUE)
        answer = str(scheduler.on_trial_result(tune_controller, trial, result))
        spared = self._members[trial.trial_id].spared
        if answer == self.CONTINUE or (answer != self.STOP and not spared):
            return answer
        self.stops[trial.trial_id] = dict(result)
        if not spared:
            return answer
        scheduler.on_trial_complete(tune_controller, trial, result)
        return str(self.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """A trial has ended, by itself or because it was stopped."""
        if (scheduler := self._watching(trial)) is not None:
            scheduler.on_trial_complete(tune_controller, trial, result)

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """A trial has failed."""
        if (scheduler := self._watching(trial)) is not None:
            scheduler.on_trial_error(tune_controller, trial)

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        """A trial that waited goes."""
        if (scheduler := self._watching(trial)) is not None:
            scheduler.on_trial_remove(tune_controller, trial)

    def debug_string(self) -> str:
        """What the schedulers of the groups say of themselves."""
        said = [f"{group}: {scheduler.debug_string()}" for group, scheduler in self._schedulers.items()]
        return "\n".join(["One scheduler for each group of trials.", *said])

    def _watching(self, trial: Trial) -> TrialScheduler | None:
        """The scheduler that sees a trial, if one does, and still does."""
        member = self._members[trial.trial_id]
        unseen = member.group is None or (member.spared and trial.trial_id in self.stops)
        return None if unseen else self.scheduler_of(member.group)

    def _member(self, trial: Trial) -> "_Member":
        group = self._by(trial.config) if callable(self._by) else _at(trial.config, self._by)
        number = self._sizes[group]
        self._sizes[group] += 1
        spared = self._spared(trial.config) if callable(self._spared) else in_share(number, self._spared)
        return _Member(group, bool(spared))


@dataclass(frozen=True)
class _Member:
    """The group that a trial belongs to, and whether no scheduler may stop it."""

    group: Hashable
    spared: bool


def _at(config: Config, key: str) -> Hashable:
    if key not in config:
        raise RequestError(f"by={key!r}: no such key is in a trial's configuration, which has {', '.join(config)}")
    group: Hashable = config[key]
    return group
