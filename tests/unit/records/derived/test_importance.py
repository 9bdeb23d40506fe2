import gc
from typing import Any

import numpy as np
import pytest

from actsweep.records.derived.importance import setting_importance

Row = dict[str, Any]


def study(accuracy: Any, number: int = 64) -> tuple[list[Row], dict[str, Row]]:
    """Tune trials at random settings, whose accuracy is a function of them."""
    rng = np.random.default_rng(0)
    rows, nuisance = [], {}
    for index in range(number):
        tuned = {"lr": float(10 ** rng.uniform(-4, -1)), "momentum": float(rng.uniform(0, 1))}
        arm = ["relu", "sigmoid"][index % 2]
        rows.append(
            {"trial_id": str(index), "phase": "tune", "status": "completed", "activation": arm}
            | {"best_val_acc": float(accuracy(arm, tuned) + 1e-6 * rng.standard_normal())}
        )
        nuisance[str(index)] = tuned
    return rows, nuisance


def test_the_setting_that_decides_is_the_most_important() -> None:
    rows, nuisance = study(lambda arm, tuned: 0.9 - 0.1 * (np.log10(tuned["lr"]) + 2.5) ** 2)
    found = setting_importance(rows, ["activation"], nuisance)
    assert found is not None
    assert next(iter(found["shares"])) == "lr"
    assert found["shares"]["lr"] > 0.8
    assert found["trials"] == 64
    assert sum(found["shares"].values()) == pytest.approx(1)


def test_it_is_the_arm_where_that_decides() -> None:
    rows, nuisance = study(lambda arm, tuned: 0.9 if arm == "relu" else 0.1)
    found = setting_importance(rows, ["activation"], nuisance)
    assert found is not None
    assert next(iter(found["shares"])) == "activation"


def test_trials_that_were_stopped_early_or_failed_do_not_count() -> None:
    rows, nuisance = study(lambda arm, tuned: tuned["lr"])
    for row in rows[:40]:
        row["status"] = "stopped"
    rows[41] |= {"status": "failed", "best_val_acc": None}
    rows[42]["phase"] = "replicate"
    found = setting_importance(rows, ["activation"], nuisance)
    assert found is not None
    assert found["trials"] == 22


def test_it_is_the_same_each_time() -> None:
    rows, nuisance = study(lambda arm, tuned: tuned["lr"])
    assert setting_importance(rows, ["activation"], nuisance) == setting_importance(rows, ["activation"], nuisance)


@pytest.mark.parametrize("number", [0, 1, 7])
def test_of_too_few_trials_there_is_none(number: int) -> None:
    assert setting_importance(*_with_arm(study(lambda arm, tuned: tuned["lr"], number))) is None


def test_of_equal_trials_there_is_none() -> None:
    rows, nuisance = study(lambda arm, tuned: 0.5)
    for row in rows:
        row["best_val_acc"] = 0.5
    assert setting_importance(rows, ["activation"], nuisance) is None


def test_of_trials_that_are_equal_but_for_rounding_there_is_none() -> None:
    rows, nuisance = study(lambda arm, tuned: 0.5)
    for index, row in enumerate(rows):
        row["best_val_acc"] = 0.1 + (1e-16 if index == 63 else 0.0)
    assert setting_importance(rows, ["activation"], nuisance) is None


def test_of_many_trials_some_are_used_and_they_alone_decide_whether_there_is_any() -> None:
    rows, nuisance = study(lambda arm, tuned: tuned["lr"], 1002)
    found = setting_importance(rows, ["activation"], nuisance)
    assert found is not None
    assert found["trials"] == 334
    for index, row in enumerate(rows):  # every third is used
        row["best_val_acc"] = 0.1 if index % 3 == 0 else 0.2
    assert setting_importance(rows, ["activation"], nuisance) is None


def test_nothing_of_it_stays_in_memory() -> None:
    rows, nuisance = study(lambda arm, tuned: tuned["lr"])
    for _ in range(2):
        setting_importance(rows, ["activation"], nuisance)
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one).__name__ == "_FanovaTree"]


def test_values_of_every_kind_are_taken() -> None:
    rows, nuisance = study(lambda arm, tuned: tuned["momentum"])
    for index, tuned in enumerate(nuisance.values()):
        tuned |= {"schedule": ["none", None][index % 2], "nesterov": bool(index % 3), "warmup": index % 4}
    found = setting_importance(rows, ["activation"], nuisance)
    assert found is not None
    assert set(found["shares"]) == {"activation", "lr", "momentum", "schedule", "nesterov", "warmup"}


def _with_arm(study: tuple[list[Row], dict[str, Row]]) -> tuple[list[Row], list[str], dict[str, Row]]:
    return study[0], ["activation"], study[1]
