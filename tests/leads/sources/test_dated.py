"""Dated leads: the training set, the leads as of an instant, one lead by its id, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.dated import (
    dated_leads,
    day,
    open_view,
    small,
    small_tables,
    write_params,
    write_tables,
)

from leadml.errors import DataError, LeadmlError
from leadml.jobs.places import Places
from leadml.leads.asof.snapshots import scoring_snapshots
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import instant
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.scored_pairs import ScoredPairs
from leadml.leads.sources.training_set import TrainingSet
from leadml.leads.split import Holdout

AS_OF = "2024-05-30"
LEADS = [("a", 0, 1.0), ("b", 1, 2.0), ("c", 40, 3.0)]
VISITS = [("a", 3, "visit"), ("b", 5, "demo")]
OUTCOMES = [("a", 10, "customer"), ("b", 50, "lost")]


@pytest.fixture(scope="module")
def project(make_dated_project: Callable[..., Places], tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Return a project of dated leads; a test must not change it."""
    return make_dated_project(tmp_path_factory.mktemp("source") / "p")


@pytest.fixture(scope="module")
def source(project: Places) -> DatedLeads:
    """Return the source of that project."""
    return dated_leads(project)


@pytest.fixture(scope="module")
def training(source: DatedLeads) -> TrainingSet:
    """Return its training set."""
    return source.training(progress=_quiet)


def _quiet(_: str) -> None:
    """Say nothing."""


def _small_source(folder: Path, **changed: Any) -> DatedLeads:
    write_tables(folder, **small_tables(LEADS, VISITS, OUTCOMES))
    return dated_leads(Places.open(write_params(folder, small(**changed))))


@pytest.fixture(scope="module")
def snapshots(source: DatedLeads) -> tuple[pd.DataFrame, int]:
    """Return the snapshots of an instant as they are computed, and the number of all leads."""
    with source.view(_quiet) as view:
        frames = list(scoring_snapshots(view, instant(AS_OF, timezone="UTC")))
        return pd.concat(frames, ignore_index=True), len(view.history.lead_ids)


def test_the_leads_of_an_instant_are_its_snapshots_whatever_the_size_of_chunks(
    source: DatedLeads, snapshots: tuple[pd.DataFrame, int]
) -> None:
    """Each lead once; the hash and the counts do not depend on the chunks."""
    expected, every = snapshots
    hashes = set()
    for rows in (7, 10_000):
        with source.at(AS_OF, progress=_quiet, rows=rows) as leads:
            chunks = [chunk.frame for chunk in leads.chunks()]
        hashes.add(leads.content_hash)
        assert max(map(len, chunks)) <= rows
        pd.testing.assert_frame_equal(
            pd.concat(chunks, ignore_index=True), expected, check_exact=True, check_dtype=False
        )
        assert (leads.rows_read, leads.merged, leads.rows) == (every, 0, len(expected))
        assert leads.left_out == every - len(expected) > 0
        assert leads.reason_left_out == "not in the population at 2024-05-30T00:00:00+00:00"
        assert leads.stamp == source.stamp(AS_OF) == {"as_of": "2024-05-30T00:00:00+00:00"}

    assert len(hashes) == 1


def test_one_lead_has_the_row_that_all_leads_have(source: DatedLeads, snapshots: tuple[pd.DataFrame, int]) -> None:
    """For the first and the last of them."""
    frame, _ = snapshots
    for position in (0, len(frame) - 1):
        row = frame.iloc[[position]].reset_index(drop=True)
        found = source.find(row["lead_id"][0], AS_OF, progress=_quiet)
        pd.testing.assert_frame_equal(found, row, check_exact=True)


def test_the_training_set_has_evidence_for_each_of_its_rows(source: DatedLeads, training: TrainingSet) -> None:
    """An instant that is a limit, and the first row of the lead in its table; a lead's snapshots share it."""
    frame, evidence = training.frame, training.evidence
    leads = pd.read_parquet(source.root / "leads.parquet")
    first = leads.reset_index().groupby("lead_id")["index"].min()

    assert evidence.clock.instants.tolist() == frame["as_of"].tolist()
    assert (evidence.clock.name, evidence.clock.is_limit) == ("as_of", True)
    assert evidence.order.tolist() == first.loc[frame["lead_id"]].tolist()
    tables = (evidence.changes, evidence.outcomes, evidence.activities, evidence.repeated_activities)
    assert all(len(table) > 0 for table in tables)
    assert set(evidence.outcomes["lead_id"]) >= set(frame.loc[frame["converted"] == 1, "lead_id"])
    assert evidence.future_counts[["lead_id", "as_of"]].to_numpy().tolist() == (
        frame[["lead_id", "as_of"]].to_numpy().tolist()
    )


