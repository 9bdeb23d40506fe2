"""What `make release` builds, refuses, and comes to on a machine that has nothing but the wheel."""

import os
import pwd
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = (".git", ".venv", ".venv.lock", "build", "dist", "outputs", "__pycache__", ".*_cache", ".hypothesis")
Release = Callable[[], subprocess.CompletedProcess[str]]


def git(folder: Path, *words: str) -> None:
    known = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(("git", *known, *words), cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the project, all of it committed."""
    folder = tmp_path_factory.mktemp("release") / "actsweep"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")
    yield folder
    shutil.rmtree(folder)  # with an environment of 7 GB


@pytest.fixture
def release(project: Path) -> Iterator[Release]:
    def run() -> subprocess.CompletedProcess[str]:
        command = (sys.executable, project / "scripts" / "release.py")
        return subprocess.run(command, capture_output=True, text=True, cwd="/")

    yield run
    git(project, "reset", "--quiet", "--hard", "HEAD")
    git(project, "clean", "--quiet", "--force")


def test_a_tree_with_changes_is_refused(project: Path, release: Release) -> None:
    (project / "src" / "actsweep" / "new.py").touch()
    done = release()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "release: not committed: src/actsweep/new.py; commit it, or take it away\n"
    assert not (project / "dist").exists()


def test_a_version_without_an_entry_in_the_changelog_is_refused(project: Path, release: Release) -> None:
    for name in ("pyproject.toml", "src/actsweep/__init__.py"):
        file = project / name
        file.write_text(
            file.read_text().replace('version = "0.1.0"', 'version = "0.2.0"').replace('= "0.1.0"', '= "0.2.0"')
        )
    git(project, "commit", "--quiet", "--all", "--message", "0.2.0")
    done = release()
    git(project, "reset", "--quiet", "--hard", "HEAD~")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "release: CHANGELOG.md: its newest entry is 0.1.0; add one for version 0.2.0\n"


def contents(wheel: Path) -> dict[str, int]:
    with zipfile.ZipFile(wheel) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}


@pytest.fixture(scope="module")
def wheel(project: Path) -> Path:
    done = subprocess.run((sys.executable, project / "scripts" / "release.py"), capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    assert [line.split()[1].split("/")[0] for line in done.stdout.splitlines()] == ["dist", "dist"]
    (found,) = (project / "dist").glob("*.whl")
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_sdist_and_tree_give_the_same_wheel(project: Path, wheel: Path, tmp_path: Path) -> None:
    uv = Path(sys.executable).parent / "uv"
    flags = ("--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", tmp_path)
    (sdist,) = (project / "dist").glob("*.tar.gz")
    for what in (project, sdist):
        subprocess.run((uv, "build", "--wheel", *flags, what), check=True, cwd=tmp_path)
        (built,) = tmp_path.glob("*.whl")
        assert contents(built) == contents(wheel)
        built.unlink()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_wheel_alone_runs_the_quickstart(project: Path, wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    cache = Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache" / "uv"  # of 3 GB, which no test should download again
    own = {"HOME": str(home), "UV_CACHE_DIR": str(cache), "PATH": os.environ["PATH"]}
    subprocess.run(("sh", "scripts/setup.sh", "--packages"), cwd=project, env=own, check=True, timeout=900)
    bin_folder = project / ".venv" / "bin"
    install = ("pip", "install", "--quiet", "--no-deps", "--python", bin_folder / "python", wheel)
    subprocess.run((bin_folder / "uv", *install), env=own, cwd=tmp_path, check=True)
    command = (bin_folder / "actsweep", "sweep", "experiment=quickstart")
    done = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "outputs" / "quickstart" / "report.html").stat().st_size > 100_000
