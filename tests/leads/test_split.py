from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import ModelError
from leadml.leads.schema import CREATED_AT, LABEL, LEAD_ID
from leadml.leads.split import Holdout, make_folds, plan_holdout
from leadml.params import SplitParams

SEEDS = st.integers(0, 2**31 - 1)


def _frame(size, *, seed=0, dated=False, first=0):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({LEAD_ID: [f"lead {number}" for number in range(first, first + size)]})
    frame[LABEL] = random.integers(0, 2, size)
    if dated:
        frame[CREATED_AT] = 1_700_000_000_000_000 + random.integers(0, max(size // 2, 1), size) * 1_000_000
    return frame


@given(SEEDS)
def test_a_lead_kept_aside_stays_aside_when_the_data_grow(seed):
    """A side follows from the id alone, whatever rows stand before or after."""
    split = SplitParams(seed=seed)
    early, late = _frame(40), _frame(40, first=40)
    grown = pd.concat([late, early], ignore_index=True)
    before = plan_holdout(early, split).mask(early)
    after = plan_holdout(grown, split).mask(grown)
    assert after[40:].tolist() == before.tolist()


@given(SEEDS, st.booleans())
def test_the_order_of_the_rows_changes_no_side_and_no_fold(seed, dated):
    """Permuted rows give permuted masks and the same leads in each fold."""
    split = SplitParams(seed=seed, folds=3)
    frame = _frame(300, dated=dated)
    order = np.random.default_rng(seed).permutation(len(frame))
    shuffled = frame.iloc[order].reset_index(drop=True)
    mask = plan_holdout(frame, split).mask(frame)
    assert plan_holdout(shuffled, split).mask(shuffled).tolist() == mask[order].tolist()
    for one, other in zip(make_folds(frame, split), make_folds(shuffled, split), strict=True):
        for rows, again in zip(one, other, strict=True):
            assert set(frame[LEAD_ID][rows]) == set(shuffled[LEAD_ID][again])


@given(SEEDS, st.integers(2, 8))
def test_folds_by_id_partition_the_rows(seed, folds):
    """Every row is judged once, by a model fitted on all rows of the other folds."""
    pairs = make_folds(_frame(400), SplitParams(seed=seed, folds=folds))
    assert len(pairs) == folds
    assert sorted(np.concatenate([judge for _, judge in pairs])) == list(range(400))
    assert all(sorted([*fit, *judge]) == list(range(400)) for fit, judge in pairs)


@given(SEEDS, st.integers(2, 8))
def test_folds_by_time_never_judge_by_earlier_leads_than_they_fit_on(seed, folds):
    """Each fold is fitted on all that came before, to the instant, and no lead is judged twice."""
    frame = _frame(400, seed=seed, dated=True)
    instants = frame[CREATED_AT].to_numpy()
    pairs = make_folds(frame, SplitParams(folds=folds))
    judged = np.concatenate([judge for _, judge in pairs])
    assert len(set(judged)) == len(judged)
    for fit, judge in pairs:
        assert instants[fit].max() < instants[judge].min()
        assert set(fit) == set(np.flatnonzero(instants < instants[judge].min()))
    assert sorted([*pairs[0][0], *judged]) == list(range(400))


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.89])
def test_the_share_kept_aside_is_about_the_share_asked_for(share):
    """By id it is the share to three standard errors; by time it is the newest leads."""
    split = SplitParams(test_share=share)
    frame = _frame(4000)
    assert plan_holdout(frame, split).mask(frame).mean() == pytest.approx(
        share, abs=3 * (share * (1 - share) / 4000) ** 0.5
    )
    dated = frame.assign(**{CREATED_AT: np.arange(4000)})
    aside = plan_holdout(dated, split).mask(dated)
    assert aside.mean() == pytest.approx(share, abs=1 / 4000)
    assert dated[CREATED_AT][~aside].max() < dated[CREATED_AT][aside].min()


def test_another_seed_keeps_other_leads_aside_and_folds_do_not_follow_sides():
    """Sides of two seeds, and sides and folds of one, are independent."""
    frame = _frame(4000)
    one, other = Holdout(0.5, 0).mask(frame), Holdout(0.5, 1).mask(frame)
    assert (one == other).mean() == pytest.approx(0.5, abs=0.03)
    (_, first), _ = make_folds(frame, SplitParams(folds=2))
    assert one[first].mean() == pytest.approx(0.5, abs=0.04)


def test_the_side_of_an_id_is_the_same_for_ever():
    """A bundle of today must know tomorrow which leads it did not see."""
    frame = pd.DataFrame({LEAD_ID: ["007", "7", "é", "9007199254740993"]})
    assert Holdout(0.5, 0).mask(frame).tolist() == [False, False, False, False]


def test_a_rule_by_time_holds_for_leads_that_come_later():
    """What is kept aside is all that came at the instant or after it."""
    frame = pd.DataFrame({CREATED_AT: [1, 5, 6]})
    assert Holdout(0.25, 0, since=5).mask(frame).tolist() == [False, True, True]


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize("labels", [[0] * 50, [1] * 50, [1] + [0] * 49])
def test_a_fold_of_one_kind_is_refused(dated, labels):
    """A model cannot be fitted or judged where all leads became the same."""
    frame = _frame(50, dated=dated).assign(**{LABEL: labels})
    with pytest.raises(
        ModelError, match=r"got \d+ leads of one kind or none in fold [1-5] of 5; lower split.folds or bring more"
    ):
        make_folds(frame, SplitParams())


@pytest.mark.parametrize("dated", [False, True])
def test_no_leads_cannot_be_folded(dated):
    """Nothing to learn from is a refusal and no bug."""
    with pytest.raises(ModelError, match="got 0 leads"):
        make_folds(_frame(0, dated=dated), SplitParams())


def test_leads_of_one_instant_cannot_be_kept_aside_by_time():
    """Where all leads have one date none would be left to learn from, which is said."""
    frame = _frame(20).assign(**{CREATED_AT: 5})
    with pytest.raises(ModelError, match="20 leads"):
        plan_holdout(frame, SplitParams())
