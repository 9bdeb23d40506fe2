"""The list of rooms in CONTRIBUTING.md is the order that is enforced, and the unit tests lie in the same rooms."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "actsweep"
ENTRY = {"__init__", "__main__", "conf"}  # what holds no code
METHOD = "method"  # tests of the whole, in no room


def listed() -> list[str]:
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("| room |")[2].partition("\n\n")[0]
    return [name.removesuffix(".py").strip("/") for name in re.findall(r"^\| `([\w./]+)` \|", text, re.MULTILINE)]


def layers() -> list[list[str]]:
    """The enforced layers from above, each with its rooms."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (order,) = (contract["layers"] for contract in contracts if contract.get("containers") == ["actsweep"])
    return [[room.strip(" ()") for room in layer.split("|")] for layer in order]


def rooms() -> set[str]:
    return {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} - ENTRY


def test_every_room_is_listed_once_and_held_in_its_layer() -> None:
    assert sorted(listed()) == sorted(rooms())
    assert {room for layer in layers() for room in layer} - ENTRY == rooms()


def test_the_list_has_the_order_of_the_layers() -> None:
    depth = {room: number for number, layer in enumerate(layers()) for room in layer}
    assert [depth[room] for room in listed()] == sorted(depth[room] for room in listed())


def test_unit_tests_lie_in_the_rooms_that_they_test() -> None:
    folders = {path.name for path in (ROOT / "tests" / "unit").iterdir() if any(path.glob("**/test_*.py"))}
    assert folders - {METHOD} == {room for room in rooms() if (PACKAGE / room).is_dir()}
