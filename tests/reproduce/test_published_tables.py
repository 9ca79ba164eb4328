"""What is published under reports/ is what its command writes today."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from robench import tables
from robench.reproduce import _claims, _figure, _maps, _table, reproduce
from robench.reproduce._page import Page

REPORTS = Path(__file__).parents[2] / "reports"
RESTS_ON = {"low-pass/cells/cifar10-c.csv": ("low-pass/figure-6.md", "low-pass/figure-7.md", "low-pass/appendix-a.md")}
"""The pages whose numbers come from cells of corruptions that have newer versions."""
KNOWN = [list(columns) for columns in (_claims.COLUMNS, _figure.COLUMNS, _maps.COLUMNS, _table.COLUMNS)]
CLAIMS = sorted(REPORTS.glob("*/*-claims.csv"))
TABLES = [path for path in sorted(REPORTS.glob("*/*.csv")) if (path.parent / "networks").exists()]


def test_the_table_of_operations_is_the_published_one_and_near_the_report_s(tmp_path: Path) -> None:
    made = reproduce("low-pass", tmp_path, "table-2", budget="paper", device="cpu")
    assert [path.name for path in made] == ["table-2.csv", "table-2.md"]
    for path in made:
        assert path.read_text() == (REPORTS / "low-pass" / path.name).read_text()
    rows = pd.read_csv(made[0]).set_index(["column", "row"])
    parameters, operations = rows.loc["parameters, M"], rows.loc["FLOPs, M"]
    assert (parameters["ours"] - parameters["paper"]).abs().max() < 0.0015
    assert (operations["ours"] / operations["paper"] - 1).abs().max() < 0.03
    assert parameters.loc["Resnet50_LP_ReLU2", "ours"] == pytest.approx(parameters.loc["Resnet50", "ours"] + 68e-6)


@pytest.mark.parametrize("table", TABLES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_published_table_has_todays_columns(table: Path) -> None:
    assert table.read_text().partition("\n")[0].split(",") in KNOWN


def test_pages_that_rest_on_older_versions_are_marked_as_superseded() -> None:
    notes: dict[Path, str] = {}
    for path in sorted(REPORTS.glob("*/cells/*.csv")):
        cells = pd.read_csv(path)
        note = tables.superseded_note(dict(zip(cells["corruption"], cells["corruption_version"], strict=True)))
        if note:
            pages = RESTS_ON[path.relative_to(REPORTS).as_posix()]
            notes |= {REPORTS / page: f"**{note}**" for page in pages}
    for page in sorted(REPORTS.glob("*/*.md")):
        if page.name != "report.md":
            marked = [line for line in page.read_text().splitlines() if "Superseded" in line]
            assert marked == ([notes[page]] if page in notes else []), page


@pytest.mark.parametrize("claims", CLAIMS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_published_page_has_the_findings_of_its_file(claims: Path) -> None:
    page = claims.with_name(claims.name.replace("-claims.csv", ".md")).read_text()
    assert Page("", "", found=pd.read_csv(claims)).markdown("", {}).strip("#\n .") in page
