"""Parts of scores: the strongest fields, and a byte for each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml import LeadClassifier
from leadml.model.predict.explain import Explanation, explain_leads
from leadml.model.predict.parts import MOST_PARTS, STEPS, from_bytes, part_log_odds, strongest_parts, to_bytes
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
    exact = explanation.topic_log_odds[:, [2, 0]]

    assert np.abs(parts - np.clip(exact, -127 / STEPS, 127 / STEPS)).max() <= 0.5 / STEPS
    assert np.array_equal(from_bytes(to_bytes(parts).tolist(), 2), parts)


def test_bytes_bring_back_what_was_kept() -> None:
    """Also of no rows, of no parts, and at both ends."""
    parts = np.array([[-127 / STEPS, 127 / STEPS, 0.0], [1 / STEPS, -1 / STEPS, 1.0]])

    assert np.array_equal(from_bytes(to_bytes(parts).tolist(), 3), parts)
    assert [len(each) for each in to_bytes(parts)] == [3, 3]
    assert from_bytes(to_bytes(np.empty((0, 3))).tolist(), 3).shape == (0, 3)
    assert from_bytes(to_bytes(np.empty((2, 0))).tolist(), 0).shape == (2, 0)
