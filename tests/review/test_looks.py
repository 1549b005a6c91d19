"""Which scores are judged: one of each account and interval, the first."""

from __future__ import annotations

import numpy as np

from leadml.review.looks import account_hashes, first_in_period, first_looks

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


def test_each_lead_counts_once_a_period() -> None:
    """Its first score."""
    day, lead = _nightly()
    rows = first_in_period(day // 30, lead)

    assert len(rows) == LEADS * -(-DAYS // 30)
    assert set(day[rows]) == set(range(0, DAYS, 30))


def test_hashes_are_of_the_names_alone() -> None:
    """Neither order nor repetition matters."""
    names = np.array(["b", "a", "b"], dtype=object)

    assert account_hashes(names)[0] == account_hashes(names[::-1])[2] == account_hashes(names[:1])[0]
    assert len(set(account_hashes(names))) == 2
