from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.judge.evidence import LeakEvidence
from leadml.model.leaks.check import JudgedRows
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.repeated_activities import CHECK, suspect_repeated_activities
from leadml.model.leaks.suspicion import Suspicion
from leadml.params import LeakParams


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


def repeats(severity, of_converters, of_others):
    """Return the suspicion of activities of which such shares are repeated."""
    evidence = (
        f"are repeated depending on the outcome: {of_converters} of the activities of leads that converted are exact "
        f"copies of another, and {of_others} of those of other leads"
    )
    remedy = (
        "check whether the activities of leads that converted were copied, and leave the copies out; or name "
        "activities in leaks.accept with the reason why they were not"
    )
    return Suspicion("LK7", severity, evidence, "activities", remedy)


CONVERTED = np.arange(100) < 20
ONE_OF_TWENTY = np.where(np.arange(100) % 20 == 19, 100, 0)  # has only copies: 4 of the 80 others


@pytest.mark.parametrize(
    ("of_converters", "of_others", "expected"),
    [
        (25, ONE_OF_TWENTY, [repeats("stop", "25%", "5%")]),
        (24, ONE_OF_TWENTY, [repeats("warn", "24%", "5%")]),
        (0, 21, [repeats("stop", "0%", "21%")]),
        (0, 19, [repeats("warn", "0%", "19%")]),
        (1, 0, [repeats("warn", "1%", "0%")]),
        (50, 50, []),
    ],
)
def test_a_difference_of_a_fifth_of_the_activities_stops(of_converters, of_others, expected):
    """Of converters or of others more may be repeated; a smaller difference that tells the outcome warns."""
    repeated = np.where(CONVERTED, of_converters, of_others)

    assert suspect_repeated_activities(activities(CONVERTED, repeated, rows=100)) == expected


def test_twenty_leads_of_each_outcome_with_two_activities_are_enough():
    """The share is that of each lead, however many activities it has; leads with one activity do not count."""
    converted, rows = np.arange(40) < 20, np.where(np.arange(40) % 4 < 2, 2, 20)
    several = activities(converted, np.where(converted, rows // 2, 0), rows)
    single = activities(np.arange(9) < 5, 1, rows=1)

    assert suspect_repeated_activities(several) == [repeats("stop", "50%", "0%")]
    assert suspect_repeated_activities(pd.concat([several, single])) == [repeats("stop", "50%", "0%")]
    assert suspect_repeated_activities(several.tail(39)) == []
    assert suspect_repeated_activities(several.head(39)) == []


@pytest.mark.parametrize(("copied", "is_found"), [(18, True), (12, False)])
def test_the_lower_bound_of_the_auc_decides(copied, is_found):
    """Where 12 of 20 converters and no other lead have copies, the AUC of 0.8 is clearly above 0.65.

    Where 4 of 20 other leads have copies too, the AUC is 0.7, which chance may reach; with 18 of 20 it is 0.85.
    """
    converted, nth = np.arange(40) < 20, np.arange(40) % 20
    some = activities(converted, np.where(nth < np.where(converted, copied, 0), 5, 0))
    others_too = activities(converted, np.where(nth < np.where(converted, copied, 4), 5, 0))

    assert suspect_repeated_activities(some) == [repeats("stop", f"{copied / 40:.0%}", "0%")]
    assert bool(suspect_repeated_activities(others_too)) == is_found


def test_the_check_judges_the_halves_of_the_draw():
    """Where all converters are in one half nothing can be said; in another draw of halves both have some."""
    converted = (np.arange(100) % 2 == 0) & (np.arange(100) < 50)
    table = activities(converted, np.where(converted, 5, 0))
    outcome = Outcome(np.arange(4) % 2, np.arange(4))
    frame = pd.DataFrame({"lead_id": list("abcd")})
    rows = JudgedRows(frame, frame, outcome, [], LeakEvidence(repeated_activities=table), LeakParams())
    without_table = JudgedRows(frame, frame, outcome, [], LeakEvidence(), LeakParams())

    assert CHECK.find(rows) == suspect_repeated_activities(table) == []
    assert CHECK.find(rows.with_halves(1, suspects=["activities"])) == [repeats("stop", "50%", "0%")]
    assert CHECK.find(without_table) == []
    assert CHECK.by_halves
