"""Which scores are judged: one of each account and interval, the first."""

from __future__ import annotations

import numpy as np
import pytest

from leadml.review.looks import account_hashes, first_looks, spread_looks

DAYS, LEADS = 200, 50


def _nightly() -> tuple[np.ndarray, np.ndarray]:
    """Return the days and the leads of nightly scores of the same leads."""
    day = np.repeat(np.arange(DAYS), LEADS)
    return day, np.tile([f"lead {at}" for at in range(LEADS)], DAYS).astype(object)


def test_looks_of_an_account_are_an_interval_apart() -> None:
    """But for the first, which is as soon as there is a score."""
    day, lead = _nightly()
    rows = first_looks(day, lead, interval=30)
    for name in np.unique(lead):
        days = day[rows][lead[rows] == name]
        assert days[0] == 0
        assert (np.diff(days[1:]) == 30).all()
        assert DAYS - days[-1] <= 30


def test_every_day_has_some_looks() -> None:
    """Intervals begin on different days: after the first day no day has most of them."""
    day, lead = _nightly()
    by_day = np.bincount(day[first_looks(day, lead, interval=30)], minlength=DAYS)[1:]

    assert by_day.max() < LEADS / 4
    assert (by_day[:30] > 0).mean() > 0.5


def test_leads_of_one_account_share_a_look() -> None:
    """The first of them that was scored."""
    day = np.array([3, 1, 2, 1])
    rows = first_looks(day, np.array(["a", "a", "a", "b"], dtype=object), interval=1000)

    assert sorted(rows.tolist()) == [1, 3]


def test_more_scores_later_change_no_earlier_look() -> None:
    """A review tomorrow judges what one today judged, and more."""
    day, lead = _nightly()
    early = day < 100
    rows = first_looks(day, lead, interval=30)
    before = first_looks(day[early], lead[early], interval=30)

    assert set(before) == {row for row in rows if day[row] < 100}


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
