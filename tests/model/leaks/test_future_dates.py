from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import Clock
from leadml.model.leaks import find_leaks
from leadml.model.leaks.future_dates import instants_of, suspect_activity_dates, suspect_future_dates
from leadml.model.leaks.outcome import Outcome

DAY = 86_400_000_000
START = 1_750_000_000_000_000


def visits(*, later, name="as_of", only_converters=True, written="microseconds"):
    """Return 2,000 leads with the date of a visit, their outcome and clock; a share of the dates is later."""
    random = np.random.default_rng(1)
    label = (random.random(2000) < 0.3).astype(np.int8)
    at = START + random.integers(0, 300, 2000) * DAY
    after = (random.random(2000) < later) & ((label == 1) | (not only_converters))
    visited = at + np.where(after, 5, -5) * DAY
    text = pd.to_datetime(visited, unit="us").strftime("%Y-%m-%dT%H:%M:%SZ").to_numpy(dtype=object)
    values = {"microseconds": visited * 1.0, "seconds": visited / 1e6, "milliseconds": visited / 1e3, "text": text}
    frame = pd.DataFrame({"visit": values[written]})
    return frame, Outcome(label, np.arange(2000)), Clock(at, name, is_limit=name == "as_of")


def suspicions(frame, outcome, clock, kind="number"):
    """Return the suspicions of the visit."""
    return suspect_future_dates(frame, [Field("visit", kind, "engagement")], outcome, clock)


@pytest.mark.slow
@given(st.lists(st.integers(631_152_000, 4_102_444_800), min_size=1))
def test_seconds_milliseconds_and_text_are_the_same_instant(seconds):
    """The instant does not depend on how a file writes it."""
    values = pd.Series(seconds, dtype=float)
    text = pd.Series(pd.to_datetime(seconds, unit="s").strftime("%Y-%m-%d %H:%M:%S").to_numpy(dtype=object))

    assert instants_of(values).tolist() == [at * 1_000_000.0 for at in seconds]
    assert instants_of(values * 1000).tolist() == instants_of(values).tolist()
    assert instants_of(text).tolist() == instants_of(values).tolist()


def test_every_year_is_an_instant():
    """The first and the last day that a file may hold are not left out; pandas 2 has neither."""
    assert instants_of(pd.Series(["0001-01-01", "1970-01-01", None, "9999-12-31"], dtype=object)).tolist()[::3] == [
        -719_162 * 86_400_000_000.0,
        2_932_896 * 86_400_000_000.0,
    ]


@pytest.mark.parametrize(
    "values", [[1.0, 2.0], [1e5, 3e6], ["2024", "2025"], ["web", "event"], ["2024-01-01", "web"], [None, None], []]
)
def test_other_values_are_no_instants(values):
    """Counts, revenues, years and words are no dates."""
    assert instants_of(pd.Series(values, dtype=float if values and isinstance(values[0], float) else object)) is None


@pytest.mark.parametrize("written", ["seconds", "milliseconds", "microseconds", "text"])
def test_dates_after_the_snapshot_are_stopped(written):
    """A date later than as_of was not known at the snapshot."""
    frame, outcome, clock = visits(later=0.5, written=written)
    (found,) = suspicions(frame, outcome, clock, "category" if written == "text" else "number")

    assert (found.code, found.severity, found.field) == ("LK7", "stop", "visit")
    assert "of 2,000 are later than as_of" in found.evidence


def test_dates_after_the_creation_stop_only_where_they_predict_the_outcome():
    """A visit after the creation of a lead may be honest, but not where only converters have one."""
    (found,) = suspicions(*visits(later=0.5, name="created_at"))
    (honest,) = suspicions(*visits(later=0.5, name="created_at", only_converters=False))

    assert (found.severity, honest.severity) == ("stop", "warn")
    assert "later than created_at; whether they are later has an AUC of" in found.evidence


def test_dates_before_the_snapshot_are_passed():
    """So are fields of which very few dates are later."""
    assert suspicions(*visits(later=0.0)) == []
    assert suspicions(*visits(later=0.01)) == []


@pytest.mark.parametrize("later", [0.0, 0.5])
def test_without_a_clock_dates_are_not_judged(later, quick_params):
    """Instants come from evidence.clock only, never from a column of the frame."""
    frame, outcome, clock = visits(later=later)
    ids = [f"{at:04d}" for at in range(2000)]
    frame = frame.assign(lead_id=ids, split_key=ids, as_of=clock.instants, converted=outcome.labels)
    findings = find_leaks(frame, [Field("visit", "number", "engagement")], quick_params)

    assert [finding.severity for finding in findings if finding.code == "LK7"] == ["not applicable"]


def test_a_date_at_the_snapshot_is_not_later():
    """Neither the instant of the snapshot nor its day without a time, which begins at midnight, is later."""
    frame, outcome, clock = visits(later=0.0)
    days = pd.Series(pd.to_datetime(clock.instants, unit="us").strftime("%Y-%m-%d").to_numpy(dtype=object))

    assert suspicions(frame.assign(visit=clock.instants * 1.0), outcome, clock) == []
    assert suspicions(frame.assign(visit=days), outcome, clock, "category") == []


@pytest.mark.parametrize(
    ("rows", "before", "after", "severity"),
    [
        (1000, 0, 0, None),
        (1000, 5, 400, None),
        (19, 19, 19, None),
        (1000, 0, 600, "warn"),
        (1000, 0, 960, "stop"),
        (1000, 20, 0, "warn"),
        (1000, 300, 0, "stop"),
    ],
)
def test_a_kind_of_activity_is_judged_by_its_counts(rows, before, after, severity):
    """A kind that happens almost only after the outcome, or is recorded before it happens, is a suspect."""
    counts = pd.DataFrame({"kind": ["call"], "rows": [rows], "recorded_before": [before], "after_outcome": [after]})
    found = [(one.code, one.field, one.severity) for one in suspect_activity_dates(counts)]

    assert found == ([("LK7", "call", severity)] if severity else [])


@pytest.mark.parametrize(("after", "severity"), [(550, None), (900, "warn"), (960, "stop")])
def test_a_kind_that_mostly_follows_the_outcome_is_compared_with_the_others(after, severity):
    """Where half of all activities follow the outcome, a kind of which somewhat more than half do is no suspect."""
    counts = pd.DataFrame({"kind": ["large", "any"], "rows": [1000, 5000], "recorded_before": 0})
    found = suspect_activity_dates(counts.assign(after_outcome=[after, 2500]))

    assert [(one.field, one.severity) for one in found] == ([("large", severity)] if severity else [])
    assert all("features.excluded" not in one.remedy and "these activities" in one.remedy for one in found)
