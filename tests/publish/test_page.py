"""The page of a report: every part is rendered, and no text is HTML."""

from __future__ import annotations

import pytest

from leadml.publish.page import Report, ReportSection, render
from leadml.publish.text_tables import TextTable

HOSTILE = "<script>alert(1)</script>"
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"><g/></svg>'


def page(section: ReportSection) -> str:
    """Return a page with one section."""
    return render(Report("title", "headline", ["warning"], [("name", "value")], [section]))


def test_every_part_of_a_report_is_on_the_page() -> None:
    """Title, headline, warnings, facts, and of a section its heading, text and tables."""
    section = ReportSection("heading", ["first", "second"], tables=[TextTable(("column",), [("cell",)])])

    for text in ("title", "headline", "warning", "name", "value", "heading", "first", "second", "column", "cell"):
        assert f">{text}<" in page(section)


def test_text_is_escaped() -> None:
    """HTML in any text is shown, not executed."""
    section = ReportSection(HOSTILE, [HOSTILE], DRAWING, HOSTILE, [TextTable((HOSTILE,), [(HOSTILE,)])])

    assert "<script" not in render(Report(HOSTILE, HOSTILE, [HOSTILE], [(HOSTILE, HOSTILE)], [section]))


def test_a_figure_is_drawn_without_addresses() -> None:
    """SVG is part of the page, and names of namespaces are left out because they look like addresses."""
    assert "<svg><g/></svg>" in page(ReportSection("heading", figure=DRAWING, alt="words"))


@pytest.mark.parametrize(("side_by_side", "name"), [(True, "side-by-side"), (False, "stacked")])
def test_figure_and_table_are_side_by_side_or_stacked(*, side_by_side: bool, name: str) -> None:
    """The class of the block decides, and the style of the page has rules for it."""
    rendered = page(ReportSection("heading", side_by_side=side_by_side))

    assert f'<div class="{name}">' in rendered
    assert f".{name} figure" in rendered
