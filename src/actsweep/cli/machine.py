"""The command about this machine: doctor."""

from typing import TYPE_CHECKING

from actsweep.cli.command import DONE, WRONG_REQUEST, Command
from actsweep.cli.memory import RAY

if TYPE_CHECKING:
    from actsweep.settings import StudyConfig


def _doctor(words: list[str], debug: bool) -> int:
    from actsweep.config import run_with_hydra

    def show(config: "StudyConfig", overrides: list[str]) -> int:
        from actsweep.report.terminal.console import Screen
        from actsweep.run.doctor import checks_table, examine

        checks = examine(config)
        Screen().print(checks_table(checks))
        return DONE if all(check.ok for check in checks) else WRONG_REQUEST

    return run_with_hydra("doctor", words, show)


COMMANDS = {
    "doctor": Command(
        "what this machine lacks for an experiment",
        "[OVERRIDES]",
        _doctor,
        RAY,
        examples=(
            "actsweep doctor experiment=quickstart",
            "actsweep doctor experiment=relu_vs_sigmoid cluster=ray cluster.address=10.0.0.5:6379",
        ),
    )
}
