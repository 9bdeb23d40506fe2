import csv
from pathlib import Path
from typing import Any

from actsweep.report.files import write_tables

Row = dict[str, Any]
HOSTILE = "=cmd|' /C calc'!A0"


def test_a_csv_holds_the_rows_of_the_results(tmp_path: Path, results: Row) -> None:
    files = write_tables(tmp_path / "tables", results, "csv")
    assert [file.name for file in files] == [
        f"{name}.csv" for name in ("cells", "comparisons", "verdicts", "targets", "trials")
    ]
    with files[0].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["activation"] for row in rows] == ["sigmoid", "relu"]
    assert float(rows[0]["test_acc_mean"]) == results["cells"][0]["test_acc_mean"]
    assert rows[0]["lrs"] == "[0.0178]"


def test_no_text_is_a_formula_to_a_spreadsheet(tmp_path: Path, results: Row) -> None:
    results["verdicts"][0] |= {"why": HOSTILE, "estimate": -1.5}
    write_tables(tmp_path, results, "csv")
    with (tmp_path / "verdicts.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert row["why"] == f"'{HOSTILE}"
    assert row["estimate"] == "-1.5"


def test_markdown_has_a_line_a_row_whatever_the_names(tmp_path: Path, results: Row) -> None:
    results["cells"][0]["activation"] = "a|b\n<script>`x`"
    write_tables(tmp_path, results, "md")
    lines = (tmp_path / "cells.md").read_text().splitlines()
    assert len(lines) == 2 + len(results["cells"])
    assert lines[2].startswith("| a\\|b &lt;script>\\`x\\` | 3 |")
    assert lines[1].count("---") == lines[0].replace("\\|", "").count("|") - 1


def test_a_table_without_rows_has_no_file(tmp_path: Path, results: Row) -> None:
    results["comparisons"] = []
    assert not [file for file in write_tables(tmp_path, results, "md") if file.stem == "comparisons"]
