"""The command `actsweep`, also as `python -m actsweep`."""

import sys

from actsweep.cli import run
from actsweep.system.signals import interrupt_from_now_on


def main() -> None:
    """Run the command that the process's arguments ask for, and leave with its exit code."""
    interrupt_from_now_on()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
