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
    """Return leads whose numbers tell them apart."""
    frame = pd.DataFrame(np.round(random.normal(size=(size, 3)), 3), columns=list("abc"))
    frame.loc[random.random(size) < 0.3, "c"] = np.nan
    return frame.assign(converted=(random.random(size) < 0.3).astype(np.int8), lead_id=np.arange(size).astype(str))


def coarse(size, random):
    """Return leads that few levels cannot tell apart, and whose level matters."""
    frame = pd.DataFrame(
        {"job": random.choice(list("pqr"), size), "size": random.choice(list("sml"), size), "known": "yes"},
        dtype=object,
    )
    chance = np.where(frame["job"] == "p", 0.7, 0.1)
    return frame.assign(converted=(random.random(size) < chance).astype(np.int8), lead_id=np.arange(size).astype(str))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("make", "fields"), [(numbers, NUMBERS), (coarse, COARSE)])
def test_leads_that_are_merely_alike_are_passed(seed, make, fields):
    """Independent leads are no copies, however many have twins."""
    random = np.random.default_rng(seed)

    assert suspect_overlap(make(1500, random), make(500, random), fields, LeakParams()) is None


@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
def test_copies_are_stopped_and_counted(share):
    """Leads that are on both sides, blanks and all, are found."""
    random = np.random.default_rng(1)
    learn, aside = numbers(2000, random), numbers(400, random)
    number = int(share * 400)
    aside = pd.concat([learn.sample(number, random_state=0), aside.iloc[number:]], ignore_index=True)
    found = suspect_overlap(learn, aside, NUMBERS, LeakParams())

    assert (found.code, found.severity, found.field) == ("LK9", "stop", "split")
    assert f"{number:,} of 400 leads kept aside have the same values" in found.evidence
    assert "their labels agree with a correlation of 1.00" in found.evidence
    assert "an account or group" in found.remedy
    assert "name split in leaks.accept" in found.remedy


def test_twins_whose_labels_do_not_agree_are_warned_of():
    """The same values with labels by chance: a company that asked twice may convert once."""
    random = np.random.default_rng(2)
    learn = numbers(2000, random)
    aside = learn.sample(300, random_state=2).assign(converted=(random.random(300) < 0.3).astype(np.int8))

    assert suspect_overlap(learn, aside, NUMBERS, LeakParams()).severity == "warn"


def test_one_converter_among_twins_is_no_agreement():
    """Where nearly all twins have one label, that they agree is no news."""
    random = np.random.default_rng(6)
    learn, aside = numbers(2000, random), numbers(400, random)
    quiet, won = (learn[learn["converted"] == label] for label in (0, 1))
    aside = pd.concat([quiet[:99], won[:1], aside.iloc[100:]], ignore_index=True)
    found = suspect_overlap(learn, aside, NUMBERS, LeakParams())

    assert "100 of 400" in found.evidence
    assert "with a correlation of 1.00" in found.evidence
    assert found.severity == "warn"


def test_the_share_that_stops_is_a_choice():
    """Fewer copies than leaks.twins, and very few, are not worth a word."""
    random = np.random.default_rng(3)
    learn, aside = numbers(2000, random), numbers(400, random)
    some, few = (pd.concat([learn.head(number), aside.iloc[number:]], ignore_index=True) for number in (20, 4))

    assert suspect_overlap(learn, some, NUMBERS, LeakParams()).severity == "stop"
    assert suspect_overlap(learn, some, NUMBERS, LeakParams(twins=0.2)) is None
    assert suspect_overlap(learn, few, NUMBERS, LeakParams()) is None


def alike_in(levels, size, random):
    """Return leads of categories of so many levels, all of whose labels follow the first."""
    columns = {name: random.integers(0, number, size).astype(str) for name, number in zip("abc", levels, strict=True)}
    chance = np.where(columns["a"].astype(int) % 2 == 0, 0.8, 0.1)
    return pd.DataFrame(columns, dtype=object).assign(converted=(random.random(size) < chance).astype(np.int8))


@pytest.mark.parametrize("levels", [(30, 30, 30), (60, 40, 20), (10, 10, 10), (4, 4, 3)])
@pytest.mark.parametrize("seed", range(4))
def test_twins_by_chance_are_expected(levels, seed):
    """However many leads agree by chance, their near twins say so, and their labels agreeing is no news."""
    random = np.random.default_rng(seed)
    learn, aside = alike_in(levels, 4000, random), alike_in(levels, 1000, random)

    assert suspect_overlap(learn, aside, COARSE_NUMBERS, LeakParams()) is None


def test_columns_that_follow_from_each_other_are_no_copies():
    """Three clocks have no near twins, and few values: nothing can be said."""
    random = np.random.default_rng(1)
    month = random.integers(0, 12, 3000)
    frame = pd.DataFrame({"a": month, "b": month * 2, "c": month * 3}, dtype=float)
    frame = frame.assign(converted=(random.random(3000) < month / 12).astype(np.int8))

    assert suspect_overlap(frame.head(2000), frame.tail(1000), NUMBERS, LeakParams()) is None
