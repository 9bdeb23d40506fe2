"""Build the wheel and the sdist of what is committed into dist/, and check them; nothing is sent anywhere.

Refused where something is not committed, or where the newest entry of CHANGELOG.md is not of this version.
"""

import email
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import markdown
from packaging.metadata import InvalidMetadata, Metadata

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
UV = Path(sys.executable).parent / "uv"
ENTRY = re.compile(r"^## \[(\d+\.\d+\.\d+)\] - \S+", re.MULTILINE)
SHIPPED = {"src/actsweep/": "actsweep/", "conf/": "actsweep/conf/"}  # in the repository: in the wheel


class ReleaseError(Exception):
    """There is nothing to release; the text is the one message for the user."""


def git(*words: str) -> str:
    """What git says of this repository."""
    done = subprocess.run(("git", *words), cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(done.stderr.strip())
    return done.stdout


def check_tree() -> None:
    """Raise ReleaseError if something is not committed."""
    changed = [line[3:] for line in git("status", "--porcelain").splitlines()]
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise ReleaseError(f"not committed: {', '.join(changed[:3])}{more}; commit it, or take it away")


def version() -> str:
    """The version to release; raise ReleaseError if it is not the changelog's newest or that of the package."""
    declared = str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
    source = re.search(r'^__version__ = "(.*)"$', (ROOT / "src/actsweep/__init__.py").read_text(), re.MULTILINE)
    if source is None or source[1] != declared:
        raise ReleaseError(
            f"pyproject.toml has version {declared}, and src/actsweep/__init__.py another: set both alike"
        )
    newest = ENTRY.search((ROOT / "CHANGELOG.md").read_text())
    if newest is None or newest[1] != declared:
        found = newest[1] if newest else "none"
        raise ReleaseError(f"CHANGELOG.md: its newest entry is {found}; add one for version {declared}")
    return declared


def build() -> None:
    """Build the sdist, and the wheel from it, with the build tool of the environment, which the lock has pinned."""
    for old in DIST.glob("actsweep-*"):
        old.unlink()
    command = (UV, "build", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", DIST)
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise ReleaseError("the build failed; the reason is above")


def problems(wheel: Path, sdist: Path, wanted: str) -> Iterator[str]:
    """What is wrong with the files that were built."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        about = archive.read(f"actsweep-{wanted}.dist-info/METADATA").decode()
    tracked = [path for path in git("ls-files").splitlines() if not (ROOT / path).is_symlink()]
    for folder, place in SHIPPED.items():
        paths = {place + path.removeprefix(folder) for path in tracked if path.startswith(folder)}
        yield from (f"{wheel.name}: lacks {path}" for path in sorted(paths - names))
    with tarfile.open(sdist) as content:
        packed = {name.partition("/")[2] for name in content.getnames()}
    yield from (f"{sdist.name}: lacks {path}" for path in tracked if path not in packed and not path.startswith("."))
    yield from (f"{wheel.name}: {problem}" for problem in problems_of_metadata(about, wanted))


def problems_of_metadata(text: str, wanted: str) -> Iterator[str]:
    """What is wrong with a wheel's metadata: its form, its version, and whether the README renders."""
    try:
        about = Metadata.from_email(text)
    except ExceptionGroup as group:
        yield from (str(error) for error in group.exceptions if isinstance(error, InvalidMetadata))
        return
    if str(about.version) != wanted:
        yield f"has version {about.version}, not {wanted}"
    if (about.description_content_type or "").partition(";")[0] != "text/markdown":
        yield f"the README's type is {about.description_content_type}, not text/markdown"
    readme = str(email.message_from_string(text).get_payload())
    page = markdown.markdown(readme, extensions=["fenced_code", "tables"])
    if not page.startswith("<h1>actsweep</h1>") or "```" in page:
        yield "the README does not render: no title, or a block that does not end"


def main() -> int:
    """Build and check; the exit code."""
    try:
        check_tree()
        wanted = version()
        build()
        wheel, sdist = DIST / f"actsweep-{wanted}-py3-none-any.whl", DIST / f"actsweep-{wanted}.tar.gz"
        wrong = list(problems(wheel, sdist, wanted))
        if wrong:
            raise ReleaseError("\n".join(wrong))
    except (ReleaseError, OSError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 2
    print(f"wheel    {wheel.relative_to(ROOT)}\nsdist    {sdist.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
