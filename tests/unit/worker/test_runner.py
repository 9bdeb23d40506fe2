"""The worker, in this process: a Tune trainable is a plain object until Tune makes an actor of it."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from actsweep.data import load, prepare
from actsweep.records import Attempt
from actsweep.settings import StudyConfig
from actsweep.train import train
from actsweep.worker.runner import TrialRunner

WORDS = ("data.train=256", "data.val=128", "data.test=128", "model.width=4", "optimizer.lr=0.01")
WRITTEN = {"trial.yaml", "last.ckpt", "best.ckpt", "resume.ckpt", "attempt-1.log"}
Asked = Callable[..., dict[str, Any]]


@pytest.fixture
def asked(compose: Callable[..., StudyConfig], tmp_path: Path) -> Asked:
    """What the searcher hands out for a trial called `name`, or for several that it names, of different seeds."""

    def build(
        name: str, *words: str, one_row_a_step: bool = False, attempt: int = 1, side_by_side: int = 1
    ) -> dict[str, Any]:
        config = compose(*WORDS, *words)
        return {
            "trials": [
                {
                    "trial_id": one,
                    "attempt": attempt,
                    "trial": config.trial({}, config.seed + number).model_dump(mode="json"),
                }
                for number, one in enumerate(name.split())
            ],
            "side_by_side": side_by_side,
            "source": asdict(prepare(config.data)),
            "study": str(tmp_path),
            "one_row_a_step": one_row_a_step,
            "alone": False,
            "checkpoints": None,
        }

    return build


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., TrialRunner]]:
    monkeypatch.setenv("HOME", str(tmp_path))  # Tune makes a folder there
    made: list[TrialRunner] = []

    def build(config: dict[str, Any]) -> TrialRunner:
        made.append(TrialRunner(config))
        return made[-1]

    yield build
    for one in made:
        one.stop()


def results(runner: TrialRunner) -> list[dict[str, Any]]:
    found = [runner.step()]
    while not found[-1]["done"]:
        found.append(runner.step())
    return found


def rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [report["row"] for result in found for report in result["reports"] if "row" in report]


def ends(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [report["end"] for result in found for report in result["reports"] if "end" in report]


def files(tmp_path: Path, name: str) -> set[str]:
    return {path.name for path in (tmp_path / "trials" / name).iterdir()}


def test_a_trial_hands_over_its_rows_and_its_end(asked: Asked, runner: Callable[..., TrialRunner]) -> None:
    found = results(runner(asked("one", "trainer.epochs=2")))
    assert [row["epoch"] for row in rows(found)] == [0, 1, 2]
    assert ends(found)[0]["final"].keys() == {"test_acc", "test_loss", "best_test_acc"}
    assert found[-1]["done"]


def test_the_trials_of_a_pack_are_those_that_each_would_be_by_itself(
    asked: Asked, runner: Callable[..., TrialRunner], tmp_path: Path
) -> None:
    words = ("trainer.epochs=2", "data.augment=true", "model.dropout=0.2")
    alone = []
    for config in asked("one two three", *words)["trials"]:
        alone += ends(results(runner({**asked("one", *words), "trials": [{**config, "attempt": 1}]})))
    together = results(runner(asked("one two three", *words, attempt=2)))
    assert [row["epoch"] for row in rows(together)] == [0, 1, 2] * 3
    assert [end["weights"] for end in ends(together)] == [end["weights"] for end in alone]
    assert [end["final"] for end in ends(together)] == [end["final"] for end in alone]
    assert [result["done"] for result in together] == [*[False] * (len(together) - 1), True]


def test_a_pack_goes_on_after_a_trial_that_fails(asked: Asked, runner: Callable[..., TrialRunner]) -> None:
    config = asked("one two three", "trainer.epochs=1")
    config["trials"][1]["trial"]["model"]["activation"] = "none such"
    found = results(runner(config))
    assert ["failure" in end for end in ends(found)] == [False, True, False]


def test_a_pack_that_is_ended_begins_no_other_trial(
    asked: Asked, runner: Callable[..., TrialRunner], tmp_path: Path
) -> None:
    worker = runner(asked("one two", "trainer.epochs=100000"))
    worker.step()
    worker.stop()
    assert files(tmp_path, "one")
    assert not (tmp_path / "trials" / "two").exists()


def test_rows_are_gathered_but_the_first_and_the_last_do_not_wait(
    asked: Asked, runner: Callable[..., TrialRunner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else but the bound of a test could end the wait."""
    monkeypatch.setattr("actsweep.worker.runner.REPORT_SECONDS", 1e6)
    found = results(runner(asked("one two", "trainer.epochs=3")))
    assert len(found) == 2
    assert sum(len(result["reports"]) for result in found) == 10


