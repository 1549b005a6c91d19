"""The three splits: rows of one group stay together, and models are evaluated on other groups or on later rows."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from string import ascii_letters

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import ModelError
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import AS_OF, CREATED_AT, LABEL, LEAD_ID, MATURE_AT, SPLIT_KEY
from leadml.leads.split import (
    FoldSize,
    GroupTimeSplit,
    Holdout,
    PartSize,
    RandomSplit,
    TimeSplit,
    column_of,
    holdout_since,
)
from leadml.params import SplitParams
from tests.frames import holdout_of, rows, split_of

SEEDS = st.integers(0, 2**31 - 1)
START = 1_700_000_000_000_000
SPLITS = (RandomSplit, TimeSplit, GroupTimeSplit)
IDENTITY = [SPLIT_KEY, LEAD_ID, AS_OF]


def _flat(size, *, seed=0, dated=False, first=0):
    """Return flat leads: without instants, or with instants that two leads share on average."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({LEAD_ID: [f"lead {number}" for number in range(first, first + size)]})
    frame[LABEL] = random.integers(0, 2, size)
    if dated:
        frame[CREATED_AT] = START + random.integers(0, max(size // 2, 1), size) * 1_000_000
    return rows(frame)


def _snapshots(seed, *, leads=300, accounts=90, first=0):
    """Return snapshots of leads of accounts on Mondays of two years, with labels known 40 days later."""
    random = np.random.default_rng(seed)
    size = leads * 8
    lead = random.integers(first, first + leads, size)
    frame = pd.DataFrame({LEAD_ID: [f"lead {number}" for number in lead]})
    frame[SPLIT_KEY] = [f"account {number % accounts}" if number % 3 else f"lead {number}" for number in lead]
    frame[AS_OF] = START + random.integers(0, 104, size) * 7 * DAY
    frame[MATURE_AT] = frame[AS_OF] + 40 * DAY
    frame[LABEL] = random.integers(0, 2, size)
    return frame.drop_duplicates([LEAD_ID, AS_OF], ignore_index=True)


def _frame(kind, seed=0, size=400):
    """Return rows for a kind of split."""
    return _snapshots(seed) if kind is GroupTimeSplit else _flat(size, seed=seed, dated=kind is TimeSplit)


def _shuffled(frame, seed):
    order = np.random.default_rng(seed).permutation(len(frame))
    return frame.iloc[order].reset_index(drop=True), order


def _identities(frame, positions):
    """Return which rows these are, whatever their positions."""
    return set(map(tuple, frame.loc[positions, frame.columns.intersection(IDENTITY)].to_numpy()))


@pytest.mark.parametrize("kind", SPLITS)
def test_each_kind_of_leads_has_its_split(kind):
    """Rows without instants, rows with one instant each, and many snapshots of each lead."""
    frame = _frame(kind)
    split = split_of(frame, SplitParams())
    assert type(split) is kind
    assert (column_of(frame, split.clock) is None) == (kind is RandomSplit)
    assert (column_of(frame, split.cluster) is None) == (kind is not GroupTimeSplit)
    assert replace(split, is_weighed=True).cluster == SPLIT_KEY


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPLITS)
@given(seed=SEEDS)
def test_the_order_of_the_rows_changes_no_side_and_no_fold(kind, seed):
    """Permuted rows give the same rule, permuted masks, and the same rows in each fold."""
    choices = SplitParams(seed=seed, folds=3)
    frame = _frame(kind, seed, size=300)
    shuffled, order = _shuffled(frame, seed)
    split, holdout = split_of(frame, choices), holdout_of(frame, choices)
    assert holdout_of(shuffled, choices) == holdout
    assert holdout.mask(shuffled).tolist() == holdout.mask(frame)[order].tolist()
    assert holdout.learnable(shuffled).tolist() == holdout.learnable(frame)[order].tolist()
    for one, other in zip(split.folds(frame), split.folds(shuffled), strict=True):
        for positions, again in zip(one, other, strict=True):
            assert _identities(frame, positions) == _identities(shuffled, again)


@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.parametrize("kind", SPLITS)
def test_rows_sorted_for_a_fit_are_in_one_order(kind, copies):
    """Whatever the order of the rows was, the columns of the order give the same frame."""
    frame = _frame(kind, size=60)
    if copies and kind is not GroupTimeSplit:
        frame[SPLIT_KEY] = [f"copied {row // 4}" for row in range(len(frame))]
        frame = frame.drop(columns=LEAD_ID)
    order = list(kind(SplitParams(), copies=copies and kind is not GroupTimeSplit).order)
    shuffled, _ = _shuffled(frame, 1)
    one, other = (some.sort_values(order, kind="stable", ignore_index=True) for some in (frame, shuffled))
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPLITS)
@given(seed=SEEDS)
def test_no_row_and_no_group_is_fitted_on_and_held_out(kind, seed):
    """Rows to fit on and rows of the holdout are of different groups, also in each fold."""
    choices = SplitParams(seed=seed, folds=3)
    frame = _frame(kind, seed)
    holdout = holdout_of(frame, choices)
    pairs = [(holdout.learnable(frame), holdout.mask(frame)), *split_of(frame, choices).folds(frame)]
    for fitted, evaluated in pairs:
        for name in (LEAD_ID, SPLIT_KEY):
            assert not set(frame[name][fitted]) & set(frame[name][evaluated])


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPLITS)
@given(seed=SEEDS)
def test_no_row_is_evaluated_by_two_folds(kind, seed):
    """Folds share no row that they are evaluated on, and there are as many as asked for."""
    frame = _frame(kind, seed)
    folds = split_of(frame, SplitParams(seed=seed, folds=4)).folds(frame)
    evaluated = np.concatenate([positions for _, positions in folds])
    assert len(folds) == 4
    assert len(set(evaluated)) == len(evaluated)


