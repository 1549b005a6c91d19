from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.model.leaks.train_test_overlap import suspect_overlap
from leadml.params import LeakParams

NUMBERS = [Field(name, "number", "fit") for name in "abc"]
COARSE_NUMBERS = [Field(name, "category", "fit") for name in "abc"]
COARSE = [Field(name, "category", "fit") for name in ("job", "size", "known")]


def numbers(size, random):
    """Return leads that all have different numbers."""
    frame = pd.DataFrame(np.round(random.normal(size=(size, 3)), 3), columns=list("abc"))
    frame.loc[random.random(size) < 0.3, "c"] = np.nan
    return frame.assign(converted=(random.random(size) < 0.3).astype(np.int8), lead_id=np.arange(size).astype(str))


def coarse(size, random):
    """Return leads with few different values, of which one level has a higher conversion rate."""
    frame = pd.DataFrame(
        {"job": random.choice(list("pqr"), size), "size": random.choice(list("sml"), size), "known": "yes"},
        dtype=object,
    )
    chance = np.where(frame["job"] == "p", 0.7, 0.1)
    return frame.assign(converted=(random.random(size) < chance).astype(np.int8), lead_id=np.arange(size).astype(str))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("make", "fields"), [(numbers, NUMBERS), (coarse, COARSE)])
def test_leads_that_are_equal_by_chance_are_passed(seed, make, fields):
    """Independent leads are no copies, however many have the same values."""
    random = np.random.default_rng(seed)

    assert suspect_overlap(make(1500, random), make(500, random), fields, LeakParams()) is None


@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
def test_copies_are_stopped_and_counted(share):
    """Leads of both the training set and the holdout are found, with their missing values."""
    random = np.random.default_rng(1)
    learn, held_out = numbers(2000, random), numbers(400, random)
    number = int(share * 400)
    held_out = pd.concat([learn.sample(number, random_state=0), held_out.iloc[number:]], ignore_index=True)
    found = suspect_overlap(learn, held_out, NUMBERS, LeakParams())

    assert (found.code, found.severity, found.field) == ("LK9", "stop", "split")
    assert f"{number:,} of 400 leads of the holdout have the same values" in found.evidence
    assert "the correlation of their labels is 1.00" in found.evidence
    assert "the account or group" in found.remedy
    assert "name split in leaks.accept" in found.remedy


def test_copies_with_random_labels_warn():
    """A company that asks twice may convert once."""
    random = np.random.default_rng(2)
    learn = numbers(2000, random)
    held_out = learn.sample(300, random_state=2).assign(converted=(random.random(300) < 0.3).astype(np.int8))

    assert suspect_overlap(learn, held_out, NUMBERS, LeakParams()).severity == "warn"


def test_copies_with_one_converter_warn():
    """Where nearly all copies have the same label, the correlation of the labels is no evidence."""
    random = np.random.default_rng(6)
    learn, held_out = numbers(2000, random), numbers(400, random)
    negatives, positives = (learn[learn["converted"] == label] for label in (0, 1))
    held_out = pd.concat([negatives[:99], positives[:1], held_out.iloc[100:]], ignore_index=True)
    found = suspect_overlap(learn, held_out, NUMBERS, LeakParams())

    assert "100 of 400" in found.evidence
    assert "the correlation of their labels is 1.00" in found.evidence
    assert found.severity == "warn"


def test_params_set_the_share_of_copies_that_is_suspected():
    """A smaller share of copies is passed, and so are very few copies."""
    random = np.random.default_rng(3)
    learn, held_out = numbers(2000, random), numbers(400, random)
    some, few = (pd.concat([learn.head(number), held_out.iloc[number:]], ignore_index=True) for number in (20, 4))

    assert suspect_overlap(learn, some, NUMBERS, LeakParams()).severity == "stop"
    assert suspect_overlap(learn, some, NUMBERS, LeakParams.model_validate({"twins": 0.2})) is None
    assert suspect_overlap(learn, few, NUMBERS, LeakParams()) is None


def categories(levels, size, random):
    """Return leads with three categories of so many levels, and labels that depend on the first."""
    columns = {name: random.integers(0, number, size).astype(str) for name, number in zip("abc", levels, strict=True)}
    chance = np.where(columns["a"].astype(int) % 2 == 0, 0.8, 0.1)
    return pd.DataFrame(columns, dtype=object).assign(converted=(random.random(size) < chance).astype(np.int8))


@pytest.mark.parametrize("levels", [(30, 30, 30), (60, 40, 20), (10, 10, 10), (4, 4, 3)])
@pytest.mark.parametrize("seed", range(4))
def test_many_leads_that_are_equal_by_chance_are_passed(levels, seed):
    """The pairs that differ in one or two fields give the number that is expected by chance."""
    random = np.random.default_rng(seed)
    learn, held_out = categories(levels, 4000, random), categories(levels, 1000, random)

    assert suspect_overlap(learn, held_out, COARSE_NUMBERS, LeakParams()) is None


def test_fields_that_determine_each_other_are_not_judged():
    """No pair differs in one field only, and there are few different leads."""
    random = np.random.default_rng(1)
    month = random.integers(0, 12, 3000)
    frame = pd.DataFrame({"a": month, "b": month * 2, "c": month * 3}, dtype=float)
    frame = frame.assign(converted=(random.random(3000) < month / 12).astype(np.int8))

    assert suspect_overlap(frame.head(2000), frame.tail(1000), NUMBERS, LeakParams()) is None
