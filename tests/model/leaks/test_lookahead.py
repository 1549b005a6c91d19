from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.frames import evidence_of

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import LeakEvidence
from leadml.model.leaks import find_leaks
from leadml.model.leaks.check import JudgedRows
from leadml.model.leaks.lookahead import CHECK, suspect_lookahead
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField
from leadml.model.leaks.suspicion import Suspicion
from leadml.params import LeakParams

COUNT = "visit_30d"


def snapshots(seed=0, size=3000, rate=0.2):
    """Return snapshots of leads with lasting habits and their labels, and the counts after the snapshots."""
    random = np.random.default_rng(seed)
    label = (random.random(size) < rate).astype(np.int8)
    habit = random.gamma(1.0, 2.0, size) * (1 + 2 * label)
    before, after = (random.poisson(habit).astype(float) for _ in range(2))
    ids = np.array([f"L{at:05d}" for at in range(size)], dtype=object)
    columns = {"lead_id": ids, "split_key": ids, "as_of": 1_750_000_000_000_000, COUNT: before, "converted": label}
    frame = pd.DataFrame(columns)
    future_counts = frame[["lead_id", "as_of"]].assign(**{COUNT: after})
    return frame.assign(noise=random.normal(size=size), habit=habit), future_counts


def severities(frame, future_counts, *names, kind="number"):
    """Return the severity of each field that knows what happens after the snapshot."""
    found = suspect_lookahead(frame, [Field(name, kind, "fit") for name in names], Outcome.of(frame), future_counts)
    assert {one.code for one in found} <= {"LK7"}
    return {one.field: one.severity for one in found}


@pytest.mark.parametrize("seed", range(5))
def test_what_is_known_at_the_snapshot_is_no_suspect(seed):
    """Neither the count before the snapshot, nor noise, nor the count over a part of the window."""
    frame, future_counts = snapshots(seed)
    part = np.random.default_rng(seed).binomial(frame[COUNT].astype(int), 0.3)

    assert severities(frame.assign(part=part), future_counts, COUNT, "noise", "part") == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("past", [0, 1, 2])
def test_a_count_that_includes_the_time_after_the_snapshot_is_stopped(seed, past):
    """Whatever the weight of the past in it, and with noise."""
    frame, future_counts = snapshots(seed)
    whole = past * frame[COUNT] + future_counts[COUNT] + np.random.default_rng(seed).poisson(0.1, len(frame))

    assert severities(frame.assign(whole=whole), future_counts, "noise", "whole", COUNT) == {"whole": "stop"}


def test_look_ahead_is_found_among_converters_only():
    """Where only converters are active after the snapshot, as buyers who buy, they are judged separately."""
    frame, future_counts = snapshots()
    after = np.where(frame["converted"] == 1, 1 + future_counts[COUNT], 0.0)
    future_counts, whole = future_counts.assign(**{COUNT: after}), frame[COUNT] + after

    assert severities(frame.assign(whole=whole), future_counts, "whole") == {"whole": "stop"}
    assert severities(frame.assign(whole=whole)[frame["converted"] == 0], future_counts, "whole") == {}


def test_a_copy_of_the_outcome_is_no_look_ahead():
    """A field that knows the outcome, which makes leads active, is judged by other rules."""
    frame, future_counts = snapshots()
    future_counts = future_counts.assign(**{COUNT: future_counts[COUNT] * (1 + 5 * frame["converted"])})

    assert severities(frame.assign(copy=frame["converted"] * 1.0), future_counts, "copy") == {}


@pytest.mark.parametrize("scale", [1.0, 5.0, 50.0])
@pytest.mark.parametrize("seed", range(3))
def test_an_exactly_known_habit_warns_at_most(seed, scale):
    """Given the count before the snapshot, its squared correlation with the count after it is at most a half."""
    random = np.random.default_rng(seed)
    frame, future_counts = snapshots(seed)
    before, after = (random.poisson(scale * frame["habit"]).astype(float) for _ in range(2))
    found = severities(frame.assign(**{COUNT: before}), future_counts.assign(**{COUNT: after}), "habit")

    assert "stop" not in found.values()