@pytest.mark.slow
@given(SEEDS)
def test_a_lead_that_is_held_out_stays_held_out_when_leads_are_added(seed):
    """Without instants the holdout follows from the id alone, whatever rows stand before or after."""
    choices = SplitParams(seed=seed)
    early, late = _flat(40), _flat(40, first=40)
    all_leads = pd.concat([late, early], ignore_index=True)
    before = holdout_of(early, choices).mask(early)
    after = holdout_of(all_leads, choices).mask(all_leads)
    assert after[40:].tolist() == before.tolist()


@given(SEEDS, st.integers(2, 8))
def test_random_folds_partition_the_rows(seed, folds):
    """Every row is evaluated once, by a model that is fitted on all rows of the other folds."""
    frame = _flat(400)
    pairs = RandomSplit(SplitParams(seed=seed, folds=folds)).folds(frame)
    assert len(pairs) == folds
    assert sorted(np.concatenate([evaluated for _, evaluated in pairs])) == list(range(400))
    assert all(sorted([*fitted, *evaluated]) == list(range(400)) for fitted, evaluated in pairs)


@pytest.mark.slow
@given(SEEDS, st.integers(2, 8))
def test_folds_by_time_are_evaluated_on_rows_after_all_that_they_are_fitted_on(seed, folds):
    """Each fold is fitted on all rows that came before, to the instant, and no row is evaluated twice."""
    frame = _flat(400, seed=seed, dated=True)
    instants = frame[AS_OF].to_numpy()
    pairs = TimeSplit(SplitParams(folds=folds)).folds(frame)
    evaluated_once = np.concatenate([evaluated for _, evaluated in pairs])
    assert len(set(evaluated_once)) == len(evaluated_once)
    for fitted, evaluated in pairs:
        assert instants[fitted].max() < instants[evaluated].min()
        assert set(fitted) == set(np.flatnonzero(instants < instants[evaluated].min()))
    assert sorted([*pairs[0][0], *evaluated_once]) == list(range(400))


@pytest.mark.parametrize("size", [9, 10])
def test_blocks_of_time_begin_at_their_quantiles(size):
    """Of ten leads, the fourth and the seventh stand just where a third ends; they belong to the later block."""
    frame = rows(
        pd.DataFrame(
            {LEAD_ID: list("abcdefghij")[:size], CREATED_AT: range(size), LABEL: [0, 1] * 4 + [0] * (size - 8)}
        )
    )
    found = TimeSplit(SplitParams(folds=2)).folds(frame)
    assert [(fitted.tolist(), evaluated.tolist()) for fitted, evaluated in found] == [
        ([0, 1, 2], [3, 4, 5]),
        ([0, 1, 2, 3, 4, 5], list(range(6, size))),
    ]


