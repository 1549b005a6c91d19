from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import LeakEvidence
from leadml.model.leaks.changes import CHECK, suspect_changes
from leadml.model.leaks.check import JudgedRows
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField
from leadml.model.leaks.suspicion import Suspicion
from leadml.params import LeakParams

DAY = 86_400_000_000
FIELDS = [Field(name, "category", "fit") for name in ("budget", "owner")]


def history(seed, *, share_near, size=600):
    """Return leads, changes of both fields at random times, and for a share of the leads a change at the outcome."""
    random = np.random.default_rng(seed)
    created = random.integers(0, 200, size) * DAY
    closed = created + ((5 + random.gamma(2, 30, size)) * DAY).astype(np.int64)
    ids = np.array([f"L{at:04d}" for at in range(size)])
    near = random.random(size) < share_near
    changed = random.integers(0, size, size)
    share = random.random(len(changed))
    changes = pd.DataFrame(
        {
            "lead_id": np.r_[ids[changed], ids[near]],
            "field": np.r_[random.choice(["budget", "owner"], len(changed)), np.full(near.sum(), "budget")],
            "changed_at": np.r_[
                created[changed] + (share * (closed - created)[changed]).astype(np.int64),
                closed[near] + (random.normal(0, 0.5, near.sum()) * DAY).astype(np.int64),
            ],
        }
    )
    frame = pd.DataFrame({"lead_id": ids, "created_at": created})
    return frame, changes, pd.DataFrame({"lead_id": ids, "occurred_at": closed})


@pytest.mark.parametrize("seed", range(10))
def test_changes_at_random_times_are_passed(seed):
    """A field that is changed at any time while a lead is open is no suspect."""
    frame, changes, outcomes = history(seed, share_near=0.0)

    assert suspect_changes(frame, FIELDS, changes, outcomes) == []


@pytest.mark.parametrize("share_near", [0.5, 0.9])
def test_a_field_that_is_changed_at_the_outcome_is_stopped(share_near):
    """The finding names the field with the counts of its changes; the other field is passed."""
    frame, changes, outcomes = history(1, share_near=share_near)
    (found,) = suspect_changes(frame, FIELDS, changes, outcomes)

    assert (found.code, found.severity, found.field) == ("LK6", "stop", "budget")
    assert "changes within two days of the outcome and" in found.evidence
    assert "times as often per day" in found.evidence


def test_a_field_that_is_changed_at_few_outcomes_warns():
    """Changes at the outcome of few converters are a warning, however much more frequent they are than others."""
    frame, changes, outcomes = history(2, share_near=0.15)
    few = changes[(changes["field"] == "budget") & (np.arange(len(changes)) >= 550)]
    (found,) = suspect_changes(frame, FIELDS, few, outcomes)

    assert (found.severity, found.field) == ("warn", "budget")
    assert int(found.evidence.split("at least ")[1].split(" times")[0]) >= 5


def test_changes_of_a_field_on_one_day_count_once():
    """A field of a lead that is saved thirty times on the day of the outcome is changed once."""
    frame, changes, outcomes = history(3, share_near=0.0)
    day = outcomes.head(5).rename(columns={"occurred_at": "changed_at"}).assign(field="owner")
    often = pd.concat([changes, *[day] * 30], ignore_index=True)

    assert suspect_changes(frame, FIELDS, often, outcomes) == []


def test_leads_without_open_time_are_not_judged():
    """Where outcomes come on the day of creation, there is no earlier time to compare with."""
    frame, changes, outcomes = history(4, share_near=0.9)
    outcomes = outcomes.assign(occurred_at=frame["created_at"].to_numpy())

    assert suspect_changes(frame, FIELDS, changes, outcomes) == []


START = 1_750_000_000_000_000


def tables(*, leads=40, days=20, near=0, earlier=0):
    """Return leads that convert after some days; some are changed when they do, and some on the day after creation."""
    ids = [f"L{at:04d}" for at in range(leads)]
    frame = pd.DataFrame({"lead_id": ids, "created_at": START})
    outcomes = pd.DataFrame({"lead_id": ids, "occurred_at": START + days * DAY})
    changed = [changed_at(START + days * DAY, near), changed_at(START + DAY, earlier)]
    return frame, pd.concat(changed, ignore_index=True), outcomes


def changed_at(instant, leads, *, first=0, field="budget"):
    """Return a change of some leads at an instant."""
    ids = [f"L{at:04d}" for at in range(first, first + leads)]
    return pd.DataFrame({"lead_id": ids, "field": field, "changed_at": np.int64(instant)})


def suspect(frame, changes, outcomes):
    """Return the suspicions of both fields."""
    return suspect_changes(frame, FIELDS, changes, outcomes)


