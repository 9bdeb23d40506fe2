"""The page for people: one HTML file that needs no network and sends no request."""

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from actsweep.analysis import TrialCurve
from actsweep.records import write_whole
from actsweep.records.derived.provenance import Provenance
from actsweep.report.figures import Figure, arm_styles, figures
from actsweep.report.headline import headline, tallies
from actsweep.report.rows import Results, cell_heading, cell_terms, cell_texts, verdict_groups
from actsweep.report.trial_table import trial_table
from actsweep.report.wording import DASH, clean, escaped

_START = 'actsweep.draw(JSON.parse(document.getElementById("data").textContent));'


@dataclass(frozen=True)
class Body:
    """The content of a page.

    Attributes:
        html: what stands below the title, foreign text escaped.
        data: what the page's script draws: `figures`, each a list of views, and `trials`, the table.
    """

    html: Markup
    data: dict[str, Any]


def write_report(
    path: Path, results: Results, trials: Iterable[TrialCurve], provenance: Provenance | None = None
) -> None:
    """Write the page of a study.

    Args:
        path: the file, replaced whole.
        results: the results dictionary.
        trials: the trials that it is of, with their curves.
        provenance: where it all comes from; None where that is not known, as of a table of curves.
    """
    page = render(results, trials, provenance)
    with write_whole(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def render(results: Results, trials: Iterable[TrialCurve], provenance: Provenance | None = None) -> str:
    """The page as text."""
    content = body(results, trials, provenance)
    scripts = [get_plotlyjs(), script(), _START]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            name=clean(results["study"]["name"]),
            body=content.html,
            data=json_in_html(content.data),
            css=Markup(part("report.css")),
            scripts=[Markup(text) for text in scripts],
            policy=_policy(scripts),
        )
    )


def body(results: Results, trials: Iterable[TrialCurve], provenance: Provenance | None = None) -> Body:
    """What the page of a study shows, for a page around it."""
    drawn = figures(results, trials)
    cells = cell_texts(results)
    html = (
        environment()
        .get_template("body.html.j2")
        .render(
            study=results["study"],
            heading=cell_heading(results),
            headlines=headline(results),
            tallies=tallies(results),
            warnings=[clean(warning) for warning in results["study"]["warnings"]],
            groups=verdict_groups(results),
            stopping=[clean(costs["sentence"]) for costs in results["study"].get("stopping", [])],
            cells=cells,
            some_failed=any(cell.failed != DASH for cell in cells),
            terms=cell_terms(results),
            styles=arm_styles(results),
            figures=drawn,
            facts={clean(name): clean(said) for name, said in provenance.facts.items()} if provenance else {},
            settings="\n".join(map(escaped, provenance.settings.splitlines())) if provenance else "",
            failures=[
                {name: clean(said) for name, said in failure.items()}
                for failure in results["study"].get("failures", [])
            ],
        )
    )
    table = trial_table(results, provenance.repeat if provenance else None)
    return Body(Markup(html), {"figures": [_specification(figure) for figure in drawn], "trials": table})


@cache
def environment(package: str = "actsweep.report") -> Environment:
    """What a package's templates are rendered by: foreign text is escaped, a name that is missing is an error."""
    return Environment(
        loader=PackageLoader(package, "template"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def script() -> str:
    """The page's own script, which draws figures and the table of trials."""
    return part("draw.js")


def part(name: str) -> str:
    """A file of the page, as it is."""
    return resources.files("actsweep.report").joinpath("template", name).read_text(encoding="utf-8")


def json_in_html(tree: object) -> Markup:
    """JSON that no text within can end the script element of, or begin another."""
    text = json.dumps(tree, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _specification(figure: Figure) -> list[dict[str, Any]]:
    return [
        {"where": view.where, "form": view.form, "caption": view.caption, "data": view.data, "layout": view.layout}
        for view in figure.views
    ]


def _policy(scripts: Sequence[str]) -> str:
    """A content security policy under which these scripts alone run, and nothing is fetched."""
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:"
