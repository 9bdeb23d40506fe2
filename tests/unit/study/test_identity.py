from collections.abc import Callable

from actsweep.settings import StudyConfig
from actsweep.study import PHASES, Study, all_settings, changed_settings, trial_id, trial_seed

Compose = Callable[..., StudyConfig]


def test_seeds_are_unique_per_block_phase_and_index(compose: Compose) -> None:
    seeds = {trial_seed(0, phase, block, index) for phase in PHASES for block in range(20) for index in range(50)}
    assert len(seeds) == len(PHASES) * 20 * 50
    assert seeds.isdisjoint(trial_seed(1, "tune", block, 0) for block in range(20))


def test_the_same_seed_serves_every_cell(compose: Compose) -> None:
    study = Study(compose())
    relu, sigmoid = (study.seeded_trials("replicate", cell, 0, {"optimizer.lr": 0.01}) for cell in study.cells)
    assert [trial.config.seed for trial in relu] == [trial.config.seed for trial in sigmoid]
    assert len({trial.config.seed for trial in relu}) == 10
    assert {trial.trial_id for trial in relu}.isdisjoint(trial.trial_id for trial in sigmoid)


def test_identity_follows_what_changes_the_result_and_nothing_else(compose: Compose) -> None:
    def identity(*words: str) -> str:
        config = compose("data=image_folder", "data.root=a", *words)
        return trial_id(config.trial({}, config.seed), "images")

    assert identity() == identity("data.root=b", "run.name=other", "tracker=none", "cluster.max_concurrent=1")
    changes = [
        "seed=1",
        "model.width=17",
        "optimizer.lr=0.002",
        "data.batch_size=64",
        "trainer.epochs=21",
        "data.seed=1",
    ]
    assert len({identity(), *(identity(change) for change in changes)}) == 1 + len(changes)
    config = compose()
    trial = config.trial({}, config.seed)
    assert trial_id(trial, "some images") != trial_id(trial, "other images")
    assert len(identity()) == 12
    assert int(identity(), 16) >= 0


def test_only_changes_that_alter_results_count_as_changes(compose: Compose) -> None:
    before = compose()
    assert not changed_settings(
        before, compose("tracker=none", "cluster.max_concurrent=1", "study.max_trials=99", "run.name=x")
    )
    assert changed_settings(before, compose("trainer.epochs=5")) == [("trainer.epochs", 20, 5)]
    assert changed_settings(before, compose("study.tune.points=9")) == [("study.tune.points", 8, 9)]


def test_every_setting_has_its_dotted_path(compose: Compose) -> None:
    settings = all_settings(compose("optimizer.lr=0.07"))
    assert (settings["optimizer.lr"], settings["study.nuisance.optimizer.lr.max"]) == (0.07, 0.1)
    assert (settings["study.arms"], settings["optimizer.options"]) == (None, {})
    assert not any(isinstance(value, dict) and value for value in settings.values())
