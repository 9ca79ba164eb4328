"""The site of the boards in a browser."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser import contrast, opened, settled, sorts
from sweeps import CLEAN, NOISE

from robench import leaderboard

pytestmark = pytest.mark.slow
PUBLISHED = Path(__file__).parents[2] / "leaderboards" / "site"


@pytest.fixture(scope="module")
def site(published, tmp_path_factory):
    """Without anything but itself around."""
    return shutil.copytree(published / "boards" / "site", tmp_path_factory.mktemp("site") / "site")


@pytest.fixture
def shown(running, site):
    with opened(running, site / "digits" / "pivot-1.html") as one:
        yield one


def names(page):
    """The models of the table, as far as they are visible."""
    settled(page)
    rows = page.locator("#models tbody tr").all()
    return [row.locator("th, td").first.inner_text() for row in rows if row.is_visible()]


def test_every_page_is_whole_on_its_disk(running, site) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) == 1 + 1 + 2
    for path in pages:
        with opened(running, path) as one:
            assert one.console == []
            assert one.errors == []
            assert [address for address in one.requests if not address.startswith(("file:", "data:"))] == []
            for link in one.page.locator("a[href]").evaluate_all("all => all.map(one => one.href)"):
                if link.startswith("file:"):
                    assert (path.parent / unquote(link.removeprefix("file://").partition("#")[0])).exists(), link


def test_the_table_sorts_by_rank_and_by_click(shown, published) -> None:
    [board] = leaderboard.boards(published / "boards")
    assert names(shown.page) == list(leaderboard.standing(board).frame["model"])
    header = shown.page.locator("#models th", has_text="mean over corruptions")
    header.focus()
    before = names(shown.page)
    header.click()
    sorts(header, "ascending")
    assert names(shown.page) == before[::-1]


def test_rows_are_chosen_by_training_data_and_by_size(shown) -> None:
    page = shown.page
    page.get_by_role("combobox", name="Trained on").select_option("digits")
    assert names(page) == [CLEAN]
    page.get_by_role("combobox", name="Trained on").select_option("")
    page.get_by_label("At most").fill("0.001")
    assert names(page) == ["No row fits the filter."]
    page.get_by_label("At most").fill("1")
    assert set(names(page)) == {CLEAN, NOISE}
    page.get_by_label("Filter").fill("noise")
    assert names(page) == [NOISE]
    page.get_by_label("Filter").fill(CLEAN)
    assert names(page) == [CLEAN]


def drawn_lines(page):
    return page.locator("figure", has_text="awgn").locator(".chart g.mark-line path").count()


def test_charts_follow_the_filters_and_the_choice_of_models(shown) -> None:
    page = shown.page
    assert drawn_lines(page) == 2
    page.get_by_role("combobox", name="Trained on").select_option("digits")
    page.wait_for_timeout(300)
    assert drawn_lines(page) == 1
    assert [box.is_checked() for box in page.locator(".models input").all()].count(True) == 1
    page.get_by_role("combobox", name="Trained on").select_option("")
    page.get_by_role("button", name="none").click()
    page.wait_for_timeout(300)
    assert (drawn_lines(page), names(page)) == (0, [])
    page.get_by_role("button", name="all").click()
    page.wait_for_timeout(300)
    assert (drawn_lines(page), len(names(page))) == (2, 2)


def test_a_name_leads_to_its_curves(shown) -> None:
    page = shown.page
    page.get_by_role("link", name=NOISE).click()
    page.wait_for_selector("body[data-drawn=yes]")
    assert page.locator("h1").inner_text() == NOISE
    assert page.locator(".chart svg").count() == 4
    assert page.locator(".chart g.mark-line path").count() == 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_legible_and_narrow(running, site, scheme) -> None:
    options = {"viewport": {"width": 360, "height": 740}, "color_scheme": scheme}
    for path in (site / "index.html", site / "digits" / "pivot-1.html"):
        with opened(running, path, **options) as one:
            assert one.page.evaluate("document.documentElement.scrollWidth") <= 360
            for selector in ("body", ".dim", "thead th"):
                assert contrast(one.page, selector) > 4.5, selector


def test_the_published_boards_fit_a_narrow_screen(running) -> None:
    pages = sorted(PUBLISHED.glob("*/*.html"))
    assert pages
    for path in pages:
        with opened(running, path, viewport={"width": 360, "height": 740}) as one:
            assert one.console == one.errors == []
            assert one.page.evaluate("document.documentElement.scrollWidth") <= 360, path.name
            place = one.page.locator("#models tbody tr").first.locator("td").nth(1).bounding_box()
            assert place["x"] + place["width"] <= 360, f"{path.name}: the mean is off the screen"
