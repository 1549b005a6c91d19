from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import ModelError
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import AS_OF, CREATED_AT, LABEL, LEAD_ID, MATURE_AT, SPLIT_KEY
from leadml.leads.split import Holdout, halves_of, make_folds, plan_holdout
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


@given(SEEDS, st.integers(2, 8), st.integers(1, 4))
def test_folds_have_names_and_conversions_in_equal_numbers(seed, folds, looks):
    """Rows of one name are on one side, and folds differ by one name and by one name that converted at most."""
    frame = _frame(120, seed=seed)
    frame[SPLIT_KEY] = [f"account {row // looks}" for row in range(len(frame))]
    names = frame.groupby(SPLIT_KEY)[LABEL].max()
    split = SplitParams(seed=seed, folds=folds)
    judged = [frame.loc[judge, SPLIT_KEY].unique() for _, judge in make_folds(frame, split)]
    assert sorted(np.concatenate(judged)) == sorted(names.index)
    for numbers in ([len(some) for some in judged], [names[some].sum() for some in judged]):
        assert max(numbers) - min(numbers) <= 1


@given(SEEDS)
def test_what_many_leads_say_is_divided_and_few_copies_are_in_one(seed):
    """Without ids a hundred rows alike are a common lead, four are copies; the order of the rows changes nothing."""
    frame = _frame(600, seed=seed).drop(columns=LEAD_ID)
    frame[SPLIT_KEY] = [f"common {row % 3}" if row < 300 else f"copied {row // 4}" for row in range(600)]
    judged = [frame.loc[judge] for _, judge in make_folds(frame, SplitParams(seed=seed))]
    folds_of = pd.concat([some.groupby(SPLIT_KEY).size() for some in judged]).groupby(level=0).size()
    assert (folds_of[folds_of.index.str.startswith("common")] >= 3).all()
    assert (folds_of[folds_of.index.str.startswith("copied")] == 1).all()
    shuffled = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
    for some, (_, judge) in zip(judged, make_folds(shuffled, SplitParams(seed=seed)), strict=True):
        again = shuffled.loc[judge]
        assert some.value_counts().to_dict() == again.value_counts().to_dict()


