"""Reports of runs that were measured with older versions of corruptions."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from robench import tables
from robench.report import build

REPORTS = sorted((Path(__file__).parents[2] / "reports").glob("*/report.md"))
NOTE = "Superseded: measured with older pixels of awgn (version 1, now 2); contrast (version 2, now 4)."


@pytest.mark.usefixtures("unpainted")
def test_a_report_of_an_older_run_says_so_at_its_top(measured, tmp_path, install):
    build([measured], tmp_path / "before")
    assert not [path for path in tmp_path.glob("before/*") if path.is_file() and "Superseded" in path.read_text()]
    install("awgn", 2)
    install("contrast", 4)
    build([measured], tmp_path / "after")
    lines = (tmp_path / "after" / "report.md").read_text().splitlines()
    assert lines[2:5] == ["## digits test", "", NOTE]
    page = (tmp_path / "after" / "index.html").read_text()
    assert f'<p class="warn" role="note">{NOTE}</p>' in page
    assert page.index(NOTE) < page.index("Models in order")
    assert f"% {NOTE}" in (tmp_path / "after" / "accuracy.tex").read_text().splitlines()


@pytest.mark.parametrize("report", REPORTS, ids=lambda path: path.parent.name)
def test_a_published_report_says_whether_it_is_superseded(report):
    cells = pd.read_csv(report.with_name("cells.csv"))
    note = tables.superseded_note(dict(zip(cells["corruption"], cells["corruption_version"], strict=True)))
    for path in (report, report.with_name("index.html")):
        assert note in path.read_text()
        assert note or "Superseded" not in path.read_text()
