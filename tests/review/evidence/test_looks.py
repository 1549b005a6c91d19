"""Which scores are judged: one of each account and interval, the first."""

from __future__ import annotations

import numpy as np
import pytest

from leadml.review.evidence.looks import account_hashes, are_apart, first_looks, spread_looks

DAYS, LEADS = 200, 50


def _nightly() -> tuple[np.ndarray, np.ndarray]:
    """Return the days and the leads of nightly scores of the same leads."""
    day = np.repeat(np.arange(DAYS), LEADS)
    return day, np.tile([f"lead {at}" for at in range(LEADS)], DAYS).astype(object)


def test_first_looks_of_a_lead_are_an_interval_apart() -> None:
    """The first is as soon as there is a score, and the others follow as soon as they may."""
    day, lead = _nightly()
    rows = first_looks(day, lead, interval=30)
    for name in np.unique(lead):
        assert day[rows][lead[rows] == name].tolist() == list(range(0, DAYS, 30))


def test_first_looks_of_leads_that_are_scored_once_are_all_scores() -> None:
    """Whatever the days."""
    day = np.sort(np.random.default_rng(0).integers(0, 500, 300))

    assert first_looks(day, np.arange(300).astype(str).astype(object), interval=30).tolist() == list(range(300))


def test_scores_of_an_account_that_are_too_near_are_left_out() -> None:
    """Each is compared with the one before it, of any lead of the account."""
    account = np.array(["a", "b", "a", "a", "b"], dtype=object)

    assert are_apart(np.array([0, 0, 29, 59, 30]), account, interval=30).tolist() == [True, True, False, True, True]
    assert are_apart(np.array([5, 5]), np.array(["a", "a"], dtype=object), interval=1).tolist() == [True, False]


@pytest.mark.parametrize("every", [1, 7])
def test_spread_looks_of_an_account_are_an_interval_apart(every: int) -> None:
    """Whether leads are scored each night or each week, also after the first batch, of which all count."""
    day, lead = _nightly()
    scored = day % every == 0
    rows = np.flatnonzero(scored)[spread_looks(day[scored], lead[scored], interval=30)]

    assert (day[rows] == 0).sum() == LEADS
    for name in np.unique(lead):
        days = day[rows][lead[rows] == name]
        assert (np.diff(days) >= 30).all()
        assert len(days) >= DAYS // 60


def test_spread_looks_are_like_the_scores_of_a_night() -> None:
    """Leads that stay for four weeks: the judged ones are as old as all that are scored, the first are younger."""
    created = np.arange(-28, 400).repeat(20)
    age = np.tile(np.arange(28), len(created))
    day, lead = created.repeat(28) + age, np.arange(len(created)).repeat(28).astype(str).astype(object)
    inside = (day >= 0) & (day < 400)
    order = np.argsort(day[inside], kind="stable")
    day, lead, age = (values[inside][order] for values in (day, lead, age))
    later = day > 60
    spread, first = (rows[later[rows]] for rows in (
        spread_looks(day, lead, interval=30), first_looks(day, lead, interval=30)))  # fmt: skip

    assert age[spread].mean() == pytest.approx(age[later].mean(), abs=0.5)
    assert age[first].mean() < age[later].mean() - 3


def test_more_scores_later_change_no_earlier_spread_look() -> None:
    """A review tomorrow judges what one today judged, and more."""
    day, lead = _nightly()
    early = day < 100
    rows, before = spread_looks(day, lead, interval=30), spread_looks(day[early], lead[early], interval=30)

    assert set(before) == {row for row in rows if day[row] < 100}
    assert len(spread_looks(day[:0], lead[:0], interval=30)) == 0


def test_hashes_are_of_the_names_alone() -> None:
    """Neither order nor repetition matters."""
    names = np.array(["b", "a", "b"], dtype=object)

    assert account_hashes(names)[0] == account_hashes(names[::-1])[2] == account_hashes(names[:1])[0]
    assert len(set(account_hashes(names))) == 2
