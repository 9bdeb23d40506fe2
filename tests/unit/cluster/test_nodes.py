"""Nodes of a cluster that do not fit a study."""

from pathlib import Path
from typing import Any

import pytest

from actsweep import __version__
from actsweep.cluster.nodes import about_node, refuse_node
from actsweep.errors import RequestError

NODE = "10.0.0.7"


def test_this_machine_fits(tmp_path: Path) -> None:
    (tmp_path / "mark").touch()
    found = about_node(str(tmp_path / "mark"))
    assert (found["actsweep"], found["sees"]) == (__version__, True)
    refuse_node(NODE, found, str(tmp_path))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"actsweep": "0.0.9"}, f"10.0.0.7 of the cluster has actsweep 0.0.9, and the driver {__version__}"),
        ({"Python": "3.8"}, "10.0.0.7 of the cluster has Python 3.8, and the driver 3."),
        ({"sees": False}, "run.root: the node 10.0.0.7 of the cluster does not see "),
        ("ModuleNotFoundError: No module named 'actsweep'", "10.0.0.7 of the cluster cannot run actsweep: Module"),
        (None, "10.0.0.7 of the cluster did not answer within 60 seconds"),
    ],
)
def test_what_does_not_fit_is_said_with_the_name_of_the_node(changed: Any, said: str, tmp_path: Path) -> None:
    found = {**about_node(str(tmp_path)), **changed} if isinstance(changed, dict) else changed
    with pytest.raises(RequestError, match=said):
        refuse_node(NODE, found, str(tmp_path))