@pytest.mark.parametrize("copies", [False, True])
def test_folds_by_time_are_fitted_on_no_group_that_they_are_evaluated_on_but_on_copies(copies):
    """A company that is evaluated is left out of the fit; of leads without ids equal values are no group."""
    frame = _flat(400, seed=1, dated=True).assign(**{SPLIT_KEY: [f"group {row % 250}" for row in range(400)]})
    group, instants = frame[SPLIT_KEY].to_numpy(), frame[AS_OF].to_numpy()
    for fitted, evaluated in TimeSplit(SplitParams(folds=3), copies=copies).folds(frame):
        allowed = copies | ~np.isin(group, group[evaluated])
        assert fitted.tolist() == np.flatnonzero((instants < instants[evaluated].min()) & allowed).tolist()


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.89])
def test_the_holdout_has_about_the_share_asked_for(share):
    """By id it is the share to three standard errors; by time it is the newest leads."""
    choices = SplitParams(test_share=share)
    frame = _flat(4000)
    assert holdout_of(frame, choices).mask(frame).mean() == pytest.approx(
        share, abs=3 * (share * (1 - share) / 4000) ** 0.5
    )
    dated = rows(frame.assign(**{CREATED_AT: np.arange(4000)}))
    held_out = holdout_of(dated, choices).mask(dated)
    assert held_out.mean() == pytest.approx(share, abs=1 / 4000)
    assert dated[AS_OF][~held_out].max() < dated[AS_OF][held_out].min()


def test_another_seed_holds_out_other_leads_and_folds_are_independent_of_the_holdout():
    """Holdouts of two seeds are independent, and so are holdout and folds of one seed."""
    frame = _flat(4000)
    one, other = Holdout(0.5, 0).mask(frame), Holdout(0.5, 1).mask(frame)
    assert (one == other).mean() == pytest.approx(0.5, abs=0.03)
    (_, first), _ = RandomSplit(SplitParams(folds=2)).folds(frame)
    assert one[first].mean() == pytest.approx(0.5, abs=0.04)


def test_whether_an_id_is_held_out_never_changes():
    """A bundle of today must know tomorrow which leads it was not fitted on."""
    frame = rows(pd.DataFrame({LEAD_ID: ["007", "7", "é", "9007199254740993"]}))
    assert Holdout(0.5, 0).mask(frame).tolist() == [False, False, False, False]


@pytest.mark.parametrize(
    ("seed", "held_out", "folds"),
    [
        (
            0,
            "bcegilnszCGLPZ",
            ["egijqrxCDFGHJNQWYZ", "acfklmopvzAELMRSX", "bdhnstuwyBIKOPTUV"],
        ),
        (
            7,
            "adijoyzFHMPQU",
            ["aefgjlruwyBEGHPQTZ", "bchisvxzCIKLMNOSX", "dkmnopqtADFJRUVWY"],
        ),
    ],
)
def test_which_groups_a_seed_draws_never_changes(seed, held_out, folds):
    """Every version of leadml draws the same of 52 groups; each fold is fitted on the groups of the others."""
    frame = pd.DataFrame({SPLIT_KEY: list(ascii_letters), LABEL: [0, 1] * 26})
    split = RandomSplit(SplitParams(seed=seed, folds=3))

    def groups(chosen):
        return "".join(frame.loc[chosen, SPLIT_KEY])

    assert groups(Holdout(0.25, seed).mask(frame)) == held_out
    found = split.folds(frame)
    assert [groups(evaluated) for _, evaluated in found] == folds
    assert [set(groups(fitted)) for fitted, _ in found] == [set(ascii_letters) - set(fold) for fold in folds]


def test_a_group_is_drawn_where_its_hash_lies_below_the_share():
    """The hash is BLAKE2b of 64 bits as a fraction, keyed by the seed; a share of just the hash is too small."""
    digest = hashlib.blake2b("é".encode(), digest_size=8, key=b"test 3").digest()
    number = int.from_bytes(digest, "little") / 2**64
    frame = pd.DataFrame({SPLIT_KEY: ["é"]})
    assert not Holdout(number, 3).draws(frame)[0]
    assert Holdout(np.nextafter(number, 1), 3).draws(frame)[0]


