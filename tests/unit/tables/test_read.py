"""What files and data frames are read, and that their form does not change what is read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actsweep.errors import RequestError, TableError
from actsweep.tables import Table, analyze, read_frame, read_table, trial_curves
from actsweep.tables.schema import is_reserved
from actsweep.tables.sources import LARGEST_FILE, MOST_ROWS
from curve_tables import Row, make_rows, write_csv, write_parquet

NAN, INF = float("nan"), float("inf")
HEADER = "trial_id,activation,seed,epoch,val_acc"


def results(path: Path) -> dict[str, Any]:
    return analyze(path, name="study")


def column(path: Path, name: str, **options: Any) -> list[Any]:
    table = read_table(path, **options)
    if name in table.numbers:
        return list(table.numbers[name])
    return [table.labels[name].at(index) for index in range(len(table))]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "curves.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


Written = Callable[[str | bytes], Path]


class TestForm:
    """What must not change the results."""

    @pytest.fixture
    def plain(self, tmp_path: Path) -> tuple[str, dict[str, Any]]:
        path = write_csv(tmp_path / "plain.csv", make_rows())
        return path.read_text(), results(path)

    @pytest.mark.parametrize(
        "form",
        [
            lambda text: text.replace("\n", "\r\n"),
            lambda text: "\ufeff" + text,
            lambda text: text.rstrip("\n"),
            lambda text: text.replace("\n", "\n\n"),
            lambda text: "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines()),
            lambda text: text.replace(",", " , "),
            lambda text: "\n".join(f'{line},"note, of ""two""\nlines"' for line in text.splitlines()),
            lambda text: "\n".join(",".join(line.split(",")[::-1]) for line in text.splitlines()),
        ],
        ids=[
            "CRLF",
            "BOM",
            "no newline at the end",
            "blank lines",
            "quotes",
            "blanks",
            "extra column",
            "columns turned",
        ],
    )
    def test_how_a_csv_file_is_written(
        self, plain: tuple[str, dict[str, Any]], written: Written, form: Callable[[str], str]
    ) -> None:
        text, expected = plain
        assert results(written(form(text))) == expected

    @given(order=st.permutations(range(16)))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_the_order_of_the_rows(self, plain: tuple[str, dict[str, Any]], tmp_path: Path, order: list[int]) -> None:
        rows = make_rows()
        assert results(write_csv(tmp_path / "turned.csv", [rows[index] for index in order])) == plain[1]

    def test_parquet_instead_of_csv(self, plain: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
        assert results(write_parquet(tmp_path / "curves.parquet", make_rows())) == plain[1]
        assert results((tmp_path / "curves.parquet").rename(tmp_path / "curves.dat")) == plain[1]

    def test_a_data_frame_instead_of_a_file(self, plain: tuple[str, dict[str, Any]]) -> None:
        frame = pd.DataFrame(make_rows())
        assert analyze(frame, name="study") == plain[1]
        assert analyze(frame.convert_dtypes(), name="study") == plain[1]
        assert analyze(frame.astype({"activation": "category"}), name="study") == plain[1]

    def test_the_types_of_parquet_columns(self, plain: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
        table = pq.read_table(write_parquet(tmp_path / "plain.parquet", make_rows()))
        kinds = {
            "trial_id": pa.large_string(),
            "activation": pa.dictionary(pa.int8(), pa.string()),
            "seed": pa.uint8(),
            "epoch": pa.float32(),
            "depth": pa.string(),
            "block": pa.float64(),
            "step": pa.decimal128(21, 2),
            "status": pa.binary(),
        }
        for name, kind in kinds.items():
            table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(kind))
        pq.write_table(table, tmp_path / "typed.parquet")
        assert results(tmp_path / "typed.parquet") == plain[1]


class TestCells:
    @pytest.mark.parametrize("epoch", ["3", "3.0", " 3 ", '"3"', "3e0", "+3", "03"])
    def test_ways_to_write_a_whole_number(self, written: Written, epoch: str) -> None:
        path = written(f"{HEADER}\na,relu,{epoch},{epoch},0.5\n")
        assert column(path, "epoch") == column(path, "seed") == [3]

    def test_seeds_of_up_to_64_bits_are_exact(self, written: Written, tmp_path: Path) -> None:
        seeds = [-(2**63), 2**53 + 1, 2**63 - 1]
        path = written("\n".join([HEADER, *(f"t{seed},relu,{seed},0,0.5" for seed in seeds)]))
        assert column(path, "seed") == seeds
        rows = [dict(zip(HEADER.split(","), (f"t{seed}", "relu", seed, 0, 0.5), strict=True)) for seed in seeds]
        assert column(write_parquet(tmp_path / "a.parquet", rows), "seed") == seeds
        for seed in ("9223372036854775808", "1" * 5000):
            with pytest.raises(TableError, match="row 1, column seed, trial a: must be a whole number of at most 64"):
                read_table(written(f"{HEADER}\na,relu,{seed},0,0.5"))

    @pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "Infinity", "-INF"])
    def test_a_loss_that_is_not_finite_is_told_from_an_empty_cell(self, written: Written, text: str) -> None:
        path = written(f"{HEADER},train_loss\na,relu,0,0,0.5,\na,relu,0,1,0.5,{text}\n")
        np.testing.assert_equal(column(path, "train_loss"), [NAN, INF])

    def test_in_parquet_a_null_is_an_empty_cell_and_nan_a_loss(self, tmp_path: Path) -> None:
        rows = make_rows(seeds=(0,), horizon=1)
        rows[0]["train_loss"], rows[1]["train_loss"], rows[2]["train_loss"] = None, NAN, -INF
        np.testing.assert_equal(
            column(write_parquet(tmp_path / "a.parquet", rows), "train_loss"), [NAN, INF, INF, 2.3 - 0.5]
        )

    def test_in_a_data_frame_nan_is_an_empty_cell_as_pandas_writes_it(self) -> None:
        rows = make_rows()
        rows[0]["train_loss"], rows[1]["train_loss"] = NAN, INF
        np.testing.assert_equal(read_frame(pd.DataFrame(rows)).numbers["train_loss"][:2], [NAN, INF])

    def test_a_slope_that_is_not_finite_is_not_recorded(self, tmp_path: Path) -> None:
        rows = make_rows(grad_slope=-INF)
        curve = trial_curves(read_table(write_csv(tmp_path / "a.csv", rows)))[0].curve
        assert curve.grad_slope is not None
        assert np.isnan(curve.grad_slope).all()

    def test_letters_of_any_language_are_kept(self, written: Written) -> None:
        path = written(f"{HEADER}\n試行 1,ReLU é,0,0,0.5\n")
        assert (column(path, "trial_id"), column(path, "activation")) == (["試行 1"], ["ReLU é"])

    def test_epochs_counted_from_0_are_shifted_on_request(self, written: Written) -> None:
        path = written(f"{HEADER}\na,relu,0,0,0.5\na,relu,0,1,0.5\n")
        assert column(path, "epoch", mapping={"epoch": "epoch+1"}) == [1, 2]
        path = written(f"{HEADER},epoch+1\na,relu,0,0,0.5,7\n")
        assert column(path, "epoch", mapping={"epoch": "epoch+1"}) == [7]


class TestFactorAndStratum:
    @staticmethod
    def trials(rows: list[Row], tmp_path: Path, **options: Any) -> list[tuple[str, tuple[Any, ...]]]:
        found = []
        for path in (write_csv(tmp_path / "a.csv", rows), write_parquet(tmp_path / "a.parquet", rows)):
            found.append([(t.arm, t.strata) for t in trial_curves(read_table(path, **options))])
        assert found[0] == found[1]
        return found[0]

    def test_another_factor_and_strata(self, tmp_path: Path) -> None:
        rows = [row | {"width": row["seed"] + 16, "dropout": 0.5, "opt": "adam"} for row in make_rows(norm="batch")]
        found = self.trials(rows, tmp_path, factor="width", stratum=("dropout", "opt", "activation"))
        assert found[:2] == [("16", (0.5, "adam", "relu")), ("17", (0.5, "adam", "relu"))]

    def test_a_factor_of_numbers_is_text(self, tmp_path: Path) -> None:
        rows = [row | {"depth": row["seed"]} for row in make_rows()]
        assert self.trials(rows, tmp_path, factor="depth", stratum=("activation",))[:2] == [
            ("0", ("relu",)),
            ("1", ("relu",)),
        ]

    def test_a_depth_that_is_absent_or_empty_is_none(self, tmp_path: Path) -> None:
        rows = [{name: value for name, value in row.items() if name != "depth"} for row in make_rows()]
        assert self.trials(rows, tmp_path)[0] == ("relu", (None,))
        assert self.trials(make_rows(depth=None), tmp_path)[0] == ("relu", (None,))
        assert self.trials(make_rows(), tmp_path, stratum=())[0] == ("relu", ())

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"factor": "optimizer"}, "the column optimizer is missing"),
            ({"stratum": ("width",)}, "--stratum width: .* has no such column; it has trial_id"),
            ({"factor": "seed"}, "--factor 'seed': cannot be used"),
            ({"stratum": ("units",)}, "--stratum 'units': cannot be used"),
            ({"stratum": ("",)}, "--stratum '': cannot be used"),
            ({"factor": "depth"}, "--factor depth --stratum depth: name each column once"),
            ({"stratum": ("depth", "depth")}, "name each column once"),
        ],
    )
    def test_columns_that_cannot_serve(self, tmp_path: Path, options: dict[str, Any], message: str) -> None:
        path = write_csv(tmp_path / "a.csv", make_rows(units=3))
        with pytest.raises(RequestError, match=message):
            read_table(path, **options)

    def test_no_key_of_the_results_can_be_overwritten(self, tmp_path: Path) -> None:
        found = results(write_csv(tmp_path / "a.csv", make_rows()))
        parts = ("targets", "trials", "cells", "comparisons", "verdicts", "learning_rate_view")
        keys = {key for part in parts for row in found[part] for key in row}
        assert len(keys) > 80
        assert {key for key in keys if not is_reserved(key)} == {"activation", "depth"}


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is empty"),
            (b"\n\n", "cannot be read as CSV"),
            (f"{HEADER}\n", "has a header, but no rows"),
            (f"{HEADER}\na,relu,0,0\n", "row 1 has 4 cells, the header 5"),
            (f"{HEADER}\na,relu,0,0,0.5\n\nb,relu,0,0,0.5,1\n", "row 2 has 6 cells, the header 5"),
            (f"{HEADER}\n".replace(",", ";") + "a;relu;0;0;0.5\n", "Columns must be separated by commas"),
            (f"{HEADER},val_acc\na,relu,0,0,0.5,0.5\n", "the column val_acc occurs 2 times"),
            (
                f"{HEADER}\nä,relu,0,0,0.5\n".encode("latin-1"),
                "row 1, column trial_id, trial \ufffd: is not text in UTF-8",
            ),
            (f"{HEADER}\na,relu,0,0,0.5\n".encode("utf-16"), "is text in UTF-16"),
            (b"PAR1" + b"x" * 100, "cannot be read as Parquet"),
            (f'{HEADER}\na,relu,0,0,"0.5\n' + "b,relu,0,0,0.5\n" * 600_000, "a quotation mark is never closed"),
        ],
    )
    def test_what_cannot_be_read(self, written: Written, content: str | bytes, message: str) -> None:
        path = written(content)
        with pytest.raises(TableError) as caught:
            read_table(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert message in str(caught.value)

    def test_what_is_no_file(self, tmp_path: Path) -> None:
        for path, message in ((tmp_path / "no.csv", "there is no such file"), (tmp_path, "is no file")):
            with pytest.raises(TableError, match=message):
                read_table(path)

    def test_a_name_that_promises_parquet(self, tmp_path: Path) -> None:
        (tmp_path / "a.parquet").write_text(HEADER)
        with pytest.raises(TableError, match="is no Parquet file"):
            read_table(tmp_path / "a.parquet")

    def test_a_file_of_over_4_gib(self, tmp_path: Path) -> None:
        with (tmp_path / "a.csv").open("wb") as file:
            file.truncate(LARGEST_FILE + 1)
        with pytest.raises(TableError, match="is larger than 4 GiB"):
            read_table(tmp_path / "a.csv")

    def test_a_small_file_of_very_many_rows(self, tmp_path: Path) -> None:
        """Equal values take no room in Parquet: its size does not bound what reading it costs."""
        part = pa.table({"epoch": pa.array(np.zeros(2**20, dtype=np.int8))})
        with pq.ParquetWriter(tmp_path / "a.parquet", part.schema) as writer:
            for _ in range(MOST_ROWS // 2**20 + 1):
                writer.write_table(part)
        with pytest.raises(TableError, match=f"at most {MOST_ROWS} are read"):
            read_table(tmp_path / "a.parquet")

    def test_a_column_of_lists(self, tmp_path: Path) -> None:
        for name in ("val_acc", "activation"):
            rows = make_rows(**{name: None})
            table = pa.table({key: [[1]] * 16 if key == name else [row[key] for row in rows] for key in rows[0]})
            pq.write_table(table, tmp_path / "a.parquet")
            with pytest.raises(TableError, match=f"row 1, column {name}, trial relu-0: must hold .* not the type list"):
                read_table(tmp_path / "a.parquet")

    def test_a_data_frame_of_mixed_types(self) -> None:
        frame = pd.DataFrame(make_rows())
        frame["val_acc"] = frame["val_acc"].astype(object)
        frame.loc[0, "val_acc"] = "high"
        with pytest.raises(TableError, match="the data frame: column val_acc mixes types"):
            read_frame(frame)

    def test_columns_that_are_not_asked_for_do_not_matter(self, written: Written, tmp_path: Path) -> None:
        path = written(f"{HEADER},note,note\na,relu,0,0,0.5,x,y\n".encode() + b"a,relu,0,1,0.5,\xff,\n")
        assert column(path, "val_acc") == [0.5, 0.5]
        rows = make_rows()
        table = pa.table({key: [row[key] for row in rows] for key in rows[0]} | {"list": [[1, 2]] * 16})
        pq.write_table(table, tmp_path / "a.parquet")
        assert isinstance(read_table(tmp_path / "a.parquet"), Table)

    def test_the_results_are_json(self, tmp_path: Path) -> None:
        found = results(write_csv(tmp_path / "a.csv", make_rows()))
        assert json.loads(json.dumps(found, allow_nan=False)) == found
