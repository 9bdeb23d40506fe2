import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from actsweep.analysis import TrialCurve
from actsweep.records.derived.provenance import Provenance
from actsweep.report.page import render, write_report
from rows_of_results import cell, run, trial, verdict

Row = dict[str, Any]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'\u202e\ud800"
VOID = {"meta", "br", "path"}


@dataclass
class Page(HTMLParser):
    """What a browser finds in a page: elements with their attributes, scripts, and the text that is shown."""

    html: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    scripts: list[tuple[dict[str, str | None], str]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attrs), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif not self.open or self.open[-1] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def data(self) -> Row:
        (text,) = (text for attributes, text in self.scripts if attributes.get("id") == "data")
        found: Row = json.loads(text)
        return found


@pytest.fixture
def page(results: Row, trials: list[TrialCurve]) -> Page:
    return Page(render(results, trials))


@pytest.fixture
def hostile(results: Row) -> Page:
    """A page in which everything that a table of curves can name tries to break out."""
    results["study"] |= {"name": HOSTILE, "arms": [HOSTILE], "reference": HOSTILE, "warnings": [HOSTILE]}
    results["cells"] = [cell(HOSTILE, depth=HOSTILE)]
    results["targets"] = [{"depth": HOSTILE, "hi": 0.9, "lo": 0.8}]
    results["trials"] = [trial(HOSTILE, 0, 0.9, depth=HOSTILE)]
    numbers = (1.0, 0.9, 1.1, 2.0)
    results["verdicts"] = [verdict(HOSTILE, HOSTILE, HOSTILE, numbers, HOSTILE, a=HOSTILE, b=HOSTILE, depth=HOSTILE)]
    results["nuisance"] = {f"{HOSTILE}-0": {HOSTILE: HOSTILE}}
    results["study"]["failures"] = [{"trial_id": HOSTILE, "phase": HOSTILE, "message": HOSTILE}]
    origin = Provenance({HOSTILE: HOSTILE}, HOSTILE, f"{HOSTILE} {{trial_id}}")
    return Page(render(results, [run(f"{HOSTILE}-0", [0.1, 0.9], arm=HOSTILE, strata=(HOSTILE,))], origin))


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    assert all(attributes["href"].startswith("#") for attributes in page.all("a"))  # type: ignore[union-attr]
    loading = {"src", "srcset", "data", "action", "poster", "background", "formaction", "xlink:href"}
    assert not [(tag, loading & attributes.keys()) for tag, attributes in page.elements if loading & attributes.keys()]
    assert {tag for tag, _ in page.elements}.isdisjoint({"link", "iframe", "object", "embed", "base", "img", "form"})
    assert "url(" not in (style := re.findall(r"<style>(.*?)</style>", page.html, re.S)[0])
    assert "@import" not in style


def test_the_policy_forbids_every_request_and_every_script_but_its_own(page: Page) -> None:
    (policy,) = (meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert not re.search(r"https?:|\*|connect-src|script-src[^;]*unsafe", policy)
    running = [text for attributes, text in page.scripts if "type" not in attributes]
    digests = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running}
    assert set(re.findall(r"'sha256-([^']+)'", policy)) == digests


def test_plotly_is_inside_once(page: Page) -> None:
    assert [text == get_plotlyjs() for _, text in page.scripts].count(True) == 1
    assert len(page.scripts) == 4


def test_each_figure_has_its_place(page: Page) -> None:
    places = [attributes["data-figure"] for attributes in page.all("div") if "data-figure" in attributes]
    with_views = [str(place) for place, views in enumerate(page.data["figures"]) if views]
    assert places == with_views
    assert places[0] == "0"
    assert [len(view["data"]) for view in page.data["figures"][0]] == [6]


def test_the_answer_the_verdicts_and_the_cells_are_in_the_text(page: Page) -> None:
    assert "At depth 3, relu has the best test accuracy, 97.3 % on average" in page.text
    assert "about 41 more replicates per arm would likely decide it." in page.text
    assert "at least 2.18 x" in page.text
    assert "10/10 (72-100)" in page.text
    assert "The best lr of sigmoid/3 lies at an edge of [0.0001, 0.1]" in page.text
    cards = [attributes["class"] for attributes in page.all("article")]
    assert cards == ["card undecided", "card supported", "card refuted", "card not-assessable"]


def test_light_and_dark_come_from_the_readers_system(page: Page) -> None:
    assert "@media screen and (prefers-color-scheme: dark)" in page.html
    assert {"name": "color-scheme", "content": "light dark"} in page.all("meta")
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")


