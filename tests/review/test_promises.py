"""What a cut promised is kept or broken by the leads above it; what nothing is known of is neither."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from leadml.params.review import ReviewParams
from leadml.review.evidence.e_detectors import precision_evidence
from leadml.review.promises import (
    BROKEN,
    KEPT,
    NOT_PROMISED,
    UNKNOWN,
    CutOutcomes,
    NewestScores,
    Promise,
    promise_table,
)

SINCE = 20_000


def _outcomes(seed: int = 0, *, days: int = 60, leads: int = 30, factor: float = 1.0) -> CutOutcomes:
    """Return leads whose probabilities are too high by a factor."""
    random = np.random.default_rng(seed)
    probability = random.uniform(0, 1, days * leads)
    label = (random.random(days * leads) < factor * probability).astype(np.int8)
    return CutOutcomes(SINCE + np.repeat(np.arange(days), leads), probability, label, SINCE)


def _wilson(part: int, whole: int) -> tuple[float, float]:
    found = binomtest(part, whole).proportion_ci(0.9, method="wilson")
    return found.low, found.high


def _row(promise: Promise, outcomes: CutOutcomes, newest: Any = (0.0,), **choices: Any) -> dict[str, Any]:
    scores = NewestScores(np.array(newest), len(newest))
    table = promise_table([promise], outcomes, scores, ReviewParams(**choices))
    return dict(table.iloc[0])


def test_the_figures_are_those_of_the_leads_above_the_cut() -> None:
    """A lead at the cut is above it; the intervals are Wilson's, as scipy has them."""
    outcomes = _outcomes()
    cut = float(np.sort(outcomes.probability)[1000])
    newest = np.linspace(0, 1, 501)
    row = _row(Promise("SQL", cut, 0.5, 0.4), outcomes, newest)
    inside = outcomes.probability >= cut
    converted = int(outcomes.label[inside].sum())

    assert row["leads"] == inside.sum() == 800
    assert row["precision"] == converted / 800
    assert (row["precision_low"], row["precision_high"]) == pytest.approx(_wilson(converted, 800))
    share = int((newest >= cut).sum())
    assert row["share"] == share / 501
    assert (row["share_low"], row["share_high"]) == pytest.approx(_wilson(share, 501))
    evidence = precision_evidence(outcomes.day[inside], outcomes.label[inside], floor=0.5, since=SINCE)
    assert row["log_evidence"] == evidence.log_value.max()


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_a_higher_cut_never_has_more_leads(cuts: list[float]) -> None:
    """Neither with outcomes nor in the newest period."""
    outcomes = _outcomes(days=10)
    promises = [Promise("SQL", cut, None, None) for cut in sorted(cuts)]
    newest = NewestScores(outcomes.probability, len(outcomes.day))
    table = promise_table(promises, outcomes, newest, ReviewParams())

    assert table["leads"].is_monotonic_decreasing
    assert table["share"].is_monotonic_decreasing
    assert table["leads"].tolist() == (table["share"] * len(outcomes.day)).round().tolist()


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, KEPT), (0.6, BROKEN)])
def test_a_precision_is_broken_when_the_evidence_says_so(factor: float, verdict: str) -> None:
    """At or above 0.5 three quarters convert, or less than half of what was said."""
    row = _row(Promise("SQL", 0.5, 0.7, None), _outcomes(1, factor=factor))

    assert row["precision_verdict"] == verdict
    assert (row["log_evidence"] >= np.log(1 / 0.02)) == (verdict == BROKEN)


def test_more_false_alarms_break_a_promise_sooner() -> None:
    """The same evidence is compared with another limit."""
    outcomes = _outcomes(2, days=40, factor=0.7)
    promise = Promise("SQL", 0.5, 0.7, None)
    value = np.exp(_row(promise, outcomes)["log_evidence"])

    assert value > 2
    assert _row(promise, outcomes, false_alarms=min(1.01 / value, 0.5))["precision_verdict"] == BROKEN
    assert _row(promise, outcomes, false_alarms=0.99 / value)["precision_verdict"] == KEPT


@pytest.mark.parametrize(
    ("share", "verdict"),
    [(0.30, KEPT), (0.38, KEPT), (0.46, BROKEN), (0.22, KEPT), (0.14, BROKEN), (0.0, BROKEN), (1.0, BROKEN)],
)
def test_a_share_is_broken_when_it_is_surely_a_third_off(share: float, verdict: str) -> None:
    """Promised were 30% of the leads; of 1,000 the interval is about 5 points wide."""
    newest = np.where(np.arange(1000) < round(1000 * share), 0.9, 0.1)

    assert _row(Promise("MQL", 0.5, None, 0.3), _outcomes(), newest)["share_verdict"] == verdict


@pytest.mark.parametrize(("tolerance", "verdict"), [(0.1, BROKEN), (0.33, KEPT)])
def test_what_may_be_off_is_a_choice(tolerance: float, verdict: str) -> None:
    """38% of the leads where 30% were promised: a team says whether it can work them."""
    newest = np.where(np.arange(1000) < 380, 0.9, 0.1)
    row = _row(Promise("MQL", 0.5, None, 0.3), _outcomes(), newest, volume_tolerance=tolerance)

    assert row["share_verdict"] == verdict


def test_a_share_that_varied_as_much_in_the_training_is_kept() -> None:
    """Between its dates; above that it is broken all the same."""
    newest = np.where(np.arange(1000) < 460, 0.9, 0.1)
    verdicts = [_row(Promise("MQL", 0.5, None, 0.3, varied), _outcomes(), newest) for varied in (0.1, 0.2)]

    assert [row["share_verdict"] for row in verdicts] == [BROKEN, KEPT]


def test_what_is_not_promised_or_not_known_is_neither_kept_nor_broken() -> None:
    """No rule, no outcome, or too few leads."""
    nothing = _outcomes(days=0)
    promised = _row(Promise("SQL", 0.5, 0.5, 0.3), nothing, np.ones(199))
    not_promised = _row(Promise("SQL", 0.5, None, None), _outcomes(factor=0.1), np.ones(500))

    assert (promised["precision_verdict"], promised["share_verdict"]) == (UNKNOWN, UNKNOWN)
    assert np.isnan([promised["precision"], promised["precision_low"], promised["precision_high"]]).all()
    assert (promised["leads"], promised["log_evidence"]) == (0, -np.inf)
    assert (not_promised["precision_verdict"], not_promised["share_verdict"]) == (NOT_PROMISED, NOT_PROMISED)
    assert np.isnan([not_promised["promised_precision"], not_promised["promised_share"]]).all()
    assert promise_table((), nothing, NewestScores(np.ones(1), 1), ReviewParams()).empty
