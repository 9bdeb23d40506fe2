"""Stopping within each cell, with Tune's own scheduler and trials; a small sweep stands in for Tune's controller."""

import copy
import math
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from ray.tune.experiment import Trial as TuneTrial
from ray.tune.schedulers import ASHAScheduler

from actsweep.events import (
    Evaluation,
    Event,
    StopSpared,
    StudyRecord,
    StudyStarted,
    TrialFinished,
    TrialStarted,
    TrialStopped,
)
from actsweep.search.tune.packs import Pack
from actsweep.search.tune.scheduler import CellSchedulers
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial

Compose = Callable[..., StudyConfig]
EPOCHS, GRACE, REDUCTION = 12, 1, 3
RUNGS = (1, 3, 9)
CHANCE = 0.1
WORDS = ("experiment=smoke", "scheduler=asha", f"trainer.epochs={EPOCHS}", "study.tune.blocks=2")
STARTED = StudyStarted("s", {"label": "digits", "fingerprint": "f", "classes": 10}, {}, {}, 0.0)


@pytest.fixture
def study(compose: Compose) -> Study:
    return Study(compose(*WORDS))


def tuned(study: Study, number: int, cell: int = 0, block: int = 0, *, spared: bool = False) -> Trial:
    """A tune trial with an id of its own."""
    return study.tune_trial(study.cells[cell], block, {"optimizer.lr": 1e-4 * (1 + number)}, spared=spared)


@dataclass
class Sweep:
    """Asks a scheduler in the way that Tune's controller does, and makes events of the answers as a driver does."""

    study: Study
    record: StudyRecord = field(default_factory=StudyRecord)
    log: list[Event] = field(default_factory=list)
    out: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.packs: dict[str, Pack] = {}
        self.scheduler = CellSchedulers(self.study, self.packs)
        assert self.scheduler.set_search_properties(None, None)
        self.running: dict[str, TuneTrial] = {}
        self.scheduler.refill(self.log)
        if self.record.started is None:
            self._happens(STARTED)

    def start(self, ours: Trial) -> None:
        name = f"tune{len(self.packs)}"
        self.packs[name] = Pack(((ours, 1),))
        self.running[ours.trial_id] = TuneTrial("none", stub=True, trial_id=name)
        self.scheduler.on_trial_add(None, self.running[ours.trial_id])
        earlier = self.record.trials.get(ours.trial_id)
        attempt = earlier.started.attempt + 1 if earlier else 1
        self._happens(
            TrialStarted(
                ours.trial_id, attempt, ours.phase, ours.block, ours.config.seed, ours.cell.values, ours.nuisance, 0.0
            )
        )

    def report(self, ours: Trial, epoch: int, accuracy: float, *, ends: bool = False, **row: Any) -> bool:
        """One evaluation of a trial; whether the trial goes on."""
        tune, attempt = self.running[ours.trial_id], self.record.trials[ours.trial_id].started.attempt
        metric = CHANCE if ends and epoch < EPOCHS else accuracy
        result = {"epoch": epoch, "metric": metric, "training_iteration": epoch + 1, "rows": []}
        answer = "STOP" if ends else self.scheduler.on_trial_result(None, tune, dict(result))
        self._happens(Evaluation(ours.trial_id, attempt, {"epoch": epoch, "val_acc": accuracy, **row}, 0.0))
        decision = self.scheduler.taken(tune.trial_id)
        assert self.scheduler.taken(tune.trial_id) is None
        if decision is not None:
            assert (answer == "STOP") == (not decision.spared)
            self.out[ours.trial_id] = (decision.rung, decision.spared)
            kind = StopSpared if decision.spared else TrialStopped
            self._happens(kind(ours.trial_id, attempt, decision.rung, 0.0))
        elif ends:
            self._happens(
                TrialFinished(ours.trial_id, attempt, "completed" if epoch == EPOCHS else "diverged", {}, 0.0)
            )
        if answer == "STOP":
            self.scheduler.on_trial_complete(None, self.running.pop(ours.trial_id), dict(result))
        return answer != "STOP"

    def run(self, ours: Trial, accuracies: Iterable[float]) -> int:
        """A trial from its start to its end; the last epoch that it was trained."""
        self.start(ours)
        epoch = 0
        for epoch, accuracy in enumerate(accuracies):
            if not self.report(ours, epoch, accuracy, ends=epoch == EPOCHS):
                break
        return epoch

    def _happens(self, event: Event) -> None:
        self.log.append(event)
        self.record(event)


