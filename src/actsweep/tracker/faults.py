"""What goes wrong with wandb, as text: it never hurts a trial."""

from collections.abc import Callable

from actsweep.system.redaction import redacted


def fault_of(action: Callable[[], object]) -> str:
    """What went wrong, in one line; empty if nothing did."""
    try:
        action()
    except (Exception, SystemExit) as error:  # wandb raises what it likes, and leaves by sys.exit in places
        lines = redacted(str(error)).splitlines()
        return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return ""
