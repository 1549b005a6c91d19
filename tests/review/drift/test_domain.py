"""Two times are told apart as well as their leads differ, and not better."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from leadml.review.drift.domain import MIN_LEADS, MOST_LEADS, DomainResult, domain_result

NAMES = ("a", "b", "c")


def _leads(seed: int, rows: int = 1500, *, shift: float = 0.0, of: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(rows, len(NAMES)))
    values[:, of] += shift
    return values


def _found(before: np.ndarray, after: np.ndarray) -> DomainResult:
    found = domain_result(before, after, NAMES)
    assert found is not None
    return found


@pytest.mark.slow
def test_leads_of_one_kind_are_not_told_apart() -> None:
    """The AUC is 0.5 on average, and 90% intervals hold 0.5 in 9 of 10 pairs of times, here at least in 25 of 30."""
    results = [_found(_leads(seed, 400), _leads(seed + 100, 400)) for seed in range(30)]

    assert np.mean([each.roc_auc for each in results]) == pytest.approx(0.5, abs=0.02)
    assert sum(each.low <= 0.5 <= each.high for each in results) >= 25
    assert max(each.low for each in results) < 0.55


def test_a_shift_of_one_part_is_told_as_well_as_can_be() -> None:
    """The best AUC for a shift of one deviation is 0.76; the part that moved is named first."""
    best = norm.cdf(1 / np.sqrt(2))
    for of, name in enumerate(NAMES):
        found = _found(_leads(1), _leads(2, shift=1.0, of=of))
        assert found.strongest[0] == name
        assert best - 0.05 < found.roc_auc < best + 0.02
        assert found.low < found.roc_auc < found.high


def test_times_that_have_nothing_in_common_are_surely_told_apart() -> None:
    """No pair of leads is in the wrong order, and the interval is known all the same."""
    found = _found(np.zeros((300, 3)), np.ones((300, 3)))

    assert [found.roc_auc, found.low, found.high] == pytest.approx([1.0, 1.0, 1.0])


def test_a_larger_shift_is_told_better() -> None:
    """And which of the times is called the later one does not matter."""
    shifts = [_found(_leads(1), _leads(2, shift=shift)).roc_auc for shift in (0.0, 0.5, 1.0, 2.0)]

    assert shifts == sorted(shifts)
    assert _found(_leads(2, shift=1.0), _leads(1)).roc_auc == pytest.approx(shifts[2], abs=0.02)


def test_the_same_leads_give_the_same_result() -> None:
    """To the bit, and of many leads only some are read, evenly spaced."""
    before, after = _leads(3), _leads(4, shift=0.3)
    assert _found(before, after) == _found(before, after)
    many = np.repeat(_leads(5, MOST_LEADS), 2, axis=0)
    many[1::2] += 100.0

    assert domain_result(many, many[::-1], NAMES) is not None
    assert _found(np.repeat(before, 10, axis=0), after).roc_auc > 0.5


def test_with_few_leads_or_without_parts_nothing_is_said() -> None:
    """199 leads of one time are too few, 200 are enough."""
    enough, few = _leads(6, MIN_LEADS), _leads(6, MIN_LEADS - 1)

    assert domain_result(enough, enough, NAMES) is not None
    assert domain_result(few, enough, NAMES) is None
    assert domain_result(enough, few, NAMES) is None
    assert domain_result(np.empty((500, 0)), np.empty((500, 0)), ()) is None


def test_parts_that_never_vary_are_not_named() -> None:
    """Nothing can be told by them, so the AUC is 0.5."""
    found = _found(np.zeros((300, 3)), np.zeros((300, 3)))

    assert (found.roc_auc, found.strongest) == (0.5, ())
