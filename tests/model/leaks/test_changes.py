from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.model.leaks.changes import suspect_changes

DAY = 86_400_000_000
FIELDS = [Field(name, "category", "fit") for name in ("budget", "owner")]


def history(seed, *, crowd, size=600):
    """Return leads, changes now and then of both fields, and a crowd of changes of budget at the outcome."""
    random = np.random.default_rng(seed)
    created = random.integers(0, 200, size) * DAY
    closed = created + ((5 + random.gamma(2, 30, size)) * DAY).astype(np.int64)
    ids = np.array([f"L{at:04d}" for at in range(size)])
    near = random.random(size) < crowd
    many = random.integers(0, size, size)
    share = random.random(len(many))
    changes = pd.DataFrame(
        {
            "lead_id": np.r_[ids[many], ids[near]],
            "field": np.r_[random.choice(["budget", "owner"], len(many)), np.full(near.sum(), "budget")],
            "changed_at": np.r_[
                created[many] + (share * (closed - created)[many]).astype(np.int64),
                closed[near] + (random.normal(0, 0.5, near.sum()) * DAY).astype(np.int64),
            ],
        }
    )
    frame = pd.DataFrame({"lead_id": ids, "created_at": created})
    return frame, changes, pd.DataFrame({"lead_id": ids, "occurred_at": closed})


@pytest.mark.parametrize("seed", range(10))
def test_changes_at_any_time_are_passed(seed):
    """A field that is changed all through a lead's life is not written by its outcome."""
    frame, changes, outcomes = history(seed, crowd=0.0)

    assert suspect_changes(frame, FIELDS, changes, outcomes) == []


@pytest.mark.parametrize("crowd", [0.5, 0.9])
def test_a_field_written_at_the_outcome_is_stopped(crowd):
    """The field is named with the counts of its changes, the other is left alone."""
    frame, changes, outcomes = history(1, crowd=crowd)
    (found,) = suspect_changes(frame, FIELDS, changes, outcomes)

    assert (found.code, found.severity, found.field) == ("LK6", "stop", "budget")
    assert "changes within two days of it and" in found.evidence
    assert "times as often a day" in found.evidence


def test_a_field_that_is_sometimes_written_at_the_outcome_is_warned_of():
    """A crowd that touches few converters is a warning, however dense it is."""
    frame, changes, outcomes = history(2, crowd=0.15)
    quiet = changes[(changes["field"] == "budget") & (np.arange(len(changes)) >= 550)]
    (found,) = suspect_changes(frame, FIELDS, quiet, outcomes)

    assert (found.severity, found.field) == ("warn", "budget")
    assert int(found.evidence.split("at least ")[1].split(" times")[0]) >= 5


def test_many_changes_of_a_day_are_one():
    """A field that one lead's owner saves thirty times on the day of the outcome is changed once."""
    frame, changes, outcomes = history(3, crowd=0.0)
    day = outcomes.head(5).rename(columns={"occurred_at": "changed_at"}).assign(field="owner")
    often = pd.concat([changes, *[day] * 30], ignore_index=True)

    assert suspect_changes(frame, FIELDS, often, outcomes) == []


def test_without_open_lives_nothing_is_said():
    """Outcomes on the day of creation leave no life to compare with."""
    frame, changes, outcomes = history(4, crowd=0.9)
    outcomes = outcomes.assign(occurred_at=frame["created_at"].to_numpy())

    assert suspect_changes(frame, FIELDS, changes, outcomes) == []
