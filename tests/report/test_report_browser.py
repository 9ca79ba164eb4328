"""The report's page in a browser: sorted, filtered, pointed at, by keyboard, narrow, dark, and alone on its disk."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from browser import contrast, opened, settled, sorts
from sweeps import CLEAN, NOISE, sweep

from robench.report import build

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    chosen = ("awgn@0.1,0.3", "contrast@1,3,5", "crop@0.5,0.3", "fog@1,3,5")
    sweep(folder / "run", corruptions=chosen)
    build([folder / "run"], folder / "report")
    return folder / "report"


@pytest.fixture
def shown(running, report):
    with opened(running, report / "index.html") as one:
        yield one


def column(page, place, table=0):
    """The texts of a column of a table, the first line of each cell, as far as they are visible."""
    settled(page)
    rows = page.locator("table.sortable").nth(table).locator("tbody tr")
    return [row.locator("th, td").nth(place).inner_text().split("\n")[0] for row in rows.all() if row.is_visible()]


def lines(page, vega_spec=2):
    """The lines that a chart draws."""
    return page.locator(".chart").nth(vega_spec).locator("g.mark-line path").count()


def test_nothing_is_asked_of_the_network_and_nothing_is_wrong(shown, report) -> None:
    assert shown.console == []
    assert shown.errors == []
    assert [address for address in shown.requests if not address.startswith(("file:", "data:"))] == []
    assert (report / "index.html").stat().st_size < 5_000_000


def test_every_figure_is_drawn(shown) -> None:
    charts = shown.page.locator(".chart")
    assert charts.count() == 2 + 4
    assert charts.locator("svg").count() == charts.count()
    assert lines(shown.page) == 2


def test_a_click_on_a_header_sorts(shown) -> None:
    means = shown.page.locator("table.sortable").first.locator("th", has_text="mean over corruptions")
    means.click()
    sorts(means, "ascending")
    rising = column(shown.page, 4)
    means.click()
    sorts(means, "descending")
    assert rising == sorted(rising, key=float)
    assert column(shown.page, 4) == rising[::-1] != rising


def test_the_keyboard_sorts_too(shown) -> None:
    page = shown.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(70):
        page.keyboard.press("Tab")
        if (
            "corruption"
            in page.evaluate("document.activeElement.closest('th')?.innerText ?? ''").split("\n")[0].split()
        ):
            break
    before = column(page, 0, table=1)
    header = page.locator("th:focus-within")
    page.keyboard.press("Enter")
    sorts(header, "ascending")
    page.keyboard.press("Enter")
    sorts(header, "descending")
    assert column(page, 0, table=1) == sorted(before, reverse=True) != before


def test_the_filter_keeps_the_rows_that_fit(shown) -> None:
    shown.page.get_by_label("Filter").nth(1).fill("contrast")
    assert column(shown.page, 0, table=1) == ["contrast"] * 3
    shown.page.get_by_label("Filter").nth(1).fill("nothing like it")
    assert column(shown.page, 0, table=1) == ["No row fits the filter."]


def test_the_value_under_the_pointer_is_the_measured_one(shown, report) -> None:
    page = shown.page
    point = page.locator(".chart").nth(2).locator("g.mark-symbol path").last
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    text = tooltip.inner_text()
    rows = pd.read_csv(report / "figures" / "digits-test" / "awgn.csv")
    [row] = rows[(rows["model"] == NOISE) & (rows["strength"] == "sigma=0.3")].itertuples()
    assert NOISE in text
    for value in (row.top1, row.ci_low, row.ci_high):
        assert f"{100 * value:.3f}".rstrip("0").rstrip(".") in text


def test_a_model_that_is_not_chosen_leaves_tables_and_charts(shown) -> None:
    page = shown.page
    box = page.get_by_role("checkbox", name=CLEAN)
    box.focus()
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelectorAll('.chart')[2].querySelectorAll('g.mark-line path').length === 1")
    assert column(page, 0) == [NOISE]
    assert CLEAN not in page.locator("table.sortable").nth(1).inner_text()
    box.check()
    page.wait_for_function("document.querySelectorAll('.chart')[2].querySelectorAll('g.mark-line path').length === 2")
    assert set(column(page, 0)) == {CLEAN, NOISE}


def test_a_narrow_screen_scrolls_tables_and_not_the_page(running, report) -> None:
    with opened(running, report / "index.html", viewport={"width": 360, "height": 740}) as one:
        assert one.page.evaluate("document.documentElement.scrollWidth") <= 360
        widths = one.page.locator(".chart svg").evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
        assert max(widths) <= 360
        assert min(widths) > 200
        captions = one.page.locator("caption").evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
        assert max(captions) <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read_by_day_and_by_night(running, report, scheme) -> None:
    with opened(running, report / "index.html", color_scheme=scheme) as one:
        page = one.page
        for selector in ("body", ".dim", "figcaption", "thead th", "caption"):
            assert contrast(page, selector) > 4.5, selector
        fill = page.eval_on_selector(".chart svg text", "one => getComputedStyle(one).fill")
        assert (fill == "rgb(0, 0, 0)") is False
        paper = page.eval_on_selector("body", "one => getComputedStyle(one).backgroundColor")
        assert (paper == "rgb(255, 255, 255)") is (scheme == "light")


def test_a_screen_reader_finds_names_for_everything(shown) -> None:
    page = shown.page
    for vega_spec in page.locator(".chart svg").all():
        assert vega_spec.get_attribute("aria-label") or vega_spec.locator("[aria-label]").count()
    assert page.locator("img:not([alt]), [role=img]:not([aria-label]), table:not(:has(th[scope]))").count() == 0
    assert page.locator("input").evaluate_all("all => all.every(one => one.labels.length > 0)")
    assert page.locator("main").count() == 1
    assert page.locator("h1").count() == 1


def test_without_scripts_the_numbers_are_still_there(running, report: Path) -> None:
    page = running.new_page(java_script_enabled=False)
    page.goto((report / "index.html").as_uri())
    assert NOISE in page.locator("table").first.inner_text()
    page.close()
