from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.frames import evidence_of

from leadml.leads.check.field import Field
from leadml.model.leaks import find_leaks
from leadml.model.leaks.lookahead import suspect_lookahead
from leadml.model.leaks.outcome import Outcome

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
