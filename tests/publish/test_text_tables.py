"""Tables of text: rounded figures with their intervals."""

from __future__ import annotations

import pytest

from leadml.bundle.manifest import SplitRecord
from leadml.leads.judge.findings import Finding
from leadml.leads.judge.maturity import ReachedByAge
from leadml.leads.split import FoldSize, PartSize
from leadml.publish.text_tables import (
    TextTable,
    age_table,
    finding_table,
    interval,
    number,
    part_table,
    percent,
    with_interval,
)

ROW = {"value": 0.25, "low": 0.2, "high": float("nan")}


@pytest.mark.parametrize(("value", "text"), [(0.12345, "0.1235"), (2.0, "2.0000"), (float("nan"), "not defined")])
def test_a_figure_has_four_decimals(value: float, text: str) -> None:
    """An undefined figure is named as such."""
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.1234, "12.3%"), (1.0, "100.0%"), (float("nan"), "none")])
def test_a_share_is_shown_in_percent(value: float, text: str) -> None:
    """An undefined share is "none"."""
    assert percent(value) == text


def test_an_interval_has_the_format_of_its_figure() -> None:
    """Both bounds and the figure use one format."""
    assert interval(ROW, percent) == "20.0% to none"
    assert with_interval(ROW, percent) == "25.0% (20.0% to none)"


def test_text_is_escaped_in_notebooks() -> None:
    """Names of columns, cells and the title are no HTML."""
    page = TextTable(("<a>",), [("<b>",)]).to_html("<i>")

    assert "&lt;a&gt;" in page
    assert "&lt;b&gt;" in page
    assert "&lt;i&gt;" in page


def test_the_table_of_parts_has_the_sizes_and_dates_of_all_folds() -> None:
    """Parts without instants have no dates."""
    day = 86_400_000_000
    dated, undated = PartSize(1200, 30, 0, 31 * day), PartSize(5, 1)
    rows = part_table(SplitRecord("random", dated, undated, (FoldSize(dated, undated),)), unit="leads").rows

    assert list(rows) == [
        ("fitted on", "1,200", "30", "1970-01-01", "1970-02-01"),
        ("holdout", "5", "1", "", ""),
        ("fold 1: fitted on", "1,200", "30", "1970-01-01", "1970-02-01"),
        ("fold 1: evaluated on", "5", "1", "", ""),
    ]


def test_the_tables_of_ages_and_findings_have_one_row_each() -> None:
    """Counts have thousands separators, and a finding has its remedy."""
    finding = Finding("RD1", "warn", "there are few leads", "bring more")

    assert list(age_table([ReachedByAge(30, 2000, 500)]).rows) == [("30", "2,000", "500", "25.0%")]
    assert list(finding_table([finding]).rows) == [("RD1", "warn", "", "there are few leads", "bring more")]
