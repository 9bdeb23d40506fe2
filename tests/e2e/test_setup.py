"""Two commands on a fresh machine: finding a Python, building .venv from the lock, and proving the lock."""

import contextlib
import importlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()


@pytest.fixture
def script(monkeypatch):
    """Import one of the scripts by name."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module


# --- finding a Python ---------------------------------------------------------------------------------------------


def program(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def find_python(*folders: Path) -> subprocess.CompletedProcess[str]:
    command = (shutil.which("sh"), ROOT / "scripts" / "find_python.sh")
    return subprocess.run(command, env={"PATH": os.pathsep.join(map(str, folders))}, capture_output=True, text=True)


def test_the_newest_python_is_taken(tmp_path):
    program(tmp_path, "python3.11", "echo 3.11.9")
    newest = program(tmp_path, "python3.13", "echo 3.13.1")
    program(tmp_path, "python3", "echo 3.11.9")
    assert find_python(tmp_path).stdout == f"{newest}\n"


def test_a_stub_that_fails_is_passed_over_for_the_same_name_further_down(tmp_path):
    program(tmp_path / "a b", "python3.12", "echo 'command not found' >&2; exit 127")
    works = program(tmp_path / "c d", "python3.12", "echo 3.12.4")
    found = find_python(tmp_path / "a b", tmp_path / "c d")
    assert (found.stdout, found.stderr) == (f"{works}\n", "")


def test_a_python_that_cannot_make_a_venv_is_passed_over(tmp_path):
    program(tmp_path, "python3.13", "echo 3.13.1 ensurepip")
    works = program(tmp_path, "python", "echo 3.11.2")
    assert find_python(tmp_path).stdout == f"{works}\n"


def test_a_real_python_answers_the_question(tmp_path):
    real = program(tmp_path, "python3", f'exec "{sys.executable}" "$@"')
    assert find_python(tmp_path).stdout == f"{real}\n"


@pytest.mark.parametrize(
    "version", ["2.7.18", "3.1.0", "3.10.99", "3.11.0", "3.11.15", "3.12.8", "3.13.0", "3.14.0", "4.0.0"]
)
def test_the_accepted_versions_are_those_of_the_package(tmp_path, version):
    program(tmp_path, "python3", f"echo {version}")
    accepted = version in SpecifierSet(PROJECT["project"]["requires-python"])
    assert find_python(tmp_path).returncode == (0 if accepted else 2)


def test_without_a_python_one_message_names_what_was_found_and_what_is_accepted(tmp_path):
    stub = program(tmp_path, "python3.12", "exit 1")
    old = program(tmp_path, "python3", "echo 3.10.2")
    bare = program(tmp_path, "python", "echo 3.11.4 ensurepip")
    found = find_python(tmp_path)
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1
    assert "3.11, 3.12 or 3.13" in found.stderr
    for text in (f"{stub} (does not run)", f"{old} (3.10.2)", f"{bare} (3.11.4 without ensurepip)"):
        assert text in found.stderr


def tools(folder: Path) -> Path:
    """A folder with what a machine without any Python has."""
    folder.mkdir()
    for name in ("make", "sh", "dirname", "sed", "expand"):
        (folder / name).symlink_to(str(shutil.which(name)))
    return folder


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment of a user's shell: nothing of the `make` or Python that runs the tests."""
    mine = ("MAKE", "MFLAGS", "PYTHON", "VIRTUAL_ENV", "UV_CACHE_DIR", "XDG_CACHE_HOME", "COVERAGE", "PYTEST")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(mine)}
    return kept | variables


def checkout(folder: Path) -> Path:
    """A fresh copy of the project, as a clone would lay it."""
    left_out = shutil.ignore_patterns(
        ".git", ".venv", ".venv.lock", "outputs", "__pycache__", ".*_cache", ".hypothesis"
    )
    return shutil.copytree(ROOT, folder, ignore=left_out)


