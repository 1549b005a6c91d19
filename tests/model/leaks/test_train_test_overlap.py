from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import LeakEvidence
from leadml.model.leaks.check import JudgedRows
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.train_test_overlap import CHECK, suspect_overlap
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
    assert "declare what such leads share in split.same_person" in found.remedy
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


def overlap(severity, matched, held_out, pairs, expected, correlation):
    """Return the suspicion with the words that people read."""
    evidence = (
        f"has train-test overlap: {matched} of {held_out} leads of the holdout have the same values as training leads, "
        f"in {pairs} pairs where {expected} are expected by chance; the correlation of their labels is {correlation}"
    )
    remedy = {
        "stop": "it is a suspected leak: remove the duplicates, or declare what such leads share in split.same_person "
        "(of dated leads, or in sources.leads.account); or name split in leaks.accept with the reason why they are no "
        "copies",
        "warn": "check whether they are the same leads, and remove the duplicates",
    }[severity]
    return Suspicion("LK9", severity, evidence, "split", remedy)


def fields_of(number):
    """Return so many numbers."""
    return [Field(f"x{at}", "number", "fit") for at in range(number)]


def different(size, *, fields=2, first=0.0):
    """Return leads with numbers that no other lead has; every second lead converted."""
    values = first + np.arange(size, dtype=float)
    return pd.DataFrame(dict.fromkeys([f"x{at}" for at in range(fields)], values)).assign(
        converted=(np.arange(size) % 2).astype(np.int8)
    )


def with_copies(number, size):
    """Return a holdout of which the first leads are copies of `different` leads."""
    return pd.concat([different(number), different(size - number, first=10_000)], ignore_index=True)


@pytest.mark.parametrize(
    ("copies", "held_out", "limit", "severity"),
    [
        (100, 100, 0.8355, "stop"),  # 100 - 1.645 * 10 is 83.55
        (100, 100, 0.8356, None),
        (20, 100, 0.02, "stop"),
        (5, 30, 0.02, "warn"),  # of five, two converted
        (4, 30, 0.02, None),  # too few, although 4 - 1.645 * 2 is more than 2% of 30
    ],
)
def test_the_evidence_has_the_copies_and_the_size_of_the_holdout(copies, held_out, limit, severity):
    """Five copies or more are found where the lower bound of their number is a larger share than the limit."""
    found = suspect_overlap(
        different(100), with_copies(copies, held_out), fields_of(2), LeakParams.model_validate({"twins": limit})
    )

    assert found == (severity and overlap(severity, copies, held_out, copies, 0, "1.00"))


@pytest.mark.parametrize(
    ("converted", "severity"), [(2, "warn"), (3, "stop"), (97, "stop"), (98, "warn"), (0, "warn"), (100, "warn")]
)
def test_three_copies_of_each_label_must_agree(converted, severity):
    """The correlation of 1 times the root of the number of the rarer label must be 1.5; with one label it is 0."""
    leads = different(100).assign(converted=(np.arange(100) < converted).astype(np.int8))
    correlation = "0.00" if converted in {0, 100} else "1.00"

    assert suspect_overlap(leads, leads, fields_of(2), LeakParams()) == overlap(severity, 100, 100, 100, 0, correlation)


@pytest.mark.parametrize(
    ("copied", "times", "pairs"), [(10, 2, 20), (10, 3, 30), (10, 4, 30), (40, 2, 80), (100, 2, 200)]
)
def test_a_copy_has_three_originals_at_most(copied, times, pairs):
    """Training leads that occur several times are that many pairs, three at most."""
    learn = pd.concat([different(100), *[different(copied)] * (times - 1)], ignore_index=True)
    found = suspect_overlap(learn, with_copies(copied, 100), fields_of(2), LeakParams())

    assert found == overlap("stop", copied, 100, pairs, 0, "1.00")


def test_half_of_the_training_leads_must_be_different():
    """Where all occur twice they are judged; where one occurs a third time, fields are too coarse."""
    twice = pd.concat([different(100)] * 2, ignore_index=True)
    thrice = pd.concat([twice, different(1)], ignore_index=True)

    assert suspect_overlap(twice, different(100), fields_of(2), LeakParams()).severity == "stop"
    assert suspect_overlap(thrice, different(100), fields_of(2), LeakParams()) is None


def test_labels_are_compared_with_the_rate_of_the_originals():
    """Of two originals with different labels the rate is one half, which agrees with no label."""
    learn = pd.concat([different(100), different(100).assign(converted=1 - different(100)["converted"])])
    shifted = different(100).assign(converted=np.int8([1, 1, 0, 0] * 25))

    assert suspect_overlap(learn, different(100), fields_of(2), LeakParams()) == overlap(
        "warn", 100, 100, 200, 0, "0.00"
    )
    assert suspect_overlap(different(100), shifted, fields_of(2), LeakParams()) == overlap(
        "warn", 100, 100, 100, 0, "0.00"
    )