def test_the_facts_of_a_training_count_rows_leads_and_labels(source: DatedLeads, training: TrainingSet) -> None:
    """As the tables have them."""
    facts, frame = training.facts, training.frame
    sizes = {
        name: len(pd.read_parquet(source.root / f"{name}.parquet")) for name in ("leads", "activities", "outcomes")
    }

    assert facts.source == "leads.parquet + activities.parquet + outcomes.parquet"
    assert facts.rows == sizes["leads"]
    assert (facts.counts["activities"], facts.counts["outcomes"]) == (sizes["activities"], sizes["outcomes"])
    assert sum(facts.rows_by_kind.values()) <= sizes["activities"]
    assert facts.maturity.leads == frame["lead_id"].nunique()
    assert facts.maturity.drawn == len(frame)
    assert facts.maturity.converted >= frame["converted"].sum()
    assert facts.maturity.observed_until[:7] == "2024-08"


def test_without_activities_of_a_kind_nothing_is_counted_after_snapshots(tmp_path: Path) -> None:
    """There is no table of future counts, and the names of the sources leave activities out."""
    random = [(f"L{at:03}", float(at % 40), float(at % 7)) for at in range(300)]
    won = [(lead, created + 20 + 60 * (at % 2), "customer") for at, (lead, created, _) in enumerate(random[:200])]
    write_tables(tmp_path, **small_tables(random, [], won))
    choices = small(features={"fit": {"size": "number"}}, targets={"won": {"outcome": "customer", "horizon": 7}})
    del choices["sources"]["activities"]
    found = dated_leads(Places.open(write_params(tmp_path, choices))).training(progress=_quiet)

    assert found.evidence.future_counts is None
    assert found.facts.source == "leads.parquet + outcomes.parquet"
    assert found.facts.rows_by_kind == {}


def test_words_for_missing_values_are_those_of_the_model(tmp_path: Path) -> None:
    """Without a model those of params."""
    made = small_tables(LEADS, VISITS, OUTCOMES)
    made["leads"]["size"] = ["none", "2", "n/a"]
    write_tables(tmp_path, **made)
    source = dated_leads(Places.open(write_params(tmp_path, small(data={"missing": ["none", "n/a"]}))))
    with source.view(_quiet) as view:
        assert view.history.faults == ()
    with replace(source, missing=("none",)).view(_quiet) as view:
        assert [fault.lead_id for fault in view.history.faults] == ["c"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lead_id", "as_of", "message"),
    [
        ("z", "2024-01-20", r"no such id; choose another date or id$"),
        (
            "c",
            "2024-01-20",
            r"one that was not in the population at 2024-01-20T00:00:00\+00:00: it was created on 2024-02-10; choose",
        ),
        ("a", "2024-01-20", r"one that .*: it had reached customer on 2024-01-11; choose another date or id$"),
        ("b", "2024-03-01", r"one that .*: it was lost since 2024-02-20; choose another date or id$"),
    ],
)
def test_a_lead_outside_the_population_is_not_found(tmp_path: Path, lead_id: str, as_of: str, message: str) -> None:
    """The message says why it is not there."""
    with pytest.raises(DataError, match=f"^leads: must contain the lead '{lead_id}', got {message}"):
        _small_source(tmp_path).find(lead_id, as_of, progress=_quiet)


@pytest.mark.slow
def test_a_lead_with_a_faulty_row_is_left_out_not_found_and_not_trained_on(tmp_path: Path) -> None:
    """The fault is handed on with the other leads, once."""
    made = small_tables(LEADS, VISITS, [])
    made["leads"]["size"] = ["1", "x", "3"]
    write_tables(tmp_path, **made)
    source = dated_leads(Places.open(write_params(tmp_path, small())))
    mark = "must be a number with decimal mark '.'"
    fault = f"leads.parquet:2: size {mark}, got 'x'; if it means not known, add 'x' to data.missing"
    with source.at("2024-03-01", progress=_quiet, rows=1) as leads:
        chunks = list(leads.chunks())
        counts = (leads.rows_read, leads.left_out, leads.rows)

    assert [lead for chunk in chunks for lead in chunk.frame["lead_id"]] == ["a", "c"]
    assert [str(fault) for chunk in chunks for fault in chunk.faults] == [fault]
    assert counts == (3, 0, 3)
    with pytest.raises(DataError, match=f"^{re.escape(fault)}$"):
        source.find("b", "2024-03-01", progress=_quiet)
    with pytest.raises(DataError, match=f"^{re.escape(fault)}$"):
        source.training(progress=_quiet)


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        (None, r"^as_of \(--as-of\) must give the date of the scoring of dated leads, got nothing; write 2026-01-31$"),
        ("soon", r"^as_of \(--as-of\) must be a date or a time in ISO 8601, got 'soon'; write 2026-01-31 for example$"),
        ("2026-01-03", r"^as_of \(--as-of\) must not lie in the future, got 2026-01-03T.*; give a date up to today$"),
    ],
)
def test_an_instant_that_cannot_be_scored_is_refused(tmp_path: Path, as_of: str | None, message: str) -> None:
    """By each question of a source, before a table is read."""
    source = dated_leads(Places.open(write_params(tmp_path, small())))
    with pytest.raises(LeadmlError, match=message):
        source.stamp(as_of)
    with pytest.raises(LeadmlError, match=message):
        source.find("a", as_of, progress=_quiet)
    with pytest.raises(LeadmlError, match=message), source.at(as_of, progress=_quiet):
        pass


