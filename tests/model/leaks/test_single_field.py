from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField, suspect_single_field
from leadml.model.leaks.suspicion import Suspicion
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


def of_counts(*counts, kind="category", name="x", source="column"):
    """Return a field from (value, pairs that converted, pairs that did not).

    A lead of each pair is in the first half, the other in the second, so that both halves are alike. "..." stands for
    rising numbers, or for levels that are all different.
    """
    values, label = [], []
    for value, won, lost in counts:
        for at in range(won + lost):
            new = [float(len(values))] * 2 if kind == "number" else [f"v{len(values)}", f"w{len(values)}"]
            values += new if value == "..." else [value] * 2
            label += [int(at < won)] * 2
    return judged_field(values, label, kind, name, source)


def test_the_evidence_of_lk1_names_the_leads_where_the_field_is_filled_in():
    """A field that is perfect where it is filled in stops, also at the highest limit, and blanks do not matter."""
    field = of_counts(("...", 0, 500), ("...", 500, 0), (None, 1000, 1000), kind="number")
    evidence = (
        "by itself has an AUC of 1.000 among the 2,000 leads where it is filled in, too high for a field that is known "
        "before the outcome"
    )

    assert suspect_single_field(field, LeakParams(alone=1.0)) == Suspicion("LK1", "stop", evidence, "x")


def test_an_auc_at_the_limit_of_lk1_stops():
    """A perfect field has a lower bound of 1."""
    field = of_counts(("...", 0, 20), ("...", 20, 0), kind="number")
    evidence = "by itself has an AUC of 1.000, too high for a field that is known before the outcome"

    assert suspect_single_field(field, LeakParams(alone=1.0)) == Suspicion("LK1", "stop", evidence, "x")


@pytest.mark.parametrize(
    ("filled", "blanks", "leads"),
    [
        ([(1, 10), (0, 30)], 10, 80),  # in pairs of leads
        ([(1, 9), (0, 30)], 10, None),
        ([(1, 10), (0, 30)], 9, None),
        ([(1, 30), (0, 9)], 10, None),
        ([(1, 30)], 10, None),
    ],
)
def test_a_field_is_judged_where_it_is_filled_in_with_twenty_leads_of_each_kind(filled, blanks, leads):
    """There must be twenty converters and twenty others with a value, and twenty leads without."""
    counts = [(5.0, number * label, number * (1 - label)) for label, number in filled]
    part = of_counts((None, blanks, 0), *counts, kind="number").where_filled()

    assert (part and len(part.column)) == leads
    if part:
        assert part.column.index.tolist() == list(range(80))
        assert part.column.tolist() == [5.0] * 80
        assert part.outcome.labels.tolist() == [1] * 20 + [0] * 60
        assert part.field == Field("x", "number", "fit")


def test_a_half_without_converters_is_not_judged_where_filled():
    """Each half must have converters and others, also among the leads with a value."""
    field = judged_field([5.0] * 80 + [np.nan] * 40, [1, 0] * 40 + [1, 1, 0, 0] * 10)

    assert field.where_filled() is None


@pytest.mark.parametrize(
    ("counts", "severity", "auc"),
    [
        ([("a", 550, 450), ("b", 450, 550)], "stop", "0.550"),
        ([("a", 549, 450), ("b", 451, 550)], "warn", "0.549"),  # its lower bound is above chance
        ([("a", 12, 9), ("b", 8, 11)], "warn", "0.575"),  # its lower bound is below chance
    ],
)
def test_the_evidence_of_an_outcome_name_has_the_auc(counts, severity, auc):
    """The name stops from an AUC of 0.55 on if that is surely above chance."""
    chance = "" if severity == "stop" else ", which is no better than chance"
    evidence = f"is named like a field that is filled in after the outcome; its AUC by itself is {auc}{chance}"
    found = suspect_single_field(of_counts(*counts, name="Lead Status"), LeakParams())

    assert found == Suspicion("LK2", severity, evidence, "Lead Status")


FILLED = "is filled in for {} of the leads, and whether it is filled in has an AUC of {} by itself"
VALUE = (
    "; a value occurs in {0} leads, of which {0} converted, where the base rate is 20.0%; it covers {1} of all leads"
)