def found_changes(severity, near, earlier, times, share, field="budget"):
    """Return the suspicion of a field that is changed when the outcome comes."""
    evidence = (
        f"is changed when the outcome comes: {near} changes within two days of the outcome and {earlier} earlier in "
        f"the same leads, at least {times} times as often per day, for {share} of the leads that converted"
    )
    return Suspicion("LK6", severity, evidence, field)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"near": 10}, ("stop", 10, 0, 17, "25%")),
        ({"near": 9}, None),
        ({"near": 10, "leads": 50}, ("stop", 10, 0, 17, "20%")),
        ({"near": 10, "leads": 51}, ("warn", 10, 0, 17, "20%")),
        ({"near": 10, "days": 8}, ("stop", 10, 0, 6, "25%")),
        ({"near": 10, "days": 7}, ("warn", 10, 0, 5, "25%")),
        ({"near": 10, "days": 5}, ("warn", 10, 0, 3, "25%")),
        ({"near": 10, "days": 4}, None),
        ({"near": 1000, "earlier": 1200, "leads": 2000}, ("warn", "1,000", "1,200", 3, "50%")),
    ],
)
def test_the_rate_at_the_outcome_is_compared_with_the_earlier_rate(counts, expected):
    """The bound is Wilson's: of n changes, none of them earlier, it is n / 1.645**2, times earlier days by 4 days.

    So ten changes of leads that convert after 20 days are at least 10 / 2.706 * 18 / 4 = 16.6 times as often.
    """
    assert suspect(*tables(**counts)) == ([found_changes(*expected)] if expected else [])


@pytest.mark.parametrize(
    ("from_outcome", "near", "earlier"),
    [
        (2 * DAY, 11, 0),
        (2 * DAY + 1, 10, 0),
        (-2 * DAY, 11, 0),
        (-2 * DAY - 1, 10, 1),
        (-20 * DAY, 10, 1),
        (-20 * DAY - 1, 10, 0),
    ],
)
def test_two_days_before_and_after_the_outcome_are_compared_with_the_time_since_creation(from_outcome, near, earlier):
    """Both instants at the ends of two days are near, the instant of creation is earlier, and others do not count."""
    frame, changes, outcomes = tables(near=10)
    one_more = changed_at(START + 20 * DAY + from_outcome, 1, first=39)
    (found,) = suspect(frame, pd.concat([changes, one_more]), outcomes)

    assert found.evidence.startswith(
        f"is changed when the outcome comes: {near} changes within two days of the outcome and {earlier} earlier in"
    )


def test_a_lead_is_changed_once_a_day():
    """Twice on one day counts once, on two days twice, for each field; the share counts leads."""
    frame, _, outcomes = tables()
    outcome = START + 20 * DAY
    times = [outcome, outcome + 3, outcome + DAY - 1, outcome - 1, outcome - DAY]  # two days: hence and before
    budget = [changed_at(at, 6) for at in times]
    owner = [changed_at(at, 10, first=30, field="owner") for at in times[:3]]
    found = suspect(frame, pd.concat([*budget, *owner]), outcomes)

    assert found == [
        found_changes("warn", 12, 0, 20, "15%"),
        found_changes("stop", 10, 0, 17, "25%", field="owner"),
    ]


def test_time_is_counted_from_the_first_creation_to_the_first_outcome():
    """Rows of one lead are one lead; leads that are not known or convert at their creation are left out."""
    frame, changes, outcomes = tables(near=10)
    later = outcomes.assign(occurred_at=START + 90 * DAY)
    at_once = pd.DataFrame({"lead_id": [f"X{at}" for at in range(9)], "occurred_at": START})
    unknown = at_once.assign(lead_id=[f"Y{at}" for at in range(9)], occurred_at=START + 50 * DAY)
    rows = pd.concat([frame.assign(created_at=START + 9 * DAY), frame, at_once.assign(created_at=START)])

    assert suspect(rows, changes, pd.concat([later, outcomes, at_once, unknown])) == suspect(frame, changes, outcomes)


def test_leads_that_convert_within_two_days_add_their_open_time():
    """Ten that convert after one day add three days each to the time near the outcome, and none to the earlier time.

    40 times 4 days and 10 times 3 days near, 40 times 18 days earlier: 10 / 2.706 * 720 / 190 = 14.0.
    """
    frame, changes, outcomes = tables(leads=50, near=10)
    outcomes.loc[40:, "occurred_at"] = START + DAY

    assert suspect(frame, changes, outcomes) == [found_changes("stop", 10, 0, 14, "20%")]


def test_the_check_needs_changes_and_outcomes():
    """It judges the fields of the sample; without one of both it finds nothing and tells why."""
    sample, changes, outcomes = tables(near=10)
    outcome = Outcome(np.arange(40) % 2, np.arange(40))
    judged = [JudgedField(field, pd.Series(["a"] * 40), outcome) for field in FIELDS]
    incomplete = [LeakEvidence(), LeakEvidence(changes=changes), LeakEvidence(outcomes=outcomes)]
    evidence = [*incomplete, LeakEvidence(changes=changes, outcomes=outcomes)]
    rows = [JudgedRows(sample.head(0), sample, outcome, judged, known, LeakParams()) for known in evidence]
    reason = "there are no dates of changes and outcomes, so when fields are changed is not known"

    assert [CHECK.find(judged_rows) for judged_rows in rows] == [[], [], [], suspect(sample, changes, outcomes)]
    assert [CHECK.missing(known) for known in evidence] == [reason, reason, reason, ""]