def test_too_few_or_constant_counts_are_not_judged():
    """The counts of half of the snapshots are enough, those of few are not; neither are categories or zeros."""
    frame, future_counts = snapshots()
    frame["whole"] = frame[COUNT] + future_counts[COUNT]

    assert severities(frame, future_counts.iloc[::2], "whole") == {"whole": "stop"}
    assert severities(frame, future_counts.head(40), "whole") == {}
    assert severities(frame, future_counts, "whole", kind="category") == {}
    assert severities(frame, future_counts.assign(**{COUNT: 0.0}), "whole") == {}


def test_a_field_with_missing_values_is_stopped():
    """Missing values count as the mean, which does not hide a leak of this size."""
    frame, future_counts = snapshots()
    whole = np.where(np.arange(len(frame)) % 10 == 0, np.nan, frame[COUNT] + future_counts[COUNT])

    assert severities(frame.assign(whole=whole), future_counts, "whole") == {"whole": "stop"}


def test_the_order_of_the_future_counts_does_not_matter():
    """The table and the frame may be in any order."""
    frame, future_counts = snapshots()
    frame = frame.assign(whole=frame[COUNT] + future_counts[COUNT])
    fields = [Field("whole", "number", "fit")]
    shuffled = future_counts.sample(frac=1, random_state=1)

    assert suspect_lookahead(frame, fields, Outcome.of(frame), future_counts) == suspect_lookahead(
        frame, fields, Outcome.of(frame), shuffled
    )


@pytest.mark.slow
def test_the_finding_names_the_count_and_the_remedy(quick_params):
    """Where the evidence has neither a clock nor tables, the rule is not applicable."""
    frame, future_counts = snapshots()
    frame = frame.assign(whole=frame[COUNT] + future_counts[COUNT])
    fields = [Field("whole", "number", "engagement", "activity", "visit"), Field("noise", "number", "fit")]
    evidence = evidence_of(frame, future_counts=future_counts)
    found = [one for one in find_leaks(frame, fields, quick_params, evidence=evidence) if one.code == "LK7"]
    without_evidence = find_leaks(frame.drop(columns="as_of"), fields, quick_params)

    assert [(one.severity, one.field) for one in found] == [("stop", "whole")]
    assert "its partial correlation with visit_30d counted after the snapshot is 0.9" in found[0].evidence
    assert "leave out the activities that it counts" in found[0].remedy
    assert [one.severity for one in without_evidence if one.code == "LK7"] == ["not applicable"]


OPEN, WON = "leads that did not convert", "leads that converted"


def raw(logarithms):
    """Return the numbers that have such signed logarithms."""
    return np.sign(logarithms) * np.expm1(np.abs(logarithms))


def known_after(severity, correlation, leads=OPEN, field="x", count=COUNT):
    """Return the suspicion of a field that has a partial correlation with a count after the snapshot."""
    evidence = (
        f"knows what happens after the snapshot: among {leads}, its partial correlation with {count} counted after "
        f"the snapshot is {correlation}, given the same count before the snapshot"
    )
    return Suspicion("LK7", severity, evidence, field)


def judge(values, after, *, before=None, label=0, kind="number"):
    """Return the suspicions of fields among leads of one snapshot each, given the counts after and before it."""
    after = after if isinstance(after, dict) else {COUNT: after}
    size = len(next(iter(after.values())))
    keys = pd.DataFrame({"lead_id": [f"L{at:03d}" for at in range(size)], "as_of": 1})
    values = values if isinstance(values, dict) else {"x": values}
    frame = keys.assign(**values, **({} if before is None else {COUNT: before}))
    outcome = Outcome(np.broadcast_to(np.int8(label), size), np.arange(size))
    return suspect_lookahead(frame, [Field(name, kind, "fit") for name in values], outcome, keys.assign(**after))


SIDE = np.repeat([-1.0, 1.0], 50)  # of 100 leads, half of which are active after the snapshot
ACTIVE = np.where(SIDE > 0, 3.0, 0.0)
ASIDE = np.tile([-1.0, 1.0], 50)  # has no correlation with it
SIZES = [60, 20, 20, 60]  # of leads that are active neither before nor after the snapshot, before, after, both
AFTER, BEFORE = np.repeat([-1.0, -1.0, 1.0, 1.0], SIZES), np.repeat([-1.0, 1.0, -1.0, 1.0], SIZES)
COUNTS = {"after": np.where(AFTER > 0, 3.0, 0.0), "before": np.where(BEFORE > 0, 7.0, 0.0)}


