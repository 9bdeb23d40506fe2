"""Which settings decided how good the tune trials were, as Optuna estimates it."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from actsweep.study.space import text

Row = Mapping[str, Any]
_FEWEST = 8  # trials: of fewer a forest learns nothing
_MOST = 400  # trials: more make it slower, and hardly better
_TREES = 16
_ALIKE = 1e-9  # accuracies: what differs by less differs by rounding alone
_ENDED = ("completed", "diverged")  # a trial that was stopped early says how good it was then


def setting_importance(
    rows: Sequence[Row], scientific: Sequence[str], nuisance: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any] | None:
    """The share of each swept setting in what settings explain of the accuracy of the tune trials.

    Args:
        rows: rows of trials, of which the tune trials that ran to their end count.
        scientific: the columns of what is compared.
        nuisance: what was tuned, by the id of the trial.

    Returns:
        `trials`, how many were used, and `shares` by setting, the largest first, with sum 1; None where there are too
        few trials, all are equally good, or no setting has two values.

    Source: functional ANOVA on a random forest: Hutter, Hoos and Leyton-Brown, An efficient approach for assessing
    hyperparameter importance (2014).
    """
    ended = [row for row in rows if row["phase"] == "tune" and row["status"] in _ENDED]
    ended = [row for row in ended if row["best_val_acc"] is not None]
    used = ended[:: max(1, math.ceil(len(ended) / _MOST))]
    settings = [{**{name: row[name] for name in scientific}, **nuisance[row["trial_id"]]} for row in used]
    names = dict.fromkeys(name for values in settings for name in values)
    columns = {name: [values.get(name) for values in settings] for name in names}
    varied = {name: values for name, values in columns.items() if len(set(values)) > 1}
    accuracies = [row["best_val_acc"] for row in used]
    if len(used) < _FEWEST or not varied or max(accuracies) - min(accuracies) < _ALIKE:
        return None
    shares = _shares(varied, accuracies)
    total = sum(shares.values())
    ranked = sorted(shares.items(), key=lambda item: -item[1])
    return {"trials": len(used), "shares": {name: share / total for name, share in ranked}} if total > 0 else None


def _shares(columns: Mapping[str, Sequence[Any]], accuracies: Sequence[float]) -> dict[str, float]:
    import optuna
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    spaces = {name: _distribution(values) for name, values in columns.items()}
    numeric = {name for name, space in spaces.items() if isinstance(space, optuna.distributions.FloatDistribution)}
    study = optuna.create_study(direction="maximize")
    for index, accuracy in enumerate(accuracies):
        params = {name: values[index] if name in numeric else text(values[index]) for name, values in columns.items()}
        study.add_trial(optuna.trial.create_trial(value=accuracy, params=params, distributions=spaces))
    try:
        found = get_param_importances(study, evaluator=FanovaImportanceEvaluator(n_trees=_TREES, seed=0))
    except RuntimeError:  # no tree of the forest has found any variance
        return {}
    finally:
        _forget_trees()
    return {name: float(share) for name, share in found.items()}


def _forget_trees() -> None:
    """Empty the caches in which Optuna keeps every tree of every forest for as long as the process lives."""
    with suppress(ImportError, AttributeError):
        from optuna.importance._fanova._tree import _FanovaTree

        for method in vars(_FanovaTree).values():
            if hasattr(method, "cache_clear"):
                method.cache_clear()


def _distribution(values: Sequence[Any]) -> Any:
    """The range that numbers were seen in, logarithmic where it spans over a decade; a choice of texts."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return CategoricalDistribution(list(dict.fromkeys(map(text, values))))
    low, high = float(min(values)), float(max(values))
    return FloatDistribution(low, high, log=low > 0 and high / low > 10)
