"""The page of a review: the verdict first, all figures, and no name that a browser would run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.reviews import at, review

from leadml.jobs.places import Places
from leadml.jobs.review import Review
from leadml.jobs.review_page import ACTIONS, NEWEST_PERIODS, NEWEST_VERDICTS, build_review_page
from leadml.leads.judge.findings import Finding
from leadml.publish.page import Report, render
from leadml.publish.store.reviews import StoredReview
from leadml.review.drift.domain import DomainResult
from leadml.review.evidence.e_detectors import Evidence
from leadml.review.performance.slices import DIFFERS, TOO_FEW
from leadml.review.verdict import Judgement

HOSTILE = "<script>alert(1)</script>\x1b[31m"


@pytest.fixture
def reviewed(scored_stream: Places) -> Review:
    """Return a review of 40 days."""
    return review(scored_stream, at(40))


def _past(*verdicts: str, version: str = "1") -> list[StoredReview]:
    return [
        StoredReview(at(number), "won", version, "hash", at(number), verdict, {})
        for number, verdict in enumerate(verdicts)
    ]


def _tables(report: Report) -> dict[str, list[tuple[str, ...]]]:
    return {
        section.title: [tuple(row) for table in section.tables for row in table.rows] for section in report.sections
    }


def test_a_page_says_the_verdict_and_what_to_do(reviewed: Review) -> None:
    """Then the evidence and the figures of the newest period, as the tables have them."""
    report = build_review_page(reviewed, _past("KEEP"))
    page = render(report)

    assert report.title == "won: review of version 1 as of 2025-02-10T00:00:00+00:00"
    assert report.headline == f"KEEP. {ACTIONS['KEEP']}"
    assert page.count("<svg") == 3
    titles = [section.title for section in report.sections]
    assert titles == [
        "Does the version hold?", "What was said, and what came", "Ranking of leads", "Cuts", "Slices", "All findings",
        "Verdicts so far",
    ]  # fmt: skip
    tables, promises = _tables(report), reviewed.assessment.promises
    assert [row[0] for row in tables["Cuts"]] == promises["stage"].tolist()
    assert [row[2] for row in tables["Cuts"]] == [f"{leads:,}" for leads in promises["leads"]]
    assert [row[0] for row in tables["All findings"]] == [finding.code for finding in reviewed.findings]
    figures = dict(row[:2] for row in tables["What was said, and what came"])
    assert figures["leads"] == "1,500"
    assert "nan" not in page.lower().replace("finan", "")
    assert all(verdict in ACTIONS for verdict in ("RECUT", "RECALIBRATE", "REFIT", "INVESTIGATE"))


def test_the_same_review_gives_the_same_bytes(reviewed: Review) -> None:
    """No date and no random id is on the page."""
    assert render(build_review_page(reviewed, [])) == render(build_review_page(reviewed, []))


def test_no_name_is_run_by_a_browser(reviewed: Review) -> None:
    """Names of fields, levels, stages and the target are shown as text, without characters that control a terminal."""
    found = reviewed.assessment
    slices = found.slices.assign(attribute=HOSTILE.split("\x1b", maxsplit=1)[0], level=HOSTILE)
    hostile = replace(
        reviewed,
        target=HOSTILE.split("\x1b", maxsplit=1)[0],
        findings=[Finding("RV17", "warn", "evidence", "do", HOSTILE), *reviewed.findings],
        assessment=replace(found, slices=slices, promises=found.promises.assign(stage="<script>")),
    )
    page = render(build_review_page(hostile, []))

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page


def test_slices_with_few_leads_are_counted_and_not_shown(reviewed: Review) -> None:
    """A field with a level for each lead would fill the page with what people wrote."""
    slices = reviewed.assessment.slices
    many = slices.iloc[[0] * 50].assign(level=[f"mail {number}" for number in range(50)], verdict=TOO_FEW)
    table = pd.concat([slices.assign(verdict=DIFFERS), many], ignore_index=True)
    report = build_review_page(replace(reviewed, assessment=replace(reviewed.assessment, slices=table)), [])
    (section,) = [section for section in report.sections if section.title == "Slices"]

    assert section.text == ["By the attributes of review.slices. 50 slices with fewer than 200 leads are not judged."]
    assert "mail 1" not in render(report)
    assert len(section.tables[0].rows) == len(slices)


def test_a_page_without_outcomes_says_so(reviewed: Review) -> None:
    """Sections of which nothing is known are left out; waiting is named in days."""
    nothing, empty = Evidence(np.empty(0, np.int64), np.empty(0)), pd.DataFrame()
    assessment = replace(
        reviewed.assessment, level=nothing, ranking=nothing, estimated=empty, realised=empty, beside=empty,
        promises=empty, slices=empty, domain=None,
    )  # fmt: skip
    judgement = Judgement("INSUFFICIENT EVIDENCE", "Nothing is known.", 1)
    report = build_review_page(replace(reviewed, assessment=assessment, judgement=judgement), [])

    assert "<svg" not in render(report)
    assert report.warnings[0] == "Nothing is known. More can be said in 1 day."
    assert [section.title for section in report.sections] == [
        "Does the version hold?",
        "What was said, and what came",
        "All findings",
        "Verdicts so far",
    ]
    assert report.sections[0].text[-1] == "No outcomes are known yet."
    assert [value for _, value in report.facts][1:] == ["none yet", "none yet"]


def test_evidence_and_domain_are_facts(reviewed: Review) -> None:
    """As numbers; warnings are on top."""
    assessment = replace(reviewed.assessment, domain=DomainResult(0.71, 0.68, 0.74, ("channel",)))
    warned = [Finding("RV8", "warn", "evidence", "do this")]
    report = build_review_page(replace(reviewed, assessment=assessment, findings=warned), [])

    assert report.facts[-1] == ("AUC of telling the newest leads from earlier ones; 0.5 is chance", "0.71")
    assert report.facts[1][0] == "evidence against the level; 100 is the limit"
    assert float(report.facts[1][1].replace(",", "")) >= 0
    assert report.warnings == [reviewed.judgement.reason, "RV8 evidence; do this"]


def test_equal_verdicts_in_a_row_are_one_line(reviewed: Review) -> None:
    """With their first and last day, newest first, in the order of days; at most twelve lines."""
    past = _past("KEEP", "KEEP", "RECUT", "KEEP")
    lines = _tables(build_review_page(reviewed, past[::-1]))["Verdicts so far"]

    assert lines == [
        ("2025-01-04", "2025-01-04", "KEEP", "1"),
        ("2025-01-03", "2025-01-03", "RECUT", "1"),
        ("2025-01-01", "2025-01-02", "KEEP", "1"),
    ]
    others = [*_past("KEEP"), replace(_past("KEEP")[0], version="2", as_of=at(5))]
    assert len(_tables(build_review_page(reviewed, others))["Verdicts so far"]) == 2
    many = _past(*["KEEP", "RECUT"] * 20)
    assert len(_tables(build_review_page(reviewed, many))["Verdicts so far"]) == NEWEST_VERDICTS


def test_the_newest_periods_are_shown(reviewed: Review) -> None:
    """Six columns; a figure without an interval is shown alone, and one that is not defined is left empty."""
    realised = reviewed.assessment.realised
    periods = [realised.assign(period=f"2024-{month:02}-01") for month in range(1, 13)]
    table = pd.concat(periods, ignore_index=True)
    table.loc[table["figure"] == "roc_auc", ["value", "low", "high"]] = np.nan
    changed = replace(reviewed, assessment=replace(reviewed.assessment, realised=table))
    section = build_review_page(changed, []).sections[1]
    cells = {row[0]: row[1:] for row in section.tables[0].rows}

    assert section.tables[0].columns == ("period from", *[f"2024-{month:02}-01" for month in range(7, 13)])
    assert len(section.tables[0].columns) == 1 + NEWEST_PERIODS
    assert set(cells["ROC AUC (larger is better, chance gives 0.5)"]) == {""}
    assert set(cells["conversions"]) == {f"{realised.set_index('figure')['value']['conversions']:,.0f}"}
    assert " to " in cells["share that converted"][0]
