"""The files in sweeps/, which a script exports from the experiments in conf/."""

from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def test_an_experiment_that_cannot_be_exported_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import sweep_files

    monkeypatch.setattr(sweep_files, "experiments", lambda: ["nowhere"])
    with pytest.raises(SystemExit) as refusal:
        sweep_files.exported(tmp_path)
    assert str(refusal.value).startswith(
        "conf/experiment/nowhere.yaml cannot be exported: actsweep: experiment=nowhere"
    )
    assert len(str(refusal.value).splitlines()) == 1
