from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.model.leaks.repeated_activities import suspect_repeats


def _repeats(won, repeated, rows=10):
    return pd.DataFrame({"rows": rows, "repeated": repeated, "converted": np.asarray(won, dtype=np.int8)})


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_a_system_that_logs_twice_does_so_for_all(seed, share):
    """Repeats that know nothing of the outcome are no leak, however many there are."""
    random = np.random.default_rng(seed)
    won = random.random(2000) < 0.2
    assert suspect_repeats(_repeats(won, random.binomial(10, share, 2000))) == []


@pytest.mark.parametrize(("share", "severity"), [(0.5, "stop"), (0.1, "warn")])
@pytest.mark.parametrize("converted", [True, False])
def test_repeats_that_know_the_outcome_are_suspected(share, severity, converted):
    """Activities that were copied when a lead converted, or when it did not."""
    random = np.random.default_rng(5)
    won = random.random(2000) < 0.2
    found = suspect_repeats(_repeats(won, np.where(won == converted, random.binomial(10, share, 2000), 0)))

    assert [(one.code, one.severity, one.field) for one in found] == [("LK7", severity, "activities")]
    assert "are there twice by outcome: of leads that converted" in found[0].evidence
    assert "name activities in leaks.accept" in found[0].remedy


def test_few_leads_tell_nothing():
    """Nineteen converters are too few, and so are leads with one activity each."""
    won = np.arange(400) < 19
    assert suspect_repeats(_repeats(won, np.where(won, 5, 0))) == []
    assert suspect_repeats(_repeats(np.arange(400) < 200, 0, rows=1)) == []
