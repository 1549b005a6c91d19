"""A review judges the version in use by outcomes, as they were known on its day, and keeps its verdict."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.dated import NOW, micros
from tests.reviews import BEFORE, FIRST, LATER, at, let_outcomes_in, review, score_days, stream
from tests.stores import silent

from leadml.bundle.model import load
from leadml.errors import LeadmlError
from leadml.jobs.places import Places
from leadml.jobs.review import Review, review_version
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import train
from leadml.leads.check.instants import from_shown
from leadml.review.evidence.e_detectors import Evidence

Scored = Callable[..., Places]


def _reviews(project: Places) -> list[tuple[Any, ...]]:
    with closing(connect(project.root / "leadml.db")) as connection:
        return connection.execute("SELECT as_of, verdict, details FROM leadml_reviews ORDER BY review").fetchall()


def _codes(found: Review, severity: str = "warn") -> set[str]:
    return {finding.code for finding in found.findings if finding.severity == severity}


def test_a_version_that_holds_is_kept(scored_stream: Places) -> None:
    """Day by day: first there is too little to say, then it holds; nothing warns but the few conversions."""
    verdicts = {day: review(scored_stream, at(day)) for day in (10, 20, 30, 40)}

    assert [found.verdict for found in verdicts.values()] == ["INSUFFICIENT EVIDENCE", "KEEP", "KEEP", "KEEP"]
    assert _codes(verdicts[10]) == {"RV9"}
    assert _codes(verdicts[40]) == set()
    assert not verdicts[40].judgement.asks_for_action
    days = verdicts[10].judgement.days
    assert days is not None
    assert 0 < days <= 10
    assert verdicts[10].line == (
        f"won version 1 as of 2025-01-11T00:00:00+00:00: INSUFFICIENT EVIDENCE. {verdicts[10].judgement.reason} "
        f"{days} days until more can be said."
    )
    assert repr(verdicts[40]) == (
        "<won version 1 as of 2025-02-10T00:00:00+00:00: KEEP. Level, ranking and cuts hold.>"
    )


@pytest.mark.parametrize(("drift", "verdict", "code"), [("odds", "RECALIBRATE", "RV10"), ("effects", "REFIT", "RV11")])
def test_a_drift_is_named(make_scored: Scored, tmp_path: Path, drift: str, verdict: str, code: str) -> None:
    """Odds that are 1.6 times as high ask for a calibration, halved effects for a fit; not a day before they begin."""
    project = make_scored(tmp_path, days=90, drift=drift, drift_day=30)
    found = review(project)

    assert (found.verdict, found.judgement.asks_for_action) == (verdict, True)
    assert code in _codes(found)
    assert review(project, at(30)).verdict == "KEEP"
    evidence = found.evidence()
    over = evidence[(evidence["evidence"] >= 2 / found.choices.false_alarms)]
    assert set(over["of"]) == {"level" if drift == "odds" else "ranking"}
    assert (pd.to_datetime(over["day"], utc=True) >= FIRST + pd.Timedelta(days=30)).all()


def test_leads_that_change_are_to_be_investigated(flat_version: Path, tmp_path: Path) -> None:
    """As long as no outcomes of such leads are known: fields that half of them have higher from the tenth day on."""
    root = shutil.copytree(flat_version, tmp_path / "project", symlinks=True)
    project = Places.open(root / "params.yaml", ["review.changes.distribution=0.01"])
    leads = stream(drift="mix", drift_day=10, leads_a_day=100).days(20, seed=5)
    score_days(project, leads)
    let_outcomes_in(project, leads[leads["day"] < 10])
    found = review(project)
    let_outcomes_in(project, leads)
    realised = review(project)

    assert (found.verdict, found.to_json()["asks_for_action"]) == ("INVESTIGATE", False)
    assert "RV5" in _codes(found)
    assert "RV21" in _codes(found)
    assert re.search(r" No lead has been scored for \d+ days\.$", found.line)
    assert (realised.verdict, "RV5" in _codes(realised)) == ("KEEP", True)


def test_outcomes_that_stop_are_not_taken_for_leads_that_do_not_convert(make_scored: Scored, tmp_path: Path) -> None:
    """From the 30th day on no conversion is written down: nothing is calibrated on that, and the line names the day."""
    project = make_scored(tmp_path, days=60)
    file = project.root / "leads.csv"
    leads = pd.read_csv(file)
    is_lost = pd.to_datetime(leads["created_at"]) >= FIRST + pd.Timedelta(days=30)
    leads.assign(converted=leads["converted"].where(~is_lost, 0)).to_csv(file, index=False)
    found = review(project)

    assert (found.verdict, found.to_json()["asks_for_action"]) == ("INVESTIGATE", True)
    assert "converted, where" in found.judgement.reason
    assert "RV19" in _codes(found)
    assert review(project, at(30)).verdict == "KEEP"


def test_a_cut_that_breaks_its_promise_is_to_be_solved_again(scored_stream: Places) -> None:
    """A rule that asks for another share than the cut gives; the model holds."""
    root = scored_stream.root
    found = review(Places.open(root / "params.yaml", ["stages.mql={rule: share, top: 0.15}"]), at(40))

    assert (found.verdict, found.judgement.asks_for_action) == ("RECUT", True)
    assert found.judgement.reason == "The model holds, and the cut of MQL does not keep its promise any more."
    assert "RV13" in _codes(found)


def test_a_review_twice_is_one_row_of_the_store(scored_stream: Places) -> None:
    """The later one, with its verdict, its reason and what warned; both say the same to the last digit."""
    day = at(15)
    one, two = review(scored_stream, day), review(scored_stream, day, now="2026-07-01T00:00:00+00:00")
    rows = [row for row in _reviews(scored_stream) if row[0] == day]

    assert json.dumps(one.to_json()) == json.dumps(two.to_json())
    assert len(rows) == 1
    assert rows[0][1] == two.verdict
    assert json.loads(rows[0][2]) == {
        "reason": two.judgement.reason,
        "days": two.judgement.days,
        "warnings": sorted(_codes(two)),
    }


def test_what_comes_later_changes_no_review_of_an_earlier_day(make_scored: Scored, tmp_path: Path) -> None:
    """Scores of later days, that is: a file of flat leads does not say when an outcome became known."""
    short, long = (make_scored(tmp_path / str(days), days=days) for days in (20, 40))
    one, other = review(short, at(21)).to_json(), review(long, at(21)).to_json()

    assert one == other
    assert review(long, at(41)).to_json() != other


def test_a_time_zone_moves_the_day_of_a_review(scored_stream: Places) -> None:
    """The first score is of 12:00 on the tenth day: a day of Auckland begins 13 hours before one of UTC."""
    zone = Places.open(scored_stream.root / "params.yaml", ["data.timezone=Pacific/Auckland"])

    assert review(zone, "2025-01-12").as_of == "2025-01-11T11:00:00+00:00"
    assert review(scored_stream, "2025-01-11").as_of == "2025-01-11T00:00:00+00:00"
    assert review(scored_stream, "2025-01-10T12:00:00Z").verdict == "INSUFFICIENT EVIDENCE"
    with pytest.raises(LeadmlError, match="must have scores of version 1 of won, got none up to this day"):
        review(zone, "2025-01-10")


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        (
            "2026-06-02",
            r"^as_of \(--as-of\) must not lie in the future, got 2026-06-02T00:00:00\+00:00; give a date up",
        ),
        ("soon", r"^as_of \(--as-of\) must be a date or a time in ISO 8601, got 'soon'"),
        ("2024-12-31", r"^the store must have scores of version 1 of won, got none up to this day; score leads with"),
    ],
)
def test_a_day_that_cannot_be_reviewed_is_refused(scored_stream: Places, as_of: str, message: str) -> None:
    """And nothing is kept of it."""
    before = len(_reviews(scored_stream))
    with pytest.raises(LeadmlError, match=message):
        review(scored_stream, as_of)
    assert len(_reviews(scored_stream)) == before


@pytest.mark.parametrize("choice", ["period_days=366", "period_days=1", "false_alarms=0.5", "false_alarms=0.000001"])
def test_choices_at_their_ends_give_a_review(scored_stream: Places, choice: str) -> None:
    """Whose values JSON can store, numbers that are not finite as null."""
    found = review(Places.open(scored_stream.root / "params.yaml", [f"review.{choice}"]), at(40))

    assert found.verdict in {"KEEP", "INSUFFICIENT EVIDENCE"}
    assert json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize("label", [0, 1])
def test_outcomes_that_are_all_alike_give_a_review(make_scored: Scored, tmp_path: Path, label: int) -> None:
    """Of doubt that outcomes come in; evidence beyond any number is shown as the largest one."""
    project = make_scored(tmp_path, outcomes=False)
    let_outcomes_in(project, stream().days(40, seed=5).assign(converted=label))
    found = review(project)

    assert (found.verdict, "RV10" in _codes(found), "RV19" in _codes(found)) == ("INVESTIGATE", True, True)
    assert np.isfinite(found.evidence()["evidence"]).all()
    assert json.dumps(found.to_json(), allow_nan=False)


def test_months_without_scores_and_years_of_service_give_a_review(make_scored: Scored, tmp_path: Path) -> None:
    """Of one score, of two times with a gap of 400 days between them, and of scores without outcomes."""
    leads = stream().days(20, seed=5)
    project = make_scored(tmp_path, days=1)
    assert review(project, at(11)).verdict == "INSUFFICIENT EVIDENCE"
    later = leads[leads["day"] >= 10].assign(day=lambda frame: frame["day"] + 400)
    score_days(project, later)
    let_outcomes_in(project, stream().days(1, seed=5), later)

    assert review(project, "2026-03-01").verdict == "KEEP"
    let_outcomes_in(project)
    without = review(project, "2026-03-02")
    assert (without.verdict, without.assessment.conversions) == ("INSUFFICIENT EVIDENCE", 0)


def test_numbers_that_are_not_known_are_none(scored_stream: Places) -> None:
    """Of all tables; the rest is as the tables have it."""
    found = review(scored_stream, at(40))
    promises = found.assessment.promises.assign(precision=np.nan, log_evidence=-np.inf, share=np.inf)
    evidence = Evidence(np.array([20_000]), np.array([-np.inf]))
    changed = replace(found, assessment=replace(found.assessment, promises=promises, level=evidence, domain=None))
    values = changed.to_json()

    assert {row["precision"] for row in values["promises"]} == {None}
    assert {row["log_evidence"] for row in values["promises"]} == {None}
    assert {row["share"] for row in values["promises"]} == {None}
    assert (values["domain_auc"], values["limit"]) == (None, 100.0)
    assert values["evidence"][0] == {"day": "2024-10-04", "of": "level", "evidence": 0.0}
    assert values["promises"][0]["leads"] == found.assessment.promises["leads"].iloc[0]
    assert json.dumps(values, allow_nan=False)


def test_a_version_that_was_promoted_later_is_judged_by_its_own_scores(make_scored: Scored, tmp_path: Path) -> None:
    """Of the other version's scores none count, and its reviews stay."""
    project = make_scored(tmp_path)
    first = review(project, at(40))
    second = train(project, now=at(41), progress=silent).model
    with pytest.raises(LeadmlError, match="must have scores of version 2 of won"):
        review_version(second, project, until=LATER, now=LATER, progress=silent)
    request = ScoreRequest(project.root / "leads.csv", out=project.root / "scored" / "all.parquet")
    score(second, request, project=project, now=at(42), progress=silent)
    found = review_version(second, project, until=LATER, now=LATER, progress=silent)

    assert (first.version, found.version) == ("1", "2")
    assert found.assessment.estimated["value"].iloc[0] == BEFORE + 2000
    assert found.assessment.first_known == (FIRST + pd.Timedelta(days=42)).timestamp() // 86_400
    assert [row[1] for row in _reviews(project)] == [first.verdict, found.verdict]


