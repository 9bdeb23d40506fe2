from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actsweep.errors import RecordsError, RequestError
from actsweep.settings import StudyConfig, validated
from actsweep.study import PHASES, Study, all_settings, changed_settings, extension, trial_id, trial_seed

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
    assert len(seeds) == len(PHASES) * 20 * 50
    assert seeds.isdisjoint(trial_seed(1, "tune", block, 0) for block in range(20))


def test_the_same_seed_serves_every_cell(compose: Compose) -> None:
    study = Study(compose())
    relu, sigmoid = (study.seeded_trials("replicate", cell, 0, {"optimizer.lr": 0.01}) for cell in study.cells)
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


def test_only_changes_that_alter_results_count_as_changes(compose: Compose) -> None:
    before = compose()
    assert not changed_settings(
        before, compose("tracker=none", "cluster.max_concurrent=1", "study.max_trials=99", "run.name=x")
    )
    assert changed_settings(before, compose("trainer.epochs=5")) == [("trainer.epochs", 20, 5)]
    assert changed_settings(before, compose("study.tune.points=9")) == [("study.tune.points", 8, 9)]


ARMS = (
    "study.arms={he: {model.activation: relu, model.init: he}, glorot: {model.activation: sigmoid, model.init: xavier}}"
)


def test_named_arms_are_the_factor_and_take_the_place_of_lists(compose: Compose) -> None:
    study = Study(compose(ARMS, "study.scientific.model.depth=[3,4]"))
    assert (study.factor, study.arms, study.strata, study.reference) == (
        "arm",
        ("he", "glorot"),
        ("model.depth",),
        "he",
    )
    assert [cell.label for cell in study.cells] == ["he/3", "he/4", "glorot/3", "glorot/4"]
    config = study.tune_trial(study.cells[3], 0, {"optimizer.lr": 0.01}).config
    assert (config.model.activation, config.model.init, config.model.depth) == ("sigmoid", "xavier", 4)
    assert study.short_names["arm"] == "arm"


def test_an_arm_may_have_a_range_of_its_own(compose: Compose) -> None:
    own = "optimizer: {lr: {distribution: log_uniform, min: 0.01, max: 1.0}}"
    study = Study(compose(f"study.arms={{a: {{model.activation: relu}}, b: {{model.activation: tanh, {own}}}}}"))
    assert [cell.space[0].low for cell in study.cells] == [1e-4, 0.01]


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ("{a: {model.activation: relu}}", "study.arms: needs at least two arms to compare, not ['a']"),
        ("{a: {model.width: 4}, b: {model.width: 4}}", "study.arms: a/relu/3 and b/relu/3 are the same training"),
        ("{a: {model.widht: 4}, b: {model.width: 4}}", "cannot sweep 'model.widht': no such setting"),
        ("{a: {optimizer.lr: 0.1}, b: {model.width: 4}}", "study.arms.a.optimizer.lr: is tuned in this study"),
        (
            "{a: {model.width: {distribution: int_uniform, min: 2, max: 4}}, b: {model.width: 4}}",
            "study.arms.a.model.width: a range is only for a setting under study.nuisance",
        ),
        ("{a: {model.depth: 4}, b: {model.width: 4}}", "model.depth is under study.scientific and set by study.arms.a"),
        ("{a: {data.name: digits}, b: {model.width: 4}}", "cannot sweep 'data.name'"),
        ("{a: {model.width: [4]}, b: {model.width: 4}}", "study.arms.a.model.width: [4] is no plain value"),
    ],
)
def test_arms_that_cannot_be_compared_are_refused(compose: Compose, arms: str, message: str) -> None:
    with pytest.raises(RequestError) as refusal:
        Study(compose(f"study.arms={arms}"))
    assert message in str(refusal.value)


def test_with_named_arms_the_factor_is_the_arm(compose: Compose) -> None:
    words = "study.arms={a: {model.width: 4}, b: {model.width: 8}}"
    assert Study(compose(words, "study.factor=arm")).factor == Study(compose(words)).factor == "arm"
    with pytest.raises(
        RequestError, match=r"with study\.arms the arms are compared: leave it null, not 'model\.depth'"
    ):
        Study(compose(words, "study.factor=model.depth"))


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


