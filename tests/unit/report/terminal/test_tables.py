import subprocess
import sys
from collections.abc import Callable
from typing import Any

from rich.console import RenderableType

from actsweep.events import StudyRecord
from actsweep.report.terminal.tables import cells_table, status_table, verdicts_table, warnings
from rendering import rendered
from rows_of_results import cell, verdict
from story import Story

Row = dict[str, Any]
Golden = Callable[[str, RenderableType], None]
HOSTILE = "[red]x[/red]\x1b[31m"


def test_the_table_of_cells_looks_as_recorded(results: Row, golden: Golden) -> None:
    golden("cells.txt", cells_table(results))


def test_the_tables_of_verdicts_look_as_recorded(results: Row, golden: Golden) -> None:
    table = verdicts_table(results)
    assert table is not None
    golden("verdicts.txt", table)


def test_the_table_of_a_study_under_way_looks_as_recorded(story: Story, golden: Golden) -> None:
    record, trials = StudyRecord(), [story.tune(0, number) for number in range(3)]
    events = [*story.run(trials[0], 0.912), story.start(trials[1]), story.fail(trials[1], "no"), story.start(trials[2])]
    for event in events:
        record(event)
    golden("status.txt", status_table(story.study, record))


def test_cells_are_ranked_by_test_accuracy_and_those_without_come_last(results: Row) -> None:
    results["cells"].append(cell("tanh", test_acc_mean=None, test_acc_sd=None))
    text = rendered(cells_table(results))
    assert text.index("relu/3") < text.index("sigmoid/3") < text.index("tanh/3")


def test_no_column_of_failures_where_nothing_failed(results: Row) -> None:
    results["cells"] = [cell("relu"), cell("sigmoid")]
    assert "failed" not in rendered(cells_table(results))


def test_a_cell_of_which_nothing_is_known_is_dashes(results: Row) -> None:
    nothing: Row = dict.fromkeys(cell("relu"), None)
    results["cells"] = [nothing | {"activation": "relu", "depth": 3, "n": 0, "lrs": []}]
    assert rendered(cells_table(results)).splitlines()[3].split() == ["relu/3", "-", "0", "-", "-", "-", "-"]


def test_the_rates_of_many_blocks_are_a_range(results: Row) -> None:
    results["cells"] = [cell("relu", lrs=[0.001, 0.02, 0.003])]
    assert "0.001 to 0.02" in " ".join(rendered(cells_table(results)).split())


def test_a_study_without_a_stratum_names_the_factor_alone(results: Row) -> None:
    results["cells"] = [cell("relu", depth=None), cell("sigmoid", depth=None)]
    text = rendered(cells_table(results))
    assert "activation " in text
    assert "relu " in text
    assert "depth" not in text


def test_what_the_gap_is_taken_to_is_said(results: Row) -> None:
    results["study"]["gap_end_against"] = "validation"
    assert "train minus validation accuracy" in rendered(cells_table(results))


def test_no_table_where_nothing_was_compared(results: Row) -> None:
    results["verdicts"] = []
    assert verdicts_table(results) is None


def test_each_pair_and_depth_has_its_own_table(results: Row) -> None:
    other = [verdict("C5", "s", "undecided", (0.01, 0.0, 0.02, 0.01), "w", b="tanh", depth=6)]
    at_rate = [verdict("C5", "s", "refuted", (0.01, 0.0, 0.02, 0.01), "w", phase="at_b_lr")]
    results["verdicts"] += other + at_rate
    results["cells"] += [cell("tanh", depth=6, n=7)]
    text = rendered(verdicts_table(results) or "")
    assert "relu (n = 10) against sigmoid (n = 10), depth 3; intervals at 99.5 %" in text
    assert "relu (n = 0) against tanh (n = 7), depth 6; intervals at 99.5 %" in text
    assert "relu against sigmoid, depth 3, both at the learning rate of sigmoid; intervals" in text


def test_warnings_are_told_and_nothing_is_where_there_are_none(results: Row) -> None:
    shown = warnings(results)
    assert shown is not None
    assert rendered(shown).startswith("Warning: The best lr of sigmoid/3 lies at an edge of [0.0001, 0.1]:")
    results["study"]["warnings"] = []
    assert warnings(results) is None


def test_foreign_names_are_shown_as_they_are(results: Row) -> None:
    results["study"]["warnings"] = [HOSTILE]
    results["cells"] = [cell(HOSTILE, depth=None)]
    results["verdicts"] = [verdict(HOSTILE, HOSTILE, HOSTILE, (1.0, None, None, 1.0), HOSTILE, a=HOSTILE)]
    for shown in (cells_table(results), verdicts_table(results), warnings(results)):
        assert shown is not None
        text = rendered(shown)
        assert "[red]" in text
        assert "\x1b" not in text


def test_tables_are_shown_without_loading_what_only_the_page_needs() -> None:
    code = "import sys, actsweep.report.terminal.tables, actsweep.report.terminal.progress; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not {"plotly", "jinja2", "torch", "ray", "pandas", "hydra", "wandb"} & set(loaded.stdout.split())
