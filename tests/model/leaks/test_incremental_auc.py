from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import LeakEvidence
from leadml.model.leaks.check import JudgedRows
from leadml.model.leaks.incremental_auc import Comparison, suspect_incremental_auc
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import AucEstimate, AucGain
from leadml.params import LeakParams


def suspicions(columns, label, suspected=(), leaks=None):
    """Return the suspicions of numbers by name."""
    label = np.asarray(label, dtype=np.int8)
    frame, outcome = pd.DataFrame(columns), Outcome(label, np.arange(len(label)))
    judged_fields = [JudgedField(Field(name, "number", "fit"), frame[name], outcome) for name in columns]
    rows = JudgedRows(frame, frame, outcome, judged_fields, LeakEvidence(), leaks or LeakParams())
    return suspect_incremental_auc(rows, dict(suspected))


def causes(seed=0, *, strengths=(0.8, 0.7, 0.6, 0.5), size=5000):
    """Return honest numbers, and labels that they cause."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(size, len(strengths)))
    label = random.random(size) < expit(numbers @ np.array(strengths) - 1.5)
    return {f"x{at}": numbers[:, at] for at in range(len(strengths))}, label.astype(np.int8), random


def stops(found):
    """Return the names of the fields that stop."""
    return [name for name, suspicion in found.items() if suspicion.severity == "stop"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("strongest", [0.5, 2.0, 2.6])
def test_a_cause_is_never_stopped(seed, strongest):
    """An honest number that is much stronger than the others is a warning at most."""
    columns, label, _ = causes(seed, strengths=(strongest, 0.7, 0.6, 0.6, 0.5))

    assert stops(suspicions(columns, label)) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_correlated_causes_are_never_stopped(seed):
    """Causes with a common cause are correlated with each other."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(5000, 6)) + 0.6 * random.normal(size=(5000, 1))
    label = random.random(5000) < expit(numbers @ [1.5, 0.8, 0.6, 0.5, 0.4, 0.3] - 2)

    assert stops(suspicions({f"x{at}": numbers[:, at] for at in range(6)}, label)) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_number_with_the_same_cause_as_the_others_is_not_stopped(seed):
    """It is far stronger than the others together, and more correlated with them than the outcome explains."""
    random = np.random.default_rng(seed)
    cause = random.normal(size=5000)
    label = random.random(5000) < expit(2 * cause - 1)
    columns = {f"x{at}": cause + 2.5 * random.normal(size=5000) for at in range(3)}
    found = suspicions(columns | {"near": cause + 0.3 * random.normal(size=5000)}, label)

    assert (stops(found), found["near"].severity) == ([], "warn")
    assert "more correlated with the other fields than the outcome explains" in found["near"].evidence


