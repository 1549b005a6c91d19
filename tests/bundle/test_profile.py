"""The profile of a training: counts that add up, as whole numbers, and the same after JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.bundle.contents import Bundle
from leadml.bundle.profile import ChangeSizes, FieldCounts, FieldSizes, LeadCounts, Profile, SliceCounts
from leadml.model.predict.reference import FieldBins

WHOLE = st.integers(0, 10**9)


@st.composite
def lead_counts(draw: st.DrawFn) -> LeadCounts:
    """Return counts of two fields, three bins of probabilities and two stages."""
    fields = {name: FieldCounts(draw(WHOLE), (draw(WHOLE), draw(WHOLE))) for name in ("age", "job")}
    scores = (draw(WHOLE), draw(WHOLE), draw(WHOLE))
    return LeadCounts(draw(WHOLE), fields, scores, draw(WHOLE), {"LEAD": draw(WHOLE), "MQL": draw(WHOLE)})


@given(lead_counts(), lead_counts(), lead_counts())
def test_counts_add_up_in_any_order(one: LeadCounts, two: LeadCounts, three: LeadCounts) -> None:
    """And taking a part away gives the rest."""
    assert (one + two) + three == three + (two + one)
    assert (one + two) - two == one
    assert (one + two).rows == one.rows + two.rows
    assert (one + two).stages["MQL"] == one.stages["MQL"] + two.stages["MQL"]


@given(lead_counts())
def test_counts_are_the_same_after_json(counts: LeadCounts) -> None:
    """Only whole numbers are stored, and stages keep their order."""
    text = json.dumps(counts.to_json(), sort_keys=True)

    assert LeadCounts.from_json(json.loads(text)) == counts
    assert list(LeadCounts.from_json(json.loads(text)).stages) == ["LEAD", "MQL"]
    assert "." not in text


def test_counts_of_other_bins_do_not_add_up() -> None:
    """It is a defect: they are of another version."""
    one, other = (LeadCounts(1, {"age": FieldCounts(0, bins)}, (1,), 0, {}) for bins in ((1,), (1, 0)))
    with pytest.raises(ValueError, match="zip"):
        one + other


def test_the_mean_of_no_probabilities_is_0() -> None:
    """And else the sum over the number of scored leads, which may differ from the number of rows."""
    assert LeadCounts(0, {}, (0, 0), 0, {}).mean_probability == 0
    assert LeadCounts(9, {}, (3, 1), 1_000_000, {}).mean_probability == 0.25


def test_a_profile_is_the_same_after_json(bundle: Bundle) -> None:
    """The keys may be sorted, as the files of a bundle are."""
    text = json.dumps(bundle.profile.to_json(), sort_keys=True)

    assert Profile.from_json(json.loads(text)) == bundle.profile
    assert bundle.profile.slices.keys() == {"poutcome"}


def test_a_profile_without_a_count_for_each_bin_is_refused() -> None:
    """Else later leads would be compared with other bins than theirs."""
    counts = LeadCounts(2, {"asked": FieldCounts(1, (1,))}, (2,), 0, {})
    varied = ChangeSizes({"asked": FieldSizes()})
    profile = Profile({"asked": FieldBins("boolean")}, (), counts, varied, {"asked": SliceCounts((1,), (0,))})
    with pytest.raises(ValueError, match=r"\{'asked': 2\}"):
        Profile.from_json(profile.to_json())
