"""Render the report.

What enters is a report, a frozen value; what leaves is one HTML page that needs nothing else.
Every string is escaped by default; the page runs no script and loads nothing.
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
    """A part of the report.

    Parameters
    ----------
    title
        Its heading.
    text
        What it says, in sentences, one paragraph each.
    figure, alt
        SVG text and what it shows in words; empty where there is none.
    tables
        Its tables.
    beside
        Whether figure and table stand side by side where there is room.
    """

    title: str
    text: Sequence[str] = ()
    figure: str = ""
    alt: str = ""
    tables: Sequence[TextTable] = ()
    beside: bool = False


@dataclass(frozen=True)
class Report:
    """All that a report says.

    Parameters
    ----------
    title, headline
        What it is about, and what matters first.
    warnings
        What a reader must know before believing anything below.
    facts
        A few numbers with their names, for the top of the page.
    sections
        The rest.
    """

    title: str
    headline: str
    warnings: Sequence[str]
    facts: Sequence[tuple[str, str]]
    sections: Sequence[ReportSection]


def render(report: Report) -> str:
    """Return the report as one HTML page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - the door opens without it
    from markupsafe import Markup  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("leadml.publish"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["drawing"] = lambda svg: Markup(NAMESPACES.sub("", svg))  # noqa: S704 - our own figures

    return environment.get_template("report.html.j2").render(report=report)