def flat(accuracy: float) -> list[float]:
    return [CHANCE, *[accuracy] * EPOCHS]


def test_the_first_at_a_rung_passes_and_a_worse_one_is_stopped_there(study: Study) -> None:
    sweep = Sweep(study)
    assert sweep.run(tuned(study, 0), flat(0.5)) == EPOCHS
    assert sweep.run(tuned(study, 1), flat(0.4)) == 1
    assert sweep.run(tuned(study, 2), flat(0.6)) == EPOCHS
    assert sweep.run(tuned(study, 3), [CHANCE, *[0.6] * 2, *[0.3] * 10]) == 3
    assert list(sweep.out.values()) == [(1, False), (3, False)]


def test_decisions_are_those_of_tunes_own_scheduler(study: Study) -> None:
    rng = np.random.default_rng(0)
    sweep = Sweep(study)
    asha = ASHAScheduler("epoch", "metric", "max", EPOCHS, GRACE, REDUCTION)
    for number in range(60):
        accuracies = [CHANCE, *np.cumsum(rng.uniform(0, 1 / EPOCHS, EPOCHS))]
        trial = TuneTrial("none", stub=True)
        asha.on_trial_add(None, trial)
        answers = (
            asha.on_trial_result(None, trial, {"epoch": epoch, "metric": value})
            for epoch, value in enumerate(accuracies)
        )
        last = next(epoch for epoch, answer in enumerate(answers) if answer == "STOP")
        assert sweep.run(tuned(study, number), accuracies) == last


def test_a_slow_cell_is_not_stopped_for_being_slow(study: Study) -> None:
    """One bracket for all would stop the slower arm whole; each with its own loses the same share."""
    rng = np.random.default_rng(1)
    points = rng.uniform(0.3, 0.6, 60)
    slower = {0: 1.0, 1: 0.4}

    sweep = Sweep(study)
    one = ASHAScheduler("epoch", "metric", "max", EPOCHS, GRACE, REDUCTION)
    survivors: Counter[tuple[str, int]] = Counter()
    for number, point in enumerate(points):
        for cell, factor in slower.items():
            accuracies = flat(point * factor)
            survivors["own", cell] += sweep.run(tuned(study, number, cell), accuracies) == EPOCHS
            trial = TuneTrial("none", stub=True)
            one.on_trial_add(None, trial)
            answers = [
                one.on_trial_result(None, trial, {"epoch": epoch, "metric": value})
                for epoch, value in enumerate(accuracies[:-1])
            ]
            survivors["shared", cell] += "STOP" not in answers
    assert survivors["own", 0] == survivors["own", 1] > 5
    assert survivors["shared", 1] == 0
    assert survivors["shared", 0] > survivors["own", 0]


def test_all_blocks_of_a_cell_share_its_rungs(study: Study) -> None:
    sweep = Sweep(study)
    sweep.run(tuned(study, 0, block=0), flat(0.5))
    assert sweep.run(tuned(study, 1, block=1), flat(0.4)) == 1


@pytest.mark.parametrize("phase", ["replicate", "cross"])
def test_replicates_and_crossed_trials_are_neither_stopped_nor_seen(study: Study, phase: Any) -> None:
    sweep = Sweep(study)
    good, bad = study.seeded_trials(phase, study.cells[0], 0, {"optimizer.lr": 0.01})[:2]
    sweep.run(tuned(study, 0), flat(0.5))
    assert sweep.run(bad, flat(0.2)) == EPOCHS
    sweep.run(good, flat(0.9))
    assert sweep.run(tuned(study, 1), flat(0.6)) == EPOCHS
    assert not sweep.out