def make(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = ("make", "-C", folder, *words)
    return subprocess.run(command, env=clean_environment(**variables), capture_output=True, text=True, cwd="/")


def test_make_without_a_python_exits_with_2(tmp_path):
    root = tmp_path / "a b"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    shutil.copy(ROOT / "Makefile", root)
    done = make(root, "sweep", PATH=str(tools(tmp_path / "bin")))
    assert done.returncode == 2
    assert "no suitable Python in PATH" in done.stderr
    assert "Found: none" in done.stderr


def test_make_lists_its_targets(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    listed = set(re.findall(r"^make ([a-z-]+) ", make(tmp_path).stdout, re.MULTILINE))
    assert {"sweep", "test", "test-slow", "check", "report", "submit", "bench", "clean", "help"} <= listed


def test_make_report_asks_for_the_folder(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    program(tmp_path / "scripts", "setup.sh", "exit 0")
    done = make(tmp_path, "report")
    assert done.returncode == 2
    assert "make report RUN=outputs/NAME" in done.stderr


# --- knowing that nothing is to be done -----------------------------------------------------------------------------


@pytest.fixture
def complete(tmp_path) -> Path:
    """A checkout whose .venv holds a Python and the stamp of a complete set-up."""
    root = tmp_path / "a b"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, root)
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", root / ".venv"), check=True)
    stamp = "import setup_venv as s; s.write_stamp(s.wanted_stamp())"
    subprocess.run((root / ".venv" / "bin" / "python", "-c", stamp), cwd=root / "scripts", check=True)
    return root


def setup_without_python(root: Path, path: Path) -> int:
    """Run the set-up where it can only find out that nothing is to be done: else it exits with 2."""
    command = ("sh", root / "scripts" / "setup.sh")
    return subprocess.run(command, env=clean_environment(PATH=str(path)), capture_output=True, cwd="/").returncode


def test_a_complete_set_up_is_left_alone_at_once(tmp_path, complete):
    path = tools(tmp_path / "bin")
    seconds = []
    for _ in range(3):
        start = time.monotonic()
        assert setup_without_python(complete, path) == 0
        seconds.append(time.monotonic() - start)
    assert min(seconds) < 0.3


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "scripts/setup_venv.py"])
def test_a_changed_input_asks_for_a_set_up(tmp_path, complete, name):
    with (complete / name).open("a") as file:
        file.write("\n# changed\n")
    assert setup_without_python(complete, tools(tmp_path / "bin")) == 2


def test_a_moved_checkout_asks_for_a_set_up(tmp_path, complete):
    moved = complete.rename(tmp_path / "c d")
    assert setup_without_python(moved, tools(tmp_path / "bin")) == 2


def test_a_set_up_that_was_cut_off_is_not_complete(tmp_path, complete):
    (complete / ".venv" / "complete.json").write_text('{"root": "/')
    assert setup_without_python(complete, tools(tmp_path / "bin")) == 2


# --- the disk and the user's pip configuration ----------------------------------------------------------------------


def test_too_little_disk_space_is_told_in_one_message(script, tmp_path):
    setup = script("setup_venv")
    with pytest.raises(setup.SetupError, match=r"too little disk space: .*new needs about 1000000000\.0 GB and has"):
        setup.check_room(tmp_path / "new", 10**18)


def test_what_the_cache_holds_needs_no_room(script, tmp_path):
    setup = script("setup_venv")
    (tmp_path / "cache").mkdir()
    with (tmp_path / "cache" / "sparse").open("w") as file:
        file.truncate(10**12)
    needed = shutil.disk_usage(tmp_path).free + 10**12 // 2
    setup.check_room(tmp_path, needed, tmp_path / "cache")
    with pytest.raises(setup.SetupError):
        setup.check_room(tmp_path, needed)


def test_the_whole_entry_of_uv_is_taken_from_the_lock(script):
    entry = script("setup_venv").uv_requirement()
    following = LOCK[LOCK.index(entry) + len(entry) :]
    assert entry.startswith("uv==")
    assert entry.count("--hash=sha256:") > 1
    assert re.match(r"\n(    #|\w)", following)


def pip_configuration(tmp_path: Path, text: str, **variables: str) -> str:
    (tmp_path / "pip.conf").write_text(text)
    environ = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), **variables}
    command = (sys.executable, "-m", "pip", "config", "list")
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


def test_the_mirror_of_pip_serves_uv_too_but_not_local_wheels(script, tmp_path):
    listing = pip_configuration(
        tmp_path,
        "[global]\nindex-url = https://mirror.example/simple\ncert = /etc/mirror.pem\ntimeout = 60\n"
        "trusted-host =\n  a.example\n  b.example\nfind-links = /wheels\nextra-index-url = https://more.example\n",
    )
    told = script("pip_settings").uv_variables(listing, {})
    assert {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "SSL_CERT_FILE": "/etc/mirror.pem",
        "UV_HTTP_TIMEOUT": "60",
        "UV_INSECURE_HOST": "a.example b.example",
    }.items() <= told.items()
    assert not any(text in value for value in told.values() for text in ("/wheels", "more.example"))


