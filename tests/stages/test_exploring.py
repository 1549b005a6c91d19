"""Leads that are drawn to be worked although they are below the cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.stages.exploring import draw_marks
from leadml.stages.ladder import STAGES

NAMES = np.array([f"L{number}" for number in range(5000)], dtype=object)


def _advised(stage: str, size: int = len(NAMES)) -> np.ndarray:
    return np.full(size, stage, dtype=object)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3])
def test_a_share_of_the_leads_below_is_marked(share: float) -> None:
    """As many as chance allows, and each has the chance that it had."""
    marks = draw_marks(NAMES, _advised("IQL"), share=share, seed=0)
    expected, error = share * len(NAMES), np.sqrt(share * (1 - share) * len(NAMES))
    assert abs(marks.is_marked.sum() - expected) < 4 * error
    assert set(marks.propensity) == {share}
    assert set(marks.explored) == {0, 1}


@pytest.mark.parametrize("stage", STAGES)
def test_leads_that_are_worked_anyway_are_not_drawn(stage: str) -> None:
    """From MQL on sales get them."""
    marks = draw_marks(NAMES[:50], _advised(stage, 50), share=0.5, seed=0)
    is_below = stage in {"LEAD", "IQL"}
    assert (marks.propensity != None).all() == is_below  # noqa: E711 - of each element
    assert marks.is_marked.any() == is_below


@given(seed=st.integers(0, 1000), low=st.floats(0.01, 0.2), more=st.floats(0.0, 0.3))
def test_a_lead_is_drawn_once(seed: int, low: float, more: float) -> None:
    """In any order, among any others, and a larger share adds leads and takes none away."""
    names = NAMES[:200]
    marks = draw_marks(names, _advised("LEAD", 200), share=low, seed=seed).is_marked
    order = np.random.default_rng(seed).permutation(200)[:100]
    again = draw_marks(names[order], _advised("LEAD", 100), share=low, seed=seed).is_marked
    assert np.array_equal(again, marks[order])
    larger = draw_marks(names, _advised("LEAD", 200), share=low + more, seed=seed).is_marked
    assert (larger | ~marks).all()


def test_leads_of_an_account_are_drawn_together_and_other_seeds_draw_others() -> None:
    """Sales work an account, not a row."""
    accounts = np.repeat(NAMES[:100], 5)
    marks = draw_marks(accounts, _advised("LEAD", 500), share=0.2, seed=0).is_marked.reshape(100, 5)
    assert (marks.all(axis=1) == marks.any(axis=1)).all()
    one, two = (draw_marks(NAMES, _advised("LEAD"), share=0.2, seed=seed).is_marked for seed in (0, 1))
    assert 0.02 < (one & two).mean() < 0.06