def test_equal_values_of_different_fields_are_no_copies():
    """Leads whose values are exchanged between the fields are different leads."""
    values = np.arange(100)
    learn = pd.DataFrame({"x0": np.r_[values, values[:50]], "x1": np.r_[values, values[50:]]}, dtype=float)
    exchanged = learn[100:].rename(columns={"x0": "x1", "x1": "x0"})
    learn, exchanged = (frame.assign(converted=np.arange(len(frame)) % 2) for frame in (learn, exchanged))

    assert suspect_overlap(learn, exchanged, fields_of(2), LeakParams()) is None
    assert suspect_overlap(learn, learn[100:], fields_of(2), LeakParams()).severity == "stop"


@pytest.mark.parametrize(("size", "used"), [(10_000, "10,000"), (10_001, "5,001")])
def test_ten_thousand_leads_of_the_holdout_are_used_at_most(size, used):
    """Of more, every second one is, or every third one."""
    leads = different(size)
    labels_agree = "1.00" if size == 10_000 else "0.00"  # every second lead did not convert
    severity = "stop" if size == 10_000 else "warn"

    assert suspect_overlap(leads, leads, fields_of(2), LeakParams()) == overlap(
        severity, used, used, used, 0, labels_agree
    )


def test_the_check_needs_a_holdout():
    """Without a holdout it finds nothing and says why; with one it judges all rows and all fields."""
    leads, new = (different(100, first=first).assign(lead_id=np.arange(100).astype(str)) for first in (0, 500))
    outcome = Outcome(leads["converted"].to_numpy(), np.arange(100))
    judged = [JudgedField(field, leads[field.name], outcome) for field in fields_of(2)]
    message = "no holdout was given, so copies of its leads cannot be found"
    found = {}
    for name, held_out in (("none", None), ("empty", leads[:0]), ("new", new), ("copies", leads)):
        evidence = LeakEvidence(held_out=held_out)
        rows = JudgedRows(leads, leads[:1], outcome, judged, evidence, LeakParams.model_validate({"twins": 0.8}))
        found[name] = (CHECK.missing(evidence), CHECK.find(rows))

    assert found == {
        "none": (message, []),
        "empty": (message, []),
        "new": ("", []),
        "copies": ("", [overlap("stop", 100, 100, 100, 0, "1.00")]),
    }


def varied(differ, *, copies, fields):
    """Return training leads and a holdout: copies, and leads that differ from one training lead in some fields only."""
    number = copies + sum(differ.values())
    learn, held_out = different(number, fields=fields), different(number, fields=fields)
    at = copies
    for names, leads in differ.items():
        held_out.loc[at : at + leads - 1, list(names)] += 0.5
        at += leads
    return learn, held_out


@pytest.mark.parametrize(("limit", "severity"), [(0.0061, "stop"), (0.0062, "warn"), (0.0686, "warn"), (0.0687, None)])
def test_the_pairs_that_are_expected_by_chance_are_subtracted(limit, severity):
    """The expected pairs are (20 * 20 + 20 * 10 + 20 * 10) / (40 + 20 + 20) = 10; those found are 30 - 9.01 at least.

    A stop needs 20.99 - 2 * 10 = 0.99 pairs of 160, a warning 20.99 - 10 = 10.99.
    """
    differ = {("x0",): 20, ("x1",): 20, ("x2",): 10, ("x0", "x1"): 40, ("x0", "x2"): 20, ("x1", "x2"): 20}
    learn, held_out = varied(differ, copies=30, fields=3)
    found = suspect_overlap(learn, held_out, fields_of(3), LeakParams.model_validate({"twins": limit}))

    assert found == (severity and overlap(severity, 30, 160, 30, 10, "1.00"))


def test_the_eight_most_varied_fields_tell_what_is_expected():
    """Of nine fields 28 pairs count: 28 * 2 * 2 / 4 = 28 pairs are expected; the ninth field varies least."""
    differ = {(f"x{at}",): 2 for at in range(1, 9)} | {("x0",): 1, ("x1", "x2"): 4, ("x0", "x1"): 30}
    learn, held_out = varied(differ, copies=80, fields=9)
    found = suspect_overlap(learn, held_out, fields_of(9), LeakParams())

    assert found == overlap("stop", 80, 131, 80, 28, "1.00")


def test_every_second_lead_is_used_from_the_first_on():
    """Of 10,002 leads the first, the third and so on are used; only they are copies here."""
    leads = different(10_002)
    held_out = leads.assign(x0=leads["x0"].where(np.arange(10_002) % 2 == 0, -1.0))
    found = overlap("warn", "5,001", "5,001", "5,001", 0, "0.00")

    assert suspect_overlap(leads, held_out, fields_of(2), LeakParams()) == found


def test_one_pair_that_differs_in_two_fields_is_enough_to_know_what_is_expected():
    """Five leads differ in the one, five in the other and one in both of these: 5 * 5 / 1 = 25 are expected."""
    differ = {("x0",): 5, ("x1",): 5, ("x0", "x1"): 1}
    learn, held_out = varied(differ, copies=80, fields=3)

    assert suspect_overlap(learn, held_out, fields_of(3), LeakParams()) == overlap("stop", 80, 91, 80, 25, "1.00")
