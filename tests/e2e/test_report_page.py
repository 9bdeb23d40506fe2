"""The report in Chromium: it asks for nothing, draws all it has, and does what its controls say."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench.simulated import write_study
from playwright.sync_api import Browser, Page, expect

from browser import Tab
from processes import wait_for

HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    "=cmd|' /C calc'!A0",
    "\"'`;--{{ 7 * 7 }}${7 * 7}%{x}",
    "\U0001f600 \u202egnorts",
    "x" * 10_000,
    "$x^2$",
]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, actsweep: Command) -> Path:
    """The report of a made-up study of two depths, by the real command."""
    folder = write_study(
        tmp_path_factory.mktemp("studies"),
        *("experiment=relu_vs_sigmoid", "study.scientific.model.depth=[3,4]", "study.tune.blocks=2"),
        *("study.tune.points=8", "study.replicate.seeds=5", "trainer.epochs=12"),
    )
    done = actsweep("report", str(folder.path))
    assert done.returncode == 0, done.stderr
    return folder.report


@pytest.fixture
def page(tab: Tab, report: Path) -> Page:
    return tab.open(report.as_uri())


def test_nothing_is_said_and_nothing_leaves_the_file(tab: Tab, page: Page, report: Path) -> None:
    page.wait_for_timeout(300)
    assert tab.said == []
    assert {address for address in tab.requests if not address.startswith(("data:", "blob:"))} == {report.as_uri()}
    assert report.stat().st_size < 8e6


def test_every_figure_has_drawn_its_marks(page: Page) -> None:
    drawn = page.evaluate(
        """() => [...document.querySelectorAll('.plot')].map(plot => ({
            asked: plot.data.map(trace => trace.type),
            lines: plot.querySelectorAll('.scatterlayer .trace').length,
            cells: plot.querySelectorAll('.heatmaplayer .hm').length,
            bars: plot.querySelectorAll('.barlayer .point').length,
            points: plot.querySelectorAll('.scatterlayer .point').length,
            markers: plot.data.filter(trace => (trace.mode ?? '').includes('markers'))
                .reduce((sum, trace) => sum + (trace.marker.maxdisplayed ? 0 : trace.x.length), 0),
            title: document.getElementById(plot.getAttribute('aria-labelledby')).textContent,
        }))"""
    )
    assert len(drawn) == 11
    for one in drawn:
        assert one["lines"] == one["asked"].count("scatter"), one
        assert one["cells"] == one["asked"].count("heatmap"), one
        assert one["bars"] == 3 * one["asked"].count("bar"), one  # activation, depth and learning rate
        assert one["points"] >= one["markers"], one
    assert not [one for one in drawn if one["lines"] + one["cells"] + one["bars"] == 0]


def test_another_stratum_and_another_form_can_be_chosen(page: Page) -> None:
    figure = page.locator("figure", has=page.get_by_role("heading", name="Time to the target accuracy"))
    axis = figure.locator(".xtitle")
    assert axis.text_content() == "Epochs"
    figure.get_by_label("show").select_option("low target, seconds")
    expect(axis).to_have_text("Training time (s)")
    figure.get_by_label("at").select_option("depth 4")
    assert figure.get_by_label("show").evaluate("box => box.selectedOptions[0].text") == "low target, seconds"
    chosen = page.evaluate("() => JSON.parse(document.getElementById('data').textContent).figures[1]")
    (view,) = (one for one in chosen if (one["where"], one["form"]) == ("depth 4", "low target, seconds"))
    assert figure.locator("figcaption").text_content() == view["caption"]


def test_what_was_zoomed_or_hidden_stays_with_its_view(page: Page) -> None:
    figure = page.locator("figure", has=page.get_by_role("heading", name="Time to the target accuracy"))
    plot = "[...document.querySelectorAll('.plot')][1]"
    page.evaluate(f"Plotly.relayout({plot}, {{'xaxis.range[0]': 2, 'xaxis.range[1]': 4}})")
    figure.get_by_label("show").select_option("high target, steps")
    expect(figure.locator(".xtitle")).to_have_text("Training steps")
    assert page.evaluate(f"{plot}.layout.xaxis.range[1]") > 100
    units = page.locator("figure", has=page.get_by_role("heading", name="Saturated and dead units"))
    units.locator(".legendtoggle").first.click()
    units.get_by_label("show").select_option("dead")
    expect(units.locator(".ytitle")).to_have_text("Units that are dead (%)")
    assert units.locator(".scatterlayer .trace").count() == 3


def column(page: Page, title: str) -> list[str]:
    place = page.locator("[data-trials] thead th").all_text_contents().index(title)
    return page.locator(f"[data-trials] tbody tr > :nth-child({place + 1})").all_text_contents()


def test_the_table_of_trials_is_sorted_by_its_headings(page: Page) -> None:
    button = page.locator("[data-trials] thead").get_by_role("button", name="best val acc %")
    button.focus()
    page.keyboard.press("Enter")
    rising = [float(text) for text in column(page, "best val acc %")]
    assert rising == sorted(rising)
    header = button.locator("..")
    assert header.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")  # the focus has stayed
    falling = [float(text) for text in column(page, "best val acc %")]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > rising[0]
    assert header.get_attribute("aria-sort") == "descending"
    page.locator("[data-trials] thead").get_by_role("button", name="test acc %").click()
    assert "-" not in column(page, "test acc %")  # what is missing comes last, both ways


def test_the_table_of_trials_is_filtered(page: Page) -> None:
    data = page.evaluate("() => JSON.parse(document.getElementById('data').textContent).trials")
    titles = [one["title"] for one in data["columns"]]
    phase, cell = titles.index("phase"), titles.index("activation/depth")
    count = page.locator("[data-count]")
    assert count.text_content() == f"the first 25 of {len(data['rows'])} trials"
    page.get_by_label("phase").select_option("replicate")
    page.get_by_label("find").fill("sigmoid/4")
    expected = [row for row in data["rows"] if row[phase] == "replicate" and row[cell] == "sigmoid/4"]
    assert 0 < len(expected) < 25
    assert column(page, "trial") == [row[0] for row in expected]
    assert count.text_content() == f"{len(expected)} trials found, of {len(data['rows'])}"
    page.get_by_label("find").fill("nothing of this kind")
    assert column(page, "trial") == []
    page.get_by_label("find").fill("")
    page.get_by_label("phase").select_option(index=0)
    page.get_by_role("button", name="Show more").click()
    assert len(column(page, "trial")) == len(data["rows"])


def test_each_trial_can_be_repeated_by_its_command(page: Page, report: Path) -> None:
    trial = column(page, "trial")[0]
    assert column(page, "repeat it with")[0] == f"actsweep train --from {report.parent}/trials/{trial}"


def test_dark_is_dark_and_follows_the_reader(tab: Tab, page: Page) -> None:
    def brightness() -> list[float]:
        colours = page.evaluate(
            """() => [getComputedStyle(document.body).backgroundColor,
                getComputedStyle(document.querySelector('.plot .main-svg')).backgroundColor]"""
        )
        return [sum(int(part) for part in colour.strip("rgba()").split(",")[:3]) / 3 for colour in colours]

    assert min(brightness()) > 200
    page.emulate_media(color_scheme="dark")
    wait_for(lambda: max(brightness()) < 60, 20)
    assert tab.said == []


@pytest.mark.parametrize("width", [400, 1200])
def test_nothing_is_wider_than_the_screen(browser: Browser, report: Path, width: int) -> None:
    tab = Tab(browser, width)
    page = tab.open(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("Math.max(...[...document.querySelectorAll('.plot')].map(p => p.scrollWidth))") <= width
    assert tab.said == []
    tab.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_prints_dark_on_white_without_its_controls(browser: Browser, report: Path, scheme: str) -> None:
    tab = Tab(browser, 1200, scheme)
    page = tab.open(report.as_uri())
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    colours = page.evaluate(
        """() => [getComputedStyle(document.querySelector('.headline')).color,
            getComputedStyle(document.querySelector('.plot .xtitle')).fill]"""
    )
    assert max(int(part) for colour in colours for part in colour.strip("rgb()").split(",")) < 100
    assert not page.locator("nav").is_visible()
    assert page.evaluate("document.querySelector('.plot .main-svg').getBoundingClientRect().width") < 720
    assert page.pdf().startswith(b"%PDF")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.className") == ""
    assert tab.said == []
    tab.context.close()


def test_no_name_does_anything(tab: Tab, actsweep: Command, tmp_path: Path) -> None:
    rows = ["trial_id,activation,seed,epoch,val_acc,train_acc,train_loss,lr,phase"]
    for place, name in enumerate(HOSTILE):
        for phase in ("tune", "replicate"):
            for epoch in range(3):
                quoted = '"{}"'.format(name.replace('"', '""'))
                values = f"{place},{epoch},{0.1 + 0.2 * epoch},{0.2 + 0.2 * epoch},{2 - 0.5 * epoch},0.01,{phase}"
                rows.append(f"{phase}-{place},{quoted},{values}")
    (tmp_path / "hostile.csv").write_text("\n".join(rows))
    done = actsweep("analyze", "hostile.csv", "--reference", HOSTILE[0], "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = tab.open((tmp_path / "out" / "report.html").as_uri())
    page.wait_for_timeout(300)
    assert tab.said == []
    assert page.evaluate("window.hacked") is None
    text = page.locator("body").inner_text()
    for name in HOSTILE[:4]:
        assert name in text
    assert "\\u202egnorts" in text
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1200
    legends: list[Any] = page.locator(".legendtext").all_text_contents()
    assert max(map(len, legends)) < 100
    assert json.dumps(HOSTILE[3])[1:8] in json.dumps(text)
