from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.model.leaks.repeated_activities import suspect_repeated_activities


def activities(converted, repeated, rows=10):
    """Return leads with the number of their activities and of those that are repeated."""
    return pd.DataFrame({"rows": rows, "repeated": repeated, "converted": np.asarray(converted, dtype=np.int8)})


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_repeats_of_all_leads_are_passed(seed, share):
    """Repeated activities that do not depend on the outcome are no leak, however many there are."""
    random = np.random.default_rng(seed)
    converted = random.random(2000) < 0.2
    assert suspect_repeated_activities(activities(converted, random.binomial(10, share, 2000))) == []


@pytest.mark.parametrize(("share", "severity"), [(0.5, "stop"), (0.1, "warn")])
@pytest.mark.parametrize("outcome", [True, False])
def test_repeats_that_depend_on_the_outcome_are_suspected(share, severity, outcome):
    """Activities that are copied when a lead converts, or when it does not."""
    random = np.random.default_rng(5)
    converted = random.random(2000) < 0.2
    repeated = np.where(converted == outcome, random.binomial(10, share, 2000), 0)
    found = suspect_repeated_activities(activities(converted, repeated))

    assert [(one.code, one.severity, one.field) for one in found] == [("LK7", severity, "activities")]
    assert "are repeated depending on the outcome:" in found[0].evidence
    assert "of the activities of leads that converted" in found[0].evidence
    assert "name activities in leaks.accept" in found[0].remedy


def test_few_leads_are_not_judged():
    """Nineteen converters are too few, and so are leads with one activity each."""
    converted = np.arange(400) < 19
    assert suspect_repeated_activities(activities(converted, np.where(converted, 5, 0))) == []
    assert suspect_repeated_activities(activities(np.arange(400) < 200, 0, rows=1)) == []
