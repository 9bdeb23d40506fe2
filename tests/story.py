"""Events of a study as its driver would send them."""

from actsweep.config import run_with_hydra
from actsweep.events import (
    Evaluation,
    Event,
    PointChosen,
    StudyFinished,
    StudyResumed,
    StudyStarted,
    TrialFailed,
    TrialFinished,
    TrialStarted,
)
from actsweep.settings import StudyConfig
from actsweep.study import Study, Trial


def demo(*words: str) -> Study:
    """Two cells, relu/3 and sigmoid/3, in a study named demo."""
    found: list[StudyConfig] = []
    run_with_hydra("train", ["run.name=demo", *words], lambda config, overrides: found.append(config) or 0)
    return Study(found[0])


class Story:
    """Events of a study as its driver would send them; `now` is the time in seconds that each of them carries."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.now = 1_000.0
        self._attempts: dict[str, int] = {}

    def begin(self) -> StudyStarted:
        return StudyStarted("demo", {"label": "digits", "fingerprint": "0", "classes": 10}, {}, {}, self.now)

    def resume(self, finished: int) -> StudyResumed:
        return StudyResumed(finished, self.now)

    def end(self) -> StudyFinished:
        return StudyFinished(self.now)

    def start(self, trial: Trial) -> TrialStarted:
        self._attempts[trial.trial_id] = attempt = self._attempts.get(trial.trial_id, 0) + 1
        place = (trial.phase, trial.block, trial.config.seed, trial.cell.values, trial.nuisance)
        return TrialStarted(trial.trial_id, attempt, *place, time=self.now)

    def report(self, trial: Trial, epoch: int, val_acc: float) -> Evaluation:
        row = {"epoch": epoch, "val_acc": val_acc}
        return Evaluation(trial.trial_id, self._attempts[trial.trial_id], row, self.now)

    def finish(self, trial: Trial, status: str = "completed") -> TrialFinished:
        return TrialFinished(trial.trial_id, self._attempts[trial.trial_id], status, {}, self.now)

    def fail(self, trial: Trial, message: str, *, retry: bool = False) -> TrialFailed:
        reason = "lost" if retry else "error"
        return TrialFailed(trial.trial_id, self._attempts[trial.trial_id], reason, message, retry, self.now)

    def run(self, trial: Trial, val_acc: float, seconds: float = 10.0) -> list[Event]:
        """A whole trial."""
        start = self.start(trial)
        self.now += seconds
        return [start, self.report(trial, 1, val_acc), self.finish(trial)]

    def choose(self, arm: int, block: int = 0, lr: float = 0.01) -> PointChosen:
        return PointChosen(self.study.cells[arm].values, block, {"optimizer.lr": lr}, self.now)

    def tune(self, arm: int, number: int, block: int = 0) -> Trial:
        return self.study.tune_trial(self.study.cells[arm], block, {"optimizer.lr": 0.01 * (number + 1)})

    def replicate(self, arm: int, number: int, block: int = 0) -> Trial:
        return self.study.seeded_trials("replicate", self.study.cells[arm], block, {"optimizer.lr": 0.01})[number]
