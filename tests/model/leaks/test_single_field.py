from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField, suspect_single_field
from leadml.params import LeakParams


def judged_field(values, label, kind="number", name="x", source="column"):
    """Return a field of labelled leads; each lead has one row."""
    column = pd.Series(values, dtype=object if kind == "category" else float)
    label = np.asarray(label, dtype=np.int8)
    return JudgedField(Field(name, kind, "fit", source), column, Outcome(label, np.arange(len(label))))


def labels(rate=0.2, size=4000, seed=0):
    """Return random labels with a base rate, and the generator."""
    random = np.random.default_rng(seed)
    return (random.random(size) < rate).astype(np.int8), random


@pytest.mark.parametrize("kind", ["number", "category"])
@pytest.mark.parametrize("seed", range(10))
def test_a_random_field_is_no_suspect(kind, seed):
    """Neither its values nor its blanks nor its AUC are suspected."""
    label, random = labels(seed=seed)
    values = random.integers(0, 30, 4000).astype(object)
    values[random.random(4000) < 0.4] = None

    assert suspect_single_field(judged_field(values, label, kind), LeakParams()) is None


def test_a_copy_of_the_label_is_stopped_by_its_auc():
    """LK1 comes first, with the AUC."""
    label, _ = labels()
    found = suspect_single_field(judged_field(label, label), LeakParams())

    assert (found.code, found.severity) == ("LK1", "stop")
    assert found.evidence == "by itself has an AUC of 1.000, too high for a field that is known before the outcome"


def test_a_copy_that_is_mostly_blank_is_stopped():
    """Blanks do not hide a leak: the leads where the field is filled in are also judged separately."""
    label, random = labels()
    known = np.where(random.random(4000) < 0.02, 1 - label, label).astype(float)
    known += random.random(4000) / 10
    known[random.random(4000) < 0.7] = np.nan
    found = suspect_single_field(judged_field(known, label), LeakParams())

    assert (found.code, found.severity) == ("LK1", "stop")
    assert "by itself has an AUC of 0.9" in found.evidence
    assert "leads where it is filled in" in found.evidence


@pytest.mark.parametrize(("flipped", "severity"), [(0.3, "stop"), (0.48, "warn"), (0.5, "warn")])
def test_an_outcome_name_stops_only_with_an_auc_above_chance(flipped, severity):
    """LK2 warns of the name, and stops where the field also predicts the outcome."""
    label, random = labels()
    weak = np.where(random.random(4000) < flipped, 1 - label, label)
    found = suspect_single_field(judged_field(weak, label, name="Lead Status"), LeakParams())

    assert (found.code, found.severity, found.field) == ("LK2", severity, "Lead Status")
    assert suspect_single_field(judged_field(weak, label, name="marital status"), LeakParams()) is None


@pytest.mark.parametrize(
    ("of_converters", "of_others", "severity"),
    [(0.95, 0.05, "stop"), (0.6, 0.0, "stop"), (0.65, 0.2, "warn"), (0.5, 0.4, None)],
)
def test_a_field_filled_in_by_outcome_is_found(of_converters, of_others, severity):
    """LK4 judges the shares of converters and other leads where a field is filled in, whatever its values are."""
    label, random = labels()
    filled = random.random(4000) < np.where(label == 1, of_converters, of_others)
    found = suspect_single_field(judged_field(np.where(filled, random.random(4000), np.nan), label), LeakParams())

    assert (found and (found.code, found.severity)) == (severity and ("LK4", severity))
    if found:
        assert "of the leads, and whether it is filled in has an AUC of" in found.evidence


def test_leaks_fill_is_the_limit_of_lk4():
    """A field filled in by outcome warns below the limit."""
    label, random = labels()
    filled = random.random(4000) < np.where(label == 1, 0.9, 0.15)
    field = judged_field(np.where(filled, random.random(4000), np.nan), label)

    assert suspect_single_field(field, LeakParams()).severity == "stop"
    assert suspect_single_field(field, LeakParams(fill=0.95)).severity == "warn"


def test_a_value_that_implies_the_outcome_is_stopped():
    """LK5 names the value."""
    label, random = labels()
    mark = (label == 1) & (random.random(4000) < 0.5)
    found = suspect_single_field(judged_field(np.where(mark, "signed", "open"), label, "category"), LeakParams())

    assert (found.code, found.severity) == ("LK5", "stop")
    assert found.evidence.startswith("has a value that implies the outcome: the level 'signed' occurs in")


@pytest.mark.parametrize("strength", [0.5, 1.5, 2.5])
@pytest.mark.parametrize("kind", ["number", "category"])
def test_a_cause_is_gradual_and_a_copy_is_not(strength, kind):
    """The rates of a strong or weak cause have no jump; those of a noisy copy of the label have one."""
    random = np.random.default_rng(1)
    number = random.normal(size=6000)
    label = (random.random(6000) < 1 / (1 + np.exp(2 - strength * number))).astype(np.int8)
    copy = np.where(random.random(6000) < 0.1, 1 - label, label) + random.random(6000) / 10
    values = [np.round(one * 4).astype(int).astype(str) if kind == "category" else one for one in (number, copy)]

    assert judged_field(values[0], label, kind).gradual
    assert not judged_field(values[1], label, kind).gradual


def test_a_number_with_two_plateaus_is_not_gradual():
    """Days until a close, 365 where there is none: a small jump counts where the rates do not change elsewhere."""
    label, random = labels()
    known = np.where(random.random(4000) < 0.25, 1 - label, label)

    assert not judged_field(np.where(known == 1, np.ceil(random.gamma(2, 15, 4000)), 365), label).gradual


def test_a_field_that_is_mostly_blank_or_has_one_class_is_not_gradual():
    """Its rates cannot be judged."""
    label, random = labels()
    values = random.random(4000)
    values[:3000] = np.nan

    assert not judged_field(values, label).gradual
    assert not judged_field(np.where(label == 1, np.nan, random.random(4000)), label).gradual
    assert judged_field(np.where(label == 1, np.nan, random.random(4000)), label).where_filled() is None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("of_converters", "of_others"), [(0.92, 0.08), (0.6, 0.0), (0.65, 0.2)])
def test_lk4_does_not_judge_fields_of_activities(of_converters, of_others, seed):
    """Nobody fills them in: a missing recency means that nothing has happened yet."""
    label, random = labels(seed=seed)
    filled = random.random(4000) < np.where(label == 1, of_converters, of_others)
    values = np.where(filled, random.random(4000), np.nan)

    assert suspect_single_field(judged_field(values, label, source="activity"), LeakParams()) is None
    assert suspect_single_field(judged_field(values, label, source="read out"), LeakParams()).code == "LK4"