@pytest.mark.parametrize(
    "words",
    [
        ["study.replicate.seeds=11"],
        ["study.tune.blocks=2"],
        ["study.tune.points=16"],
        ["study.scientific.model.activation=[relu,tanh,sigmoid]"],
        ["study.scientific.model.depth=[3,6]", "study.replicate.seeds=20"],
    ],
)
def test_what_only_adds_trials_is_an_addition(compose: Compose, words: list[str]) -> None:
    found = extension(compose(), compose(*words))
    assert len(found.added) == len(words)
    assert not found.other


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ([], ["study.replicate.seeds=9"]),
        ([], ["study.scientific.model.activation=[relu,tanh]"]),
        ([], ["trainer.epochs=30"]),
        (["search=grid"], ["search=grid", "study.tune.points=16"]),
        (["study.tune.widen=1"], ["study.tune.widen=1", "study.tune.points=16"]),
        (
            ["study.scientific.model.activation=[tanh,elu]"],
            ["study.scientific.model.activation=[tanh,elu,relu]"],
        ),
        ([ARMS], [ARMS.replace("model.init: he", "model.init: matched")]),
        ([ARMS.replace("he:", "he.2:")], [ARMS.replace("he: {", "he.2: {model.norm: batch, ")]),
        (["study.tune.widen=1"], ["study.tune.widen=1", "study.tune.blocks=2"]),
        (["study.tune.widen=1"], ["study.tune.widen=1", "study.scientific.model.depth=[3,4]"]),
    ],
)
def test_what_alters_trials_or_their_meaning_is_no_addition(
    compose: Compose, before: list[str], now: list[str]
) -> None:
    assert extension(compose(*before), compose(*now)).other


def test_seeds_can_be_added_where_ranges_may_widen(compose: Compose) -> None:
    found = extension(compose("study.tune.widen=1"), compose("study.tune.widen=1", "study.replicate.seeds=11"))
    assert (found.added, found.other) == ((("study.replicate.seeds", 10, 11),), ())


def turned(tree: Any) -> Any:
    """Nested settings in the opposite order."""
    return {key: turned(tree[key]) for key in reversed(tree)} if isinstance(tree, dict) else tree


def test_what_the_order_of_settings_decides_is_no_addition(compose: Compose) -> None:
    """The first scientific setting is the factor, and the first tuned one has the first coordinate of each point."""
    drop = "+study.nuisance.model.dropout={distribution: uniform, min: 0.0, max: 0.5}"
    config = compose(drop, "study.scientific.model.depth=[3,4]")
    for part, option in (("scientific", "study.factor"), ("nuisance", "study.nuisance")):
        tree = config.model_dump()
        tree["study"][part] = turned(tree["study"][part])
        assert extension(config, validated(StudyConfig, tree)).other[0][0] == option


def test_an_arm_can_be_added_to_named_arms(compose: Compose) -> None:
    found = extension(compose(ARMS), compose(ARMS[:-1] + ", third: {model.activation: tanh, model.init: he}}"))
    assert [path for path, _, _ in found.added] == ["study.arms.third.model.activation", "study.arms.third.model.init"]
    assert not found.other


def test_an_extension_keeps_the_trials_that_there_are(compose: Compose) -> None:
    few, many = Study(compose()), Study(compose("study.replicate.seeds=12", "study.scientific.model.depth=[3,4]"))
    before = few.seeded_trials("replicate", few.cells[1], 0, {"optimizer.lr": 0.01})
    after = many.seeded_trials("replicate", many.cells[2], 0, {"optimizer.lr": 0.01})
    assert [trial.trial_id for trial in after[:10]] == [trial.trial_id for trial in before]


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


def test_null_takes_a_setting_out_of_what_is_swept(compose: Compose) -> None:
    study = Study(compose("+study.scientific.optimizer.name=[adam,sgd]", "study.scientific.model=null"))
    assert [cell.label for cell in study.cells] == ["adam", "sgd"]
    drop = "+study.nuisance.model.dropout={distribution: uniform, min: 0.0, max: 0.5}"
    assert [dim.path for dim in Study(compose(drop, "study.nuisance.optimizer=null")).space] == ["model.dropout"]


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


def test_every_setting_has_its_dotted_path(compose: Compose) -> None:
    settings = all_settings(compose("optimizer.lr=0.07"))
    assert (settings["optimizer.lr"], settings["study.nuisance.optimizer.lr.max"]) == (0.07, 0.1)
    assert (settings["study.arms"], settings["optimizer.options"]) == (None, {})
    assert not any(isinstance(value, dict) and value for value in settings.values())


def test_trials_and_their_cells_can_be_looked_up(compose: Compose) -> None:
    """As by a search that keeps what it knows of each."""
    one, other = Study(compose()), Study(compose())
    assert {cell: cell.label for cell in one.cells} == {cell: cell.label for cell in other.cells}
    assert len({*one.cells, *other.cells}) == len(one.cells) == 2
