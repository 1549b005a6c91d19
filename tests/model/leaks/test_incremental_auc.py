from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadml.leads.check.field import Field
from leadml.model.leaks.incremental_auc import hold_against_others
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import Seen
from leadml.model.leaks.suspicion import Suspicion
from leadml.params import LeakParams


def held(columns, label, suspected=(), leaks=None):
    """Return suspicions of numbers by name."""
    label = np.asarray(label, dtype=np.int8)
    frame, outcome = pd.DataFrame(columns), Outcome(label, np.arange(len(label)))
    seen = [Seen(Field(name, "number", "fit"), frame[name], outcome) for name in columns]
    return hold_against_others(frame, seen, dict(suspected), leaks or LeakParams())


def causes(seed=0, *, strengths=(0.8, 0.7, 0.6, 0.5), size=5000):
    """Return honest numbers and the labels that they make."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(size, len(strengths)))
    label = random.random(size) < expit(numbers @ np.array(strengths) - 1.5)
    return {f"x{at}": numbers[:, at] for at in range(len(strengths))}, label.astype(np.int8), random


def stops(found):
    """Return the names of those that stop."""
    return [name for name, suspicion in found.items() if suspicion.severity == "stop"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("strongest", [0.5, 2.0, 2.6])
def test_a_cause_is_never_stopped(seed, strongest):
    """However strong an honest number is beside weaker ones, it is warned of at most."""
    columns, label, _ = causes(seed, strengths=(strongest, 0.7, 0.6, 0.6, 0.5))

    assert stops(held(columns, label)) == []


@pytest.mark.parametrize("seed", range(4))
def test_causes_that_go_together_are_never_stopped(seed):
    """Things with one cause know much of each other."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(5000, 6)) + 0.6 * random.normal(size=(5000, 1))
    label = random.random(5000) < expit(numbers @ [1.5, 0.8, 0.6, 0.5, 0.4, 0.3] - 2)

    assert stops(held({f"x{at}": numbers[:, at] for at in range(6)}, label)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_number_that_shares_its_cause_with_the_others_is_no_leak(seed):
    """It is far stronger than the others together, and they know more of it than the outcome explains."""
    random = np.random.default_rng(seed)
    cause = random.normal(size=5000)
    label = random.random(5000) < expit(2 * cause - 1)
    columns = {f"x{at}": cause + 2.5 * random.normal(size=5000) for at in range(3)}
    found = held(columns | {"near": cause + 0.3 * random.normal(size=5000)}, label)

    assert (stops(found), found["near"].severity) == ([], "warn")
    assert "the other fields know more of it than the outcome explains" in found["near"].evidence


@pytest.mark.parametrize("turned", [0.05, 0.1, 0.15, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_a_copy_with_some_of_it_turned_round_is_stopped(turned, seed):
    """It knows by itself what no cause knows; the evidence says what all fields have with it and without."""
    columns, label, random = causes(seed)
    columns["copy"] = np.where(random.random(5000) < turned, 1 - label, label)
    found = held(columns, label)

    assert stops(found) == ["copy"]
    assert found["copy"].code == "LK3"
    assert "all other fields together have an AUC of" in found["copy"].evidence


def test_two_leaks_do_not_hide_each_other():
    """Copies with different errors are both stopped, and so are near copies."""
    columns, label, random = causes()
    first, second = (np.where(random.random(5000) < 0.15, 1 - label, label) for _ in range(2))
    nearly = np.where(random.random(5000) < 0.001, 1 - first, first)

    assert stops(held(columns | {"one": first, "two": second}, label)) == ["one", "two"]
    assert sorted(stops(held(columns | {"one": first, "again": nearly}, label))) == ["again", "one"]


def test_a_leak_that_follows_from_another_is_stopped_too():
    """A field that is stopped is no longer among the others, so that it hides none."""
    columns, label, random = causes()
    first = np.where(random.random(5000) < 0.05, 1 - label, label)
    second = np.where(random.random(5000) < 0.1, 1 - first, first)

    assert stops(held(columns | {"one": first, "two": second}, label)) == ["one", "two"]


def test_a_number_written_by_the_outcome_is_stopped():
    """It rises by degrees like a cause, but meets the others in the outcome."""
    columns, label, random = causes()

    assert stops(held(columns | {"late": 1.8 * label + random.normal(size=5000)}, label)) == ["late"]


def test_a_weaker_leak_is_warned_of():
    """Between a cause and a clear leak there is a warning."""
    columns, label, random = causes()
    found = held(columns | {"weak": np.where(random.random(5000) < 0.31, 1 - label, label)}, label)

    assert (found["weak"].code, found["weak"].severity) == ("LK3", "warn")


def test_what_a_field_may_know_is_a_choice():
    """leaks.own moves the stop."""
    columns, label, random = causes()
    columns["copy"] = np.where(random.random(5000) < 0.15, 1 - label, label)

    assert held(columns, label, leaks=LeakParams(own=0.99))["copy"].severity == "warn"


def test_every_suspect_gets_its_lift_and_keeps_its_reason():
    """A suspicion of another rule is kept and says more; one that warned may become a stop."""
    columns, label, random = causes()
    columns["copy"] = np.where(random.random(5000) < 0.1, 1 - label, label)
    named = Suspicion("LK2", "stop", "has a bad name", "copy")
    blank = Suspicion("LK4", "warn", "has blanks", "copy")

    found = held(columns, label, {"copy": named})["copy"]
    assert (found.code, found.evidence.split(";")[0]) == ("LK2", "has a bad name")
    assert "and with it an AUC of" in found.evidence
    assert held(columns, label, {"copy": blank})["copy"].code == "LK3"


def test_a_field_without_others_is_not_compared():
    """With no other field there is nothing to beat."""
    _, label, random = causes()

    assert held({"late": 1.8 * label + random.normal(size=5000)}, label) == {}


def windowed(held_back, ago, columns, label, source="activity"):
    """Return suspicions of numbers, beside the windows of one kind of activity."""
    windows = {f"w{days}": (held_back & (ago < days)).astype(float) for days in (7, 20, 90)}
    frame = pd.DataFrame(columns | windows | {"w_last": np.where(held_back, ago, np.nan)})
    outcome = Outcome(label, np.arange(len(label)))
    fields = [
        Field(name, "number", "engagement", source, "w") if name in windows or name == "w_last" else plain(name)
        for name in frame
    ]
    return hold_against_others(frame, [Seen(one, frame[one.name], outcome) for one in fields], {}, LeakParams())


def plain(name):
    """Return a number that stands for itself."""
    return Field(name, "number", "fit")


@pytest.mark.parametrize("seed", range(3))
def test_windows_of_one_activity_do_not_hide_each_other(seed):
    """A kind of activity that is dated back leaks in every window; each is held against other things alone."""
    columns, label, random = causes(seed)
    label = (random.random(5000) < 0.2 * label).astype(np.int8)
    held_back = random.random(5000) < np.where(label == 1, 0.7, 0.03)
    found = stops(windowed(held_back, random.gamma(2, 8, 5000), columns, label))

    assert {"w90", "w_last"} <= set(found)
    assert all(name[0] == "w" for name in found)


@pytest.mark.parametrize("seed", range(3))
def test_windows_of_a_habit_are_held_against_each_other(seed):
    """The more lately it happened the more likely: no window of it knows much that the others do not."""
    columns, _, random = causes(seed)
    ago = random.exponential(30, 5000)
    margin = sum(columns.values()) / 2 + 3 * np.exp(-ago / 20) - 3
    label = (random.random(5000) < expit(margin)).astype(np.int8)
    found = windowed(np.ones(5000, dtype=bool), ago, columns, label)

    assert stops(found) == []


@pytest.mark.parametrize(("strength", "severity"), [(1.0, None), (2.8, "warn"), (3.8, "stop")])
def test_fields_that_know_too_much_together_are_said(strength, severity):
    """Twelve numbers of which none stands out, each of which every row's outcome moved a little."""
    random = np.random.default_rng(3)
    label = (random.random(6000) < 0.3).astype(np.int8)
    columns = {f"x{at}": random.normal(size=6000) + label * strength / np.sqrt(12) for at in range(12)}
    found = held(columns, label).get("together")

    assert (found and found.severity) == severity
    if found:
        assert "all fields together rank leads with an AUC of 0.9" in found.evidence
        assert ("name together in leaks.accept" in found.remedy) == (severity == "stop")


def test_fields_together_are_not_blamed_for_one():
    """Where one field is stopped, all together know no more than it."""
    columns, label, random = causes(1)
    columns["copy"] = np.where(random.random(5000) < 0.01, 1 - label, label).astype(float)

    assert "together" not in held(columns, label)
