"""Make .venv what requirements.lock and pyproject.toml ask for. Runs on the standard library alone.

A file in .venv, written last, says for what it is complete. Without it .venv is built anew, since an installation that
was cut off leaves packages that look whole; what was downloaded stays in uv's cache. With `--check` nothing is done
and the exit status tells whether .venv is complete.

A container image is made in two steps, of which only the second depends on our own code: `--packages` fills .venv with
what actsweep needs to run, by the same lock, and `--wheel FOLDER` builds actsweep itself.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pip_settings import uv_variables

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "complete.json"
INPUTS = (LOCK, ROOT / "pyproject.toml", Path(__file__).resolve())

PACKAGES_BYTES = 6_650_000_000
BYTECODE_BYTES = 450_000_000


class SetupError(Exception):
    """The set-up cannot go on; the text is the one message for the user."""


def say(text: str) -> None:
    print(f"actsweep: {text}", file=sys.stderr, flush=True)


def wanted_stamp() -> dict[str, str]:
    """Return what .venv must be complete for: this place (its scripts hold the path), this Python, these inputs."""
    digest = hashlib.sha256()
    for path in INPUTS:
        digest.update(path.read_bytes())
    version = "{}.{}.{}".format(*sys.version_info[:3])
    return {"root": str(ROOT), "python": version, "inputs": digest.hexdigest()}


def read_stamp() -> dict[str, str]:
    """Return what .venv is complete for; empty if it is not."""
    try:
        return dict(json.loads(STAMP.read_text()))
    except (OSError, ValueError):
        return {}


def write_stamp(stamp: dict[str, str]) -> None:
    """Write the stamp whole or not at all."""
    draft = STAMP.with_suffix(".tmp")
    draft.write_text(json.dumps(stamp))
    draft.replace(STAMP)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock of this checkout. Child processes inherit it, so an installer that outlives us still holds it."""
    with (ROOT / ".venv.lock").open("w") as handle:
        os.set_inheritable(handle.fileno(), True)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is at work on .venv; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run(*command: str | Path, **variables: str) -> None:
    """Run a step of the set-up in the repository root; a failure is told with the way to go on."""
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    # close_fds=False: see only_one.
    done = subprocess.run(command, cwd=ROOT, env=environment | variables, close_fds=False, check=False)
    if done.returncode:
        raise SetupError(
            f"the set-up of .venv stopped at `{Path(command[0]).name} {command[1]} {command[2]}` (exit status "
            f"{done.returncode}, reason above); run the same command again, downloads are kept"
        )


def uv_cache() -> Path:
    """Return the folder of uv's cache: uv's own rule."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("UV_CACHE_DIR") or Path(base) / "uv")


def existing(path: Path) -> Path:
    """Return the path or the nearest of its parents that exists."""
    return path if path.exists() else existing(path.absolute().parent)


def folder_bytes(folder: Path) -> int:
    """Return the size of what lies below a folder; 0 if there is none."""
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def check_room(folder: Path, needed: int, cache: Path | None = None) -> None:
    """Raise SetupError if the disk of a folder has too few bytes free; what the cache holds already needs none."""
    free = shutil.disk_usage(existing(folder)).free
    if free < needed and cache is not None:
        needed -= folder_bytes(cache)
    if free < needed:
        way_out = " (or let UV_CACHE_DIR name a folder on a larger disk)" if folder == cache else ""
        raise SetupError(
            f"too little disk space: {folder} needs about {needed / 1e9:.1f} GB and has {free / 1e9:.1f} GB; "
            f"free some{way_out} and run the same command again"
        )


def check_disk(venv: Path, cache: Path) -> None:
    """Raise SetupError if a disk is too small: uv unpacks in its cache and links, but across disks it copies."""
    if existing(venv).stat().st_dev == existing(cache).stat().st_dev:
        check_room(venv, PACKAGES_BYTES + BYTECODE_BYTES, cache)
    else:
        check_room(cache, PACKAGES_BYTES, cache)
        check_room(venv, PACKAGES_BYTES + BYTECODE_BYTES)


def uv_requirement() -> str:
    """Return the lock's entry of uv with its hashes."""
    entry = re.search(r"^uv==(?:.*\\\n)*.*", LOCK.read_text(), re.MULTILINE)
    if entry is None:
        raise SetupError("requirements.lock has no entry for uv; restore the file")
    return entry.group()


