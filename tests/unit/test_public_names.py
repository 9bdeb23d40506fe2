"""What `import actsweep` offers: complete, light to import, and known to type checkers."""

import subprocess
import sys
from pathlib import Path

import pytest

import actsweep

PROGRAM = """
import actsweep

@actsweep.register_measure("fall")
def fall(curve: actsweep.Curve) -> float | None:
    return None if curve.val_acc.size == 0 else float(curve.val_acc.max() - curve.val_acc[-1])

def best(study: actsweep.LoadedStudy) -> float:
    return float(study.cells["test_acc_mean"].max())
"""
MISTAKES = {
    'actsweep.anlyze("x")': 'has no attribute "anlyze"',
    "actsweep.load(1)": "Argument 1",
    '@actsweep.register_measure("a")\ndef a(curve: str) -> float:\n    return 1.0': "Measure",
}


@pytest.mark.parametrize("name", actsweep.__all__)
def test_every_public_name_is_there_and_is_completed(name: str) -> None:
    assert getattr(actsweep, name) is not None
    assert name in dir(actsweep)


def test_importing_it_loads_neither_torch_nor_ray_nor_pandas() -> None:
    code = "import sys, actsweep; print({'torch', 'ray', 'pandas', 'pydantic'} & sys.modules.keys())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


@pytest.mark.slow  # mypy reads all that is imported
def test_a_type_checker_takes_what_is_right_and_finds_mistakes(tmp_path: Path) -> None:
    program = tmp_path / "program.py"

    def said(text: str) -> str:
        program.write_text(text)
        command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(program)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    assert "Success" in said(PROGRAM)
    for mistake, message in MISTAKES.items():
        assert message in said(f"import actsweep\n\n{mistake}\n")
