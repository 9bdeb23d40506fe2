from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from actsweep.errors import RecordsError, RequestError
from actsweep.settings import StudyConfig
from actsweep.study import Study

Compose = Callable[..., StudyConfig]


def test_a_trial_gets_its_cell_and_its_nuisance_values(compose: Compose) -> None:
    study = Study(compose())
    config = study.tune_trial(study.cells[1], 0, {"optimizer.lr": 0.03}).config
    assert (config.model.activation, config.model.depth, config.optimizer.lr) == ("sigmoid", 3, 0.03)


@pytest.mark.parametrize(
    ("words", "unit", "units"),
    [
        ([], "seed", 10),
        (["study.replicate.seeds=4"], "seed", 4),
        (["study.tune.blocks=2", "study.replicate.seeds=4"], "block", 2),
    ],
)
def test_tuning_blocks_are_independent_and_where_there_is_one_its_seeds(
    compose: Compose, words: list[str], unit: str, units: int
) -> None:
    study = Study(compose(*words))
    assert (study.unit, study.units) == (unit, units)


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
        (["+study.scientific.arm=[a,b]"], "cannot sweep 'arm': no such setting; study.arms names arms"),
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


def test_a_learning_rate_that_is_compared_does_not_pass_for_the_column_of_rates(compose: Compose) -> None:
    words = ("~study.nuisance.optimizer", "+study.nuisance.model.dropout=[0,0.5]")
    study = Study(compose(*words, "+study.scientific.optimizer.lr=[0.1,0.2]"))
    assert study.short_names["optimizer.lr"] == "optimizer.lr"
    assert study.short_names["model.dropout"] == "dropout"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["study.scientific.model.depth=[1,2,3,4,5]", "study.max_trials=9"],
            "study.max_trials=9, but the study compares 10 cells",
        ),
        (["study.tune.widen=2", "study.max_trials=36"], "32 where ranges widen"),
        (
            ["study.replicate.cross=true", "study.max_trials=50"],
            "asks for 56 trials (16 to tune, 20 replicates, 20 crossed)",
        ),
        (["scheduler=asha", "scheduler.grace=20"], "scheduler.grace=20 leaves nothing to stop"),
        (
            ["search=grid", "study.tune.points=2", "+study.nuisance.model.norm=[none,batch,group]"],
            "study.tune.points=2: a grid over all combinations of choices has 3 points",
        ),
    ],
)
def test_phases_that_cannot_be_run_are_refused(compose: Compose, words: list[str], message: str) -> None:
    with pytest.raises(RequestError) as refusal:
        Study(compose(*words))
    assert message in str(refusal.value)


def test_a_grid_gives_every_arm_the_same_number_of_points(compose: Compose) -> None:
    own = "optimizer: {lr: {distribution: choice, values: [0.1, 0.2, 0.3]}}"
    words = ["~study.nuisance.optimizer", "+study.nuisance.optimizer.lr=[0.1,0.2]", "search=grid"]
    arms = f"study.arms={{a: {{model.activation: relu}}, b: {{model.activation: tanh, {own}}}}}"
    with pytest.raises(
        RequestError, match=r"study\.arms\.b\.optimizer\.lr: with search=grid an arm's own choice needs"
    ):
        Study(compose(*words, arms))
    assert Study(compose(*words, arms.replace(", 0.3", "")))


PLUGIN = """
    import actsweep
    from torch import nn

    @actsweep.register_model("tiny")
    def tiny(model, image_shape, classes):
        return nn.Flatten()
"""


@pytest.mark.parametrize("values", ["[1,true]", "[1,'1']"])
def test_cells_that_cannot_be_told_apart_are_refused(
    compose: Compose, write_plugin: Callable[[str, str], Path], values: str
) -> None:
    """Python takes 1 for true, and a table has the same text for 1 and for '1'."""
    write_plugin("tiny", PLUGIN)
    config = compose("plugins=[tiny]", "model.name=tiny", f"+study.scientific.model.options.x={values}")
    with pytest.raises(RequestError, match="cannot be told apart in tables: give one of them another value or name"):
        Study(config)


def test_an_option_of_a_plugin_does_not_pass_for_a_column(
    compose: Compose, write_plugin: Callable[[str, str], Path]
) -> None:
    write_plugin("tiny", PLUGIN)
    words = ("+study.scientific.model.options.val_acc=[1,2]", "+study.nuisance.model.options.lr=[1,2]")
    study = Study(compose("plugins=[tiny]", "model.name=tiny", *words))
    assert [name for name in study.short_names.values() if "." in name] == ["model.options.val_acc", "model.options.lr"]
    assert study.short_names["optimizer.lr"] == "lr"


def test_a_cell_that_the_study_does_not_ask_for_is_a_damaged_record(compose: Compose) -> None:
    with pytest.raises(RecordsError, match=r"trials of gelu/3 in its ledger, but study\.yaml does not ask for them"):
        Study(compose()).cell_at({"model.activation": "gelu", "model.depth": 3})


@pytest.mark.parametrize(
    ("spare", "spared"), [(0.0, []), (0.25, [3, 7]), (0.5, [1, 3, 5, 7]), (0.1, []), (1.0, [*range(8)])]
)
def test_the_asked_share_of_points_is_spared_from_stopping(compose: Compose, spare: float, spared: list[int]) -> None:
    study = Study(compose("study.tune.points=8", f"study.tune.spare={spare}"))
    assert [point for point in range(8) if study.spared(point)] == spared


def test_a_range_may_grow_only_to_values_that_a_cells_settings_accept(compose: Compose) -> None:
    study = Study(compose("+study.nuisance.model.dropout={distribution: uniform, min: 0.0, max: 0.5}"))
    dropout = next(dimension for dimension in study.space if dimension.path == "model.dropout")
    grown = [replace(dropout, high=high) for high in (0.75, 1.0)]
    assert [study.accepts(dimension, cell) for dimension in grown for cell in study.cells] == [True, True, False, False]


def test_trials_and_their_cells_can_be_looked_up(compose: Compose) -> None:
    """As by a search that keeps what it knows of each."""
    one, other = Study(compose()), Study(compose())
    assert {cell: cell.label for cell in one.cells} == {cell: cell.label for cell in other.cells}
    assert len({*one.cells, *other.cells}) == len(one.cells) == 2
