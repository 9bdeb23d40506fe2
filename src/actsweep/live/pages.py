"""The pages as HTML: every text is escaped by the templates."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from actsweep.live.parts import Parts
from actsweep.report.page import environment
from actsweep.report.wording import clean

if TYPE_CHECKING:  # they need what is rendered here
    from actsweep.live.report import Report
    from actsweep.live.view import EntryView, StudyView

_PLOTLY = "plotly"
_ASSETS = {
    "/report.css": ("actsweep.report", "text/css"),
    "/draw.js": ("actsweep.report", "text/javascript"),
    "/plotly.js": (_PLOTLY, "text/javascript"),
    "/live.css": ("actsweep.live", "text/css"),
    "/live.js": ("actsweep.live", "text/javascript"),
}


def asset(path: str) -> tuple[str, str] | None:
    """The text and the type of a file that pages load; None where there is none at that path."""
    return _read_asset(path) if path in _ASSETS else None


@cache  # of the few that there are
def _read_asset(path: str) -> tuple[str, str]:
    package, kind = _ASSETS[path]
    if package == _PLOTLY:
        return get_plotlyjs(), kind
    return resources.files(package).joinpath("template", path[1:]).read_text(encoding="utf-8"), kind


def address_of(name: str) -> str:
    """The path of a study's page; any name that a folder can have is one."""
    return f"/study/{quote(name.encode(errors='surrogateescape'), safe='')}"


def render(template: str, **values: Any) -> Markup:
    """A template with its values."""
    return Markup(environment("actsweep.live").get_template(template).render(**values))


def list_parts(root: Path, problem: str, entries: Sequence[tuple[str | None, "EntryView"]]) -> Parts:
    """The parts of the list of studies.

    Args:
        root: the folder that holds them.
        problem: why it cannot be listed; else empty.
        entries: the studies, each with the address of its page, if it has one.
    """
    html = render("studies.html.j2", root=clean(root), problem=clean(problem), entries=entries)
    return Parts({"studies": html})


def study_parts(view: "StudyView", report: "Report | None") -> Parts:
    """The parts of a study's page."""
    names = ("status", "times", "notes", "cells", "trials", "report")
    html = {name: str(render(f"{name}.html.j2", view=view, report=report)) for name in names}
    return Parts(html, report.data if report is not None else "")


def list_page(root: Path, parts: Parts) -> str:
    """The whole list of studies."""
    return render("list.html.j2", title="Studies", root=clean(root), parts=parts, state="/state")


def study_page(name: str, parts: Parts) -> str:
    """The whole page of a study."""
    return render("study.html.j2", title=clean(name), parts=parts, state=f"{address_of(name)}/state")


def message_page(title: str, text: str) -> str:
    """A page that only says something."""
    return render("message.html.j2", title=title, text=clean(text))
