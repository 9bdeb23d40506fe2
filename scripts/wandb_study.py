"""A study at W&B from beginning to end: is there a key, run it, bring what is missing, and say where to look.

The words are those of `actsweep sweep`.
"""

import subprocess
import sys
from pathlib import Path

from actsweep.config import run_with_hydra
from actsweep.errors import ActsweepError
from actsweep.settings import StudyConfig
from actsweep.tracker import require_login

NOT_ALL = 1  # an exit code after which there is something to publish all the same


def folder_of(words: list[str]) -> Path:
    """The folder of the study that the words ask for.

    Raises:
        ActsweepError: the words are wrong, or no key is found to send anything with.
    """
    found: list[Path] = []

    def look(config: StudyConfig, overrides: list[str]) -> int:
        require_login(config.tracker)
        found.append(Path(config.run.root) / config.run.name)
        return 0

    run_with_hydra("sweep", words, look)
    return found[0]


def actsweep(*words: str) -> int:
    """Run one command line; its exit code."""
    return subprocess.run([sys.executable, "-m", "actsweep", *words], check=False).returncode


def main(words: list[str]) -> int:
    """Run the study and publish it; the exit code."""
    words = [*words, "tracker=wandb_online"]
    try:
        folder = folder_of(words)
    except ActsweepError as error:
        print(f"actsweep: {error}", file=sys.stderr)
        return 2
    swept = actsweep("sweep", *words)
    return max(swept, actsweep("publish", str(folder))) if swept <= NOT_ALL else swept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
