"""The dashboard as a user has it: a command beside a sweep whose ledger grows."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from actsweep.records import Ledger, StudyFolder
from dashboards import dashboard
from processes import wait_for
from story import Story, demo

Command = Callable[..., subprocess.CompletedProcess[str]]
SECONDS = 3.0  # in which what a trial reports is on the page


@pytest.fixture
def story() -> Story:
    story = Story(demo("study.tune.points=4", "study.replicate.seeds=3", "trainer.epochs=1"))
    story.now = time.time()
    return story


def test_a_page_follows_its_sweep_to_the_end_and_through_a_restart(story: Story, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "outputs" / "demo")
    with dashboard(folder.path.parent) as served:
        served.until("/", lambda parts: "there is no folder" in parts["studies"])
        folder.write_config(story.study.config)
        with Ledger(folder.ledger) as ledger:
            ledger(story.begin())
            served.until("/", lambda parts: ">running<" in parts["studies"], SECONDS + 2)
            page = "/study/demo"
            first = story.tune(0, 0)
            ledger(story.start(first))
            served.until(page, lambda parts: first.trial_id in parts["trials"], SECONDS)
            ledger(story.report(first, 0, 0.125))
            served.until(page, lambda parts: "12.5 %" in parts["trials"] and "0/1" in parts["trials"], SECONDS)
            ledger(story.finish(first))
            shown = served.until(page, lambda parts: "1 of 14" in parts["status"], SECONDS)
            assert "running, tuning: 1 of 14 trials done" in shown["status"]
            for arm in (0, 1):
                ledger(*(event for number in range(4) for event in story.run(story.tune(arm, number), 0.5)))
        served.until(page, lambda parts: "interrupted: 8 of 14" in parts["status"], SECONDS + 2)
        with Ledger(folder.ledger) as ledger:
            ledger(story.resume(8), story.choose(0), story.choose(1))
            for arm in (0, 1):
                ledger(*(event for number in range(3) for event in story.run(story.replicate(arm, number), 0.5)))
            served.until(page, lambda parts: "running, replicating: 14 of 14" in parts["status"], SECONDS + 2)
            ledger(story.end())
        shown = served.until(page, lambda parts: "finished: 14 of 14" in parts["status"], SECONDS + 2)
        served.until(page, lambda parts: "has a test accuracy, so no arm" in parts["report"])
        shutil.rmtree(folder.path)
        wait_for(lambda: served.ask(f"{page}/state?seen=").status == 404, SECONDS)
        served.until("/", lambda parts: "holds no study yet" in parts["studies"], SECONDS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_how_it_ends(tmp_path: Path, number: signal.Signals) -> None:
    with dashboard(tmp_path / "outputs") as served:
        with socket.create_connection(("127.0.0.1", served.port)):  # a page that is open holds a connection
            os.kill(served.process.pid, number)
            _, errors = served.process.communicate(timeout=20)
        assert (served.process.returncode, errors) == (0, "")


def test_a_port_that_is_taken_is_refused_where_it_was_asked_for(actsweep: Command, tmp_path: Path) -> None:
    with dashboard(tmp_path / "outputs") as served:
        refused = actsweep("dashboard", "--port", str(served.port), cwd=tmp_path)
        assert refused.returncode == 2
        assert refused.stdout == ""
        assert refused.stderr == (
            f"actsweep: dashboard: --port {served.port}: that port is taken by another program; give another, or none "
            "for any that is free\n"
        )


def test_without_a_port_any_free_one_will_do(tmp_path: Path) -> None:
    root = tmp_path / "outputs"
    with dashboard(root, "--debug") as first, dashboard(root, "--debug") as second:
        assert first.port != second.port
        assert second.ask("/").status == 200


@pytest.mark.parametrize("port", ["-1", "65536", "http", "80.5", "99999999", "", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_what_is_no_port_is_refused_in_a_line(actsweep: Command, tmp_path: Path, port: str) -> None:
    refused = actsweep("dashboard", f"--port={port}", cwd=tmp_path)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert "--port: needs a whole number from 0" in refused.stderr
    assert "to 65535" in refused.stderr
