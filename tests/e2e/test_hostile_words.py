"""Words that would run a script or steer a terminal, as names in a table of curves and as what a ledger tells."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from actsweep.cli import run
from actsweep.events import StudyStarted, TrialFailed, TrialStarted
from actsweep.records import Ledger, StudyFolder, read_ledger
from curve_tables import make_rows, write_csv

Said = Callable[..., str]
SET_TITLE = "document.title='TAKEN'"
SCRIPTS = (
    f"</script><script>{SET_TITLE}</script>",
    f'<img src=x onerror="{SET_TITLE}">\'"><svg/onload={SET_TITLE}>',
    f'</title></style></textarea><script>{SET_TITLE}</script>{{{{ 7*7 }}}}<a href="javascript:{SET_TITLE}">a</a>',
)
STEERING = "\x1b[31mred\x1b[0m\x1b]0;TAKEN\x07\x1b]8;;http://x\x1b\\\u202eevil\u2066\x9b2J"
MARKUP = "[red]plain[/red][link=file:///etc/passwd]x[/link]"
LONG = "x" * 60_000
OWN_SCRIPTS = 4  # the page's data, Plotly, what draws, and its start
CHROMIUM = shutil.which("chromium")


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.title = page.partition("<title>")[2].partition("</title>")[0]
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))

    def count(self, tag: str) -> int:
        return [name for name, _ in self.all].count(tag)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """What a command says, in which nothing steers the terminal."""

    def say(*words: object, code: int = 0) -> str:
        assert run([str(word) for word in words]) == code
        output = "".join(capsys.readouterr())
        assert output
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\x00"} & set(output)
        return output

    return say


def assert_tame(page: Path, folder: Path) -> None:
    """In a browser nothing in the page but its own scripts has run."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    words = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}", "--virtual-time-budget=3000")
    shown = subprocess.run(
        [CHROMIUM, *words, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    ).stdout
    found = Elements(shown)
    assert "js-plotly-plot" in shown, "the page's own script has run"
    assert found.title.endswith(" - actsweep")
    assert found.count("img") == 0
    assert found.count("script") == OWN_SCRIPTS
    assert not [name for _, attributes in found.all for name in attributes if name.startswith("on")]
    leading = [attributes[name] for _, attributes in found.all for name in ("href", "xlink:href") if name in attributes]
    assert not [
        place for place in leading if not re.fullmatch(r"#[a-z0-9-]+|data:image/png;base64,[A-Za-z0-9+/=]+", str(place))
    ]


def test_in_a_table_of_curves(said: Said, tmp_path: Path) -> None:
    arms = (*SCRIPTS, f"{STEERING}{MARKUP}")
    rows = make_rows(arms=arms, seeds=range(2), kind=f"deep{SCRIPTS[2]}")
    rows = [{**row, "trial_id": f"{row['trial_id']}{MARKUP}", SCRIPTS[1]: STEERING, "note": LONG} for row in rows]
    table, out = write_csv(tmp_path / "table<b>.csv", rows), tmp_path / "out"
    shown = said("analyze", table, "--reference", SCRIPTS[0], "--stratum", "kind", "--out", out)
    assert "[red]plain[/red]" in "".join(shown.split())
    results = json.loads((out / "results.json").read_text())
    assert set(results["study"]["arms"]) == set(arms), "as data they are what they were"
    assert_tame(out / "report.html", tmp_path / "browser")


def test_in_a_ledger(said: Said, smoke: Any, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study")
    shutil.copytree(smoke.folder, folder.path)
    failed = rewritten(folder, f"{SCRIPTS[0]}{SCRIPTS[1]}{STEERING}{MARKUP}")
    said("status", folder.path)
    said("list", "--root", tmp_path)
    said("resume", "--dry-run", folder.path)
    assert "[red]plain[/red]" in "".join(said("show", folder.path, failed).split())
    said("report", folder.path, code=1)
    said("compare", folder.path, shutil.copytree(folder.path, tmp_path / "another"))
    assert_tame(folder.report, tmp_path / "browser")


def rewritten(folder: StudyFolder, words: str) -> str:
    """Put words into every text of a ledger that is free, all checksums valid; the trial that has failed since."""
    events: list[Any] = []
    failed = ""
    for event in read_ledger(folder.ledger).events:
        if isinstance(event, StudyStarted):
            event = replace(event, name=words, data={**event.data, "label": words})  # noqa: PLW2901
        if failed and getattr(event, "trial_id", "") == failed:
            continue
        events.append(event)
        if isinstance(event, TrialStarted) and not failed:
            failed = event.trial_id
            events.append(TrialFailed(failed, event.attempt, "error", words + LONG, False, event.time))
    folder.ledger.unlink()
    with Ledger(folder.ledger) as ledger:
        ledger(*events)
    return failed
