"""The dashboard in Chromium, beside a sweep whose ledger grows: what happens is on the page without a reload."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from actsweep.events import Event
from actsweep.records import Ledger, StudyFolder
from browser import Tab
from dashboards import dashboard, page_of
from story import Story, demo

SECONDS = 3.0  # in which what a trial reports is on the page
HOSTILE = "<img src=x onerror='window.hacked = 1'>\"%2e & \u202ex"


@pytest.fixture
def story() -> Story:
    story = Story(demo("study.tune.points=4", "study.replicate.seeds=3", "trainer.epochs=3"))
    story.now = time.time()
    return story


def test_a_trial_that_reports_appears_and_so_do_the_results(story: Story, tab: Tab, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "outputs" / "demo")
    folder.write_config(story.study.config)
    with Ledger(folder.ledger) as ledger, dashboard(folder.path.parent) as served:
        ledger(story.begin())
        page = tab.open(f"http://127.0.0.1:{served.port}/")
        page.get_by_role("link", name="demo").click()
        trials = page.locator("[data-part=trials]")
        first = story.tune(0, 0)
        ledger(story.start(first), story.report(first, 0, 0.125))
        expect(trials).to_contain_text("12.5 %", timeout=1000 * SECONDS)
        ledger(story.report(first, 1, 0.375))
        expect(trials).to_contain_text("37.5 %", timeout=1000 * SECONDS)
        ledger(story.finish(first))
        for arm in (0, 1):
            for number in range(4):
                if (arm, number) != (0, 0):
                    ledger(*story.run(story.tune(arm, number), 0.5))
        expect(page.get_by_role("heading", name="Learning rates tried")).to_be_visible()
        tab.until("document.querySelector('.plot .heatmaplayer .hm') !== null")
        ledger(story.choose(0), story.choose(1), *_whole(story, 0, 0), *_whole(story, 1, 0))
        figure = page.locator("figure", has=page.get_by_role("heading", name="Validation accuracy while training"))
        expect(figure.locator("figcaption")).to_contain_text("2 replicates: 1 relu, 1 sigmoid.", timeout=20_000)
        page.locator("#verdicts summary").first.click()
        page.get_by_label("find").fill("replicate")
        top = "document.activeElement.getBoundingClientRect().top"
        before = page.evaluate(top)
        page.evaluate("document.querySelector('.plot').marked = 1")
        ledger(*_whole(story, 0, 1), *_whole(story, 1, 1))
        expect(figure.locator("figcaption")).to_contain_text("4 replicates: 2 relu, 2 sigmoid.", timeout=20_000)
        assert page.evaluate("document.querySelector('.plot').marked") == 1  # the plot itself has stayed
        assert page.get_by_label("find").input_value() == "replicate"
        assert page.evaluate(top) == pytest.approx(before, abs=2)  # and the reader is not thrown about
        assert page.locator("#verdicts details").first.get_attribute("open") is None
        blank = "plot.clientHeight - plot.querySelector('.main-svg').clientHeight"
        assert set(page.evaluate(f"[...document.querySelectorAll('.plot')].map(plot => {blank})")) == {0}
        assert page.locator("[data-trials] tbody tr").count() == 4
        assert tab.said == []


def test_a_hostile_name_is_text_and_its_page_opens(story: Story, tab: Tab, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "outputs" / HOSTILE)
    folder.write_config(story.study.config)
    with Ledger(folder.ledger) as ledger, dashboard(folder.path.parent) as served:
        ledger(story.begin())
        page = tab.open(f"http://127.0.0.1:{served.port}/")
        page.get_by_role("link", name="img src").click()
        assert page.url.endswith(page_of(HOSTILE))
        expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE.replace("\u202e", "\\u202e"))
        expect(page.locator("[data-part=status]")).to_contain_text("running")
        assert page.evaluate("window.hacked") is None
        assert tab.said == []


def test_the_page_outlives_its_dashboard(story: Story, tab: Tab, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "outputs" / "demo")
    folder.write_config(story.study.config)
    with Ledger(folder.ledger) as ledger:
        ledger(story.begin())
        with dashboard(folder.path.parent) as served:
            page = tab.open(f"http://127.0.0.1:{served.port}{page_of('demo')}")
            expect(page.locator("[data-part=status]")).to_contain_text("running")
        expect(page.locator("#connection")).to_contain_text("No connection to the dashboard since")
        ledger(*story.run(story.tune(0, 0), 0.25))
        with dashboard(folder.path.parent, "--port", str(served.port)):
            expect(page.locator("[data-part=trials]")).to_contain_text("25 %", timeout=10_000)
            expect(page.locator("#connection")).to_be_empty()


@pytest.mark.parametrize("width", [400, 1200])
def test_nothing_is_wider_than_the_screen(browser: Browser, story: Story, tmp_path: Path, width: int) -> None:
    folder = StudyFolder(tmp_path / "outputs" / "demo")
    folder.write_config(story.study.config)
    with Ledger(folder.ledger) as ledger, dashboard(folder.path.parent) as served:
        ledger(story.begin(), *story.run(story.tune(0, 0), 0.5))
        tab = Tab(browser, width)
        page = tab.open(f"http://127.0.0.1:{served.port}{page_of('demo')}")
        expect(page.locator("[data-part=trials]")).to_contain_text("50 %")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        tab.context.close()


def _whole(story: Story, arm: int, number: int) -> list[Event]:
    """A replicate of four evaluations, as its driver would send it."""
    trial = story.replicate(arm, number)
    start = story.start(trial)
    return [start, *(story.report(trial, epoch, 0.1 + 0.2 * epoch) for epoch in range(4)), story.finish(trial)]
