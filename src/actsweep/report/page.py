"""The page for people: one HTML file that needs no network and sends no request."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from actsweep.records import write_whole
from actsweep.report.figures import Curve, Figure, arm_styles, figures
from actsweep.report.headline import headline
from actsweep.report.rows import Results, cell_heading, cell_terms, cell_texts, verdict_groups
from actsweep.report.wording import DASH, clean


def write_report(path: Path, results: Results, curves: Iterable[Curve]) -> None:
    """Write the page of a study.

    Args:
        path: the file, replaced whole.
        results: the results dictionary.
        curves: one mapping a trial, as `actsweep.report.figures.figures` takes them.
    """
    page = render(results, curves)
    with write_whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render(results: Results, curves: Iterable[Curve]) -> str:
    """The page as text."""
    drawn = figures(results, curves)
    cells = cell_texts(results)
    scripts = [get_plotlyjs(), _part("report.js")] if drawn else []
    environment = Environment(
        loader=PackageLoader("actsweep.report", "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        name=clean(results["study"]["name"]),
        study=results["study"],
        heading=cell_heading(results),
        headlines=headline(results),
        warnings=[clean(warning) for warning in results["study"]["warnings"]],
        groups=verdict_groups(results),
        stopping=[clean(costs["sentence"]) for costs in results["study"].get("stopping", [])],
        cells=cells,
        some_failed=any(cell.failed != DASH for cell in cells),
        terms=cell_terms(results),
        styles=arm_styles(results),
        figures=drawn,
        figures_json=_json_in_html([_specification(figure) for figure in drawn]),
        css=Markup(_part("report.css")),
        scripts=[Markup(script) for script in scripts],
        policy=_policy(scripts),
    )


def _specification(figure: Figure) -> dict[str, Any]:
    return {"data": figure.data, "layout": figure.layout}


def _json_in_html(tree: object) -> Markup:
    """JSON that no text within can end the script element of, or begin another."""
    text = json.dumps(tree, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _policy(scripts: Sequence[str]) -> str:
    """A content security policy under which these scripts alone run, and nothing is fetched."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"


def _part(name: str) -> str:
    return resources.files("actsweep.report").joinpath("template", name).read_text(encoding="utf-8")