def test_a_scheduler_sees_each_row_by_itself(asked: Asked, runner: Callable[..., TrialRunner]) -> None:
    found = results(runner(asked("one", "trainer.epochs=3", one_row_a_step=True)))
    assert [result["epoch"] for result in found] == [0, 1, 2, 3, 3]
    assert [len(rows([result])) for result in found] == [1, 1, 1, 1, 0]
    assert [result["metric"] for result in found[:4]] == [row["val_acc"] for row in rows(found)]
    assert ends(found[4:])[0]["status"] == "completed"


def test_a_diverged_trial_counts_as_chance(asked: Asked, runner: Callable[..., TrialRunner]) -> None:
    words = ("optimizer=sgd", "optimizer.lr=1e6", "model.init=he")
    found = results(runner(asked("one", *words, one_row_a_step=True)))
    (end,) = ends(found)
    assert (end["status"], end["final"]) == ("diverged", {})
    assert found[-1]["metric"] == pytest.approx(0.1)


def test_a_trial_that_the_scheduler_stopped_ends_soon_and_leaves_nothing_to_go_on_from(
    asked: Asked, runner: Callable[..., TrialRunner], tmp_path: Path
) -> None:
    worker = runner(asked("long", "trainer.epochs=100000", one_row_a_step=True))
    for _ in range(3):
        worker.step()
    assert worker.reset_config(asked("next", "trainer.epochs=1"))
    assert ends(results(worker))[0]["status"] == "completed"
    assert files(tmp_path, "long") == WRITTEN - {"resume.ckpt"}


def test_an_interrupted_trial_goes_on_where_it_was_and_reports_its_rows_again(
    asked: Asked, runner: Callable[..., TrialRunner], tmp_path: Path
) -> None:
    words = ("long", "trainer.epochs=30", "data.augment=true")
    first = runner(asked(*words, one_row_a_step=True))
    before = rows([first.step() for _ in range(3)])
    first.stop()
    assert "resume.ckpt" in files(tmp_path, "long")
    again = rows(results(runner(asked(*words, attempt=2))))
    assert again[:3] == before
    assert [row["epoch"] for row in again] == list(range(31))
    assert files(tmp_path, "long") == {*WRITTEN, "attempt-2.log"}


def test_a_failure_is_one_message_and_its_traceback_is_in_the_log(
    asked: Asked, runner: Callable[..., TrialRunner], tmp_path: Path
) -> None:
    found = results(runner(asked("one", "trainer.trial_timeout=0.001")))
    (end,) = ends(found)
    assert end["failure"].startswith("the trial took longer than trainer.trial_timeout=0.001 seconds")
    assert end["reason"] == "timeout"
    assert "Traceback" in (tmp_path / "trials" / "one" / "attempt-1.log").read_text()


