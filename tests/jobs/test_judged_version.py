"""The part of a project that judges its version: reviews as of a day, and their pages."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest

from leadml.errors import LeadmlError
from leadml.jobs.judged_version import JudgedVersion
from leadml.jobs.places import Places
from leadml.jobs.project import Project


def _project(places: Places) -> Project:
    return Project(Places.open(places.root / "params.yaml"))


def test_a_project_is_reviewed_as_of_a_day(scored_stream: Places) -> None:
    """A text, a date and an instant of one day are the same day; without one it is now."""
    project = _project(scored_stream)
    days = "2025-02-10", date(2025, 2, 10), datetime.fromisoformat("2025-02-10T00:00:00+00:00")
    found = [project.review(day) for day in days]

    assert isinstance(project, JudgedVersion)
    assert {review.as_of for review in found} == {"2025-02-10T00:00:00+00:00"}
    assert len({review.line for review in found}) == 1
    assert project.review().as_of > "2025-03"
    with pytest.raises(LeadmlError, match="as_of must be a date or a text such as 2026-01-31, got int"):
        project.review(20250210)  # type: ignore[arg-type]
    assert project.review().version == project.model().version == project.model(1).version


def test_the_page_is_written_with_the_verdicts_so_far(scored_stream: Places, tmp_path: Path) -> None:
    """Into the folder of reports, or where one asks for; the same review gives the same bytes."""
    project = _project(scored_stream)
    review = project.review("2025-02-08")
    path = project.review_page(review)
    other = project.review_page(review, tmp_path / "page.html")

    assert path == scored_stream.root / "reports" / "won_review.html"
    assert path.read_bytes() == other.read_bytes()
    assert all(f">{text}<" in path.read_text(encoding="utf-8") for text in ("Verdicts so far", review.verdict))
    with pytest.raises(LeadmlError, match=r"page.pdf: must end in .html"):
        project.review_page(review, tmp_path / "page.pdf")


def test_without_scores_a_review_is_refused(flat_version: Path) -> None:
    """The message says how to get some."""
    with pytest.raises(LeadmlError, match="score leads with leadml score"):
        Project(Places.open(flat_version / "params.yaml")).review()