def test_a_spared_trial_goes_on_and_is_no_longer_seen(study: Study) -> None:
    sweep = Sweep(study)
    sweep.run(tuned(study, 0), flat(0.5))
    spared = tuned(study, 1, spared=True)
    assert sweep.run(spared, [CHANCE, 0.4, *[0.99] * 11]) == EPOCHS
    assert sweep.out == {spared.trial_id: (1, True)}
    assert sweep.run(tuned(study, 2), flat(0.6)) == EPOCHS  # at the rung of epoch 3, 0.99 would be above it


def test_a_spared_trial_counts_at_its_rungs_like_any_other(study: Study) -> None:
    sweep = Sweep(study)
    sweep.run(tuned(study, 0, spared=True), flat(0.5))
    assert sweep.run(tuned(study, 1), flat(0.4)) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_no_number_passes_no_rung_not_even_as_the_first(study: Study, value: Any) -> None:
    sweep = Sweep(study)
    first = tuned(study, 0)
    assert sweep.run(first, [CHANCE, value, 0.9]) == 1
    assert sweep.run(tuned(study, 1), [CHANCE, 0.5, value, value]) == 3
    assert sweep.run(tuned(study, 2), flat(0.6)) == EPOCHS
    assert sweep.out[first.trial_id] == (1, False)


def test_a_diverged_trial_counts_as_chance_at_its_last_rung(study: Study) -> None:
    sweep = Sweep(study)
    diverged = tuned(study, 0)
    sweep.start(diverged)
    sweep.report(diverged, 0, CHANCE)
    sweep.report(diverged, 1, 0.9, ends=True, train_loss=math.inf)
    assert not sweep.out
    for again in (sweep, Sweep(study, sweep.record, sweep.log)):
        assert again.run(tuned(study, 1), flat(CHANCE / 2)) == 1
        assert again.run(tuned(study, 2), flat(CHANCE)) == EPOCHS


def test_a_trial_that_is_evaluated_seldom_is_judged_at_the_highest_rung_it_has_come_to(compose: Compose) -> None:
    study = Study(compose(*WORDS, "trainer.eval_every=4"))
    sweep = Sweep(study)
    best, worse, late = (tuned(study, number) for number in range(3))
    for ours, values in ((best, (0.5, 0.5, 0.5)), (worse, (0.4,)), (late, (0.6, 0.6, 0.4))):
        sweep.start(ours)
        for epoch, value in zip((4, 8, 10), values, strict=False):
            sweep.report(ours, epoch, value)
    assert sweep.out == {worse.trial_id: (3, False), late.trial_id: (9, False)}
    again = Sweep(study, sweep.record, sweep.log)
    other = tuned(study, 3)
    again.start(other)
    again.report(other, 4, 0.49)
    assert again.out == {other.trial_id: (3, False)}


def test_an_attempt_that_repeats_its_rows_counts_once_and_hears_the_same(study: Study) -> None:
    sweep = Sweep(study)
    sweep.run(tuned(study, 0), flat(0.5))
    lost, spared = tuned(study, 1), tuned(study, 2, spared=True)
    for ours, accuracy in ((lost, 0.55), (spared, 0.4)):
        sweep.start(ours)
        sweep.report(ours, 0, CHANCE)
        sweep.report(ours, 1, accuracy)
    for number in range(3, 9):
        sweep.run(tuned(study, number), flat(0.9))
    stopped = len(sweep.out)
    assert sweep.run(lost, [CHANCE, 0.55, 0.55, 0.2]) == 3  # 0.55 would be far too little at the rung of epoch 1 now
    assert sweep.run(spared, flat(0.4)) == EPOCHS
    assert sweep.record.trials[spared.trial_id].rung == 1
    assert len(sweep.out) == stopped + 1


def random_study(study: Study, seed: int, trials: int = 40) -> tuple[list[Trial], Mapping[str, list[float]]]:
    rng = np.random.default_rng(seed)
    chosen = [
        tuned(study, number, int(rng.integers(2)), int(rng.integers(2)), spared=bool(rng.random() < 0.25))
        for number in range(trials)
    ]
    return chosen, {trial.trial_id: [CHANCE, *np.sort(rng.uniform(0.1, 0.9, EPOCHS))] for trial in chosen}


