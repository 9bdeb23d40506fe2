"""The lock is what pyproject.toml asks for."""

import re

import pytest

from checkouts import LOCK, PROJECT


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
