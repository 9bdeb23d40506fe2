"""What `verify` says to do about damage is enough to have the study as it was."""

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

import timeless
from actsweep.studies.verifying import verify_study
from damage.patient import Patient

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.slow
def test_a_study_is_mended_with_the_commands_that_verify_names(actsweep: Command, smoke: Any, patient: Patient) -> None:
    ledger, byte = patient.path / "ledger.jsonl", len(patient.whole["ledger.jsonl"]) // 2
    with ledger.open("r+b") as file:
        file.seek(byte)
        file.write(b"\0")
    (finding,) = verify_study(patient.path).findings
    _, told = finding.mend.split("to keep what is before it: ")
    cut, resume = told.split(", then ")
    assert cut.startswith("truncate -s ")
    assert resume == f"actsweep resume {patient.path}"
    subprocess.run(cut.split(), check=True)
    (patient.path / "study.yaml").write_text("a: [")
    (patient.path / "optuna.db").write_bytes(b"no database" * 5000)
    (patient.path / "results.json").unlink()
    again = actsweep("resume", str(patient.path), timeout=240)
    assert again.returncode == 0, again.stderr
    assert timeless.curves(patient.path).equals(timeless.curves(smoke.folder))
    assert timeless.results(patient.path) == timeless.results(smoke.folder)
    whole = actsweep("verify", str(patient.path))
    assert whole.returncode == 0, whole.stdout


@pytest.mark.slow
def test_the_mirror_of_a_study_that_has_ended_is_made_anew(actsweep: Command, patient: Patient) -> None:
    mirror = patient.path / "optuna.db"
    mirror.write_bytes(b"no database" * 5000)
    assert actsweep("report", str(patient.path)).returncode == 0
    (finding,) = verify_study(patient.path).findings
    assert f"rm {mirror}, then actsweep resume {patient.path}" in finding.mend
    mirror.unlink()
    again = actsweep("resume", str(patient.path))
    assert again.returncode == 0, again.stderr
    assert verify_study(patient.path).findings == ()