def interleaved(study: Study, seed: int, interruptions: int) -> dict[str, tuple[int, bool]]:
    """A study of several workers, whose trials report in a random order that interruptions do not change."""
    trials, curves = random_study(study, seed)
    rng = np.random.default_rng(seed)
    at = set(np.random.default_rng(seed + 1).integers(1, 150, interruptions).tolist())
    sweep, waiting, running, out = Sweep(study), list(trials), {}, {}
    step = 0
    while waiting or running:
        while waiting and len(running) < 6:
            trial = waiting.pop(0)
            sweep.start(trial)
            running[trial.trial_id] = (trial, -1)
        ours, epoch = list(running.values())[int(rng.integers(len(running)))]
        running[ours.trial_id] = (ours, epoch + 1)
        diverges = epoch + 1 == 5 and int(ours.trial_id, 16) % 7 == 0
        loss = {"train_loss": math.nan if diverges else 1.0}
        ends = diverges or epoch + 1 == EPOCHS
        if not sweep.report(ours, epoch + 1, curves[ours.trial_id][epoch + 1], ends=ends, **loss):
            del running[ours.trial_id]
        step += 1
        if step in at:
            out |= sweep.out
            sweep = Sweep(study, sweep.record, sweep.log)
            for other, last in running.values():
                sweep.start(other)
                for repeated in range(last + 1):
                    assert sweep.report(other, repeated, curves[other.trial_id][repeated], train_loss=1.0)
    return out | sweep.out


def test_an_interrupted_study_stops_what_an_uninterrupted_one_stops(study: Study) -> None:
    for seed in range(25):
        whole = interleaved(study, seed, interruptions=0)
        assert 5 < len(whole) < 40
        assert {spared for _, spared in whole.values()} == {True, False}
        assert {rung for rung, _ in whole.values()} <= set(RUNGS)
        assert interleaved(study, seed, interruptions=3) == whole


def test_a_trial_that_an_earlier_driver_left_unfinished_keeps_its_place_at_the_rungs(study: Study) -> None:
    sweep = Sweep(study)
    waiting = tuned(study, 0)
    sweep.start(waiting)
    sweep.report(waiting, 0, CHANCE)
    sweep.report(waiting, 1, 0.5)
    again = Sweep(study, sweep.record, sweep.log)
    assert again.run(tuned(study, 1), flat(0.4)) == 1
    assert again.run(waiting, flat(0.5)) == EPOCHS


def test_a_rung_is_not_judged_anew_after_an_attempt_that_did_not_come_to_it(study: Study) -> None:
    """The trial passes the rung of epoch 3, and is then interrupted twice, the second time before it is there again."""
    sweep = Sweep(study)
    twice, spared = tuned(study, 0), tuned(study, 1, spared=True)
    for ours, values in ((twice, [CHANCE, 0.5, 0.5, 0.5]), (spared, [CHANCE, 0.4])):
        sweep.start(ours)
        for epoch, value in enumerate(values):
            sweep.report(ours, epoch, value)
    for number in range(2, 8):
        sweep.run(tuned(study, number), flat(0.9))
    again = Sweep(study, sweep.record, sweep.log)
    for ours in (twice, spared):
        again.start(ours)
        again.report(ours, 0, CHANCE)
    last = Sweep(study, sweep.record, sweep.log)
    assert last.run(twice, [CHANCE, *[0.5] * 3, *[0.99] * 9]) == EPOCHS
    assert last.run(spared, flat(0.4)) == EPOCHS
    assert last.out == {spared.trial_id: (1, True)}


def test_a_result_without_an_evaluation_is_not_judged(study: Study) -> None:
    sweep = Sweep(study)
    ours = tuned(study, 0)
    sweep.start(ours)
    tune = sweep.running[ours.trial_id]
    assert sweep.scheduler.on_trial_result(None, tune, {"rows": [], "training_iteration": 1}) == "CONTINUE"
    sweep.scheduler.on_trial_complete(None, tune, {})
    assert sweep.scheduler.taken(tune.trial_id) is None


def test_tune_neither_saves_nor_copies_it(study: Study) -> None:
    scheduler = CellSchedulers(study, {})
    assert copy.deepcopy(scheduler) is scheduler
    assert len(pickle.dumps(scheduler)) < 200
