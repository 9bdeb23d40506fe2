from collections.abc import Callable

import pytest

from actsweep.errors import RequestError
from actsweep.settings import StudyConfig
from actsweep.study import PHASES, Study, changed_settings, trial_id, trial_seed

Compose = Callable[..., StudyConfig]


def test_cells_are_all_combinations_the_factor_first(compose: Compose) -> None:
    study = Study(compose("study.scientific.model.activation=[relu,tanh]", "study.scientific.model.depth=[3,4]"))
    assert [cell.label for cell in study.cells] == ["relu/3", "relu/4", "tanh/3", "tanh/4"]


def test_any_setting_can_be_the_factor(compose: Compose) -> None:
    study = Study(
        compose(
            "~study.scientific.model",
            "+study.scientific.optimizer.name=[adam,sgd]",
            "+study.scientific.model.norm=[none]",
        )
    )
    assert (study.factor, study.strata, study.reference) == ("optimizer.name", ("model.norm",), "adam")
    assert study.cells[1].label == "sgd/none"


def test_the_factor_can_be_chosen_and_the_others_become_strata(compose: Compose) -> None:
    study = Study(compose("study.factor=model.depth", "study.scientific.model.depth=[3,4]"))
    assert [cell.label for cell in study.cells] == ["3/relu", "3/sigmoid", "4/relu", "4/sigmoid"]
    assert study.reference == 3


def test_relu_is_the_reference_where_it_takes_part(compose: Compose) -> None:
    assert Study(compose("study.scientific.model.activation=[gelu,relu]")).reference == "relu"
    assert Study(compose("study.scientific.model.activation=[gelu,tanh]")).reference == "gelu"
    assert Study(compose("study.reference=sigmoid")).reference == "sigmoid"


def test_seeds_are_unique_per_block_phase_and_index(compose: Compose) -> None:
    seeds = {trial_seed(0, phase, block, index) for phase in PHASES for block in range(20) for index in range(50)}
    assert len(seeds) == 2 * 20 * 50
    assert seeds.isdisjoint(trial_seed(1, "tune", block, 0) for block in range(20))


def test_the_same_seed_serves_every_cell(compose: Compose) -> None:
    study = Study(compose())
    relu, sigmoid = (study.replicate_trials(cell, 0, {"optimizer.lr": 0.01}) for cell in study.cells)
    assert [trial.config.seed for trial in relu] == [trial.config.seed for trial in sigmoid]
    assert len({trial.config.seed for trial in relu}) == 10
    assert {trial.trial_id for trial in relu}.isdisjoint(trial.trial_id for trial in sigmoid)


def test_a_trial_gets_its_cell_and_its_nuisance_values(compose: Compose) -> None:
    study = Study(compose())
    config = study.tune_trial(study.cells[1], 0, {"optimizer.lr": 0.03}).config
    assert (config.model.activation, config.model.depth, config.optimizer.lr) == ("sigmoid", 3, 0.03)


def test_identity_follows_what_changes_the_result_and_nothing_else(compose: Compose) -> None:
    def identity(*words: str) -> str:
        config = compose("data=image_folder", "data.root=a", *words)
        return trial_id(config.trial({}, config.seed))

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
    assert len(identity()) == 12
    assert int(identity(), 16) >= 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["study.scientific.model.activation=[relu]"], "needs at least two values to compare"),
        (
            ["+study.scientific.optimizer.lr=[0.1,0.2]"],
            "optimizer.lr is under study.scientific and under study.nuisance",
        ),
        (["study.factor=model.width"], "study.factor: 'model.width' is not swept"),
        (["study.reference=gelu"], "study.reference: 'gelu' is not compared; the arms are relu, sigmoid"),
        (["study.max_trials=35"], "the study asks for 36 trials (16 to tune, 20 replicates)"),
        (["study.scientific.model.depth=[0]"], "model.depth: should be greater than or equal to 1"),
        (["+study.scientific.model.widht=[4]"], "cannot sweep 'model.widht': no such setting"),
        (["+study.scientific.data.root=[a,b]"], "cannot sweep 'data.root': a study has one data set and one horizon"),
        (["+study.scientific.trainer.epochs=[1,2]"], "cannot sweep 'trainer.epochs'"),
        (["+study.scientific.model.dropout=[0,0.0]"], "relu/3/0 and relu/3/0.0 are the same training"),
        (["trainer=gpu"], "trainer.accelerator=gpu needs cluster.resources.gpu above 0"),
        (
            ["study.factor=model.depth", "study.scientific.model.depth=[3,4]", "study.reference=3.0"],
            "the arms are 3, 4",
        ),
        (["+study.scientific.run.name=[a,b]"], "cannot sweep 'run.name': no such setting"),
        (["~study.scientific.model"], "study.scientific: names no setting"),
        (["~study.nuisance.optimizer"], "study.nuisance: names no setting to tune"),
        (
            ["+study.nuisance.model.dropout={distribution: uniform, min: 0.0, max: 1.0}"],
            "model.dropout: should be less than 1",
        ),
    ],
)
def test_a_study_that_cannot_be_run_is_refused(compose: Compose, words: list[str], message: str) -> None:
    config = compose(*words)
    with pytest.raises(RequestError) as refusal:
        Study(config)
    assert message in str(refusal.value)


def test_short_names_are_unique(compose: Compose) -> None:
    assert Study(compose()).short_names == {
        "model.activation": "activation",
        "model.depth": "depth",
        "optimizer.lr": "lr",
    }
    both = Study(compose("+study.scientific.model.name=[cnn]", "+study.scientific.optimizer.name=[adam]"))
    assert both.short_names["model.name"] == "model.name"
    split = Study(compose("+study.scientific.data.seed=[0,1]"))
    assert split.short_names["data.seed"] == "data.seed"


def test_only_changes_that_alter_results_count_as_changes(compose: Compose) -> None:
    before = compose()
    assert not changed_settings(
        before, compose("tracker=none", "cluster.max_concurrent=1", "study.max_trials=99", "run.name=x")
    )
    assert changed_settings(before, compose("trainer.epochs=5")) == [("trainer.epochs", 20, 5)]
    assert changed_settings(before, compose("study.tune.points=9")) == [("study.tune.points", 8, 9)]