def correlated(correlation):
    """Return 100 numbers whose logarithms have such a correlation with the activities after the snapshot."""
    return raw(correlation * SIDE + np.sqrt(1 - correlation**2) * ASIDE)


@pytest.mark.parametrize(
    ("correlation", "severity"),
    [(0.61, None), (0.62, "warn"), (0.78, "warn"), (0.79, "stop"), (-0.62, "warn"), (-0.79, "stop")],
)
def test_the_lower_bound_of_the_correlation_decides(correlation, severity):
    """Of 100 leads, Fisher's lower bounds 0.5 and 0.71 are those of correlations of 0.613 and 0.782, of any sign."""
    found = judge(correlated(correlation), ACTIVE)

    assert found == ([known_after(severity, f"{abs(correlation):.2f}")] if severity else [])


@pytest.mark.parametrize(
    ("share", "correlation", "severity"), [(0.8, 0.76, "warn"), (0.9, 0.87, "stop"), (0.6, 0, None)]
)
def test_what_the_count_before_explains_is_left_out(share, correlation, severity):
    """Counts before and after have a correlation of 0.5; of a field with r and r/2 the partial one is exactly known.

    It is (r - r/4) / sqrt((1 - r * r / 4) * (1 - 1/4)), for example 0.756 for 0.8.
    """
    value = raw(share * AFTER + np.sqrt(1 - share**2) * np.tile([-1.0, 1.0], 80))

    assert judge(value, **COUNTS) == ([known_after(severity, correlation)] if severity else [])


def test_the_sum_of_both_counts_is_known_after_the_snapshot():
    """The count before it is not; counts after it that equal those before it tell nothing, and neither do constants."""
    both, before = raw(AFTER + BEFORE), raw(BEFORE)

    assert judge({"both": both, "before": before, "same": np.ones(160)}, **COUNTS) == [
        known_after("stop", "1.00", field="both")
    ]
    assert judge(both, COUNTS["after"], before=COUNTS["after"]) == []


def test_a_missing_value_is_the_mean():
    """Of a copy of which half is missing on each side, the correlation is the square root of a half."""
    copy = raw(np.where(np.arange(100) % 2 == 0, 3.0 + SIDE, np.nan))
    one_known = np.where(np.arange(100) == 99, 5.0, np.nan)

    assert judge(copy, ACTIVE) == [known_after("warn", "0.71")]
    assert judge(one_known, np.where(np.arange(100) == 99, 1000.0, 1.0)) == []
    assert judge(np.full(100, np.nan), ACTIVE) == []


def test_a_field_is_judged_as_if_it_were_alone():
    """A missing value is the mean of its own field, whatever other fields hold."""
    copies = {
        "small": raw(np.where(np.arange(100) % 2 == 0, 1.0 + SIDE, np.nan)),
        "large": raw(np.where(np.arange(100) % 5 == 0, 9.0 + SIDE, np.nan)),
    }

    assert judge(copies, ACTIVE) == judge({"small": copies["small"]}, ACTIVE)
    assert judge(copies, ACTIVE) == [known_after("warn", "0.71", field="small")]