@pytest.mark.parametrize(
    ("holdout", "held_out", "learnable"),
    [
        (Holdout(0.25, 7), "aaaa", "bbbb"),
        (Holdout(0.25, 7, since=5), "aa", "bb"),
        (Holdout(0.25, 7, since=5, by_group=False), "abab", "abab"),
    ],
)
def test_rows_are_held_out_from_the_instant_and_fitted_on_if_their_label_is_known_by_it(holdout, held_out, learnable):
    """The instant itself belongs to both; where groups are drawn too, each side has its own groups."""
    frame = pd.DataFrame({SPLIT_KEY: list("ab" * 4), AS_OF: [3, 3, 4, 4, 5, 5, 6, 6]})
    frame[MATURE_AT] = frame[AS_OF] + 1
    held, learned = holdout.mask(frame), holdout.learnable(frame)

    assert "".join(frame[SPLIT_KEY][held]) == held_out
    assert "".join(frame[SPLIT_KEY][learned]) == learnable
    if holdout.since is not None:
        assert frame[AS_OF][held].unique().tolist() == [5, 6]
        assert frame[MATURE_AT][learned].unique().tolist() == [4, 5]


@pytest.mark.parametrize(("share", "since"), [(0.25, 30), (0.5, 30), (0.51, 20), (0.75, 20)])
def test_the_newest_share_begins_at_the_first_instant_that_reaches_it(share, since):
    """Of four rows at 10, 20, 30 and 30, a quarter is both rows at 30, and more than a half is three rows."""
    instants, counts = np.array([10, 20, 30]), np.array([1, 1, 2])
    split = SplitParams(test_share=share, seed=3)

    assert holdout_since(instants, counts, split, by_group=True) == Holdout(share, 3, since)
    assert TimeSplit(split).holdout(pd.DataFrame({AS_OF: [30, 10, 30, 20]})) == Holdout(share, 3, since, by_group=False)


def test_a_newest_share_that_would_have_the_oldest_rows_is_refused():
    """The message has the share, the number of leads, and how many have the oldest instant."""
    message = (
        "^the newest 25% of the leads must be newer than others, got 4,000 leads of which 3,500 have the same instant; "
        "bring more dates$"
    )
    with pytest.raises(ModelError, match=message):
        holdout_since(np.array([10, 20]), np.array([3500, 500]), SplitParams(), by_group=False)


@pytest.mark.parametrize(
    ("people", "expected"),
    [({}, None), ({"email": "mail"}, {"email": "mail", "phone": None, "name": None})],
)
def test_the_rule_at_random_knows_the_columns_of_people(people, expected):
    """With them the groups of later leads can be found again; without them no group depends on people."""
    choices = SplitParams(test_share=0.5, seed=3, same_person=people)

    assert RandomSplit(choices).holdout() == Holdout(0.5, 3, same_person=expected)


def _fold_of_row(frame, choices):
    """Return the number of the fold that each row is evaluated in, where equal rows are copies."""
    number = np.full(len(frame), -1)
    for fold, (_, evaluated) in enumerate(RandomSplit(choices, copies=True).folds(frame)):
        number[evaluated] = fold
    return number


def test_copies_are_dealt_to_parts_of_four_at_most_those_without_a_conversion_first():
    """Rows that are always in one fold are one part; of six equal rows, each part has three, one of which won."""
    frame = pd.DataFrame({SPLIT_KEY: list("xyxyxyxyxyxyz"), LABEL: [1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1]})
    frame = pd.concat([frame, pd.DataFrame({SPLIT_KEY: ["four"] * 4, LABEL: [0, 1, 0, 1]})])
    fold_of_row = np.array([_fold_of_row(frame, SplitParams(seed=seed, folds=3)) for seed in range(64)])
    part, _ = pd.factorize(pd.Series(map(tuple, fold_of_row.T.tolist())))

    assert part.tolist() == [0, 1, 0, 1, 2, 3, 2, 1, 0, 3, 2, 3, 4, 5, 5, 5, 5]


def test_folds_of_snapshots_begin_at_even_quantiles_of_their_later_half():
    """Six accounts have snapshots on ten days, labels are known two days later, and folds begin on days 5, 7 and 9.

    Each fold is evaluated on two accounts from its day on, and fitted on the other four where the label was known then.
    """
    days = np.repeat(np.arange(10), 6)
    frame = pd.DataFrame({SPLIT_KEY: list("abcdef") * 10, AS_OF: days, MATURE_AT: days + 2, LABEL: days % 2})
    row_of = {(group, day): row for row, (group, day) in enumerate(zip(frame[SPLIT_KEY], days, strict=True))}
    folds = GroupTimeSplit(SplitParams(folds=3)).folds(frame)
    parts = [set(frame[SPLIT_KEY][evaluated]) for _, evaluated in folds]

    assert [len(part) for part in parts] == [2, 2, 2]
    assert set.union(*parts) == set("abcdef")
    for (fitted, evaluated), part, first in zip(folds, parts, (5, 7, 9), strict=True):
        assert set(evaluated) == {row_of[group, day] for group in part for day in range(first, 10)}
        assert set(fitted) == {row_of[group, day] for group in set("abcdef") - part for day in range(first - 1)}


