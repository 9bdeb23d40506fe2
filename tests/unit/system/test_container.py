from pathlib import Path

import pytest

from actsweep.system.container import cpu_quota, memory_left


@pytest.fixture
def membership(tmp_path: Path) -> Path:
    return tmp_path / "membership"


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    return tmp_path / "groups"


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def test_without_limits_all_of_the_machine_is_there(membership: Path, groups: Path) -> None:
    assert memory_left(membership, groups) is None
    assert cpu_quota(membership, groups) is None
    membership.write_text("0::/a\n")
    write(groups / "a", memory__max="max", memory__current="5", cpu__max="max 100000")
    assert memory_left(membership, groups) is None
    assert cpu_quota(membership, groups) is None


def test_the_tightest_group_counts(membership: Path, groups: Path) -> None:
    membership.write_text("0::/a/b\n")
    write(groups / "a", memory__max="1000", memory__current="900", cpu__max="150000 100000")
    write(groups / "a" / "b", memory__max="800", memory__current="100", cpu__max="400000 100000")
    assert memory_left(membership, groups) == 100
    assert cpu_quota(membership, groups) == 1.5


def test_cached_files_count_as_free(membership: Path, groups: Path) -> None:
    membership.write_text("0::/\n")
    write(groups, memory__max="1000", memory__current="900", memory__stat="anon 300\ninactive_file 600")
    assert memory_left(membership, groups) == 700


def test_the_first_version_of_groups(membership: Path, groups: Path) -> None:
    membership.write_text("4:memory:/named/outside\n3:cpuacct,cpu:/x\n")
    write(groups / "memory", memory__limit_in_bytes="1000", memory__usage_in_bytes="200")
    write(groups / "cpu", **{"cpu__cfs_quota_us": "50000", "cpu__cfs_period_us": "100000"})
    assert memory_left(membership, groups) == 800
    assert cpu_quota(membership, groups) == 0.5


def test_a_quota_of_minus_one_is_none(membership: Path, groups: Path) -> None:
    membership.write_text("3:cpu:/\n")
    write(groups / "cpu", **{"cpu__cfs_quota_us": "-1", "cpu__cfs_period_us": "100000"})
    assert cpu_quota(membership, groups) is None
