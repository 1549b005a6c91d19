from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.model.leaks.row_order import id_places, suspect_order

DAY = 86_400_000_000


def leads(label, *, ids=None, **columns):
    """Return leads with labels, their ids counted where none are given."""
    ids = [f"L{at:05d}" for at in range(len(label))] if ids is None else ids
    return pd.DataFrame({"lead_id": ids, "converted": np.asarray(label, dtype=np.int8), **columns})


def said(suspicions):
    """Return name and severity of each."""
    return [(one.field, one.severity) for one in suspicions]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_an_order_that_means_nothing_is_passed(seed, rate):
    """Ids and places by chance, at any rate, with instants and without."""
    random = np.random.default_rng(seed)
    label = random.random(3000) < rate
    places = random.permutation(3000)

    assert suspect_order(leads(label), places) == []
    assert suspect_order(leads(label, created_at=random.integers(0, 100, 3000) * DAY), places) == []


@pytest.mark.parametrize("turned", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("kind", ["numbers", "text", "mixed"])
def test_ids_given_by_outcome_are_stopped(turned, kind):
    """Converters have the later ids, whatever the ids look like, some of them by chance."""
    random = np.random.default_rng(1)
    label = random.random(4000) < 0.2
    known = np.where(random.random(4000) < turned, ~label, label)
    place = np.argsort(np.argsort(known + random.random(4000) / 2)) + 1
    write = {"numbers": "{}", "text": "{:06d}-x", "mixed": "lead {}"}[kind]
    (found,) = suspect_order(leads(label, ids=[write.format(at) for at in place]), None)

    assert (found.code, found.severity, found.field) == ("LK8", "stop", "lead_id")
    assert "the order of the ids alone ranks leads with an AUC of" in found.evidence
    assert "name lead_id in leaks.accept" in found.remedy


def test_ids_whose_beginning_tells_are_stopped():
    """Contacts are who converted, leads are who did not."""
    random = np.random.default_rng(2)
    label = random.random(3000) < 0.2
    ids = [f"{'C' if won else 'L'}-{at}" for won, at in zip(label, random.permutation(3000), strict=True)]

    assert said(suspect_order(leads(label, ids=ids), None)) == [("lead_id", "stop")]


@pytest.mark.parametrize("parts", [1, 3, 20])
def test_a_file_of_exports_by_outcome_is_stopped(parts):
    """Each part has its converters first: the neighbours of a row tell, where its place may not."""
    random = np.random.default_rng(3)
    label = random.random(4000) < 0.2
    part = np.sort(random.integers(0, parts, 4000))
    order = np.argsort(np.lexsort((random.random(4000), ~label, part)))
    ids = [f"L{at:05d}" for at in random.permutation(4000)]

    assert said(suspect_order(leads(label, ids=ids), order)) == [("order", "stop")]


@pytest.mark.parametrize("low", [0.02, 0.1])
def test_a_rate_that_moves_with_time_is_not_stopped(low):
    """Without instants it is warned of; with them it is no news."""
    random = np.random.default_rng(4)
    time = np.arange(6000) / 6000
    label = random.random(6000) < low + (0.55 - low) * time**2

    (found,) = suspect_order(leads(label), None)
    assert (found.field, found.severity) == ("lead_id", "warn")
    assert "set data.created_at where the data have it" in found.evidence
    assert suspect_order(leads(label, created_at=(time * 300 * DAY).astype(np.int64)), np.arange(6000)) == []


def test_within_slices_of_time_an_order_by_outcome_is_stopped():
    """Every week is written with its converters last."""
    random = np.random.default_rng(5)
    label = random.random(5000) < 0.15
    week = np.sort(random.integers(0, 40, 5000))
    order = np.argsort(np.lexsort((random.random(5000), label, week)))
    frame = leads(label, ids=[f"L{at:05d}" for at in random.permutation(5000)], created_at=week * 7 * DAY)

    assert said(suspect_order(frame, order)) == [("order", "stop")]


@pytest.mark.parametrize("dated", [True, False])
def test_a_lead_with_many_rows_is_one_lead(dated):
    """Snapshots of one lead have one label more often than not: that is no order."""
    random = np.random.default_rng(6)
    label = np.repeat(random.random(1000) < 0.2, 8)
    ids = np.repeat([f"L{at:04d}" for at in range(1000)], 8)
    dates = {"as_of": np.repeat(random.integers(0, 3, 1000), 8) * 7 * DAY} if dated else {}

    assert suspect_order(leads(label, ids=ids, **dates), np.arange(8000)) == []


def test_ids_of_several_beginnings_are_ordered_as_text():
    """Numbers are compared as numbers only where nothing else differs."""
    assert id_places(pd.Series(["b9", "a10", "a9"])).tolist() == [2, 0, 1]
    assert id_places(pd.Series(["30", "4", "5"])).tolist() == [2, 0, 1]