def test_a_rule_by_time_holds_for_leads_that_come_later():
    """All leads that come at the instant or after it are held out."""
    frame = rows(pd.DataFrame({LEAD_ID: ["a", "b", "c"], CREATED_AT: [1, 5, 6]}))
    assert Holdout(0.25, 0, since=5, by_group=False).mask(frame).tolist() == [False, True, True]


@pytest.mark.slow
@given(SEEDS, st.integers(2, 8), st.integers(1, 4))
def test_folds_have_groups_and_conversions_in_equal_numbers(seed, folds, size):
    """Rows of one group are in one fold; folds differ by one group and by one group that converted at most."""
    frame = _flat(120, seed=seed)
    frame[SPLIT_KEY] = [f"account {row // size}" for row in range(len(frame))]
    groups = frame.groupby(SPLIT_KEY)[LABEL].max()
    split = RandomSplit(SplitParams(seed=seed, folds=folds))
    by_fold = [frame.loc[evaluated, SPLIT_KEY].unique() for _, evaluated in split.folds(frame)]
    assert sorted(np.concatenate(by_fold)) == sorted(groups.index)
    for numbers in ([len(some) for some in by_fold], [groups[some].sum() for some in by_fold]):
        assert max(numbers) - min(numbers) <= 1


@pytest.mark.slow
@given(SEEDS)
def test_many_rows_with_the_same_values_are_divided_and_a_few_stay_together(seed):
    """Without ids a hundred equal rows are a common lead, four are copies; the order of the rows changes nothing."""
    frame = _flat(600, seed=seed)
    frame[SPLIT_KEY] = [f"common {row % 3}" if row < 300 else f"copied {row // 4}" for row in range(600)]
    frame = frame.drop(columns=LEAD_ID)
    split = RandomSplit(SplitParams(seed=seed), copies=True)
    by_fold = [frame.loc[evaluated] for _, evaluated in split.folds(frame)]
    folds_of = pd.concat([some.groupby(SPLIT_KEY).size() for some in by_fold]).groupby(level=0).size()
    assert (folds_of[folds_of.index.str.startswith("common")] >= 3).all()
    assert (folds_of[folds_of.index.str.startswith("copied")] == 1).all()
    shuffled = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
    for some, (_, evaluated) in zip(by_fold, split.folds(shuffled), strict=True):
        again = shuffled.loc[evaluated]
        assert some.value_counts().to_dict() == again.value_counts().to_dict()


@pytest.mark.slow
def test_many_rows_with_the_same_values_are_divided_whatever_their_label():
    """Two folds of leads that are all equal have rates no farther apart than those of leads drawn at random."""
    frame = _frame(RandomSplit, size=2000).assign(**{SPLIT_KEY: "common"})
    label = frame[LABEL].to_numpy()
    folds = [_fold_of_row(frame, SplitParams(seed=seed, folds=2)) for seed in range(40)]
    gaps = [label[fold == 0].mean() - label[fold == 1].mean() for fold in folds]
    by_chance = 2 * label.std() / np.sqrt(len(label))
    assert np.std(gaps) < 1.2 * by_chance


@pytest.mark.parametrize("kind", SPLITS)
@pytest.mark.parametrize("converted", [[], slice(None), [-1]])
def test_a_fold_fitted_on_leads_of_one_outcome_is_refused(kind, converted):
    """A model cannot be fitted where no lead converted, all did, or only one did."""
    frame = _snapshots(3, leads=60) if kind is GroupTimeSplit else _flat(50)
    frame[LABEL] = 0
    frame.loc[frame.index[converted], LABEL] = 1
    if kind is TimeSplit:
        frame = rows(frame.assign(**{CREATED_AT: np.arange(50)}))
    with pytest.raises(
        ModelError,
        match=(
            r"must be fitted on leads of both outcomes .* got fold [1-5] of 5 fitted on \d+ leads, of which \d+ "
            r"converted, and evaluated on [1-9]\d*; "
            + ("bring more leads of the rarer outcome" if kind is RandomSplit else "raise split.folds or bring older")
        ),
    ):
        split_of(frame, SplitParams()).folds(frame)


