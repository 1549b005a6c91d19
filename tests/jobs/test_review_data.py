"""What a review reads: kept scores of the version in use, and the outcomes that are known of them by its day."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.dated import NOW
from tests.reviews import LATER, as_file, at, before, let_outcomes_in, review, stream
from tests.stores import silent

from leadml.bundle.model import load
from leadml.errors import LeadmlError
from leadml.jobs.handoff import hand_off
from leadml.jobs.places import Places
from leadml.jobs.remember import forget
from leadml.jobs.review_data import ReviewData, read_review_data
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.take_back import take_back
from leadml.leads.check.instants import from_shown

DAYS = stream().days(40, seed=5)


def _data(project: Places, as_of: str = LATER) -> ReviewData:
    model = load(project.registry.champion_path())
    return read_review_data(model, project, until=from_shown(as_of), now=LATER, progress=silent)


def _copy(project: Places, folder: Path, *overrides: str) -> Places:
    root = shutil.copytree(project.root, folder / "copy", symlinks=True)
    return Places.open(root / "params.yaml", overrides)


def _change(project: Places, *statements: str) -> list[tuple[Any, ...]]:
    """Change the store and return the rows of the last statement."""
    with closing(sqlite3.connect(project.root / "leadml.db")) as connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
        connection.commit()
    return rows


def test_each_score_is_there_with_its_outcome(scored_stream: Places) -> None:
    """In the order of time, with the probability of the store; outcomes and channels are those of the stream."""
    data = _data(scored_stream)
    leads = DAYS.assign(channel=as_file(DAYS)["channel"]).set_index("lead_id").loc[data.scores.lead_id]
    stored = pd.Series(dict(_change(scored_stream, "SELECT lead_id, probability FROM leadml_scores")))

    assert data.scores.known.all()
    assert (np.diff(data.scores.day) >= 0).all()
    assert data.scores.probability.tolist() == stored.loc[data.scores.lead_id].tolist()
    assert data.scores.label.tolist() == leads["converted"].tolist()
    assert {*data.scores.attributes} == {"channel"}
    in_batch = [as_file(some).set_index("lead_id")["channel"] for _, some in DAYS.groupby(DAYS["day"] // 10)]
    assert set(data.scores.attributes["channel"]) == set(pd.concat(in_batch))
    assert data.version.maturity == 0
    assert [(each.stage, each.precision, each.share) for each in data.version.promises] == [
        ("IQL", None, 0.5), ("MQL", None, 0.3), ("SQL", 0.4, None)
    ]  # fmt: skip


def test_scores_after_the_day_of_the_review_are_not_read(scored_stream: Places) -> None:
    """Batches are of the days 9.5, 19.5, 29.5 and 39.5; the counts are those of the newest one that is read."""
    for day, leads in ((9.5, 500), (19.4, 500), (25, 1000), (40, 2000)):
        data = _data(scored_stream, at(day))
        assert len(data.scores.day) == leads
        assert data.counts is not None
        assert data.counts.scored == 500
    with pytest.raises(LeadmlError, match="store must have scores of version 1 of won, got none up to this day"):
        _data(scored_stream, at(9.4))


def test_volumes_are_those_of_the_last_30_days(scored_stream: Places) -> None:
    """Also right after a period began, which has one batch: those of the days 19, 29 and 39 count."""
    assert [len(_data(scored_stream, at(day)).scores.newest.probability) for day in (10, 20, 30, 40)] == [
        500, 1000, 1500, 1500
    ]  # fmt: skip


def test_a_batch_of_which_few_outcomes_are_known_is_not_judged(
    make_scored: Callable[..., Places], tmp_path: Path
) -> None:
    """95% of the leads of a batch must have one: those that are known early are mostly conversions."""
    project = make_scored(tmp_path, outcomes=False)
    kept = [
        some.head(number) for number, (_, some) in zip((475, 474, 0, 500), DAYS.groupby(DAYS["day"] // 10), strict=True)
    ]
    let_outcomes_in(project, pd.concat(kept))
    scores = _data(project).scores

    assert pd.Series(scores.known).groupby(scores.day).sum().tolist() == [475, 0, 0, 500]


def test_leads_that_the_version_was_fitted_on_are_not_judged(flat_version: Path, tmp_path: Path) -> None:
    """Of the file of the training only the newest quarter, which was held out."""
    root = shutil.copytree(flat_version, tmp_path / "project", symlinks=True)
    project = Places.open(root / "params.yaml")
    request = ScoreRequest(root / "leads.csv", out=root / "scored" / "1.parquet")
    score(load(project.registry.champion_path()), request, project=project, now=at(1), progress=silent)
    scores = _data(project).scores
    created = before().set_index("lead_id").loc[scores.lead_id, "created_at"].to_numpy()
    oldest_held_out = np.sort(created)[3000]

    assert scores.known.tolist() == (created >= oldest_held_out).tolist()
    assert scores.known.sum() == 1000


def test_scores_that_were_removed_do_not_move_the_first_day(scored_stream: Places, tmp_path: Path) -> None:
    """The version came into use with its first batch, whose row stays when its scores were kept for long enough."""
    project = _copy(scored_stream, tmp_path)
    whole = _data(project).scores
    _change(project, "DELETE FROM leadml_scores WHERE batch = 1")
    rest = _data(project).scores

    assert rest.since == whole.since == whole.day[0] < rest.day[0]
    assert rest.last == whole.last


def test_scores_of_another_version_are_not_read(scored_stream: Places, tmp_path: Path) -> None:
    """Nor those of a batch that was never finished."""
    project = _copy(scored_stream, tmp_path)
    _change(
        project,
        "UPDATE leadml_batches SET model_hash = 'another' WHERE batch = 1",
        "UPDATE leadml_batches SET state = 'filled' WHERE batch = 3",
    )

    assert set(_data(project).scores.lead_id) == set(DAYS.loc[DAYS["day"] // 10 % 2 == 1, "lead_id"])


def test_the_order_of_batches_in_the_store_changes_nothing(scored_stream: Places, tmp_path: Path) -> None:
    """Also where old days were scored last: the newest counts are those of the newest leads."""
    project = _copy(scored_stream, tmp_path)
    one = _data(project)
    _change(
        project,
        "UPDATE leadml_scores SET batch = -batch",
        "UPDATE leadml_scores SET batch = batch + 5",
        "UPDATE leadml_batches SET batch = -batch",
        "UPDATE leadml_batches SET batch = batch + 5",
    )
    other = _data(project)

    for name in ("lead_id", "day", "probability", "parts", "label", "known"):
        assert getattr(one.scores, name).tolist() == getattr(other.scores, name).tolist()
    assert one.counts is not None
    assert other.counts is not None
    assert one.counts.to_json() == other.counts.to_json()


def test_a_lead_that_was_scored_twice_at_one_instant_counts_once(scored_stream: Places, tmp_path: Path) -> None:
    """The first of both batches."""
    project = _copy(scored_stream, tmp_path)
    _change(
        project,
        "UPDATE leadml_batches SET scored_at = (SELECT scored_at FROM leadml_batches WHERE batch = 1) WHERE batch = 2",
        "DELETE FROM leadml_scores WHERE batch = 2",
        "INSERT INTO leadml_scores SELECT 2, lead_id, 0.99, 0.9, 1.0, stage, propensity, parts, explored "
        "FROM leadml_scores WHERE batch = 1",
    )
    scores = _data(project).scores

    assert len(scores.lead_id) == 1500
    assert scores.probability.max() < 0.99


def test_a_store_of_an_older_schema_has_scores_without_parts(scored_stream: Places, tmp_path: Path) -> None:
    """They are judged by their level; nothing is said of the ranking, nor of changes of the leads."""
    project = _copy(scored_stream, tmp_path)
    _change(
        project,
        "DROP TABLE leadml_reviews",
        "ALTER TABLE leadml_scores DROP COLUMN explored",
        "DROP TABLE leadml_shadow_scores",
        "ALTER TABLE leadml_scores DROP COLUMN parts",
        "ALTER TABLE leadml_batches DROP COLUMN counts",
        "UPDATE leadml_schema SET version_num = '3'",
    )
    found = review(project)
    codes = {finding.code: finding.severity for finding in found.findings}

    assert (found.verdict, found.judgement.reason) == (
        "INSUFFICIENT EVIDENCE",
        "No outcome says anything yet of the ranking.",
    )
    assert (codes["RV0"], codes["RV8"], codes["RV10"], codes["RV11"]) == (
        "not applicable",
        "not applicable",
        "passed",
        "not applicable",
    )


def test_people_who_are_suppressed_are_not_judged(scored_stream: Places, tmp_path: Path) -> None:
    """Neither their outcomes nor their scores are read, also by the first review after they objected."""
    project = _copy(scored_stream, tmp_path, "suppression.objected={path: objected.csv}")
    objected = DAYS["lead_id"].iloc[::4]
    pd.DataFrame({"lead_id": objected}).to_csv(project.root / "objected.csv", index=False)

    assert set(_data(project).scores.lead_id) == set(DAYS["lead_id"]) - set(objected)
    pd.DataFrame({"lead_id": DAYS["lead_id"]}).to_csv(project.root / "objected.csv", index=False)
    with pytest.raises(LeadmlError, match="must have scores of version 1"):
        _data(project)


def test_leads_that_were_forgotten_are_gone(scored_stream: Places, tmp_path: Path) -> None:
    """A batch of which nobody is left is none."""
    project = _copy(scored_stream, tmp_path)
    forget(project, DAYS["lead_id"].iloc[0], now=LATER, progress=silent)
    _change(project, "DELETE FROM leadml_scores WHERE batch = 2")

    assert len(_data(project).scores.day) == 1499
    assert review(project).verdict == "KEEP"


def test_a_field_may_have_any_name(make_scored: Callable[..., Places], tmp_path: Path) -> None:
    """A slice by a field that is called like a column of the store is that of the field; a repeated one is one."""
    project = make_scored(tmp_path, "review.slices=[channel, stage, fitted, channel]", outcomes=False)
    names = {"stage": "category", "fitted": "category"}
    params = project.params.as_written()
    params["features"]["fit"] |= names
    project = Places(project.root, type(project.params).model_validate(params), project.target)
    leads = pd.concat([before(), as_file(DAYS)]).assign(stage="early", fitted="well")
    leads.to_csv(project.root / "leads.csv", index=False)
    found = _data(project).scores.attributes

    assert list(found) == ["channel", "stage", "fitted"]
    assert (set(found["stage"]), set(found["fitted"])) == ({"early"}, {"well"})


def test_without_ids_no_outcome_is_joined(scored_stream: Places, tmp_path: Path) -> None:
    """The number of a row is that of another lead in another file."""
    project = _copy(scored_stream, tmp_path, "data.lead_id=null")

    with pytest.raises(LeadmlError, match=r"^data.lead_id must name the column of ids, .* got none; declare it$"):
        _data(project)
    other = _copy(scored_stream, tmp_path / "2", "review.slices=[chanel]")
    with pytest.raises(LeadmlError, match=r"^review.slices must name attributes of leads, got 'chanel'; .*channel"):
        _data(other)


def test_without_a_store_nothing_is_judged(flat_version: Path, tmp_path: Path) -> None:
    """And no store is made."""
    root = shutil.copytree(flat_version, tmp_path / "project", symlinks=True)
    with pytest.raises(LeadmlError, match="got none up to this day; score leads with leadml score"):
        _data(Places.open(root / "params.yaml"))
    assert not (root / "leadml.db").exists()
    with pytest.raises(LeadmlError, match="store must name a store"):
        _data(Places.open(root / "params.yaml", ["store=null"]))


def test_what_sales_said_later_is_not_known(scored_stream: Places, tmp_path: Path) -> None:
    """Acceptance is that of the day of the review, and of this target."""
    project = _copy(scored_stream, tmp_path)
    handed = hand_off(project, project.root / "sales.csv", now=at(30), progress=silent)
    told = pd.read_csv(handed.out, dtype=str).assign(outcome="accepted", occurred_at=at(36))
    told.to_csv(project.root / "told.csv", index=False)
    take_back(project, project.root / "told.csv", now=at(37), progress=silent)
    (before_, newest), (_, later) = _data(project, at(36)).acceptance, _data(project, at(38)).acceptance

    assert before_["handed_over"].tolist()[:1] in ([], [0])
    assert (newest["open"].iloc[0], newest["accepted"].iloc[0]) == (len(handed.leads), 0)
    assert (later["open"].iloc[0], later["accepted"].iloc[0]) == (0, len(handed.leads))
    _change(project, "UPDATE leadml_handoffs SET target = 'another'")
    assert [len(each) for each in _data(project, at(38)).acceptance] == [0, 0]


@pytest.fixture
def dated(trained_dated: tuple[Places, Any], tmp_path: Path) -> Places:
    """Return a copy of the dated project with scores as of five dates; horizon and settling are 37 days."""
    root = shutil.copytree(trained_dated[0].root, tmp_path / "dated", symlinks=True)
    (root / "leadml.db").unlink(missing_ok=True)
    project = Places.open(root / "params.yaml", target="mql")
    for day in ("2024-06-03", "2024-06-10", "2024-07-01", "2024-07-08", "2024-08-19"):
        request = ScoreRequest(out=root / "scored" / f"{day}.parquet", as_of=day)
        score(load(project.registry.champion_path()), request, project=project, now=NOW, progress=silent)
    return project


def test_outcomes_of_dated_leads_are_known_when_they_are_due(dated: Places) -> None:
    """After horizon and settling, and of leads that were not fitted on: labels are what the tables say, by hand."""
    model = load(dated.registry.champion_path())
    until = "2024-08-07T00:00:00+00:00"
    data = read_review_data(model, dated, until=from_shown(until), now=NOW, progress=silent)
    scores = data.scores
    dates = pd.to_datetime(scores.day, unit="D", origin="unix")
    by_date = pd.Series(scores.known, index=dates.strftime("%m-%d")).groupby(level=0).sum()
    outcomes = pd.read_parquet(dated.root / "outcomes.parquet")
    reached = outcomes[~outcomes["outcome"].isin(["lost", "rejected", "churned"])]

    assert set(by_date.index) == {"06-03", "06-10", "07-01", "07-08"}
    assert (by_date["07-01"] > 0, by_date["07-08"]) == (True, 0)
    assert data.version.maturity == 37
    for at_ in np.flatnonzero(scores.known & (dates == pd.Timestamp("2024-07-01"))):
        mine = reached.loc[reached["lead_id"] == scores.lead_id[at_], ["occurred_at", "recorded_at"]]
        start = pd.Timestamp("2024-07-01", tz="UTC")
        within = mine["occurred_at"].between(start, start + pd.Timedelta(days=30), inclusive="left")
        in_time = mine["recorded_at"] <= start + pd.Timedelta(days=37)
        assert scores.label[at_] == int((within & in_time).any())
    accounts = pd.Series(scores.account[scores.known])
    assert accounts.str.startswith("Canary").all()
    assert json.loads(_change(dated, "SELECT counts FROM leadml_batches WHERE batch = 4")[0][0])