@pytest.mark.parametrize(
    ("counts", "fill", "severity", "evidence"),
    [
        ([("...", 650, 800), (None, 350, 3200)], 0.8, "warn", FILLED.format("29%", "0.725")),
        ([("...", 650, 800), (None, 350, 3200)], 0.71, "stop", FILLED.format("29%", "0.725")),
        ([("...", 550, 800), (None, 450, 3200)], 0.8, None, ""),  # an AUC of 0.675
        (
            [("...", 300, 0), (None, 200, 2000)],
            0.95,
            "stop",
            FILLED.format("12%", "0.800") + VALUE.format(600, "60%") + " that converted",
        ),
        (
            [("...", 20, 0), (None, 980, 4000)],
            0.8,
            "warn",
            FILLED.format("0%", "0.510") + VALUE.format(40, "2%") + " that converted",
        ),
        ([("...", 10, 0), (None, 2, 30)], 0.8, "stop", FILLED.format("24%", "0.917")),
        ([("...", 9, 0), (None, 1, 30)], 0.8, None, ""),  # too few with a value
        ([(None, 10, 0), ("...", 2, 30)], 0.8, "stop", FILLED.format("76%", "0.917")),
        ([(None, 9, 0), ("...", 1, 30)], 0.8, None, ""),  # too few without
    ],
)
def test_the_evidence_of_lk4_has_the_share_and_the_auc_of_being_filled_in(counts, fill, severity, evidence):
    """From an AUC of 0.7 on it warns, from the limit on it stops, and so it does where many converters have a value."""
    found = suspect_single_field(of_counts(*counts), LeakParams(alone=0.99, fill=fill))

    assert found == (severity and Suspicion("LK4", severity, evidence, "x"))


@pytest.mark.parametrize(("pairs", "severity", "share"), [(20, "warn", "2%"), (50, "stop", "5%")])
def test_the_evidence_of_lk5_names_the_value(pairs, severity, share):
    """A value of 2% of the converters warns, one of 5% stops."""
    evidence = (
        f"has a value that implies the outcome: the level 'signed' occurs in {2 * pairs} leads, of which {2 * pairs} "
        f"converted, where the base rate is 20.0%; it covers {share} of all leads that converted"
    )
    field = of_counts(("signed", pairs, 0), ("open", 1000 - pairs, 4000))

    assert suspect_single_field(field, LeakParams()) == Suspicion("LK5", severity, evidence, "x")


def test_the_first_rule_that_stops_comes_before_rules_that_warn():
    """Without a stop the first warning is returned."""
    stops = of_counts(("signed", 50, 0), ("open", 950, 4000), name="Lead Status")
    warns = of_counts(("signed", 20, 0), ("open", 980, 4000), name="Lead Status")

    assert suspect_single_field(stops, LeakParams()).code == "LK5"
    assert suspect_single_field(warns, LeakParams()).code == "LK2"


@pytest.mark.parametrize(
    ("converted", "kind", "gradual"),
    [
        # of 100 leads of each level; ten leads at the base rate are added, so that the odds of 80 are 85 to 25
        ([20, 80], "category", True),  # 2 * log(85 / 25) = 2.45
        ([18, 82], "category", False),  # 2 * log(87 / 23) = 2.66
        ([80, 20], "category", True),
        ([20, 80], "number", False),  # two plateaus
        ([50], "number", True),
        ([20, 32, 68, 80], "number", True),  # the middle step is 1.36, the range 2.45
        ([20, 30, 70, 80], "number", False),  # the middle step is 1.52
        ([80, 70, 30, 20], "number", False),
        ([80, 68, 32, 20], "number", True),
        ([20, 30, 70, 80], "category", True),
        ([20, 80, 50], "number", False),
        ([20, 80, 50], "category", True),
        ([*[12] * 7, 50, *[88] * 7], "category", True),  # 2 * log(93 / 17) = 3.40 over two of 15 levels
        ([*[12] * 7, 50, *[88] * 8], "category", False),  # of 16
        ([*[14] * 7, 50, *[86] * 8], "category", True),  # 2 * log(91 / 19) = 3.13
    ],
)
def test_rates_are_gradual_up_to_a_limit(converted, kind, gradual):
    """The log-odds rise by 2.5 at most, by 3.3 over two of many levels; those of a number in more than one step."""
    values = [float(at) if kind == "number" else f"v{at}" for at in range(len(converted))]
    counts = [(value, won // 2, 50 - won // 2) for value, won in zip(values, converted, strict=True)]

    assert of_counts(*counts, kind=kind).gradual is gradual


@pytest.mark.parametrize(
    ("middle", "blanks", "gradual"), [(10, 0, True), (9, 0, False), (10, 30, True), (10, 31, False)]
)
def test_levels_of_twenty_leads_count_where_half_of_the_leads_have_one(middle, blanks, gradual):
    """A level between two others makes them gradual if it has twenty leads; half of all leads must have a value."""
    between = ("b", middle // 2, middle - middle // 2)

    assert of_counts(("a", 0, 10), between, ("c", 10, 0), (None, 0, blanks)).gradual is gradual


@pytest.mark.parametrize(
    ("kind", "values"), [("number", range(300)), ("category", [f"v{at // 3}" for at in range(300)])]
)
def test_a_field_without_a_bin_of_many_leads_is_not_gradual(kind, values):
    """Three hundred leads with a number each fill no bin with twenty, so nothing is known of its shape."""
    label = (np.arange(300) % 3 == 0).astype(np.int8)
    assert not judged_field(list(values), label, kind).gradual