def test_an_instant_without_leads_is_refused(tmp_path: Path) -> None:
    """The message counts the leads that there are."""
    source = _small_source(tmp_path)
    message = r"^there must be leads to score, got none of 3 in the population at 2024-01-01T00:00:00\+00:00$"
    with pytest.raises(LeadmlError, match=message), source.at("2024-01-01", progress=_quiet):
        pass


def test_snapshots_are_at_midnight_of_the_zone_from_the_declared_day_on(tmp_path: Path) -> None:
    """A date without a zone is one of the project's zone."""
    source = _small_source(tmp_path, data={"timezone": "Asia/Kolkata"})

    assert source.stamp("2024-03-01") == {"as_of": "2024-02-29T18:30:00+00:00"}
    assert source.stamp("2024-03-01T00:00Z") == {"as_of": "2024-03-01T00:00:00+00:00"}


def test_the_observation_ends_at_the_date_of_params_or_with_the_outcomes(tmp_path: Path) -> None:
    """A date of params is midnight in the project's time zone."""
    write_tables(tmp_path, **small_tables([("a", 0, 1.0)], [("a", 3, "visit")], [("a", 10, "customer")]))
    with open_view(tmp_path, small()) as view:
        assert dated_leads(Places.open(tmp_path / "params.yaml")).observed_until(view.history) == day(10)
        later = Places.open(
            tmp_path / "params.yaml", ["sources.outcomes.lead_id=lead_id", "data.timezone=Asia/Kolkata"]
        )
        sources = later.params.sources.model_copy(update={"observed_until": "2024-02-01"})
        chosen = later.params.model_copy(update={"sources": sources})
        source = dated_leads(replace(later, params=chosen))
        assert source.observed_until(view.history) == day(31) - int(5.5 * 3600) * 1_000_000


def test_the_observation_does_not_go_on_after_the_last_outcome(tmp_path: Path) -> None:
    """Later activities, and one outcome with a wrong date in the future, do not make young leads negative."""
    visits = [("a", number, "visit") for number in range(300)]
    won = [(f"l{number}", number, "customer") for number in range(200)]
    leads = [("a", 0, 1.0), *((name, 0, 1.0) for name, _, _ in won)]
    write_tables(tmp_path, **small_tables(leads, visits, [*won, ("a", 600, "lost")]))
    with open_view(tmp_path, small()) as view:
        assert dated_leads(Places.open(tmp_path / "params.yaml")).observed_until(view.history) == day(200)


def test_progress_names_each_step(tmp_path: Path) -> None:
    """Reading the tables reports three steps."""
    write_tables(tmp_path, **small_tables([("a", 0, 1.0)], [("a", 3, "visit")], [("a", 10, "customer")]))
    source = dated_leads(Places.open(write_params(tmp_path, small())))
    steps: list[str] = []
    with source.view(steps.append):
        pass

    assert steps == ["reading leads", "reading activities", "reading outcomes"]


def test_the_labels_of_scores_are_those_of_the_training_and_say_what_was_fitted_on(
    source: DatedLeads, training: TrainingSet
) -> None:
    """Of every row that may be fitted on it is said, of the rows of the holdout and of later scores it is not."""
    frame, holdout = training.frame, training.holdout
    scores = ScoredPairs(frame["lead_id"].to_numpy(), frame["as_of"].to_numpy(), holdout, day(400))
    found = source.labels(scores, progress=_quiet)
    names = ["lead_id", "as_of", "split_key", "converted"]
    later = frame["as_of"].to_numpy() + 70 * DAY
    between = source.labels(ScoredPairs(scores.lead_ids, later, holdout, day(400)), progress=_quiet)
    due_at = between["as_of"] + source.settings.target.maturity

    assert found.columns.tolist() == [*names, "fitted"]
    pd.testing.assert_frame_equal(found[names], frame[names], check_dtype=False)
    assert found["fitted"].tolist() == holdout.learnable(frame).tolist() == (~holdout.mask(frame)).tolist()
    assert between["fitted"].tolist() == (~holdout.draws(between) & (due_at <= holdout.since)).tolist()
    assert 0 < between["fitted"].sum() < (~holdout.draws(between)).sum()


def test_labels_end_with_what_was_observed_or_asked_for(tmp_path: Path) -> None:
    """Whichever is earlier."""
    source = _small_source(tmp_path)
    pairs = np.array(["a", "b", "b", "c"], dtype=object), np.array([day(5), day(5), day(20), day(41)])
    found = {
        until: source.labels(ScoredPairs(*pairs, Holdout(0.0, 0), day(until)), progress=_quiet)
        for until in (34, 35, 49.9, 400)
    }

    assert {until: frame["lead_id"].tolist() for until, frame in found.items()} == {
        34: [], 35: ["a", "b"], 49.9: ["a", "b"], 400: ["a", "b", "b"],
    }  # fmt: skip
    assert found[400]["converted"].tolist() == [1, 0, 0]
    assert found[34].columns.tolist() == found[400].columns.tolist()
