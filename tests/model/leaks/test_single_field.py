from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import Seen, suspect_alone
from leadml.params import LeakParams


def seen(values, label, kind="number", name="x", source="column"):
    """Return a field of leads of one row each."""
    column = pd.Series(values, dtype=object if kind == "category" else float)
    label = np.asarray(label, dtype=np.int8)
    return Seen(Field(name, kind, "fit", source), column, Outcome(label, np.arange(len(label))))


def labels(rate=0.2, size=4000, seed=0):
    """Return labels of a rate, and their generator."""
    random = np.random.default_rng(seed)
    return (random.random(size) < rate).astype(np.int8), random


@pytest.mark.parametrize("kind", ["number", "category"])
@pytest.mark.parametrize("seed", range(10))
def test_a_field_that_means_nothing_is_no_suspect(kind, seed):
    """Neither its values nor its blanks nor its steps."""
    label, random = labels(seed=seed)
    values = random.integers(0, 30, 4000).astype(object)
    values[random.random(4000) < 0.4] = None

    assert suspect_alone(seen(values, label, kind), LeakParams()) is None


def test_a_copy_is_stopped_by_its_power():
    """LK1 comes first, and says how strong it is."""
    label, _ = labels()
    found = suspect_alone(seen(label, label), LeakParams())

    assert (found.code, found.severity) == ("LK1", "stop")
    assert found.evidence == "alone ranks leads with an AUC of 1.000, too good to be known beforehand"


def test_a_copy_that_is_mostly_blank_is_stopped_where_it_is_filled():
    """Blanks hide no leak: leads that have a value are judged by themselves."""
    label, random = labels()
    known = np.where(random.random(4000) < 0.02, 1 - label, label).astype(float)
    known += random.random(4000) / 10
    known[random.random(4000) < 0.7] = np.nan
    found = suspect_alone(seen(known, label), LeakParams())

    assert (found.code, found.severity) == ("LK1", "stop")
    assert "where it is filled with an AUC of 0.9" in found.evidence


@pytest.mark.parametrize(("turned", "severity"), [(0.3, "stop"), (0.48, "warn"), (0.5, "warn")])
def test_a_bad_name_stops_where_it_has_power_and_warns_else(turned, severity):
    """LK2 needs both: the name, and more than chance."""
    label, random = labels()
    weak = np.where(random.random(4000) < turned, 1 - label, label)
    found = suspect_alone(seen(weak, label, name="Lead Status"), LeakParams())

    assert (found.code, found.severity, found.field) == ("LK2", severity, "Lead Status")
    assert suspect_alone(seen(weak, label, name="marital status"), LeakParams()) is None


@pytest.mark.parametrize(
    ("mine", "others", "severity"), [(0.95, 0.05, "stop"), (0.6, 0.0, "stop"), (0.65, 0.2, "warn"), (0.5, 0.4, None)]
)
def test_blanks_that_follow_the_outcome_are_found(mine, others, severity):
    """LK4: a field filled for so many converters and so many others, whatever is in it."""
    label, random = labels()
    held = random.random(4000) < np.where(label == 1, mine, others)
    found = suspect_alone(seen(np.where(held, random.random(4000), np.nan), label), LeakParams())

    assert (found and (found.code, found.severity)) == (severity and ("LK4", severity))
    if found:
        assert "of the leads, which alone ranks them with an AUC of" in found.evidence


def test_what_blanks_may_tell_is_a_choice():
    """leaks.fill moves the stop."""
    label, random = labels()
    held = random.random(4000) < np.where(label == 1, 0.9, 0.15)
    field = seen(np.where(held, random.random(4000), np.nan), label)

    assert suspect_alone(field, LeakParams()).severity == "stop"
    assert suspect_alone(field, LeakParams(fill=0.95)).severity == "warn"


def test_a_value_that_implies_the_outcome_is_stopped():
    """LK5 names the value."""
    label, random = labels()
    mark = (label == 1) & (random.random(4000) < 0.5)
    found = suspect_alone(seen(np.where(mark, "signed", "open"), label, "category"), LeakParams())

    assert (found.code, found.severity) == ("LK5", "stop")
    assert found.evidence.startswith("has a value that implies the outcome: the level 'signed' is there for")


@pytest.mark.parametrize("strength", [0.5, 1.5, 2.5])
@pytest.mark.parametrize("kind", ["number", "category"])
def test_rates_of_a_cause_rise_by_degrees(strength, kind):
    """Strong or weak, a cause has no leap; a copy of the label does, whatever it is dressed in."""
    random = np.random.default_rng(1)
    number = random.normal(size=6000)
    label = (random.random(6000) < 1 / (1 + np.exp(2 - strength * number))).astype(np.int8)
    copy = np.where(random.random(6000) < 0.1, 1 - label, label) + random.random(6000) / 10
    values = [np.round(one * 4).astype(int).astype(str) if kind == "category" else one for one in (number, copy)]

    assert seen(values[0], label, kind).gradual
    assert not seen(values[1], label, kind).gradual


def test_a_number_of_two_plateaus_is_not_gradual():
    """Days until a close that may never come: a small leap is one, where there is nothing else."""
    label, random = labels()
    known = np.where(random.random(4000) < 0.25, 1 - label, label)

    assert not seen(np.where(known == 1, np.ceil(random.gamma(2, 15, 4000)), 365), label).gradual


def test_a_field_that_is_mostly_blank_or_of_one_kind_is_not_gradual():
    """Nothing can be said of its rates."""
    label, random = labels()
    values = random.random(4000)
    values[:3000] = np.nan

    assert not seen(values, label).gradual
    assert not seen(np.where(label == 1, np.nan, random.random(4000)), label).gradual
    assert seen(np.where(label == 1, np.nan, random.random(4000)), label).where_filled() is None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("mine", "others"), [(0.92, 0.08), (0.6, 0.0), (0.65, 0.2)])
def test_what_never_happened_so_far_is_no_blank(mine, others, seed):
    """LK4 judges who filled a field in and when; a recency that is missing says only that nothing happened yet."""
    label, random = labels(seed=seed)
    held = random.random(4000) < np.where(label == 1, mine, others)
    values = np.where(held, random.random(4000), np.nan)

    assert suspect_alone(seen(values, label, source="activity"), LeakParams()) is None
    assert suspect_alone(seen(values, label, source="derived"), LeakParams()).code == "LK4"
