from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.field import Field
from leadml.model.leaks.future_dates import instants_of, suspect_activities, suspect_instants
from leadml.model.leaks.outcome import Outcome

DAY = 86_400_000_000
START = 1_750_000_000_000_000


def looked_at(*, later, look="as_of", follows=True, written="microseconds"):
    """Return 2,000 leads with the date of a visit, and their outcome; a share of the dates is after the look."""
    random = np.random.default_rng(1)
    label = (random.random(2000) < 0.3).astype(np.int8)
    at = START + random.integers(0, 300, 2000) * DAY
    after = (random.random(2000) < later) & ((label == 1) | (not follows))
    seen = at + np.where(after, 5, -5) * DAY
    text = pd.to_datetime(seen, unit="us").strftime("%Y-%m-%dT%H:%M:%SZ").to_numpy(dtype=object)
    visit = {"microseconds": seen * 1.0, "seconds": seen / 1e6, "milliseconds": seen / 1e3, "text": text}[written]
    return pd.DataFrame({look: at, "visit": visit}), Outcome(label, np.arange(2000))


def judged(frame, outcome, kind="number"):
    """Return what is said of the visit."""
    return suspect_instants(frame, [Field("visit", kind, "engagement")], outcome)


@given(st.lists(st.integers(631_152_000, 4_102_444_800), min_size=1))
def test_seconds_milliseconds_and_text_are_one_instant(seconds):
    """Whatever a file writes, the instant is the same."""
    values = pd.Series(seconds, dtype=float)
    text = pd.Series(pd.to_datetime(seconds, unit="s").strftime("%Y-%m-%d %H:%M:%S").to_numpy(dtype=object))

    assert instants_of(values).tolist() == [at * 1_000_000.0 for at in seconds]
    assert instants_of(values * 1000).tolist() == instants_of(values).tolist()
    assert instants_of(text).tolist() == instants_of(values).tolist()


@pytest.mark.parametrize(
    "values", [[1.0, 2.0], [1e5, 3e6], ["2024", "2025"], ["web", "event"], ["2024-01-01", "web"], [None, None], []]
)
def test_other_values_are_no_instants(values):
    """Counts, revenues, years and words are not dates."""
    assert instants_of(pd.Series(values, dtype=float if values and isinstance(values[0], float) else object)) is None


@pytest.mark.parametrize("written", ["seconds", "milliseconds", "microseconds", "text"])
def test_values_after_the_look_are_stopped(written):
    """A date that is later than as_of was not known then."""
    frame, outcome = looked_at(later=0.5, written=written)
    (found,) = judged(frame, outcome, "category" if written == "text" else "number")

    assert (found.code, found.severity, found.field) == ("LK7", "stop", "visit")
    assert "of 2,000 are later than as_of" in found.evidence


def test_values_after_the_creation_stop_only_where_they_follow_the_outcome():
    """A visit after the lead came may be honest; one that only converters have is not."""
    (found,) = judged(*looked_at(later=0.5, look="created_at"))
    (honest,) = judged(*looked_at(later=0.5, look="created_at", follows=False))

    assert (found.severity, honest.severity) == ("stop", "warn")
    assert "later than created_at, which alone ranks leads with an AUC of" in found.evidence


def test_dates_before_the_look_are_passed():
    """Nothing is said of what was known, nor where there is no look, nor of single slips."""
    frame, outcome = looked_at(later=0.0)

    assert judged(frame, outcome) == []
    assert judged(frame.drop(columns="as_of"), outcome) == []
    assert judged(*looked_at(later=0.01)) == []


def test_what_is_dated_at_the_look_is_not_later():
    """Neither the instant of the look itself, nor a date without a time, which is the beginning of its day."""
    frame, outcome = looked_at(later=0.0)
    days = pd.to_datetime(frame["as_of"], unit="us").dt.strftime("%Y-%m-%d").astype(object)

    assert judged(frame.assign(visit=frame["as_of"] * 1.0), outcome) == []
    assert judged(frame.assign(visit=days), outcome, "category") == []


@pytest.mark.parametrize(
    ("rows", "early", "after", "severity"),
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
def test_activities_are_judged_by_their_counts(rows, early, after, severity):
    """A kind that happens after the outcome only, or is recorded before it happens, is named."""
    counts = pd.DataFrame({"kind": ["call"], "rows": [rows], "recorded_before": [early], "after_outcome": [after]})
    found = [(one.code, one.field, one.severity) for one in suspect_activities(counts)]

    assert found == ([("LK7", "call", severity)] if severity else [])


@pytest.mark.parametrize(("after", "severity"), [(550, None), (900, "warn"), (960, "stop")])
def test_a_kind_that_mostly_follows_the_outcome_is_held_against_the_others(after, severity):
    """Leads live on: where half of all that they do follows the outcome, somewhat more than half is no news."""
    counts = pd.DataFrame({"kind": ["large", "any"], "rows": [1000, 5000], "recorded_before": 0})
    found = suspect_activities(counts.assign(after_outcome=[after, 2500]))

    assert [(one.field, one.severity) for one in found] == ([("large", severity)] if severity else [])
    assert all("features.excluded" not in one.remedy and "these activities" in one.remedy for one in found)
