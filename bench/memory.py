"""What a program takes of the machine's memory."""

from pathlib import Path


def peak_mib(pid: int | str = "self") -> float:
    """Peak resident memory of a program so far, of this one unless told; 0 for one that has ended.

    What getrusage gives counts the parent's at the start as well.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = status.partition("VmHWM:")[2].split()
    return int(found[0]) / 1024 if found else 0.0
