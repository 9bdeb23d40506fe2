import pytest

from actsweep.errors import RequestError
from actsweep.settings import ModelSettings, RunSettings, StudyConfig, TargetSettings, TrainerSettings, validated

MODEL = {
    "name": "cnn",
    "activation": "relu",
    "depth": 3,
    "width": 8,
    "init": "he",
    "norm": "none",
    "dropout": 0.0,
    "options": {},
}
TRAINER = {
    **{"accelerator": "cpu", "epochs": 4, "precision": "fp32", "threads": 1},
    **{"eval_every": 1, "cuda_graph": False, "trial_timeout": None},
}


def test_settings_that_are_accepted_stay_as_given() -> None:
    assert validated(ModelSettings, MODEL).model_dump() == MODEL


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "rulu"}, "activation: unknown activation 'rulu'; known are elu, gelu, leaky_relu, mish, relu"),
        ({"activation": "rulu"}, "did you mean 'relu'?"),
        ({"depth": 0}, "depth: should be greater than or equal to 1, not 0"),
        ({"depth": "3"}, "depth: should be a valid integer, not '3'"),
        ({"depth": True}, "depth: should be a valid integer, not True"),
        ({"dropout": 1.0}, "dropout: should be less than 1, not 1.0"),
        ({"dropout": float("nan")}, "dropout: should be a finite number"),
        ({"init": "xavie"}, "init: 'xavie' is not accepted; known are torch_default, xavier, he, matched"),
        (
            {"widht": 4},
            "widht: no such setting; known are activation, depth, dropout, init, name, norm, options, width",
        ),
        ({"widht": 4}, "did you mean 'width'?"),
    ],
)
def test_what_is_refused_is_named_with_what_would_be_accepted(change: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError) as refusal:
        validated(ModelSettings, {**MODEL, **change})
    assert message in str(refusal.value)


def test_everything_that_is_wrong_comes_in_one_message() -> None:
    with pytest.raises(RequestError) as refusal:
        validated(ModelSettings, {**MODEL, "depth": 0, "width": 0, "norm": "layer"})
    assert str(refusal.value).count("\n") == 2


def test_a_missing_setting_is_named() -> None:
    with pytest.raises(RequestError, match=r"^width: missing$"):
        validated(ModelSettings, {key: value for key, value in MODEL.items() if key != "width"})


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", ".hidden", "-x", "x" * 101, "x\n", "é"])
def test_a_study_cannot_be_named_like_a_path(name: str) -> None:
    with pytest.raises(RequestError, match="is no plain name"):
        validated(RunSettings, {"name": name, "root": "outputs"})


@pytest.mark.parametrize("text", ["a\nb", "a\0b", "\x1b[31m", "\x9b2J", "\u202etxt", "a\u2028b", "a\tb"])
def test_texts_hold_no_control_characters(text: str) -> None:
    with pytest.raises(
        RequestError, match=r"^root: .*holds a control character \(U\+00[019]|^root: .*U\+20"
    ) as refusal:
        validated(RunSettings, {"name": "x", "root": text})
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize("text", ["a b", "größe/数据/مجلد", "~/x", "…"])
def test_but_letters_of_any_script(text: str) -> None:
    assert validated(RunSettings, {"name": "x", "root": text}).root == text


@pytest.mark.parametrize("value", ["x" * 10_000, [1] * 10_000, int("9" * 4000) ** 3, {"a": "x" * 10_000}], ids=type)
def test_what_is_refused_is_not_shown_at_any_length(value: object) -> None:
    with pytest.raises(RequestError) as refusal:
        validated(ModelSettings, {**MODEL, "depth": value, "init": value, "widht": value})
    assert len(str(refusal.value)) < 2000


def test_of_very_many_problems_the_first_are_told() -> None:
    with pytest.raises(RequestError, match=r"and 1980 more$") as refusal:
        validated(ModelSettings, {**MODEL, **{f"{'x' * 300}{number}": 1 for number in range(2000)}})
    assert len(str(refusal.value)) < 20_000


def test_the_last_epoch_must_be_evaluated() -> None:
    with pytest.raises(RequestError, match=r"trainer.eval_every=3 does not divide trainer.epochs=4"):
        validated(TrainerSettings, {**TRAINER, "eval_every": 3})


def test_targets_are_ordered() -> None:
    with pytest.raises(RequestError, match=r"study.target.lo=0.9 is above study.target.hi=0.5"):
        validated(TargetSettings, {"hi": 0.5, "lo": 0.9})


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = validated(ModelSettings, MODEL)
    with pytest.raises(ValueError, match="frozen"):
        settings.depth = 4


def test_the_message_for_a_deep_setting_gives_its_path() -> None:
    with pytest.raises(RequestError, match=r"(?m)^study.tune.points: missing$"):
        validated(StudyConfig, {"study": {"tune": {"blocks": 1}}})