def test_what_many_leads_say_is_dealt_out_whatever_its_label():
    """Halves of leads that are all alike have rates no farther apart than those of leads drawn at random."""
    frame = _frame(2000).drop(columns=LEAD_ID).assign(**{SPLIT_KEY: "common"})
    label = frame[LABEL].to_numpy()
    gaps = [label[half].mean() - label[~half].mean() for half in halves_of(frame, SplitParams(), 40)]
    by_chance = 2 * label.std() / np.sqrt(len(label))
    assert np.std(gaps) < 1.2 * by_chance


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize("labels", [[0] * 50, [1] * 50, [0] * 49 + [1]])
def test_a_fold_fitted_on_leads_of_one_kind_is_refused(dated, labels):
    """A model cannot be fitted where all leads became the same."""
    frame = _frame(50).assign(**{LABEL: labels})
    if dated:
        frame[CREATED_AT] = np.arange(50)
    with pytest.raises(
        ModelError, match=r"got \d+ of \d+ that converted and \d+ that judge in fold [1-5] of 5; lower split.folds or"
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


def _looks(seed, *, leads=300, accounts=90, first=0):
    """Return looks at leads of accounts on Mondays of two years, labels mature 40 days later."""
    random = np.random.default_rng(seed)
    size = leads * 8
    lead = random.integers(first, first + leads, size)
    frame = pd.DataFrame({LEAD_ID: [f"lead {number}" for number in lead]})
    frame[SPLIT_KEY] = [f"account {number % accounts}" if number % 3 else f"lead {number}" for number in lead]
    frame[AS_OF] = 1_700_000_000_000_000 + random.integers(0, 104, size) * 7 * DAY
    frame[MATURE_AT] = frame[AS_OF] + 40 * DAY
    frame[LABEL] = random.integers(0, 2, size)
    return frame.drop_duplicates([LEAD_ID, AS_OF], ignore_index=True)


@given(SEEDS, st.sampled_from([0.1, 0.25, 0.5]))
def test_no_account_is_on_both_sides_and_every_label_was_known_when_judging_began(seed, share):
    """Of looks, those learned from are mature by the instant from which others are judged."""
    frame = _looks(seed)
    holdout = plan_holdout(frame, SplitParams(test_share=share, seed=seed))
    learn, judge = frame[holdout.learnable(frame)], frame[holdout.mask(frame)]
    assert not set(learn[SPLIT_KEY]) & set(judge[SPLIT_KEY])
    assert not set(learn[LEAD_ID]) & set(judge[LEAD_ID])
    assert learn[MATURE_AT].max() <= holdout.since <= judge[AS_OF].min()
    aside = holdout.aside(frame)
    assert (aside & (frame[AS_OF] >= holdout.since)).sum() == len(judge)
    assert (~aside & (frame[MATURE_AT] <= holdout.since)).sum() == len(learn)


@given(SEEDS, st.integers(2, 6))
def test_folds_of_looks_are_judged_by_other_accounts_later(seed, folds):
    """Fitted on what was mature at the fold's origin, judged from it on, nobody on both sides; origins rise."""
    frame = _looks(seed)
    found = make_folds(frame, SplitParams(seed=seed, folds=folds))
    assert len(found) == folds
    for fit, judge in found:
        assert frame[MATURE_AT][fit].max() <= frame[AS_OF][judge].min()
        for name in (LEAD_ID, SPLIT_KEY):
            assert not set(frame[name][fit]) & set(frame[name][judge])
    judged = [set(frame[SPLIT_KEY][judge]) for _, judge in found]
    assert all(not one & other for at, one in enumerate(judged) for other in judged[:at])
    origins = [frame[AS_OF][judge].min() for _, judge in found]
    assert origins == sorted(origins)
    assert origins[0] >= frame[AS_OF].quantile(0.45)


@given(SEEDS)
def test_growing_looks_move_no_account_to_the_other_side(seed):
    """More leads and later dates change the instant, and no account's side."""
    split = SplitParams(seed=seed)
    early, late = _looks(seed), _looks(seed + 1, first=300)
    late[[AS_OF, MATURE_AT]] += 200 * DAY
    grown = pd.concat([late, early], ignore_index=True)
    before, after = plan_holdout(early, split), plan_holdout(grown, split)
    sides = after.aside(grown)[len(late) :]
    assert before.aside(early).tolist() == sides.tolist()
    assert after.since > before.since


@given(SEEDS)
def test_the_order_of_looks_changes_no_side_and_no_fold(seed):
    """Permuted looks give the same instant, the same sides and the same folds."""
    split = SplitParams(seed=seed, folds=3)
    frame = _looks(seed)
    order = np.random.default_rng(seed).permutation(len(frame))
    shuffled = frame.iloc[order].reset_index(drop=True)
    rule, again = plan_holdout(frame, split), plan_holdout(shuffled, split)
    assert rule == again
    assert again.mask(shuffled).tolist() == rule.mask(frame)[order].tolist()
    for one, other in zip(make_folds(frame, split), make_folds(shuffled, split), strict=True):
        for rows, same in zip(one, other, strict=True):
            assert set(map(tuple, frame.loc[rows, [LEAD_ID, AS_OF]].to_numpy())) == set(
                map(tuple, shuffled.loc[same, [LEAD_ID, AS_OF]].to_numpy())
            )


def test_of_flat_leads_all_that_are_not_kept_aside_are_learned_from():
    """Sides of flat leads partition them, with dates and without."""
    for frame in (_frame(50), _frame(50, dated=True)):
        holdout = plan_holdout(frame, SplitParams())
        assert (holdout.learnable(frame) == ~holdout.mask(frame)).all()


def test_looks_whose_labels_were_never_known_in_time_cannot_be_folded():
    """A horizon as long as the data leaves nothing to fit on, which is said."""
    frame = _looks(1)
    frame[MATURE_AT] = frame[AS_OF] + 4000 * DAY
    with pytest.raises(
        ModelError, match=r"got 0 of 0 that converted and \d+ that judge in fold 1 of 5; lower split.folds"
    ):
        make_folds(frame, SplitParams())
