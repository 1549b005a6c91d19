"""Render a report as one HTML page.

The page needs no other file, runs no script and loads nothing. Every text is escaped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.publish.text_tables import TextTable

NAMESPACES = re.compile(r'\sxmlns(:xlink)?="[^"]*"')


@dataclass(frozen=True)
class ReportSection:
    """One section of the report.

    Parameters
    ----------
    title
        The heading.
    text
        Paragraphs.
    figure, alt
        SVG text and its description in words; empty if there is no figure.
    tables
        Tables.
    side_by_side
        Whether figure and table are placed next to each other if the page is wide enough.
    """

    title: str
    text: Sequence[str] = ()
    figure: str = ""
    alt: str = ""
    tables: Sequence[TextTable] = ()
    side_by_side: bool = False


@dataclass(frozen=True)
class Report:
    """The content of a report.

    Parameters
    ----------
    title, headline
        The version, and the main result in one sentence.
    warnings
        Limits of the evidence, shown before any figure.
    facts
        Names and values of the main numbers.
    sections
        The sections, in order.
    """

    title: str
    headline: str
    warnings: Sequence[str]
    facts: Sequence[tuple[str, str]]
    sections: Sequence[ReportSection]


def render(report: Report) -> str:
    """Return the report as one HTML page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only reports need it
    from markupsafe import Markup  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("leadml.publish"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawing"] = lambda svg: Markup(NAMESPACES.sub("", svg))  # noqa: S704 - SVG that leadml drew

    return environment.get_template("report.html.j2").render(report=report)