def test_a_review_of_dated_leads_knows_nothing_of_later_days(
    trained_dated: tuple[Places, Any], make_dated_project: Callable[..., Places], tmp_path: Path
) -> None:
    """With the tables and the scores as they were on its day it says the same; leads of the training are not judged."""
    projects = []
    for name, last in (("whole", "2024-08-26"), ("cut", "2024-08-05")):
        project = make_dated_project(tmp_path / name)
        shutil.copytree(trained_dated[0].root / "models", project.root / "models", symlinks=True)
        model = load(project.registry.champion_path())
        for day in pd.date_range("2024-05-20", last, freq="7D"):
            request = ScoreRequest(out=project.root / "scored" / f"{day.date()}.parquet", as_of=str(day.date()))
            score(model, request, project=project, now=NOW, progress=silent)
        projects.append(project)
    whole, cut = projects
    until = from_shown("2024-08-10T00:00:00+00:00")
    for name, clock in (("leads", "valid_from"), ("activities", "occurred_at"), ("outcomes", "occurred_at")):
        table = pd.read_parquet(cut.root / f"{name}.parquet")
        is_known = (micros(table[clock]) < until) & (micros(table["recorded_at"]) <= until)
        table[is_known].to_parquet(cut.root / f"{name}.parquet", index=False)
    one, other = (review(project, "2024-08-10", now=NOW) for project in (whole, cut))

    assert one.to_json() == other.to_json()
    assert one.assessment.level.is_known
    assert one.assessment.first_known * 86_400 == pd.Timestamp("2024-06-26", tz="UTC").timestamp()
    json.dumps(one.to_json(), allow_nan=False)