@pytest.mark.parametrize(("size", "is_judged"), [(50, True), (48, False)])
def test_fifty_leads_are_the_fewest(size, is_judged):
    """Of 50 leads a copy of the counts is stopped; fewer, or fewer with activities after the snapshot, say nothing."""
    after = np.repeat([1.0, 3.0], size // 2)
    half_active = np.repeat([0.0, 3.0], size)
    found = [known_after("stop", "1.00")] if is_judged else []

    assert judge(after, after) == found
    assert judge(half_active, half_active) == found


def test_snapshots_of_one_lead_count_once():
    """A hundred snapshots of 49 leads say nothing, and a bound is that of the number of leads."""
    keys = pd.DataFrame({"lead_id": np.repeat([f"L{at}" for at in range(50)], 2), "as_of": [1, 2] * 50})
    lead = np.repeat(np.arange(50), 2)
    fields = [Field("x", "number", "fit")]
    label = np.zeros(100, dtype=np.int8)
    future = keys.assign(**{COUNT: ACTIVE})
    frames = [keys.assign(x=correlated(correlation)) for correlation in (0.66, 0.65)]

    assert [suspect_lookahead(frame, fields, Outcome(label, lead), future) for frame in frames] == [
        [known_after("warn", "0.66")], []
    ]  # fmt: skip
    assert suspect_lookahead(frames[0], fields, Outcome(label, np.minimum(lead, 48)), future) == []


def test_the_count_with_the_strongest_correlation_is_named():
    """The first of equals; counts of which few leads have any are left out, also if they come first."""
    rare = np.where(np.arange(100) < 49, 0.0, np.where(np.arange(100) < 98, 3.0, 0.0))
    weaker = np.where(np.r_[SIDE[2:], SIDE[:2]] > 0, 3.0, 0.0)
    three = {"rare_7d": rare, "weaker_7d": weaker, "call_7d": ACTIVE, "same_7d": ACTIVE, "other_7d": weaker}

    assert judge({"x": correlated(0.8), "y": correlated(0.0), "z": rare}, three) == [
        known_after("stop", "0.80", count="call_7d"),
        known_after("stop", "0.98", field="z", count="weaker_7d"),
    ]


@pytest.mark.parametrize(
    ("open_correlation", "won_correlation", "expected"),
    [
        (0.7, 0.9, ("stop", "0.90", WON)),
        (0.9, 0.7, ("stop", "0.90", OPEN)),
        (0.65, 0.75, ("warn", "0.65", OPEN)),
        (0.9, 0.95, ("stop", "0.95", WON)),
        (0.1, 0.7, ("warn", "0.70", WON)),
    ],
)
def test_a_field_has_one_suspicion_and_a_stop_counts_more(open_correlation, won_correlation, expected):
    """Leads of both outcomes are judged separately; of two stops the converters' is told."""
    value = np.r_[correlated(open_correlation), correlated(won_correlation)]

    assert judge(value, np.tile(ACTIVE, 2), label=np.repeat(np.array([0, 1], dtype=np.int8), 100)) == [
        known_after(*expected)
    ]


def test_few_leads_of_one_outcome_do_not_hide_the_others():
    """Twenty that did not convert are not judged; the converters are."""
    label = np.repeat(np.array([0, 1], dtype=np.int8), [20, 100])
    found = judge(np.r_[np.zeros(20), correlated(0.8)], np.r_[np.zeros(20), ACTIVE], label=label)

    assert found == [known_after("stop", "0.80", WON)]


def test_a_snapshot_counts_where_all_of_its_counts_are_known():
    """Where one of two counts is missing, the row is left out for both."""
    unknown = np.where(np.arange(100) < 2, np.nan, 1.0)
    value = np.where(np.arange(100) < 2, 1e9, ACTIVE)

    assert judge(value, {COUNT: ACTIVE, "call_7d": unknown}) == [known_after("stop", "1.00")]


def test_numbers_and_booleans_are_judged():
    """Categories are not, alone or beside a number."""
    boolean = [Field("b", "boolean", "fit")]
    text = np.array(["a", "b"] * 50, dtype=object)
    keys = pd.DataFrame({"lead_id": [f"L{at}" for at in range(100)], "as_of": 1})
    outcome, future = Outcome(np.zeros(100, dtype=np.int8), np.arange(100)), keys.assign(**{COUNT: ACTIVE})
    frame = keys.assign(b=(SIDE + 1) / 2, text=text)

    assert judge(text, ACTIVE, kind="category") == []
    assert suspect_lookahead(frame, [Field("text", "category", "fit"), *boolean], outcome, future) == [
        known_after("stop", "1.00", field="b")
    ]


def test_the_check_judges_the_sample_by_its_future_counts():
    """Without them it finds nothing."""
    sample = pd.DataFrame({"lead_id": [f"L{at}" for at in range(100)], "as_of": 1, "x": correlated(0.8)})
    outcome = Outcome(np.zeros(100, dtype=np.int8), np.arange(100))
    judged = [JudgedField(Field("x", "number", "fit"), sample["x"], outcome)]
    counts = sample[["lead_id", "as_of"]].assign(**{COUNT: ACTIVE})
    found = [
        CHECK.find(JudgedRows(sample.head(0), sample, outcome, judged, evidence, LeakParams()))
        for evidence in (LeakEvidence(), LeakEvidence(future_counts=counts))
    ]

    assert found == [[], [known_after("stop", "0.80")]]
