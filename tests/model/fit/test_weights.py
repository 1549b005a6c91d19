"""How parts are weighted: what follows from sameness, from differences in time and from chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.model.fit.weights import PERIODS, period_of, predictive_weights, prior_weights
from leadml.types import Floats, Rows

EVEN = np.full(2, 0.5)
ROWS = 2000
PERIOD = np.arange(ROWS) * PERIODS // ROWS


def _losses(*behind: Floats | float, rows: int = ROWS, noise: float = 0.1, seed: int = 0) -> Floats:
    """Return the losses of parts that are behind a common loss, each with noise of its own."""
    random = np.random.default_rng(seed)
    common = random.exponential(0.3, rows)
    return np.column_stack([common + each + random.normal(0.0, noise, rows) for each in (0.0, *behind)])


@given(
    st.integers(0, 2**31),
    st.lists(st.floats(-0.01, 0.03), min_size=1, max_size=4),
    st.sampled_from([None, PERIOD]),
    st.sampled_from([None, np.arange(ROWS) // 3]),
)
def test_weights_add_up_to_1_and_the_best_part_gains(
    seed: int, behind: list[float], period: Rows | None, cluster: Rows | None
) -> None:
    """None is negative, and the part with the least loss has at least its prior."""
    losses = _losses(*behind, seed=seed)
    prior = np.random.default_rng(seed).dirichlet(np.ones(len(behind) + 1))
    weights = predictive_weights(losses, prior, period, cluster)
    best = int(np.argmin(losses.mean(axis=0)))

    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()
    assert weights[best] >= prior[best] - 1e-12


@pytest.mark.parametrize("period", [None, PERIOD], ids=["one period", "periods"])
@pytest.mark.parametrize("rounding", [0.0, 1e-16])
def test_equal_parts_keep_their_prior(period: Rows | None, rounding: float) -> None:
    """Differences of the size of rounding count for nothing."""
    prior = np.array([0.2, 0.5, 0.3])
    losses = np.repeat(_losses()[:, :1], 3, axis=1) + rounding * np.arange(3)

    assert predictive_weights(losses, prior, period) == pytest.approx(prior, abs=1e-12)


def test_an_equal_part_has_the_share_of_its_prior_wherever_it_is_behind() -> None:
    """Two copies of a worse part have its weight together, if they share its prior."""
    losses = _losses(0.004)
    alone = predictive_weights(losses, EVEN, PERIOD)
    copies = predictive_weights(losses[:, [0, 1, 1]], np.array([0.5, 0.2, 0.3]), PERIOD)

    assert copies == pytest.approx([alone[0], alone[1] * 0.4, alone[1] * 0.6])


def test_a_part_that_is_worse_in_every_period_loses_its_weight_and_one_that_is_better_in_some_keeps_much() -> None:
    """Both are behind by as much on average; only the second may be the best in a new period."""
    changing = np.where(PERIOD % 2 == 0, 0.05, -0.03)
    weights = predictive_weights(_losses(0.01, changing, noise=0.01), np.full(3, 1 / 3), PERIOD)

    assert weights[1] < 0.001
    assert weights[2] > 0.8 * weights[0]


def test_a_part_that_is_worse_in_every_period_by_various_amounts_has_no_weight() -> None:
    """How bad it was says nothing of a period in which it would be good."""
    varying = np.random.default_rng(3).uniform(0.02, 0.18, PERIODS)[PERIOD]

    assert predictive_weights(_losses(varying, noise=0.01), EVEN, PERIOD)[1] < 0.01


def test_without_periods_the_same_changes_are_mere_chance() -> None:
    """The part that is better in some periods is as surely behind as rows tell."""
    changing = np.where(PERIOD % 2 == 0, 0.05, -0.03)
    losses = _losses(changing, noise=0.01)

    assert predictive_weights(losses, EVEN, None)[1] < 0.001
    assert predictive_weights(losses, EVEN, PERIOD)[1] > 0.3


@pytest.mark.parametrize("period", [None, PERIOD], ids=["one period", "periods"])
def test_a_part_that_is_worse_by_one_amount_in_all_rows_has_no_weight(period: Rows | None) -> None:
    """It is behind without any doubt, however little."""
    common = _losses()[:, 0]

    assert predictive_weights(np.column_stack([common, common + 1e-6]), EVEN, period)[1] < 1e-12
    assert predictive_weights(np.array([[0.5, 0.75]] * 40), EVEN, None).tolist() == [1.0, 0.0]


def test_the_weight_of_a_few_rows_is_that_by_hand() -> None:
    """A mean difference of 0.1 with a standard error of 0.1 is one, and its square is halved and quartered."""
    losses = np.array([[0.3, 0.3], [0.3, 0.5]])
    odds = np.divide(*predictive_weights(losses, EVEN, None)[::-1])

    assert odds == pytest.approx(np.exp(-1 / 8))


def test_the_weight_of_two_periods_is_that_by_hand() -> None:
    """With means of -0.1 and 0.3 and no chance it is 0.01 of a new period, and half of 0.08 of each mean of two."""
    losses = np.array([[0.4, 0.3], [0.4, 0.3], [0.3, 0.6], [0.3, 0.6]])
    odds = np.divide(*predictive_weights(losses, EVEN, np.array([0, 0, 1, 1]))[::-1])

    assert odds == pytest.approx(np.exp(-(0.1**2) / (0.01 + 2 * 0.08 / 2) / 8))


def test_more_leads_of_the_same_kind_sharpen_the_weights() -> None:
    """The weight of a worse part falls with the number of rows, if rows have no instant."""
    falling = [predictive_weights(np.tile(_losses(0.01), (times, 1)), EVEN, None)[1] for times in (1, 4, 16)]

    assert falling == sorted(falling, reverse=True)
    # The log of the odds falls in proportion to the number of rows.
    odds = [np.log(weight / (1 - weight)) for weight in falling]
    assert odds[1] / odds[0] == pytest.approx(4, rel=0.01)
    assert odds[2] / odds[0] == pytest.approx(16, rel=0.01)


def test_more_leads_of_the_same_periods_tell_little_more_of_a_new_period() -> None:
    """Where periods differ, certainty grows with their number and not with the number of their rows."""
    changing = np.where(PERIOD % 2 == 0, 0.05, -0.03)
    losses = _losses(changing, noise=0.01)
    once = predictive_weights(losses, EVEN, PERIOD)
    often = predictive_weights(np.tile(losses, (16, 1)), EVEN, np.tile(PERIOD, 16))

    assert often == pytest.approx(once, abs=0.001)


@pytest.mark.parametrize("period", [None, PERIOD], ids=["one period", "periods"])
@pytest.mark.parametrize("seed", range(5))
def test_leaving_out_a_thousandth_of_the_rows_changes_no_weight_by_much(period: Rows | None, seed: int) -> None:
    """By less than three hundredths, though some parts are as close to each other as candidates mostly are."""
    behind = (0.001, 0.002, 0.004, np.where(PERIOD < 5, 0.01, -0.001))
    losses = _losses(*behind, seed=seed)
    prior = np.full(5, 0.2)
    weights = predictive_weights(losses, prior, period)
    for draw in range(20):
        kept = np.random.default_rng(draw).random(ROWS) >= 0.001
        fewer = predictive_weights(losses[kept], prior, None if period is None else period[kept])
        assert fewer == pytest.approx(weights, abs=0.03)


@pytest.mark.parametrize("period", [None, PERIOD], ids=["one period", "periods"])
def test_repeated_rows_of_one_cluster_add_no_certainty(period: Rows | None) -> None:
    """Ten copies of each row, of one cluster, weigh as the rows do; as rows of their own they weigh otherwise."""
    losses = _losses(0.005)
    repeat = np.repeat(np.arange(ROWS), 10)
    periods = None if period is None else period[repeat]
    once = predictive_weights(losses, EVEN, period)

    assert predictive_weights(losses[repeat], EVEN, periods, repeat) == pytest.approx(once)
    assert abs(predictive_weights(losses[repeat], EVEN, periods)[1] - once[1]) > 0.1


def test_a_cluster_of_each_row_is_no_cluster() -> None:
    """The numbers of the clusters have no meaning."""
    losses = _losses(0.005)
    numbers = np.random.default_rng(1).permutation(ROWS)

    assert predictive_weights(losses, EVEN, PERIOD, numbers) == pytest.approx(predictive_weights(losses, EVEN, PERIOD))


@given(st.integers(0, 2**31))
def test_the_order_of_rows_and_parts_changes_nothing(seed: int) -> None:
    """Up to rounding; a part has its weight at any place."""
    random = np.random.default_rng(seed)
    losses, prior = _losses(0.003, -0.002, seed=seed), random.dirichlet(np.ones(3))
    cluster = random.integers(0, 500, ROWS)
    rows, parts = random.permutation(ROWS), random.permutation(3)
    weights = predictive_weights(losses, prior, PERIOD, cluster)
    again = predictive_weights(losses[rows][:, parts], prior[parts], PERIOD[rows], cluster[rows])

    assert again == pytest.approx(weights[parts], abs=1e-9)


def test_a_common_loss_of_all_parts_changes_nothing() -> None:
    """Hard rows are hard for each part."""
    losses = _losses(0.005)
    common = np.random.default_rng(3).exponential(5.0, (ROWS, 1))

    assert predictive_weights(losses + common, EVEN, PERIOD) == pytest.approx(predictive_weights(losses, EVEN, PERIOD))


@given(st.integers(0, 2**31), st.integers(1, 3000), st.integers(1, 400))
def test_there_are_twenty_periods_of_about_the_same_size_and_none_divides_an_instant(
    seed: int, rows: int, instants: int
) -> None:
    """A period is larger than a twentieth by less than one instant; later instants are in no earlier period."""
    clock = np.random.default_rng(seed).integers(0, instants, rows)
    period = period_of(clock)
    sizes, largest = np.bincount(period), int(np.unique(clock, return_counts=True)[1].max())

    assert all(len(np.unique(period[clock == instant])) == 1 for instant in np.unique(clock))
    assert (np.diff(period[np.argsort(clock, kind="stable")]) >= 0).all()
    assert set(period) == set(range(len(sizes)))
    assert len(sizes) <= PERIODS
    assert sizes.max() < rows / PERIODS + largest + 1


@pytest.mark.parametrize("rows", [20, 2000, 2013])
def test_rows_of_different_instants_are_in_twenty_equal_periods(rows: int) -> None:
    """The sizes differ by one row at most, in whatever order the rows are."""
    clock = np.random.default_rng(0).permutation(rows) * 7
    sizes = np.bincount(period_of(clock))

    assert len(sizes) == 20
    assert np.ptp(sizes) <= 1


def test_rows_without_an_instant_have_no_period() -> None:
    """Nothing is None."""
    assert period_of(None) is None


@pytest.mark.parametrize("conversions", [1, 30, 60, 240, 10**6])
def test_trees_begin_with_less_weight_the_fewer_leads_convert(conversions: int) -> None:
    """Half as much as each other family at 60 conversions; a family has no more weight for having more parts."""
    families = [("linear", 0.0)] * 2 + [("linear", 0.25)] * 3 + [("points", 0.0)] + [("trees", 0.0)] * 7
    prior = prior_weights(families, conversions)
    of_family = {family: prior[[each == family for each in families]].sum() for family in families}
    assert prior.sum() == pytest.approx(1.0)
    assert of_family["linear", 0.0] == pytest.approx(of_family["points", 0.0])
    assert of_family["linear", 0.0] == pytest.approx(of_family["linear", 0.25])
    assert of_family["trees", 0.0] / of_family["linear", 0.0] == pytest.approx(conversions / (conversions + 60))
