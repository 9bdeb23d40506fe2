"""The command: options in, files and tables out."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from actsweep.cli.analyze import run_analyze
from actsweep.errors import ActsweepError, RequestError
from curve_tables import make_rows, write_csv, write_parquet


@pytest.fixture
def curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of curves in the working folder."""
    monkeypatch.chdir(tmp_path)
    return write_csv(Path("curves.csv"), make_rows())


def results(folder: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((Path(folder) / "results.json").read_text())
    return loaded


def test_one_file_is_analysed_into_the_folder_itself(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_analyze([str(curves), "--out", "out/deep"]) == 0
    assert {path.name for path in Path("out/deep").iterdir()} == {"results.json", "report.html"}
    assert results("out/deep")["study"]["name"] == "curves"
    printed = capsys.readouterr().out
    for text in ("relu/3", "tanh/3", "C5", "report   out/deep/report.html", "results  out/deep/results.json"):
        assert text in printed


def test_without_a_folder_the_results_go_to_analysis_and_without_a_report_only_they(
    curves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_analyze([str(curves), "--no-report"])
    assert [path.name for path in Path("analysis").iterdir()] == ["results.json"]
    assert "report " not in capsys.readouterr().out


def test_every_option_reaches_the_analysis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [row | {"opt": row["activation"], "norm": "batch", "accuracy": row["val_acc"]} for row in make_rows()]
    write_parquet(Path("a.parquet"), [{k: v for k, v in row.items() if k != "val_acc"} for row in rows])
    words = (
        "a.parquet --reference tanh --horizon 2 --classes 4 --target-hi 0.5 --target-lo 0.25 --level 0.9 --factor opt"
    )
    run_analyze(
        [*words.split(), "--stratum", "norm,depth", "--map", "val_acc=accuracy", "--from", "csv", "--no-report"]
    )
    found = results("analysis")
    study = found["study"]
    assert [study[name] for name in ("reference", "horizon", "classes", "level", "factor", "stratum")] == [
        *("tanh", 2, 4, 0.9, "opt", "norm,depth")
    ]
    assert (found["targets"][0]["hi"], found["targets"][0]["lo"]) == (0.5, 0.25)
    assert found["study"]["strata"] == [["batch", 3]]


class TestSeveralFiles:
    @pytest.fixture(autouse=True)
    def files(self, curves: Path) -> None:
        write_parquet(Path("other.parquet"), make_rows(arms=("relu", "gelu")))
        Path("bad.csv").write_text(curves.read_text().replace("0.1,", "7,", 1))

    @pytest.mark.parametrize("jobs", ["1", "2"])
    def test_each_has_its_folder_and_a_refused_one_does_not_keep_the_others(
        self, jobs: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        words = ["curves.csv", "bad.csv", "none.csv", "other.parquet", "--out", "out", "--jobs", jobs, "--no-report"]
        with pytest.raises(RequestError) as caught:
            run_analyze(words)
        message = str(caught.value).splitlines()
        assert message[0] == "2 of 4 files refused, the others analysed:"
        assert message[1].startswith("  bad.csv: row 1, column train_acc, trial relu-0: ")
        assert message[2] == "  none.csv: there is no such file"
        assert {path.name for path in Path("out").iterdir()} == {"curves", "other"}
        assert results("out/other")["study"]["arms"] == ["relu", "gelu"]
        printed = capsys.readouterr().out
        assert printed.index("curves.csv") < printed.index("other.parquet")

    def test_two_of_one_name_are_refused_before_anything_is_read(self) -> None:
        Path("sub").mkdir()
        write_csv(Path("sub/curves.csv"), make_rows())
        with pytest.raises(RequestError, match="two files are called curves"):
            run_analyze(["curves.csv", "sub/curves.csv"])
        assert not Path("analysis").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "the following arguments are required: CURVES"),
        ("curves.csv --from mlflow", "argument --from: invalid choice: 'mlflow' .*csv.*wandb-csv.*tensorboard.*ray"),
        ("curves.csv --classes 1", "--classes must be 2 or more"),
        ("curves.csv --classes many", "argument --classes: invalid int value: 'many'"),
        ("curves.csv --horizon nan", "--horizon must be an epoch above 0"),
        ("curves.csv --level 95", "--level must lie between 0 and 1"),
        ("curves.csv --target-hi 90", "--target-hi must be a fraction from 0 to 1"),
        ("curves.csv --target-hi 0.5 --target-lo 0.6", "--target-lo must be at most --target-hi"),
        ("curves.csv --jobs 0", "argument --jobs: needs a whole number from 1 on, not '0'"),
        ("curves.csv --map val_acc", "argument --map: needs the form our=theirs, such as val_acc=accuracy"),
        ("curves.csv --map lr=a --map lr=b", "--map: one of our columns is named twice"),
        ("curves.csv --map lr=a", "--map lr=a: curves.csv has no such column"),
        ("curves.csv --reference sine", "--reference sine: is no activation of the table; curves.csv has relu, tanh"),
        ("curves.csv --stratum norm", "--stratum norm: curves.csv has no such column"),
        ("curves.csv --stratum depth,", "--stratum '': cannot be used"),
        ("curves.csv --factor optimizer", "the column optimizer is missing"),
        ("curves.csv --unknown", "unrecognized arguments: --unknown"),
        ("curves.csv --ref relu", "unrecognized arguments: --ref"),
        ("none.csv", "none.csv: there is no such file"),
    ],
)
def test_a_wrong_request_is_refused_in_one_message(curves: Path, words: str, message: str) -> None:
    with pytest.raises(ActsweepError, match=message):
        run_analyze(words.split())
    assert not Path("analysis").exists()


def test_a_study_is_never_overwritten(curves: Path) -> None:
    Path("study").mkdir()
    Path("study/ledger.jsonl").touch()
    with pytest.raises(RequestError, match="--out study: is the folder of a study"):
        run_analyze(["curves.csv", "--out", "study"])


def test_a_folder_that_cannot_be_written_to(curves: Path) -> None:
    Path("file").touch()
    with pytest.raises(RequestError, match="--out file/x: cannot be written to: Not a directory"):
        run_analyze(["curves.csv", "--out", "file/x", "--no-report"])


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run_analyze(["--help"])
    assert caught.value.code == 0
    options = {"out", "reference", "horizon", "classes", "target-hi", "target-lo", "level", "factor", "stratum", "from"}
    printed = capsys.readouterr().out
    assert not {option for option in options | {"map", "jobs", "no-report"} if f"--{option}" not in printed}


def test_the_report_shows_the_curves_up_to_the_horizon(curves: Path) -> None:
    run_analyze(["curves.csv", "--horizon", "2", "--out", "cut"])
    page = Path("cut/report.html").read_text()
    assert "4 replicates: 2 relu, 2 tanh" in page
    assert '"x":[0.0,1.0,2.0]' in page
    assert '"x":[0.0,1.0,2.0,3.0]' not in page


def test_text_of_a_file_cannot_control_the_terminal_or_the_page(
    curves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = "\x1b[31m<script>[bold]=1+1"
    write_csv(Path("odd.csv"), make_rows(arms=("relu", odd)))
    run_analyze(["odd.csv", "--out", "odd"])
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "[bold]=1+1" in printed.replace("\n", "")
    assert "<script>[bold]" not in Path("odd/report.html").read_text()
    assert results("odd")["study"]["arms"] == ["relu", odd]


def test_it_starts_without_the_heavy_packages(curves: Path) -> None:
    code = """
import sys
from actsweep.cli.analyze import run_analyze
assert "pyarrow" not in sys.modules and "pandas" not in sys.modules
run_analyze(["curves.csv", "--out", "started"])
heavy = {"torch", "torchvision", "pytorch_lightning", "ray", "hydra", "omegaconf", "wandb", "optuna", "tensorboard"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_ten_thousand_trials_fit_into_a_gibibyte(tmp_path: Path) -> None:
    """Read, checked, converted and analysed, in a process of its own: the memory of the whole of it.

    Read from /proc, since `ru_maxrss` of a child begins with the memory of the process that started it.
    """
    big = tmp_path / "big.csv"
    lines = [
        "trial_id,phase,activation,depth,lr,seed,block,epoch,step,seconds,train_loss,train_acc,val_loss,val_acc,test_acc"
    ]
    for arm in ("relu", "gelu", "tanh", "silu", "elu"):
        for seed in range(2000):
            base = f"{arm}-{seed},replicate,{arm},3,0.01,{seed},0"
            lines += [
                f"{base},{e},{390 * e},{1.5 * e + seed / 1e4},{2.3 - 0.05 * e},{0.1 + 0.02 * e},{2.31 - 0.04 * e},"
                f"{0.1 + 0.025 * e + seed / 1e5},{0.8 + seed / 1e5 if e == 29 else ''}"
                for e in range(30)
            ]
    big.write_text("\n".join(lines))
    code = """
import sys
from pathlib import Path
from actsweep.tables import analyze
assert len(analyze(sys.argv[1])["trials"]) == 10_000
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""
    done = subprocess.run([sys.executable, "-c", code, str(big)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2**20  # in kB
