from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.model.leaks.changes import suspect_changes

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
