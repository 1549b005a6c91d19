"""Parts of scores: the strongest fields, and a byte for each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml import LeadClassifier
from leadml.leads.check.field import Field
from leadml.model.predict.explain import Explanation, explain_leads
from leadml.model.predict.parts import (
    LEADS_KEPT,
    MOST_PARTS,
    STEPS,
    from_bytes,
    part_log_odds,
    sampled_bytes,
    strongest_parts,
    to_bytes,
)
from leadml.simulator.stream import Stream


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    """Return the contributions to the scores of some leads of the stream."""
    stream = Stream(fields=20)
    leads = stream.before(2000, seed=1)
    classifier = LeadClassifier().fit(leads[stream.names], leads["converted"])
    return explain_leads(classifier.model_, classifier.model_.encoder.fields_of(leads[stream.names]))


@pytest.mark.slow
def test_the_strongest_parts_vary_most(explanation: Explanation) -> None:
    """At most sixteen, in falling order of their standard deviation."""
    spread = pd.Series(explanation.log_odds.std(axis=0), [field.name for field in explanation.fields])
    names = strongest_parts(explanation)

    assert len(names) <= MOST_PARTS
    assert spread[names].is_monotonic_decreasing
    assert spread[names].min() >= spread.drop(names).max()
    assert names[0] == "field_1"


@pytest.mark.slow
def test_parts_are_the_contributions_in_steps(explanation: Explanation) -> None:
    """Of each topic by name, to half a step; beyond four log-odds the end of the range."""
    names = ["field_3", "field_1"]
    parts = part_log_odds(explanation, names)
    exact = explanation.topic_log_odds()[:, [2, 0]]

    assert np.abs(parts - np.clip(exact, -127 / STEPS, 127 / STEPS)).max() <= 0.5 / STEPS
    assert np.array_equal(from_bytes(to_bytes(parts).tolist(), 2), parts)


def test_bytes_bring_back_what_was_kept() -> None:
    """Also of no rows, of no parts, and at both ends."""
    parts = np.array([[-127 / STEPS, 127 / STEPS, 0.0], [1 / STEPS, -1 / STEPS, 1.0]])

    assert np.array_equal(from_bytes(to_bytes(parts).tolist(), 3), parts)
    assert [len(each) for each in to_bytes(parts)] == [3, 3]
    assert from_bytes(to_bytes(np.empty((0, 3))).tolist(), 3).shape == (0, 3)
    assert from_bytes(to_bytes(np.empty((2, 0))).tolist(), 0).shape == (2, 0)


NAMES = ["visit", "age"]
FIELDS = (
    Field("age", "number", "fit"),
    Field("visit_7d", "number", "engagement", "activity", "visit"),
    Field("visit_30d", "number", "engagement", "activity", "visit"),
)


def _explained(rows: int) -> Explanation:
    """Return contributions of three fields, two of which are of one topic."""
    log_odds = np.random.default_rng(3).normal(size=(rows, 3))
    margin = log_odds.sum(axis=1)
    probability, is_new = 1 / (1 + np.exp(-margin)), np.zeros(log_odds.shape, dtype=bool)
    return Explanation(FIELDS, log_odds, 0.0, margin, probability, 10 * log_odds, 50.0, log_odds, is_new, is_new)


def _part(explanation: Explanation, rows: slice) -> Explanation:
    """Return some rows of contributions."""
    arrays = (getattr(explanation, name)[rows] for name in ("log_odds", "margin", "probability", "points", "is_new"))
    log_odds, margin, probability, points, is_new = arrays
    return Explanation(FIELDS, log_odds, 0.0, margin, probability, points, 50.0, log_odds, is_new, is_new)


@pytest.mark.parametrize("rows", [0, 1, 500])
def test_of_a_small_batch_all_parts_are_kept(rows: int) -> None:
    """Those of the topics that are named, in this order, a byte each."""
    explanation, ids = _explained(rows), np.array([f"L{at}" for at in range(rows)] + [None], dtype=object)[:-1]
    for leads in (rows, LEADS_KEPT):
        kept = sampled_bytes(explanation, NAMES, ids, leads=leads)
        assert kept.tolist() == to_bytes(part_log_odds(explanation, NAMES)).tolist()


def test_of_a_large_batch_some_20_000_leads_are_chosen_by_their_ids() -> None:
    """Within four standard errors, evenly over the batch, with the bytes that they would have in any batch."""
    rows, leads = 50_000, 200_000
    explanation, ids = _explained(rows), np.array([f"L{at:06}" for at in range(rows)], dtype=object)
    kept = sampled_bytes(explanation, NAMES, ids, leads=leads)
    is_kept = np.array([part is not None for part in kept])
    share = LEADS_KEPT / leads
    error = np.sqrt(share * (1 - share) / rows)

    assert is_kept.mean() == pytest.approx(share, abs=4 * error)
    assert is_kept[: rows // 2].mean() == pytest.approx(share, abs=4 * np.sqrt(2) * error)
    assert kept[is_kept].tolist() == to_bytes(part_log_odds(explanation, NAMES)[is_kept]).tolist()


def test_chunks_and_the_order_of_leads_do_not_change_who_is_chosen() -> None:
    """A lead that is kept of a larger batch is also kept of a smaller one."""
    rows, leads = 2000, 60_000
    explanation, ids = _explained(rows), np.array([f"id {at}" for at in range(rows)], dtype=object)
    whole = sampled_bytes(explanation, NAMES, ids, leads=leads)
    slices = [slice(first, first + 300) for first in range(0, rows, 300)]
    chunks = [sampled_bytes(_part(explanation, part), NAMES, ids[part], leads=leads) for part in slices]
    turned = sampled_bytes(_part(explanation, slice(None, None, -1)), NAMES, ids[::-1], leads=leads)
    fewer = sampled_bytes(explanation, NAMES, ids, leads=2 * leads)

    assert np.concatenate(chunks).tolist() == turned[::-1].tolist() == whole.tolist()
    assert 0 < sum(part is not None for part in fewer) < sum(part is not None for part in whole) < rows
    assert [part for part, other in zip(whole, fewer, strict=True) if other is not None and part != other] == []
