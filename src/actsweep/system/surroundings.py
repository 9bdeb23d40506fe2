"""What a study ran on: facts for its report, none of which tells whose machine it was."""

import os
import platform
import subprocess
from contextlib import suppress
from pathlib import Path

from actsweep.plural import count
from actsweep.system.devices import cores

_GIT_SECONDS = 10.0


def surroundings(resources: dict[str, float]) -> dict[str, str]:
    """The machine of this process, and the commit of the working folder, by what a reader calls them.

    Args:
        resources: what the cluster has in all, by Ray's names of resources.
    """
    found = {
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "processor": _processor(),
        "cores": str(cores()),
        "cluster": _cluster(resources),
        "git": git_state(Path.cwd()),
    }
    return {name: said for name, said in found.items() if said}


def git_state(folder: Path) -> str:
    """The commit of the repository that a folder is in, and whether files differ from it; empty outside of one."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return ""
    changed = len((_git(folder, "status", "--porcelain", "--untracked-files=no") or "").splitlines())
    return f"{commit[:12]} with {count(changed, 'file')} changed since" if changed else commit[:12]


def _git(folder: Path, *words: str) -> str | None:
    """What git answers; None where there is no git, or no repository."""
    quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    # A repository that others may write to could name programs for git to run.
    safe = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(
            ["git", *safe, *words],
            cwd=folder,
            env=quiet,
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=True,
        )
        return said.stdout.strip()
    return None


def _processor() -> str:
    with suppress(OSError, UnicodeDecodeError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return " ".join(value.split())
    return platform.processor()


def _cluster(resources: dict[str, float]) -> str:
    nodes = sum(1 for name in resources if name.startswith("node:") and name != "node:__internal_head__")
    gpus = [name.partition(":")[2] for name in resources if name.startswith("accelerator_type:")]
    parts = [
        count(nodes, "node"),
        f"{resources.get('CPU', 0):g} CPU",
        f"{resources['GPU']:g} GPU" + (f" ({', '.join(sorted(gpus))})" if gpus else "") if resources.get("GPU") else "",
    ]
    return ", ".join(part for part in parts if part) if nodes else ""
