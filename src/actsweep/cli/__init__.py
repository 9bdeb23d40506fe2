"""The commands: words in, an exit code out; what each needs is imported only when it runs."""

from actsweep.cli.dispatch import COMMANDS, GROUPS, run

__all__ = ["COMMANDS", "GROUPS", "run"]