def test_what_a_worker_says_of_a_failure_holds_no_secret(
    asked: Asked, runner: Callable[..., TrialRunner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_TOKEN", "a-canary-in-a-mine")
    config = asked("one")
    config["trials"][0]["trial"]["model"]["activation"] = "a-canary-in-a-mine"
    (end,) = ends(results(runner(config)))
    for said in (end["failure"], (tmp_path / "trials" / "one" / "attempt-1.log").read_text()):
        assert "[redacted]" in said
        assert "canary" not in said


def test_the_weights_are_told_by_their_hashes(asked: Asked, runner: Callable[..., TrialRunner], tmp_path: Path) -> None:
    (end,) = ends(results(runner(asked("one", "trainer.epochs=1"))))
    folder = tmp_path / "trials" / "one"
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("last.ckpt", "best.ckpt")}
    assert end["weights"] == hashes


def test_a_worker_whose_attempt_is_outdated_stops_and_touches_nothing_more(
    asked: Asked, runner: Callable[..., TrialRunner], tmp_path: Path
) -> None:
    """As one that was frozen, taken for lost, and comes back while the next attempt runs."""
    old = runner(asked("long", "trainer.epochs=100000"))
    old.step()
    folder = tmp_path / "trials" / "long"
    Attempt(folder, 2).begin()
    (folder / "resume.ckpt").write_bytes(b"of the second attempt")
    (end,) = ends(results(old))
    assert end["reason"] == "lost"
    old.stop()
    assert (folder / "resume.ckpt").read_bytes() == b"of the second attempt"
    assert files(tmp_path, "long") == {"trial.yaml", "resume.ckpt", "attempt-1.log", "attempt-2.log"}
    assert "Traceback" not in (folder / "attempt-1.log").read_text()


@pytest.mark.parametrize(("every", "seconds"), [(100_000, 0.0), (1, 3600.0)], ids=["in training", "in writing"])
def test_a_worker_that_was_taken_for_lost_begins_no_other_trial_of_its_pack(
    asked: Asked,
    runner: Callable[..., TrialRunner],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    every: int,
    seconds: float,
) -> None:
    """Whether it sees that after a step, or when it next writes."""
    monkeypatch.setattr("actsweep.worker.runner.LOOK_SECONDS", seconds)
    old = runner(asked("long other", "trainer.epochs=100000", f"trainer.eval_every={every}"))
    old.step()
    Attempt(tmp_path / "trials" / "long", 2).begin()
    assert [end["reason"] for end in ends(results(old))] == ["lost", "lost"]
    assert not (tmp_path / "trials" / "other").exists()


def curves(found: list[dict[str, Any]], trials: int) -> list[list[dict[str, Any]]]:
    """What each trial of a pack measured, its times apart."""
    measured: list[list[dict[str, Any]]] = [[] for _ in range(trials)]
    for report in (report for result in found for report in result["reports"]):
        one = report["row"] if "row" in report else report["end"]["final"]
        measured[report["place"]].append({name: one[name] for name in one if name not in ("seconds", "wall")})
    return measured


@pytest.mark.parametrize(
    "words",
    [
        ("model.dropout=0.3", "data.augment=true", "optimizer.schedule=cosine"),
        ("model.norm=batch", "optimizer=sgd", "optimizer.clip=1.0"),
        ("trainer.precision=bf16", "model.dropout=0.1"),
    ],
)
def test_trials_side_by_side_have_the_curves_that_they_have_alone(
    asked: Asked, runner: Callable[..., TrialRunner], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """To the last bit, on one thread of a CPU, whenever they give way to each other."""
    alone = results(runner(asked("one two three four", "trainer.epochs=3", *words)))
    monkeypatch.setattr("actsweep.train.turns.TURN_SECONDS", 0.0)
    packed = results(runner(asked("five six seven eight", "trainer.epochs=3", *words, side_by_side=3)))
    assert curves(packed, 4) == curves(alone, 4)
    assert [end["weights"] for end in by_place(packed)] == [end["weights"] for end in by_place(alone)]


def by_place(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    reports = [report for result in found for report in result["reports"] if "end" in report]
    return [report["end"] for report in sorted(reports, key=lambda report: report["place"])]


def test_they_do_train_side_by_side(
    asked: Asked, runner: Callable[..., TrialRunner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actsweep.train.turns.TURN_SECONDS", 0.0)
    found = results(runner(asked("one two three", "trainer.epochs=20", side_by_side=2)))
    places = [report["place"] for result in found for report in result["reports"]]
    first_end = next(n for n, result in enumerate(r for f in found for r in f["reports"]) if "end" in result)
    assert set(places[:first_end]) == {0, 1}
    assert places.index(2) > first_end
    assert sorted(places) == sorted([0, 1, 2] * 22)


def test_of_trials_side_by_side_each_fails_for_itself(
    asked: Asked, runner: Callable[..., TrialRunner], tmp_path: Path
) -> None:
    config = asked("one two three", "trainer.epochs=2", side_by_side=3)
    config["trials"][1]["trial"]["model"]["depth"] = -1
    ended = by_place(results(runner(config)))
    assert [end.get("status", end.get("reason")) for end in ended] == ["completed", "error", "completed"]


def test_trials_side_by_side_end_together_and_go_on_where_they_were(
    asked: Asked, runner: Callable[..., TrialRunner], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("actsweep.train.turns.TURN_SECONDS", 0.0)
    whole = results(runner(asked("one two", "trainer.epochs=40")))
    first = runner(asked("five six", "trainer.epochs=40", side_by_side=2))
    while not all((tmp_path / "trials" / name / "resume.ckpt").exists() for name in ("five", "six")):
        first.step()
    first.stop()
    again = results(runner(asked("five six", "trainer.epochs=40", side_by_side=2, attempt=2)))
    assert curves(again, 2) == curves(whole, 2)


def test_a_worker_that_cannot_end_its_trial_takes_no_other(
    asked: Asked, runner: Callable[..., TrialRunner], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actsweep.worker.runner.RESET_SECONDS", 0.0)
    worker = runner(asked("long", "trainer.epochs=100000"))
    worker.step()
    with pytest.raises(RuntimeError, match="trial long, which was stopped early, does not end"):
        worker.reset_config(asked("next", "trainer.epochs=1"))


def test_what_is_written_is_the_trial(
    asked: Asked, runner: Callable[..., TrialRunner], tmp_path: Path, compose: Callable[..., StudyConfig]
) -> None:
    config = asked("one", "trainer.epochs=1")
    (end,) = ends(results(runner(config)))
    assert yaml.safe_load((tmp_path / "trials" / "one" / "trial.yaml").read_text()) == config["trials"][0]["trial"]
    study = compose(*WORDS, "trainer.epochs=1")
    assert end["final"]["test_loss"] == train(study.trial({}, 0), load(prepare(study.data), study.data)).test_loss
