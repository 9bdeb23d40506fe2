"""Write sweeps/NAME.yaml of every experiment anew, or, with --check, refuse those that are not what conf/ asks for."""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "sweeps"
WORDS = {"cifar10_small": ["data.root=images"]}  # a folder of images, or a link to one, where the agent is started


def experiments() -> list[str]:
    """Every experiment of conf/, by name."""
    return sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))


def exported(folder: Path) -> None:
    """Export the sweep of every experiment into a folder."""
    for name in experiments():
        out = folder / f"{name}.yaml"
        words = ["export-sweep", f"experiment={name}", *WORDS.get(name, []), "--out", str(out)]
        command = [sys.executable, "-m", "actsweep", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"conf/experiment/{name}.yaml cannot be exported: {done.stderr.strip()}")


def stale() -> list[str]:
    """The files that are not what their experiments ask for, are missing, or belong to no experiment."""
    with tempfile.TemporaryDirectory() as folder:
        exported(Path(folder))
        wanted = {path.name: path.read_text() for path in Path(folder).glob("*.yaml")}
    there = {path.name: path.read_text() for path in FOLDER.glob("*.yaml")}
    return sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))


def main(words: list[str]) -> int:
    """Write the files, or check them; the exit code."""
    if words != ["--check"]:
        exported(FOLDER)
        return 0
    found = stale()
    if found:
        print(f"sweeps/ is stale: {', '.join(found)}; write it anew: python scripts/sweep_files.py", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