def install_uv() -> None:
    """Install the locked uv into .venv, with pip."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirement:
        requirement.write(uv_requirement())
        requirement.flush()
        pip = (PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check")
        run(*pip, "--no-deps", "--require-hashes", "-r", requirement.name)


def pip_variables() -> dict[str, str]:
    """Return the environment variables for uv: the user's pip configuration, and no Python of its own."""
    listing = subprocess.run((PYTHON, "-m", "pip", "config", "list"), capture_output=True, text=True, check=False)
    return uv_variables(listing.stdout, os.environ) | {"UV_PYTHON_DOWNLOADS": "never"}


def install_packages() -> None:
    """Make .venv hold the packages of the lock and no others, and this one as it lies here."""
    variables = pip_variables()
    uv, target = (VENV / "bin" / "uv", "pip"), ("--python", str(PYTHON))
    locked = ("--require-hashes", "--build-constraints", LOCK.name, LOCK.name)
    run(*uv, "sync", *target, "--compile-bytecode", *locked, **variables)
    run(*uv, "install", *target, "--no-deps", "--no-build-isolation", "--editable", ".", **variables)


def running_lock() -> str:
    """Return the entries of the lock, with their hashes, that actsweep itself needs: no extra, no development tool."""
    command = (VENV / "bin" / "uv", "pip", "compile", "--quiet", "--python", PYTHON, "--constraints", LOCK.name)
    listing = subprocess.run(
        (*command, "--no-header", "--no-annotate", "pyproject.toml"),
        cwd=ROOT,
        env=os.environ | pip_variables(),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if listing.returncode:
        raise SetupError("the packages to run with could not be told from the others; the reason is above")
    names = {line.partition("==")[0] for line in listing.stdout.splitlines()}
    entries = re.findall(r"^\S(?:.*\\\n)*.*\n?", LOCK.read_text(), re.MULTILINE)
    return "".join(entry for entry in entries if entry.partition("==")[0].partition("[")[0] in names)


def fill() -> None:
    """Make .venv, and have it hold what actsweep needs to run, but not actsweep."""
    run(sys.executable, "-m", "venv", "--clear", VENV)
    install_uv()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
        requirements.write(running_lock())
        requirements.flush()
        packages = ("pip", "install", "--python", str(PYTHON), "--compile-bytecode", "--no-deps", "--require-hashes")
        run(VENV / "bin" / "uv", *packages, "--requirements", requirements.name, **pip_variables())


def build_wheel(folder: str) -> None:
    """Build the wheel of actsweep into a folder, with the build tools of the lock."""
    words = ("build", "--wheel", "--python", str(PYTHON), "--build-constraints", LOCK.name, "--require-hashes")
    run(VENV / "bin" / "uv", *words, "--out-dir", folder, **pip_variables())


def build() -> None:
    """Bring .venv from any state to the wanted one."""
    started, wanted, current = time.monotonic(), wanted_stamp(), read_stamp()
    if current == wanted:
        return
    keep = PYTHON.exists() and all(current.get(key) == wanted[key] for key in ("root", "python"))
    if keep:
        say("updating .venv")
    else:
        check_disk(VENV, uv_cache())
        size = (PACKAGES_BYTES + BYTECODE_BYTES) / 1e9
        say(
            f"setting up .venv with Python {wanted['python']}, once: about 3 GB to download and {size:.0f} GB on disk, "
            "less what uv's cache holds"
        )
    STAMP.unlink(missing_ok=True)
    if not keep:
        run(sys.executable, "-m", "venv", "--clear", VENV)
    install_uv()
    install_packages()
    write_stamp(wanted)
    say(f".venv is ready after {time.monotonic() - started:.0f} s")


def main() -> int:
    """Set up or check; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true")
    what.add_argument("--packages", action="store_true")
    what.add_argument("--wheel", metavar="FOLDER")
    asked = parser.parse_args()
    if asked.check:
        return 0 if read_stamp() == wanted_stamp() else 1
    try:
        with only_one():
            if asked.packages:
                fill()
            elif asked.wheel:
                build_wheel(asked.wheel)
            else:
                build()
    except (SetupError, OSError) as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("interrupted; run the same command again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
