"""Commands around W&B: export-sweep."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from actsweep.cli.command import DONE, Command, option

if TYPE_CHECKING:
    from actsweep.settings import StudyConfig


def _export_sweep(words: list[str], debug: bool) -> int:
    from actsweep.config import run_with_hydra

    out, words = option("--out", words)

    def export(config: "StudyConfig", overrides: list[str]) -> int:
        from actsweep.records import write_whole
        from actsweep.study import Study
        from actsweep.tracker import agents_sweep, sweep_text

        asked = shlex.join(["actsweep", "export-sweep", *overrides])
        text = sweep_text(agents_sweep(Study(config), overrides), asked)
        if out is None:
            print(text, end="")  # noqa: T201
            return DONE
        with write_whole(Path(out)) as temporary:
            temporary.write_text(text)
        print(f"{out}; next: wandb sweep {shlex.quote(out)}, then wandb agent with the id that it prints")  # noqa: T201
        return DONE

    return run_with_hydra("export-sweep", words, export)


COMMANDS = {
    "export-sweep": Command("the W&B sweep file of a study", "[--out sweeps/NAME.yaml] [OVERRIDES]", _export_sweep),
}