@pytest.mark.parametrize(
    ("label", "folds", "message"),
    [
        ([0, 1, 0, 1, 0, 0], 2, None),  # folds fitted on 2 and on 4
        ([0, 0, 0, 1, 0, 0], 2, "fold 1 of 2 fitted on 2 leads, of which 0 converted, and evaluated on 2"),
        ([1, 1, 0, 1, 0, 0], 2, "fold 1 of 2 fitted on 2 leads, of which 2 converted, and evaluated on 2"),
        ([1] * 3000, 2, "fold 1 of 2 fitted on 1,000 leads, of which 1,000 converted, and evaluated on 1,000"),
    ],
)
def test_the_message_of_a_fold_of_one_outcome_counts_its_leads(label, folds, message):
    """Both numbers of leads and the conversions are those of the first fold at fault."""
    frame = pd.DataFrame(
        {SPLIT_KEY: [f"lead {row}" for row in range(len(label))], AS_OF: range(len(label)), LABEL: label}
    )
    split = TimeSplit(SplitParams(folds=folds))
    if message is None:
        assert [(len(fitted), len(evaluated)) for fitted, evaluated in split.folds(frame)] == [(2, 2), (4, 2)]
        return
    must = "each fold must be fitted on leads of both outcomes and evaluated on other leads, got "
    with pytest.raises(ModelError, match=f"^{must}{message}; raise split.folds or bring older leads of both outcomes$"):
        split.folds(frame)


@pytest.mark.parametrize(("first_won", "left"), [(0, 5), (10, 4), (30, 2)])
def test_folds_before_the_first_conversion_are_left_out_if_leads_have_dates(first_won, left):
    """The others are as they were; two are needed, and without dates no fold is left out."""
    frame = pd.DataFrame({SPLIT_KEY: [f"lead {row}" for row in range(60)], AS_OF: range(60), LABEL: 0})
    frame.loc[first_won::3, LABEL] = 1
    every = frame.assign(**{LABEL: np.arange(60) % 2})
    split = TimeSplit(SplitParams())
    found, expected = split.folds(frame), split.folds(every)[-left:]
    assert len(found) == left
    assert all(
        np.array_equal(one, other)
        for fold in zip(found, expected, strict=True)
        for one, other in zip(*fold, strict=True)
    )


def test_more_folds_find_conversions_that_came_late_and_fewer_do_not():
    """The first of seven in ten leads by date did not convert; the message says to raise the number of folds."""
    frame = pd.DataFrame({SPLIT_KEY: [f"lead {row}" for row in range(100)], AS_OF: range(100), LABEL: 0})
    frame.loc[70::3, LABEL] = 1
    for folds in (2, 5):
        with pytest.raises(ModelError, match=r"; raise split\.folds or bring older leads of both outcomes$"):
            TimeSplit(SplitParams(folds=folds)).folds(frame)
    assert len(TimeSplit(SplitParams(folds=10)).folds(frame)) == 3


def test_a_fold_that_is_evaluated_on_no_lead_is_refused():
    """Three groups fill three folds; the fourth has none."""
    frame = pd.DataFrame({SPLIT_KEY: list("abcabc"), LABEL: [0, 0, 0, 1, 1, 1]})
    message = r"got fold 4 of 4 fitted on 6 leads, of which 3 converted, and evaluated on 0; lower split.folds"
    assert len(RandomSplit(SplitParams(folds=3)).folds(frame)) == 3
    with pytest.raises(ModelError, match=message):
        RandomSplit(SplitParams(folds=4)).folds(frame)


@pytest.mark.parametrize("kind", SPLITS)
def test_no_leads_cannot_be_divided_into_folds(kind):
    """Without leads training is refused with a message."""
    frame = _frame(kind).head(0)
    with pytest.raises(ModelError, match=r"^there must be leads to divide into folds, got 0 leads$"):
        kind(SplitParams()).folds(frame)


