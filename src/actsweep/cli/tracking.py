"""Commands around W&B: publish, export-sweep."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from actsweep.cli.command import DONE, INCOMPLETE, Command, Parser, option

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


def _publish(words: list[str], debug: bool) -> int:
    from rich.progress import Progress

    from actsweep.records import StudyFolder, open_study
    from actsweep.report.console import Screen
    from actsweep.report.wording import count
    from actsweep.tracker import publish

    parser = Parser("publish", COMMANDS["publish"].usage, COMMANDS["publish"].summary)
    parser.add_argument("run_dir", metavar="RUN_DIR", type=Path, help="a study's folder, such as outputs/quickstart")
    folder, screen = StudyFolder(parser.parse_args(words).run_dir), Screen()
    with Progress(console=screen, transient=True, disable=not screen.is_terminal) as progress:
        bar = progress.add_task("W&B")
        published = publish(
            folder,
            open_study(folder),
            lambda what, done, total: progress.update(bar, description=f"W&B: {what}", completed=done, total=total),
        )
    for line in published.missing:
        screen.print(f"W&B: missing: {line}", style="yellow", markup=False, soft_wrap=True)
    whole = f"{published.runs - len(published.missing)} of {count(published.runs, 'run')} whole, {published.sent} sent"
    screen.print(f"W&B: {whole} {published.url}".rstrip(), markup=False, soft_wrap=True)
    return INCOMPLETE if published.missing else DONE


COMMANDS = {
    "publish": Command("send a study's W&B records, and read them back", "RUN_DIR", _publish),
    "export-sweep": Command("the W&B sweep file of a study", "[--out sweeps/NAME.yaml] [OVERRIDES]", _export_sweep),
}