def test_pips_environment_outranks_its_file_and_the_section_of_install_that_of_all(script, tmp_path):
    text = "[install]\nindex-url = https://install.example\n[global]\nindex-url = https://global.example\n"
    of_file = pip_configuration(tmp_path, text)
    of_environment = pip_configuration(tmp_path, text, PIP_INDEX_URL="https://environment.example")
    uv_variables = script("pip_settings").uv_variables
    assert uv_variables(of_file, {})["UV_DEFAULT_INDEX"] == "https://install.example"
    assert uv_variables(of_environment, {})["UV_DEFAULT_INDEX"] == "https://environment.example"


def test_what_the_user_told_uv_stays(script):
    listing = "global.index-url='https://mirror.example'\nglobal.cert='/etc/mirror.pem'\n"
    user = {"UV_INDEX_URL": "https://other.example", "SSL_CERT_FILE": "/etc/other.pem"}
    assert script("pip_settings").uv_variables(listing, user) == {}


# --- proving the lock -------------------------------------------------------------------------------------------------


def entry_of(name: str) -> str:
    found = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*\n", LOCK, re.MULTILINE)
    assert found, name
    return found.group()


def test_the_lock_is_what_pyproject_asks_for(script):
    assert script("check_lock").problems_of(PROJECT, LOCK) == []


def test_the_lock_names_no_address_and_no_path():
    assert not re.search(r"://|^\s*-e|^\s*--(?!hash)|\bfile:|^\s*#.*/", LOCK, re.MULTILINE)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("optuna", "", "0 entries for optuna<6,>=5.0 on Python 3.11"),
        ("aiohttp", "", "0 entries for aiohttp"),
        ("optuna", entry_of("optuna").replace("==5", "==4", 1), "optuna==4.0.0 does not satisfy optuna<6,>=5.0"),
        ("optuna", entry_of("optuna").split(" \\")[0] + "\n", "without a sha256 of each file: optuna==5.0.0"),
        ("optuna", re.sub("[0-9a-f]{60}", "", entry_of("optuna")), "without a sha256 of each file: optuna==5.0.0"),
        ("optuna", "optuna @ https://files.example/optuna.whl\n", "an address in place of a version: optuna"),
        ("optuna", entry_of("optuna").replace("==", ">=", 1), "not pinned to one version: optuna>=5.0.0"),
        ("optuna", entry_of("optuna") * 2, "2 entries for optuna<6,>=5.0 on Python 3.11"),
        ("optuna", "--index-url simple\n" + entry_of("optuna"), "not a package at a version: --index-url simple"),
        ("optuna", entry_of("optuna") + "# https://files.example\n", "an address in a comment"),
        ("six", entry_of("six") + f"spare==1.0 --hash=sha256:{'0' * 64}\n", "nothing asks for spare"),
        ("six", entry_of("six").replace("==1.17.0", "==1.16.0"), "six==1.16.0 is not installed here"),
    ],
)
def test_a_broken_lock_is_refused_with_the_reason(script, old, new, problem):
    problems = script("check_lock").problems_of(PROJECT, LOCK.replace(entry_of(old), new))
    assert any(each.startswith(problem) for each in problems), problems


def test_an_entry_missing_for_one_python_only_is_noticed(script):
    lock = LOCK.replace("python_full_version >= '3.12'", "python_full_version >= '3.13'")
    assert "0 entries for scipy>=1.14 on Python 3.12" in script("check_lock").problems_of(PROJECT, lock)


def test_a_requirement_added_to_any_table_without_the_lock_is_noticed(script):
    check = script("check_lock")
    tables = (
        {"project": PROJECT["project"] | {"dependencies": ["spare>=1"]}},
        {"project": PROJECT["project"] | {"optional-dependencies": {"more": ["spare>=1"]}}},
        {"dependency-groups": {"dev": ["spare>=1"]}},
        {"build-system": {"requires": ["spare>=1"]}},
    )
    for table in tables:
        assert "0 entries for spare>=1 on Python 3.13" in check.problems_of(PROJECT | table, LOCK)


def test_an_extra_added_without_the_lock_is_noticed(script):
    dependencies = [each.replace("ray[", "ray[serve,") for each in PROJECT["project"]["dependencies"]]
    project = PROJECT | {"project": PROJECT["project"] | {"dependencies": dependencies}}
    assert any(each.startswith("0 entries for fastapi") for each in script("check_lock").problems_of(project, LOCK))


# --- the real thing: 3 GB and a minute each ------------------------------------------------------------

INTACT = """
import importlib.metadata, pathlib, sys
count = 0
for package in importlib.metadata.distributions():
    for file in package.files or sys.exit(f"no files recorded for {package.name}"):
        size = pathlib.Path(package.locate_file(file)).stat().st_size
        count += 1
        if file.size is not None and file.size != size:
            sys.exit(f"{file}: {size} bytes instead of {file.size}")
assert count > 10_000, count
import actsweep, torch, torchvision
"""