@pytest.mark.parametrize("by_group", [False, True])
def test_leads_of_one_instant_cannot_be_held_out_by_time(by_group):
    """Where all leads have one instant none would be left to fit on, and the message says so."""
    frame = rows(_flat(20).assign(**{CREATED_AT: 5}))
    if by_group:
        frame[MATURE_AT] = 9
    with pytest.raises(ModelError, match="20 leads"):
        holdout_of(frame, SplitParams())


@pytest.mark.slow
@given(SEEDS, st.sampled_from([0.1, 0.25, 0.5]))
def test_every_label_to_fit_on_is_known_when_the_holdout_begins(seed, share):
    """Snapshots to fit on are mature by the instant from which other groups are held out."""
    frame = _snapshots(seed)
    holdout = holdout_of(frame, SplitParams(test_share=share, seed=seed))
    learn, held_out = frame[holdout.learnable(frame)], frame[holdout.mask(frame)]
    assert not set(learn[SPLIT_KEY]) & set(held_out[SPLIT_KEY])
    assert not set(learn[LEAD_ID]) & set(held_out[LEAD_ID])
    assert learn[MATURE_AT].max() <= holdout.since <= held_out[AS_OF].min()
    drawn = holdout.draws(frame)
    assert (drawn & (frame[AS_OF] >= holdout.since)).sum() == len(held_out)
    assert (~drawn & (frame[MATURE_AT] <= holdout.since)).sum() == len(learn)


@pytest.mark.slow
@given(SEEDS, st.integers(2, 6))
def test_folds_of_snapshots_are_evaluated_on_other_groups_later(seed, folds):
    """Fitted on what was mature at the fold's origin, evaluated from it on other groups; origins rise."""
    frame = _snapshots(seed)
    found = GroupTimeSplit(SplitParams(seed=seed, folds=folds)).folds(frame)
    assert len(found) == folds
    for fitted, evaluated in found:
        assert frame[MATURE_AT][fitted].max() <= frame[AS_OF][evaluated].min()
        for name in (LEAD_ID, SPLIT_KEY):
            assert not set(frame[name][fitted]) & set(frame[name][evaluated])
    groups = [set(frame[SPLIT_KEY][evaluated]) for _, evaluated in found]
    assert all(not one & other for at, one in enumerate(groups) for other in groups[:at])
    origins = [frame[AS_OF][evaluated].min() for _, evaluated in found]
    assert origins == sorted(origins)
    assert origins[0] >= frame[AS_OF].quantile(0.45)


@pytest.mark.slow
@given(SEEDS)
def test_later_snapshots_change_the_instant_and_no_group_that_is_drawn(seed):
    """More leads and later dates move the beginning of the holdout; which groups are drawn stays."""
    choices = SplitParams(seed=seed)
    early, late = _snapshots(seed), _snapshots(seed + 1, first=300)
    late[[AS_OF, MATURE_AT]] += 200 * DAY
    all_snapshots = pd.concat([late, early], ignore_index=True)
    before, after = holdout_of(early, choices), holdout_of(all_snapshots, choices)
    drawn = after.draws(all_snapshots)[len(late) :]
    assert before.draws(early).tolist() == drawn.tolist()
    assert after.since > before.since


@pytest.mark.parametrize("kind", [RandomSplit, TimeSplit])
def test_of_flat_leads_all_that_are_not_held_out_are_fitted_on(kind):
    """The two parts of flat leads partition them, with dates and without."""
    frame = _frame(kind, size=50)
    holdout = holdout_of(frame, SplitParams())
    assert (holdout.learnable(frame) == ~holdout.mask(frame)).all()


def test_snapshots_whose_labels_were_never_known_in_time_cannot_be_divided_into_folds():
    """A horizon as long as the data leaves nothing to fit on, and the message says so."""
    frame = _snapshots(1)
    frame[MATURE_AT] = frame[AS_OF] + 4000 * DAY
    with pytest.raises(
        ModelError,
        match=(r"got fold 1 of 5 fitted on 0 leads, of which 0 converted, and evaluated on \d+; raise split.folds"),
    ):
        GroupTimeSplit(SplitParams()).folds(frame)


def test_the_size_of_a_part_has_its_rows_conversions_and_ends():
    """Rows without instants have no ends."""
    label, clock = np.array([1, 0, 1]), np.array([7, 3, 5])
    assert PartSize.of(label, clock) == PartSize(3, 2, 3, 7)
    assert PartSize.of(label, None) == PartSize(3, 2)
    assert FoldSize(PartSize(3, 2), PartSize(1, 0)).fitted.conversions == 2
