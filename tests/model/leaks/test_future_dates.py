from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import Clock, LeakEvidence
from leadml.model.leaks import find_leaks
from leadml.model.leaks.check import JudgedRows
from leadml.model.leaks.future_dates import (
    CHECK,
    CHECK_OF_ACTIVITIES,
    instants_of,
    suspect_activity_dates,
    suspect_future_dates,
)
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField
from leadml.model.leaks.suspicion import Suspicion
from leadml.params import LeakParams

DAY = 86_400_000_000
START = 1_750_000_000_000_000
STOP_REMEDY = (
    "it is a suspected leak: leave out these activities, or name it in leaks.accept with the reason why it is no leak"
)
WARN_REMEDY = "check when these activities are entered, and with which date"


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


def leads(*, later, size=400, name="as_of", at=START):
    """Return leads of whom every fourth converted, the numbers of those who visit later, their outcome and clock."""
    label = (np.arange(size) // 2 % 4 == 0).astype(np.int8)
    visited = at + np.where(np.isin(np.arange(size), later), 1, 0) * DAY
    frame = pd.DataFrame({"visit": visited * 1.0})
    return frame, Outcome(label, np.arange(size)), Clock(np.full(size, at), name, is_limit=name == "as_of")


@pytest.mark.parametrize(
    ("rows", "limit", "is_found"), [(400, 5, True), (400, 4, False), (700, 7, True), (700, 6, False)]
)
def test_five_rows_and_one_in_a_hundred_are_the_fewest_that_are_later(rows, limit, is_found):
    """Fewer are slips of the pen; the evidence counts the later values and all values."""
    found = suspicions(*leads(later=range(limit), size=rows))

    evidence = f"holds dates, and {limit} of {rows} are later than as_of"
    assert found == ([Suspicion("LK7", "stop", evidence, "visit")] if is_found else [])


def test_the_evidence_tells_the_auc_where_later_dates_may_be_honest():
    """Every second converter and nobody else visits later: the AUC is 0.75; as many of both outcomes do: 0.5."""
    converters = [at for at in range(400) if at // 2 % 4 == 0]
    others = [at for at in range(400) if at // 2 % 4 == 1]
    frame, outcome, clock = leads(later=converters[::4] + converters[1::4], name="created_at")
    evidence = "holds dates, and 50 of 400 are later than created_at"
    told = f"{evidence}; whether they are later has an AUC of 0.750 by itself"
    half_of_all = [at for at in range(400) if at // 8 % 2 == 0]

    assert suspicions(frame, outcome, clock) == [Suspicion("LK7", "stop", told, "visit")]
    assert suspicions(*leads(later=half_of_all, name="created_at")) == [
        Suspicion("LK7", "warn", "holds dates, and 200 of 400 are later than created_at", "visit")
    ]
    assert suspicions(*leads(later=others, name="created_at"))[0].severity == "stop"


def test_every_field_of_dates_is_judged():
    """A field that holds no dates and one of which few dates are later come first and hide nothing."""
    frame, outcome, clock = leads(later=range(8))
    frame = frame.assign(number=1.0, rarely=np.where(np.arange(400) < 4, START + DAY, START))
    fields = [Field(name, "number", "fit") for name in ("number", "rarely", "visit")]

    assert suspect_future_dates(frame, fields, outcome, clock) == [
        Suspicion("LK7", "stop", "holds dates, and 8 of 400 are later than as_of", "visit")
    ]


def test_missing_dates_are_not_later():
    """Also where the rows are older than 1970; missing values are not counted."""
    _, outcome, _ = leads(later=[])
    clock = Clock(np.full(400, -10 * 365 * DAY), "as_of", is_limit=True)
    day = np.where(np.arange(400) < 5, "1965-01-01", np.where(np.arange(400) < 100, "1955-01-01", None))
    frame = pd.DataFrame({"visit": day.astype(object)})

    assert suspicions(frame, outcome, clock, "category") == [
        Suspicion("LK7", "stop", "holds dates, and 5 of 100 are later than as_of", "visit")
    ]


@pytest.mark.parametrize(
    ("seconds", "is_instant"),
    [(631_152_000, True), (631_151_999, False), (4_102_444_800, True), (4_102_444_801, False)],
)
def test_numbers_are_instants_from_1990_to_2100(seconds, is_instant):
    """The first instant of both years is one; a second before or after is another number."""
    found = instants_of(pd.Series([float(seconds)]))

    assert (None if found is None else found.tolist()) == ([seconds * 1e6] if is_instant else None)


def test_numbers_of_less_precision_are_read_exactly():
    """They are multiplied in double precision."""
    assert instants_of(pd.Series([1_704_067_200.0], dtype=np.float32)).tolist() == [1_704_067_200_000_000.0]


@pytest.mark.parametrize(
    ("right", "wrong"), [(1_704_067_200.0, 3.0), ("2024-01-01", "2024-13-01"), ("2024-01-01", "web")]
)
def test_nine_of_ten_values_must_be_instants(right, wrong):
    """The tenth is as good as missing; missing values count for neither."""
    kind = float if isinstance(right, float) else object
    nine = instants_of(pd.Series([right] * 9 + [wrong, np.nan], dtype=kind))

    assert nine[:9].tolist() == [1_704_067_200_000_000.0] * 9
    assert np.isnan(nine[9:]).all()
    assert instants_of(pd.Series([right] * 8 + [wrong] * 2, dtype=kind)) is None


def test_the_first_twenty_texts_decide_whether_the_others_are_read():
    """Where three of the first twenty are words, the column holds words, whatever comes after."""
    days = ["2024-01-01"] * 180

    assert instants_of(pd.Series(["web"] * 3 + days, dtype=object)) is None
    assert int(np.isnan(instants_of(pd.Series(["web"] * 2 + days, dtype=object))).sum()) == 2


@pytest.mark.parametrize(
    ("rows", "before", "after", "expected"),
    [
        (20, 0, 20, ("stop", "happens after the outcome: 20 of 20 activities of this kind do")),
        (2000, 0, 1900, ("stop", "happens after the outcome: 1,900 of 2,000 activities of this kind do")),
        (2000, 0, 1899, ("warn", "happens after the outcome: 1,899 of 2,000 activities of this kind do")),
        (100, 0, 50, ("warn", "happens after the outcome: 50 of 100 activities of this kind do")),
        (100, 0, 49, None),
        (500, 5, 0, ("warn", "is recorded before it happens: 5 of 500 activities of this kind are")),
        (500, 4, 0, None),
        (700, 7, 0, ("warn", "is recorded before it happens: 7 of 700 activities of this kind are")),
        (700, 6, 0, None),
        (6000, 1200, 0, ("stop", "is recorded before it happens: 1,200 of 6,000 activities of this kind are")),
        (6000, 1199, 0, ("warn", "is recorded before it happens: 1,199 of 6,000 activities of this kind are")),
    ],
)
def test_a_kind_of_activity_is_suspected_from_its_limits_on(rows, before, after, expected):
    """The limits are 20 activities, half and 95% after the outcome, 5 and 1% and 20% recorded before they happen.

    Counts are told as whole numbers, and a kind with few activities comes first and hides nothing.
    """
    counts = pd.DataFrame({"kind": ["few", "call"], "rows": [2.0, rows], "recorded_before": [2.0, before]})
    if after:
        counts = counts.tail(1)  # so that there are no others to compare with
    found = suspect_activity_dates(counts.assign(after_outcome=float(after) if after else 0.0))

    if expected is None:
        assert found == []
        return
    severity, evidence = expected
    assert found == [Suspicion("LK7", severity, evidence, "call", STOP_REMEDY if severity == "stop" else WARN_REMEDY)]


@pytest.mark.parametrize(
    ("after", "others", "others_after", "is_found"), [(74, 6, 2, True), (73, 6, 2, False), (74, 67, 25, False)]
)
def test_the_odds_of_a_kind_are_five_times_those_of_the_others(after, others, others_after, is_found):
    """One activity more is added to each side: 75 to 25 is five times 3 to 5, and less than five times 26 to 43."""
    counts = pd.DataFrame({"kind": ["demo", "any"], "rows": [98, others], "recorded_before": 0})
    found = suspect_activity_dates(counts.assign(after_outcome=[after, others_after]))

    evidence = f"happens after the outcome: {after} of 98 activities of this kind do"
    assert found == ([Suspicion("LK7", "warn", evidence, "demo", WARN_REMEDY)] if is_found else [])


def test_the_checks_judge_the_sample_by_its_evidence():
    """Fields by the clock and activities by their table; without either nothing is found, and the reason is told."""
    frame, outcome, clock = leads(later=range(8))
    kinds = pd.DataFrame({"kind": ["call"], "rows": [40], "recorded_before": [0], "after_outcome": [40]})
    judged = [JudgedField(Field("visit", "number", "engagement"), frame["visit"], outcome)]
    nothing, dated, active = LeakEvidence(), LeakEvidence(clock=clock), LeakEvidence(activities=kinds)

    def found(check, evidence):
        rows = JudgedRows(frame.head(0), frame, outcome, judged, evidence, LeakParams())
        return [(one.field, one.severity) for one in check.find(rows)]

    assert [found(CHECK, evidence) for evidence in (nothing, dated, active)] == [[], [("visit", "stop")], []]
    assert [found(CHECK_OF_ACTIVITIES, evidence) for evidence in (nothing, dated, active)] == [
        [], [], [("call", "stop")]
    ]  # fmt: skip
    reason = "leads have no dates, so dates after the snapshot cannot be found"
    assert [CHECK.missing(evidence) for evidence in (nothing, dated, active)] == [reason, "", ""]
    assert (CHECK.by_halves, CHECK_OF_ACTIVITIES.by_halves) == (True, False)
