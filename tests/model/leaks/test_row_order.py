from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.judge.evidence import Clock
from leadml.model.leaks.row_order import id_ranks, suspect_row_order

DAY = 86_400_000_000


def leads(label, *, ids=None):
    """Return leads with labels, and numbered ids where none are given."""
    ids = [f"L{at:05d}" for at in range(len(label))] if ids is None else ids
    return pd.DataFrame({"lead_id": ids, "converted": np.asarray(label, dtype=np.int8)})


def created(instants):
    """Return the clock of leads that came at these instants."""
    return Clock(np.asarray(instants, dtype=np.int64), "created_at", is_limit=False)


def severities(suspicions):
    """Return name and severity of each suspicion."""
    return [(one.field, one.severity) for one in suspicions]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_a_random_order_is_passed(seed, rate):
    """Random ids and positions at any base rate, with and without instants."""
    random = np.random.default_rng(seed)
    label = random.random(3000) < rate
    positions = random.permutation(3000)

    assert suspect_row_order(leads(label), positions, None) == []
    assert suspect_row_order(leads(label), positions, created(random.integers(0, 100, 3000) * DAY)) == []


@pytest.mark.parametrize("flipped", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("kind", ["numbers", "text", "mixed"])
def test_ids_ordered_by_outcome_are_stopped(flipped, kind):
    """Converters have the later ids, whatever the form of the ids, and with some noise."""
    random = np.random.default_rng(1)
    label = random.random(4000) < 0.2
    known = np.where(random.random(4000) < flipped, ~label, label)
    rank = np.argsort(np.argsort(known + random.random(4000) / 2)) + 1
    template = {"numbers": "{}", "text": "{:06d}-x", "mixed": "lead {}"}[kind]
    (found,) = suspect_row_order(leads(label, ids=[template.format(at) for at in rank]), None, None)

    assert (found.code, found.severity, found.field) == ("LK8", "stop", "lead_id")
    assert "predicts the outcome: the order of the ids has an AUC of" in found.evidence
    assert "name lead_id in leaks.accept" in found.remedy


def test_ids_with_a_prefix_by_outcome_are_stopped():
    """The ids of converters begin with another letter."""
    random = np.random.default_rng(2)
    label = random.random(3000) < 0.2
    ids = [f"{'C' if won else 'L'}-{at}" for won, at in zip(label, random.permutation(3000), strict=True)]

    assert severities(suspect_row_order(leads(label, ids=ids), None, None)) == [("lead_id", "stop")]


@pytest.mark.parametrize("parts", [1, 3, 20])
def test_a_file_of_parts_ordered_by_outcome_is_stopped(parts):
    """Each part has its converters first: neighbouring rows predict the outcome where the position does not."""
    random = np.random.default_rng(3)
    label = random.random(4000) < 0.2
    part = np.sort(random.integers(0, parts, 4000))
    order = np.argsort(np.lexsort((random.random(4000), ~label, part)))
    ids = [f"L{at:05d}" for at in random.permutation(4000)]

    assert severities(suspect_row_order(leads(label, ids=ids), order, None)) == [("order", "stop")]


@pytest.mark.parametrize("low", [0.02, 0.1])
def test_a_rate_that_changes_over_time_is_not_stopped(low):
    """Without instants it is a warning; with instants it is passed."""
    random = np.random.default_rng(4)
    time = np.arange(6000) / 6000
    label = random.random(6000) < low + (0.55 - low) * time**2

    (found,) = suspect_row_order(leads(label), None, None)
    assert (found.field, found.severity) == ("lead_id", "warn")
    assert "set data.created_at where leads have dates" in found.evidence
    clock = created((time * 300 * DAY).astype(np.int64))
    assert suspect_row_order(leads(label), np.arange(6000), clock) == []


def test_an_order_by_outcome_within_weeks_is_stopped():
    """The rows of every week have the converters last."""
    random = np.random.default_rng(5)
    label = random.random(5000) < 0.15
    week = np.sort(random.integers(0, 40, 5000))
    order = np.argsort(np.lexsort((random.random(5000), label, week)))
    frame = leads(label, ids=[f"L{at:05d}" for at in random.permutation(5000)])

    assert severities(suspect_row_order(frame, order, created(week * 7 * DAY))) == [("order", "stop")]


@pytest.mark.parametrize("dated", [True, False])
def test_a_lead_with_many_rows_counts_once(dated):
    """Snapshots of one lead are in sequence and often have the same label: that is no order by outcome."""
    random = np.random.default_rng(6)
    label = np.repeat(random.random(1000) < 0.2, 8)
    ids = np.repeat([f"L{at:04d}" for at in range(1000)], 8)
    clock = Clock(np.repeat(random.integers(0, 3, 1000), 8) * 7 * DAY, "as_of", is_limit=True) if dated else None

    assert suspect_row_order(leads(label, ids=ids), np.arange(8000), clock) == []


def test_ids_with_several_prefixes_are_ordered_as_text():
    """Ids are compared as numbers only where nothing else differs."""
    assert id_ranks(pd.Series(["b9", "a10", "a9"])).tolist() == [2, 0, 1]
    assert id_ranks(pd.Series(["30", "4", "5"])).tolist() == [2, 0, 1]