@pytest.mark.slow
@pytest.mark.parametrize("flipped", [0.05, 0.1, 0.15, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_a_copy_with_flipped_labels_is_stopped(flipped, seed):
    """The evidence has the AUC of the other fields without the copy and with it."""
    columns, label, random = causes(seed)
    columns["copy"] = np.where(random.random(5000) < flipped, 1 - label, label)
    found = suspicions(columns, label)

    assert stops(found) == ["copy"]
    assert found["copy"].code == "LK3"
    assert re.search(r"without it AUC falls from 0\.\d\d to 0\.\d\d", found["copy"].evidence)


@pytest.mark.slow
def test_two_leaks_do_not_hide_each_other():
    """Copies with different flipped labels are both stopped, and so are near copies of each other."""
    columns, label, random = causes()
    first, second = (np.where(random.random(5000) < 0.15, 1 - label, label) for _ in range(2))
    nearly = np.where(random.random(5000) < 0.001, 1 - first, first)

    assert stops(suspicions(columns | {"one": first, "two": second}, label)) == ["one", "two"]
    assert sorted(stops(suspicions(columns | {"one": first, "again": nearly}, label))) == ["again", "one"]


def test_a_noisy_copy_of_a_leak_is_stopped_too():
    """A field that is stopped is not compared with the next fields, so it does not hide their leaks."""
    columns, label, random = causes()
    first = np.where(random.random(5000) < 0.05, 1 - label, label)
    second = np.where(random.random(5000) < 0.1, 1 - first, first)

    assert stops(suspicions(columns | {"one": first, "two": second}, label)) == ["one", "two"]


def test_a_number_that_the_outcome_determines_is_stopped():
    """It is gradual like a cause, but only the outcome links it to the other fields."""
    columns, label, random = causes()

    assert stops(suspicions(columns | {"late": 1.8 * label + random.normal(size=5000)}, label)) == ["late"]


def test_a_weaker_leak_warns():
    """Between a cause and a clear leak there is a warning."""
    columns, label, random = causes()
    found = suspicions(columns | {"weak": np.where(random.random(5000) < 0.31, 1 - label, label)}, label)

    assert (found["weak"].code, found["weak"].severity) == ("LK3", "warn")


def test_leaks_own_is_the_limit_of_lk3():
    """A copy with flipped labels warns below the limit."""
    columns, label, random = causes()
    columns["copy"] = np.where(random.random(5000) < 0.15, 1 - label, label)

    assert suspicions(columns, label, leaks=LeakParams(own=0.99))["copy"].severity == "warn"


@pytest.mark.slow
def test_a_suspicion_of_another_rule_gets_the_auc_as_evidence():
    """A suspicion that stops is kept, with more evidence; one that warns may become a stop of LK3."""
    columns, label, random = causes()
    columns["copy"] = np.where(random.random(5000) < 0.1, 1 - label, label)
    named = Suspicion("LK2", "stop", "has a bad name", "copy")
    blank = Suspicion("LK4", "warn", "has blanks", "copy")

    found = suspicions(columns, label, {"copy": named})["copy"]
    assert (found.code, found.evidence.split(";")[0]) == ("LK2", "has a bad name")
    assert "without it AUC falls from" in found.evidence
    assert suspicions(columns, label, {"copy": blank})["copy"].code == "LK3"


def test_a_field_without_others_is_not_compared():
    """There is no other field to compare with."""
    _, label, random = causes()

    assert suspicions({"late": 1.8 * label + random.normal(size=5000)}, label) == {}


def suspicions_with_windows(happened, ago, columns, label, source="activity"):
    """Return the suspicions of numbers and of the windows of one kind of activity."""
    windows = {f"w{days}": (happened & (ago < days)).astype(float) for days in (7, 20, 90)}
    frame = pd.DataFrame(columns | windows | {"w_last": np.where(happened, ago, np.nan)})
    outcome = Outcome(label, np.arange(len(label)))
    fields = [
        Field(name, "number", "engagement", source, "w") if name in windows or name == "w_last" else plain(name)
        for name in frame
    ]
    judged_fields = [JudgedField(field, frame[field.name], outcome) for field in fields]
    rows = JudgedRows(frame, frame, outcome, judged_fields, LeakEvidence(), LeakParams())
    return suspect_incremental_auc(rows, {})


def plain(name):
    """Return a number of no activity."""
    return Field(name, "number", "fit")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_windows_of_one_activity_do_not_hide_each_other(seed):
    """A kind of activity that is backdated leaks in every window; a window is compared with other fields only."""
    columns, label, random = causes(seed)
    label = (random.random(5000) < 0.2 * label).astype(np.int8)
    happened = random.random(5000) < np.where(label == 1, 0.7, 0.03)
    found = stops(suspicions_with_windows(happened, random.gamma(2, 8, 5000), columns, label))

    assert {"w90", "w_last"} <= set(found)
    assert all(name[0] == "w" for name in found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_windows_of_a_habit_are_compared_with_each_other(seed):
    """The more recent an activity the more likely a conversion: no window adds much to the others."""
    columns, _, random = causes(seed)
    ago = random.exponential(30, 5000)
    margin = sum(columns.values()) / 2 + 3 * np.exp(-ago / 20) - 3
    label = (random.random(5000) < expit(margin)).astype(np.int8)
    found = suspicions_with_windows(np.ones(5000, dtype=bool), ago, columns, label)

    assert stops(found) == []


@pytest.mark.slow
@pytest.mark.parametrize(("strength", "severity"), [(1.0, None), (2.8, "warn"), (3.8, "stop")])
def test_all_fields_together_are_suspected_where_their_auc_is_too_high(strength, severity):
    """Twelve numbers, each moved a little by the outcome, of which none explains the AUC of all."""
    random = np.random.default_rng(3)
    label = (random.random(6000) < 0.3).astype(np.int8)
    columns = {f"x{at}": random.normal(size=6000) + label * strength / np.sqrt(12) for at in range(12)}
    found = suspicions(columns, label).get("together")

    assert (found and found.severity) == severity
    if found:
        assert "all fields together have an AUC of 0.9" in found.evidence
        assert ("name together in leaks.accept" in found.remedy) == (severity == "stop")


def test_all_fields_together_are_not_suspected_where_one_field_stops():
    """The field that is stopped explains the AUC of all."""
    columns, label, random = causes(1)
    columns["copy"] = np.where(random.random(5000) < 0.01, 1 - label, label).astype(float)

    assert "together" not in suspicions(columns, label)


def compared(gain, *, gradual, kind="number", auc=0.9):
    """Return a comparison of a field that is gradual, because it is constant, or not, because it is blank."""
    label = np.array([0, 0, 1, 1] * 10, dtype=np.int8)
    column = pd.Series([1.0 if gradual else np.nan] * 40)
    judged_field = JudgedField(Field("x", kind, "fit"), column, Outcome(label, np.arange(40)))
    return Comparison(judged_field, AucEstimate(auc, 0.0), gain)


INDEPENDENT = "it may be an honest cause, because it is independent of the other fields"
DEPENDENT = (
    "it may be honest, because it is more correlated with the other fields than the outcome explains, as fields with a "
    "common cause are"
)
NOT_STRONGER = (
    "it may be an honest cause, because its conversion rate changes gradually and by itself it is not clearly stronger "
    "than the other fields"
)


@pytest.mark.parametrize(
    ("dependence", "error", "with_field", "gradual", "kind", "auc", "reason"),
    [
        (0.24, 0.1, 0.9, True, "category", 0.9, INDEPENDENT),  # less than 2.5 errors from 0
        (0.25, 0.1, 0.9, True, "category", 0.9, ""),
        (0.24, 0.1, 0.9, False, "number", 0.9, INDEPENDENT),  # 0.24 + 1.645 * 0.1 is less than 0.5
        (0.24, 0.16, 0.9, False, "number", 0.9, ""),
        (0.3, 0.01, 0.9, False, "number", 0.9, ""),
        (2.17, 0.1, 0.87, False, "category", 0.9, DEPENDENT),  # 2.17 - 1.645 * 0.1 is more than 2
        (2.16, 0.1, 0.87, False, "category", 0.9, ""),
        (2.17, 0.1, 0.9, False, "category", 0.9, ""),  # it adds as much as an AUC of 0.83
        (1.47, 0.1, 0.9, True, "category", 0.9, DEPENDENT),  # 1.47 - 1.645 * 0.1 is more than 1.3
        (1.46, 0.1, 0.9, True, "category", 0.9, ""),
        (1.47, 0.1, 0.87, False, "category", 0.9, ""),
        (1.0, 0.1, 0.9, True, "number", 0.811, NOT_STRONGER),  # d-prime of 1.247, that of 0.8 times 1.05 is 1.250
        (1.0, 0.1, 0.9, True, "number", 0.812, ""),
        (1.0, 0.1, 0.9, True, "category", 0.7, ""),
        (1.0, 0.1, 0.9, False, "number", 0.7, ""),
    ],
)
def test_a_field_that_behaves_like_a_cause_warns(dependence, error, with_field, gradual, kind, auc, reason):
    """The evidence has the AUC with the field and without it, what it adds, and why it may be honest."""
    gain = AucGain(0.8, with_field, 0.001, dependence, error)
    adds = {0.87: "0.773", 0.9: "0.833"}[with_field]
    evidence = (
        "knows more than a field that is filled in before the outcome: without it AUC falls from "
        f"{with_field:.2f} to 0.80; its AUC by itself is {auc:.3f}, and what it adds to the other fields is worth an "
        f"AUC of {adds}"
    )
    comparison = compared(gain, gradual=gradual, kind=kind, auc=auc)

    assert comparison.honest_reason == reason
    assert comparison.suspicion(LeakParams()) == (
        Suspicion("LK3", "warn", f"{evidence}; {reason}", "x") if reason else Suspicion("LK3", "stop", evidence, "x")
    )


@pytest.mark.parametrize(("with_field", "severity"), [(0.61, None), (0.63, "warn"), (0.69, "warn"), (0.71, "stop")])
def test_the_bound_of_what_a_field_adds_decides(with_field, severity):
    """Below 0.62 it is passed, from the limit on it stops."""
    found = compared(AucGain(0.5, with_field, 0.0, 1.0, 0.1), gradual=False).suspicion(LeakParams())

    assert (found and found.severity) == severity


def of_rates(first, second):
    """Return a function that gives rows: of a number, 100 leads of each of two values, of which so many converted."""
    number = np.repeat([0.0, 1.0], 100)
    label = (np.tile(np.arange(100), 2) < np.repeat([first, second], 100)).astype(np.int8)
    copy = label.astype(float)
    columns = {"number": number, "copy": copy, "again": 3 * copy, "constant": np.ones(200)}

    def rows(*names, leaks=None, suspects=None, field_of=plain):
        frame, outcome = pd.DataFrame({name: columns[name] for name in names}), Outcome(label, np.arange(200))
        fields = [JudgedField(field_of(name), frame[name], outcome) for name in names]
        return JudgedRows(frame[:0], frame, outcome, fields, LeakEvidence(), leaks or LeakParams(), suspects)

    return rows


COPY = Suspicion(
    "LK3",
    "stop",
    "knows more than a field that is filled in before the outcome: without it AUC falls from 1.00 to 0.80; its AUC by "
    "itself is 1.000, and what it adds to the other fields is worth an AUC of 1.000",
    "copy",
)


@pytest.mark.parametrize(
    ("suspected", "found"),
    [
        ({}, {"copy": COPY}),
        ({"copy": Suspicion("LK4", "warn", "has blanks", "copy")}, {"copy": COPY}),
        (
            {"copy": Suspicion("LK2", "stop", "has a bad name", "copy")},
            {"copy": Suspicion("LK2", "stop", "has a bad name; without it AUC falls from 1.00 to 0.80", "copy")},
        ),
        (
            {"number": Suspicion("LK4", "warn", "has blanks", "number")},
            {"number": Suspicion("LK4", "warn", "has blanks", "number"), "copy": COPY},
        ),
    ],
)
def test_a_copy_of_the_label_is_compared_with_a_number(suspected, found):
    """A number with an AUC of 0.8 is compared with the copy, which has 1; the copy is not used to judge the number."""
    assert suspect_incremental_auc(of_rates(20, 80)("number", "copy"), suspected) == found


def test_a_suspicion_of_another_rule_stays_a_warning_where_the_field_adds_little():
    """It gets the AUC with the field and without it as evidence."""
    blank = Suspicion("LK4", "warn", "has blanks", "constant")
    more = Suspicion("LK4", "warn", "has blanks; without it AUC falls from 0.80 to 0.80", "constant")
    rows = of_rates(20, 80)("number", "constant", suspects=frozenset({"constant"}))

    assert suspect_incremental_auc(rows, {"constant": blank}) == {"constant": more}


TOGETHER = (
    "all fields together have an AUC of {}, and no single field explains it",
    "together",
    "check whether rows were copied, completed or deleted depending on the outcome of the leads",
)


@pytest.mark.parametrize(
    ("rates", "leaks", "auc", "severity"),
    [
        ((0, 100), LeakParams(together=1.0), "1.000", "stop"),
        ((4, 96), LeakParams(), "0.960", "warn"),  # the bound is 0.937
        ((6, 94), LeakParams(), "0.940", None),  # the bound is 0.912
        ((20, 80), LeakParams(together=0.75), "0.800", "stop"),  # the bound is 0.753
        ((20, 80), LeakParams(together=0.76), "0.800", None),
    ],
)
def test_the_evidence_of_all_fields_has_their_auc(rates, leaks, auc, severity):
    """From 0.92 on it warns, from the limit on it stops; fields that are not judged are used."""
    found = suspect_incremental_auc(of_rates(*rates)("number", "constant", leaks=leaks, suspects=frozenset()), {})
    evidence, name, remedy = TOGETHER
    if severity == "stop":
        remedy += "; or name together in leaks.accept with the reason why they were not"

    assert found == ({name: Suspicion("LK3", severity, evidence.format(auc), name, remedy)} if severity else {})


def test_two_copies_of_the_label_are_both_compared_with_the_number_only():
    """A field with a correlation of more than 0.9 would hide what the other knows; without others none is compared."""
    rows = of_rates(20, 80)
    named = {"copy": Suspicion("LK4", "warn", "has blanks", "copy")}

    assert suspect_incremental_auc(rows("again", "number", "copy"), {}) == {
        "again": replace(COPY, field="again"),
        "copy": COPY,
    }
    assert suspect_incremental_auc(rows("copy"), named) == named
    assert list(suspect_incremental_auc(rows("copy", "again"), {})) == ["together"]


@pytest.mark.parametrize(
    ("sources", "topics", "suspects"),
    [
        (("activity", "activity"), ("w", "w"), ["together"]),
        (("activity", "activity"), ("w", "v"), ["copy"]),
        (("activity", "column"), ("w", "v"), ["copy"]),
        (("column", "column"), ("w", "w"), ["copy"]),
    ],
)
def test_a_field_of_an_activity_is_not_compared_with_fields_of_the_same_activity(sources, topics, suspects):
    """Where no field of an activity is gradual, another field of it would hide what the field knows."""
    fields = {
        name: Field(name, "number", "engagement", source, topic)
        for name, source, topic in zip(("number", "copy"), sources, topics, strict=True)
    }
    rows = of_rates(20, 80)("number", "copy", field_of=fields.__getitem__)

    assert list(suspect_incremental_auc(rows, {})) == suspects