def test_no_name_can_begin_a_script_or_an_element(hostile: Page, page: Page) -> None:
    assert len(hostile.scripts) == len(page.scripts)
    new = {tag for tag, _ in hostile.elements} - {tag for tag, _ in page.elements}
    assert new <= {"pre", "ul", "li"}  # of the settings, and of the failures
    assert not [name for _, attributes in hostile.elements for name in attributes if name.startswith("on")]
    assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in hostile.text
    assert [text for _, text in hostile.scripts[1:]] == [text for _, text in page.scripts[1:]]


def test_the_data_of_the_figures_holds_nothing_that_html_could_mean(page: Page) -> None:
    (data,) = (text for attributes, text in page.scripts if attributes.get("id") == "data")
    assert not set("<>&") & set(data)
    assert "median %{y:.3g} % at epoch %{x}<extra>" in page.data["figures"][0][0]["data"][4]["hovertemplate"]


def test_control_characters_in_names_are_visible(hostile: Page) -> None:
    assert "\u202e" not in hostile.html
    assert "\\u202e" in hostile.text


def test_a_study_without_anything_to_draw_says_why(results: Row) -> None:
    nothing: Row = dict.fromkeys(cell("relu"), None)
    results["cells"] = [nothing | {"activation": "relu", "depth": 3, "n": 0, "lrs": []}]
    results["trials"], results["comparisons"], results["verdicts"], results["targets"] = [], [], [], []
    page = Page(render(results, []))
    assert not [attributes for attributes in page.all("div") if "data-figure" in attributes]
    assert page.data == {"figures": [[]] * len(page.data["figures"]), "trials": page.data["trials"]}
    for why in ("No replicate has been trained yet", "There were no tune trials", "No replicate has a test accuracy"):
        assert why in page.text
    assert "No replicate at depth 3 has a test accuracy" in page.text
    assert not page.all("article")


def test_what_is_shown_and_what_is_not_stands_at_the_top(page: Page) -> None:
    head = page.text[: page.text.index("Verdicts")]
    assert (
        "relu against sigmoid, depth 3. Shown: supported C2a (vanishing gradients); refuted C2b (saturation)." in head
    )
    assert "Not shown, either way: C1a (sigmoid takes over 2x the training seconds" in head
    assert "C4c (gap through progress) not assessable." in head


def test_the_table_of_trials_has_a_row_a_trial(page: Page, results: Row) -> None:
    table = page.data["trials"]
    titles = [column["title"] for column in table["columns"]]
    assert titles[:4] == ["trial", "activation/depth", "phase", "state"]
    assert len(table["rows"]) == len(results["trials"])
    stuck = next(row for row in table["rows"] if row[0] == "sigmoid-9")
    assert stuck[titles.index("state")] == "stuck"
    assert [titles[place] for place in table["choices"]] == ["phase", "state"]
    assert "repeat it with" not in titles


def test_each_trial_says_how_to_repeat_it_and_the_page_where_it_comes_from(
    results: Row, trials: list[TrialCurve]
) -> None:
    facts = {"data": "digits", "git": "0123456789ab"}
    origin = Provenance(facts, "model:\n  depth: 3\n", "actsweep train --from outputs/quickstart/trials/{trial_id}")
    page = Page(render(results, trials, origin))
    table = page.data["trials"]
    assert table["rows"][0][-1] == "actsweep train --from outputs/quickstart/trials/relu-0"
    assert "0123456789ab" in page.text
    assert "model:\n  depth: 3" in page.text


def test_the_file_is_written_whole(tmp_path: Path, results: Row, trials: list[TrialCurve]) -> None:
    target = tmp_path / "report.html"
    target.write_text("before")
    write_report(target, results, trials)
    assert target.read_text(encoding="utf-8") == render(results, trials)
    assert list(tmp_path.iterdir()) == [target]


def test_a_page_depends_on_nothing_but_the_results(results: Row, trials: list[TrialCurve]) -> None:
    assert render(results, trials) == render(results, trials)


def test_what_early_stopping_saved_and_cost_is_told(results: Row, trials: list[TrialCurve]) -> None:
    assert "Early stopping" not in Page(render(results, trials)).text
    results["study"]["stopping"] = [{"sentence": f"relu/3: 4 of 8 were stopped{HOSTILE}"}]
    page = Page(render(results, trials))
    assert "Early stopping of tune trials" in page.text
    assert "relu/3: 4 of 8 were stopped</script>" in page.text
    assert [attributes for tag, attributes in page.elements if tag == "img"] == []
