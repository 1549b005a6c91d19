"""The profile of a training: no row and no order of rows, and how much the training's own leads varied."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from leadml.bundle.profile import ChangeSizes, FieldSizes, Profile
from leadml.leads.check.contract import AS_OF
from leadml.model.fit.estimator import FitResult
from leadml.model.predict.reference import FieldBins
from leadml.review.drift.training import largest_sizes, slice_counts, time_blocks, training_profile
from leadml.stages.candidates import candidate_table
from leadml.stages.cuts import Cut

CUTS = (Cut("MQL", 0.3, "fixed at 0.3"), Cut("SQL", 0.6, "fixed at 0.6"))


def _profile(fitted: FitResult, frame: pd.DataFrame, holdout: pd.DataFrame | None = None, **choices: object) -> Profile:
    """Return the profile of a training with as much of a holdout as is given."""
    chosen = {"cuts": CUTS, "clock": None, **choices}
    return training_profile(fitted, frame, frame.head(0) if holdout is None else holdout, **chosen)


@pytest.fixture(scope="module")
def profile(toy_fitted: FitResult, toy_leads: pd.DataFrame) -> Profile:
    """Return the profile of the made-up leads."""
    return _profile(toy_fitted, toy_leads, slices=["job", "asked"])


def test_the_counts_are_those_of_pandas(profile: Profile, toy_leads: pd.DataFrame, toy_fitted: FitResult) -> None:
    """Of the rows that were fitted on; probabilities and stages are those out-of-fold."""
    counts = profile.counts

    assert counts.rows == len(toy_leads)
    assert counts.fields["age"].missing == toy_leads["age"].isna().sum()
    levels = profile.bins["job"].levels
    assert dict(zip(levels, counts.fields["job"].bins, strict=False)) == toy_leads["job"].value_counts().to_dict()
    assert counts.fields["asked"].bins == ((toy_leads["asked"] == 0).sum(), (toy_leads["asked"] == 1).sum())
    assert counts.mean_probability == pytest.approx(toy_fitted.probability.mean(), abs=1e-6)
    above = [(toy_fitted.probability >= cut).sum() for cut in (0.0, 0.3, 0.6)]
    assert counts.stages == {"LEAD": above[0] - above[1], "MQL": above[1] - above[2], "SQL": above[2]}


def test_probabilities_are_counted_in_tenths(profile: Profile, toy_fitted: FitResult) -> None:
    """Between their deciles, so that each bin has about as many."""
    assert len(profile.edges) == 9
    assert profile.counts.scored == len(toy_fitted.probability)
    assert max(profile.counts.scores) - min(profile.counts.scores) <= 0.02 * profile.counts.scored


def test_the_order_of_rows_changes_nothing(profile: Profile, toy_fitted: FitResult, toy_leads: pd.DataFrame) -> None:
    """The hash of a model is a hash of its profile too."""
    shuffled = toy_leads.sample(frac=1, random_state=1)

    assert _profile(toy_fitted, shuffled, slices=["job", "asked"]) == profile


def test_slices_have_leads_and_conversions_of_each_value(profile: Profile, toy_leads: pd.DataFrame) -> None:
    """In the order of the bins, then those without a value."""
    slices = profile.slices["asked"]
    groups = [toy_leads["asked"] == 0, toy_leads["asked"] == 1, toy_leads["asked"].isna()]

    assert slices.rows == tuple(group.sum() for group in groups)
    assert slices.conversions == tuple(toy_leads["converted"][group].sum() for group in groups)
    assert sum(profile.slices["job"].rows) == len(toy_leads)
    assert slice_counts(FieldBins("number"), np.array([]), np.array([])).rows == (0, 0)


def test_leads_without_dates_varied_by_nothing(profile: Profile) -> None:
    """There is no time in which they could."""
    assert profile.varied == ChangeSizes({name: FieldSizes() for name in profile.bins})


def test_a_change_within_the_training_raises_the_limits(toy_fitted: FitResult, toy_leads: pd.DataFrame) -> None:
    """A field that an early fifth of the leads lacks, and numbers that are larger there."""
    frame = toy_leads.assign(**{AS_OF: np.arange(len(toy_leads))})
    first = frame[AS_OF] < len(frame) // 4
    frame.loc[first, "age"] = np.nan
    frame.loc[first, "visits"] += 50
    fitted = replace(toy_fitted, rows=toy_fitted.rows.assign(**{AS_OF: np.arange(len(toy_fitted.rows))}))
    varied = _profile(fitted, frame, clock=AS_OF).varied

    assert varied.fields["age"].missing > 0.8
    assert varied.fields["visits"].distribution > 1
    assert varied.fields["job"].distribution < 0.1
    assert varied.score < 0.1


def test_the_holdout_raises_the_limits_too(toy_fitted: FitResult, toy_leads: pd.DataFrame) -> None:
    """With dates and without: a change on which the model was evaluated is no news. A small holdout says too little."""
    changed = toy_leads.assign(visits=toy_leads["visits"] + 50)
    varied = _profile(toy_fitted, toy_leads, changed).varied

    assert varied.fields["visits"].distribution > 1
    assert varied.score > 0.5
    assert varied.stages > 0.25
    assert _profile(toy_fitted, toy_leads, changed.head(199)).varied.score == 0


@pytest.mark.parametrize(("rows", "sizes"), [(399, []), (400, [200, 200]), (5000, [1000] * 5)])
def test_blocks_have_200_rows_or_more(rows: int, sizes: list[int]) -> None:
    """Five at most; each row is in one block, and blocks follow each other in time."""
    clock = np.random.default_rng(0).permutation(rows)
    blocks = time_blocks(clock)

    assert [int(block.sum()) for block in blocks] == sizes
    if blocks:
        assert (np.sum(blocks, axis=0) == 1).all()
        assert all(clock[one].max() < clock[other].min() for one, other in pairwise(blocks))
    assert time_blocks(None) == []


def test_rows_of_one_instant_are_in_one_block() -> None:
    """Snapshots of one date are one; where dates have 200 rows each on average, each is a block."""
    clock = np.repeat([10, 20, 30, 40, 50, 60], [900, 20, 20, 20, 20, 20])

    assert [int(block.sum()) for block in time_blocks(clock)] == [900, 100]
    assert [int(block.sum()) for block in time_blocks(np.repeat([10, 20, 30], [900, 50, 50]))] == [900, 50, 50]
    weeks = [int(block.sum()) for block in time_blocks(np.arange(80).repeat(200))]
    assert len(weeks) == 52
    assert set(weeks) == {200, 400}


def test_the_largest_of_each_size_is_rounded_up() -> None:
    """So that a part of the training is never above its own limit; 0 is the least."""
    parts = [ChangeSizes({"age": FieldSizes(distribution=size)}, score=-1, stages=size) for size in (0.1, 1 / 3)]
    largest = largest_sizes(["age"], parts)

    assert (largest.fields["age"].distribution, largest.stages, largest.score) == (0.333334, 0.333334, 0.0)


def test_other_cuts_change_the_stages_alone(profile: Profile, toy_fitted: FitResult) -> None:
    """From the candidates of the training; the same cuts give the same counts, none give none."""
    table = candidate_table(toy_fitted.probability, toy_fitted.label)
    other = profile.with_cuts((Cut("IQL", 0.2, "fixed at 0.2"),), table)
    above = int((toy_fitted.probability >= 0.2).sum())

    assert other.counts.stages == {"LEAD": profile.counts.scored - above, "IQL": above}
    assert profile.with_cuts(CUTS, table) == profile
    assert profile.with_cuts((), table).counts.stages == {}
