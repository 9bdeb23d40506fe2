"""Words of a command line, made at random: each is accepted or refused in one message, and soon."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actsweep.config import run_with_hydra
from actsweep.errors import ActsweepError
from actsweep.study import Study, all_settings

LONGEST_SECONDS = 10
HOSTILE = (
    *(
        "",
        " ",
        "null",
        "nan",
        "inf",
        "-inf",
        "-0",
        "1e999",
        "1e-999",
        "0x10",
        "1_000",
        str(2**63),
        str(-(2**80)),
        "9" * 400,
    ),
    *("${model.depth}", "${oc.env:HOME}", "${oc.env:NOT_THERE}", "${a.b}", "${", "}", "${model.width}${model.width}"),
    *(
        "[]",
        "[[]]",
        "[[[[1]]]]",
        "{}",
        "{a:1}",
        "{a:{b:[1,{c:2}]}}",
        "[1,a,null,true]",
        "[relu,relu]",
        "[relu, [sigmoid]]",
    ),
    *(
        "'",
        '"',
        "\\",
        "a=b",
        "=",
        ",",
        "@x",
        "~",
        "#",
        "\x00",
        "\x1b[31m",
        "\u202e",
        "é",
        "🂡",
        "..",
        "../x",
        "/etc/passwd",
    ),
    *(
        "!!python/object:os.system",
        "_target_",
        "{_target_: os.system}",
        "choice(1,2)",
        "range(1,9)",
        "glob(*)",
        "int(3)",
    ),
)
GROUPS = ("experiment", "study", "search", "scheduler", "model", "optimizer", "data", "trainer", "cluster", "tracker")
_ARMS = "study.scientific.model.activation"
CHOICES = (
    "smoke",
    "quickstart",
    "sobol",
    "tpe",
    "grid",
    "none",
    "asha",
    "cnn",
    "adam",
    "sgd",
    "digits",
    "cpu",
    "local",
    "x",
)
RANGES = ("{distribution: log_uniform, min: 0, max: 1}", "{distribution: uniform, min: 2, max: 1}", "{values: []}")


@pytest.fixture(scope="module")
def words(request: pytest.FixtureRequest) -> st.SearchStrategy[str]:
    """One word: a setting or a group, with a value that it may or may not accept."""
    paths = [
        *_paths(),
        "study.nuisance.optimizer.weight_decay",
        "study.arms",
        "study.scientific",
        "nowhere.at.all",
        "hydra.callbacks.x",
        "model.options.x",
        "plugins",
        "a b",
    ]
    numbers = st.one_of(st.integers(), st.floats(), st.integers(-2, 40)).map(str)
    values = st.one_of(
        st.sampled_from(HOSTILE),
        st.sampled_from(RANGES),
        numbers,
        st.lists(numbers, max_size=4).map(_listed),
        st.text(max_size=20),
    )
    settings_ = st.builds(
        lambda sign, path, value: f"{sign}{path}={value}",
        st.sampled_from(("", "", "", "+", "++", "~")),
        st.sampled_from(paths),
        values,
    )
    groups = st.builds(lambda group, choice: f"{group}={choice}", st.sampled_from(GROUPS), st.sampled_from(CHOICES))
    return st.one_of(settings_, settings_, settings_, groups, st.text(max_size=30))


def _paths() -> list[str]:
    found: list[str] = []
    run_with_hydra("sweep", ["experiment=smoke"], lambda config, words: found.extend(all_settings(config)) or 0)
    return found


def _listed(values: list[str]) -> str:
    return f"[{','.join(values)}]"


def accepted_or_refused(said: list[str]) -> None:
    began = time.monotonic()
    try:
        run_with_hydra("sweep", ["experiment=smoke", *said], lambda config, words: Study(config).cells is None)
    except ActsweepError as error:
        refusal = str(error)
    else:
        refusal = "accepted"
    assert refusal.strip(), said
    assert time.monotonic() - began < LONGEST_SECONDS, said


def check(words: st.SearchStrategy[str], examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(words, min_size=1, max_size=3))
    def one(said: list[str]) -> None:
        accepted_or_refused([word for word in said if not word.startswith("-")])

    one()


def test_a_few_configurations(words: Any) -> None:
    check(words, 60)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_ten_thousand_configurations(words: Any) -> None:
    check(words, 10_000)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "path",
    [
        "run.root",
        *(pytest.param(path, marks=pytest.mark.slow) for path in ("study.tune.points", "model.depth", _ARMS)),
    ],
)
def test_a_hostile_value(path: str, value: str) -> None:
    accepted_or_refused([f"{path}={value}"])