class Fresh:
    """A checkout in a folder with a space, and a home without any cache."""

    def __init__(self, folder: Path):
        self.home = folder / "home"
        self.home.mkdir()
        self.root = checkout(folder / "x y" / "actsweep")
        self.python = self.root / ".venv" / "bin" / "python"

    def setup(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return make(self.root, "setup", HOME=str(self.home), **variables)

    def start(self) -> subprocess.Popen[str]:
        """Start a set-up in a process group of its own."""
        command, environ = ("sh", "scripts/setup.sh"), clean_environment(HOME=str(self.home))
        return subprocess.Popen(
            command, cwd=self.root, env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    def assert_intact(self) -> None:
        done = subprocess.run((self.python, "-c", INTACT), capture_output=True, text=True, env=clean_environment())
        assert done.returncode == 0, done.stderr

    def forget(self) -> None:
        """Be a machine that never saw the project."""
        for folder in (self.home, self.root / ".venv"):
            shutil.rmtree(folder, ignore_errors=True)
        self.home.mkdir()

    def undo(self) -> None:
        (self.root / ".venv" / "complete.json").unlink(missing_ok=True)


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    """Read what the set-up says until it says the text."""
    assert process.stderr is not None
    assert any(text in line for line in process.stderr), f"never said {text!r}"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Iterator[Fresh]:
    folder = tmp_path_factory.mktemp("fresh")
    yield Fresh(folder)
    # Pytest would keep 14 GB for three runs.
    shutil.rmtree(folder)


@pytest.fixture
def ready(fresh) -> Fresh:
    """The checkout, set up; what one test downloaded serves the next."""
    done = fresh.setup()
    assert done.returncode == 0, done.stderr
    return fresh


@pytest.mark.slow
@pytest.mark.timeout(1200)
class TestFreshMachine:
    def test_a_download_cut_off_goes_on(self, fresh):
        fresh.forget()
        process = fresh.start()
        wait_for(process, "Downloading torch ")
        time.sleep(2)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        done = fresh.setup()
        assert done.returncode == 0, done.stderr
        fresh.assert_intact()

    def test_from_nothing_within_two_minutes(self, fresh):
        fresh.forget()
        start = time.monotonic()
        done = fresh.setup()
        assert done.returncode == 0, done.stderr
        assert time.monotonic() - start < 120
        assert "about 3 GB to download and 7 GB on disk" in done.stderr
        fresh.assert_intact()

    def test_scripts_run_from_a_folder_with_a_space(self, ready):
        for name in ("pytest", "ruff", "lint-imports"):
            done = subprocess.run((ready.root / ".venv" / "bin" / name, "--version"), capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

    def test_a_second_time_takes_no_time(self, ready):
        start = time.monotonic()
        done = ready.setup()
        assert (done.returncode, done.stderr) == (0, "")
        assert time.monotonic() - start < 0.3

    def test_killed_at_any_moment_and_again_it_completes(self, ready):
        for seconds in (0.3, 1, 2, 4, 5, 6, 7, 8, 10, 15):
            ready.undo()
            process = ready.start()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        done = ready.setup()
        assert done.returncode == 0, done.stderr
        ready.assert_intact()

    def test_an_update_killed_midway_completes(self, ready):
        with (ready.root / "pyproject.toml").open("a") as file:
            file.write("\n# changed\n")
        process = ready.start()
        wait_for(process, "updating .venv")
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert ready.setup().returncode == 0
        ready.assert_intact()

    def test_an_installer_left_behind_is_waited_for(self, ready):
        ready.undo()
        process = ready.start()
        wait_for(process, "Installed ")
        os.kill(process.pid, signal.SIGKILL)
        done = ready.setup()
        assert done.returncode == 0, done.stderr
        assert "another set-up is at work" in done.stderr
        ready.assert_intact()

    def test_two_at_once_do_the_work_once(self, ready):
        ready.undo()
        both = [ready.start(), ready.start()]
        said = [process.communicate()[1] for process in both]
        assert [process.returncode for process in both] == [0, 0]
        assert sorted("setting up .venv" in text for text in said) == [False, True]
        ready.assert_intact()

    def test_without_a_network_the_way_to_go_on_is_told(self, ready, tmp_path):
        ready.undo()
        done = ready.setup(
            UV_DEFAULT_INDEX="http://127.0.0.1:9/simple", UV_CACHE_DIR=str(tmp_path), UV_HTTP_RETRIES="0"
        )
        assert done.returncode == 2
        assert "run the same command again" in done.stderr
        assert ready.setup().returncode == 0
