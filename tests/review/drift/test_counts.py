"""Counts by bins: chunks add up to the whole, and the order of leads changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.bundle.profile import ChangeSizes, LeadCounts, Profile
from leadml.model.predict.reference import FieldBins
from leadml.review.drift.counts import count_fields, count_leads, count_scores, count_stages, sum_millionths
from leadml.stages.cuts import Cut

BINS = {
    "age": FieldBins("number", (1.0, 2.0, 2.0, 5.0)),
    "asked": FieldBins("boolean"),
    "job": FieldBins("category", levels=("chef", "monk")),
}
NAMES = ["age", "asked", "job"]
CUTS = [Cut("MQL", 0.3, "fixed at 0.3"), Cut("SQL", 0.6, "fixed at 0.6")]
PROFILE = Profile(BINS, (0.2, 0.4), LeadCounts(0, {}, (), 0, {}), ChangeSizes({}), {})
LEAD = st.tuples(
    st.sampled_from([0.5, 1.0, 1.5, 2.0, 5.0, 9.0, np.nan]),
    st.sampled_from([0.0, 1.0, np.nan]),
    st.sampled_from([0.0, 1.0, 2.0, 3.0]),
    st.floats(0.001, 0.999),
)
LEADS = st.lists(LEAD, max_size=40).map(lambda rows: np.array(rows).reshape(-1, 4))


def _count(rows: np.ndarray) -> LeadCounts:
    return count_leads(PROFILE, rows[:, :3], rows[:, 3], names=NAMES, cuts=CUTS)


@given(LEADS, st.integers(0, 40))
def test_counts_of_chunks_add_up_to_the_counts_of_the_whole(rows: np.ndarray, at: int) -> None:
    """Wherever the leads are divided, to the last whole number."""
    assert _count(rows[:at]) + _count(rows[at:]) == _count(rows)


@given(LEADS, st.randoms(use_true_random=False))
def test_the_order_of_leads_changes_nothing(rows: np.ndarray, random: object) -> None:
    """A count knows no order."""
    order = list(range(len(rows)))
    random.shuffle(order)

    assert _count(rows[order]) == _count(rows)


@given(LEADS)
def test_every_lead_is_counted_once_in_every_field(rows: np.ndarray) -> None:
    """In a bin or as missing; and once by its probability and its stage."""
    counts = _count(rows)

    assert {each.missing + each.present for each in counts.fields.values()} == {len(rows)}
    assert counts.rows == counts.scored == sum(counts.stages.values()) == len(rows)
    assert counts.mean_probability == pytest.approx(rows[:, 3].mean() if len(rows) else 0, abs=1e-6)


def test_fields_are_counted_by_their_names() -> None:
    """The order of the columns is that of the names, not of the bins."""
    fields = np.array([[3.0, 1.0], [2.0, 2.0], [0.0, np.nan]])
    counts = count_fields(BINS, ["job", "age"], fields)

    assert (counts["job"].missing, counts["job"].bins) == (1, (1, 0, 1))
    assert (counts["age"].missing, counts["age"].bins) == (1, (0, 1, 1, 0, 0))


def test_a_lead_at_a_cut_is_in_the_stage() -> None:
    """As when stages are given; without cuts there are no stages."""
    assert count_stages(CUTS, np.array([0.2999, 0.3, 0.6, 0.7])) == {"LEAD": 1, "MQL": 1, "SQL": 2}
    assert count_stages(CUTS, np.array([])) == {"LEAD": 0, "MQL": 0, "SQL": 0}
    assert count_stages([], np.array([0.5])) == {}


def test_a_probability_at_an_edge_is_in_the_bin_below() -> None:
    """The edge is the highest value of its bin."""
    assert count_scores((0.2, 0.4), np.array([0.2, 0.2000001, 0.4, 0.9])) == (1, 2, 1)
    assert sum_millionths(np.array([0.0000004, 0.0000006])) == 1
