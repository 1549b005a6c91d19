from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.ingest import Dialect
from leadml.leads.load import load_leads
from leadml.leads.schema import Contract, Field
from leadml.model.leaks import field_scores, find_leaks
from leadml.model.metrics import roc_auc
from leadml.params import LeakParams, load_params


@pytest.fixture(scope="module")
def talked(bank_file):
    """Return the bundled leads with the length of the call, which is known only after it."""
    overrides = ["tracking.enabled=false", "features.excluded={}", "features.engagement.duration=number"]
    params = load_params(bank_file.parents[2] / "params.yaml", overrides)
    return load_leads(bank_file, Contract.from_params(params), Dialect()).frame


def _names(findings, severity="stop"):
    return [(finding.code, finding.field) for finding in findings if finding.severity == severity]


def _accepting(params, **reasons):
    return params.model_copy(update={"leaks": LeakParams(accept=reasons)})


def test_the_bundled_leads_without_duration_are_passed(bank_leads, bank_contract, quick_params):
    """Nothing is stopped, and the one line says how strong the strongest field is."""
    (finding,) = find_leaks(bank_leads.frame, bank_contract.fields, quick_params)
    assert (finding.code, finding.severity) == ("LK0", "passed")
    assert str(finding) == "LK0 no field seems to know the outcome; the strongest alone is 0.628"


@pytest.mark.parametrize(
    ("name", "code"), [("duration", "LK2"), ("Call Duration", "LK2"), ("TALK-TIME", "LK2"), ("warmth", "LK3")]
)
def test_duration_is_found_under_any_name(talked, bank_contract, quick_params, name, code):
    """What is known only after the call is named and stopped, by its name or by its power."""
    fields = (*bank_contract.fields, Field(name, "number", "engagement"))
    (finding,) = find_leaks(talked.rename(columns={"duration": name}), fields, quick_params)
    assert (finding.code, finding.severity, finding.field) == (code, "stop", name)
    assert f"{name} has a" in str(finding)
    assert "AUC of 0.805" in str(finding)
    assert "move it to features.excluded, or name it in leaks.accept with the reason" in finding.remedy


@pytest.mark.parametrize("kind", ["number", "boolean", "category"])
def test_a_copy_of_the_label_is_stopped(bank_leads, bank_contract, quick_params, kind):
    """A perfect copy is found whatever it is declared to be."""
    copy = bank_leads.frame["converted"].astype(float)
    copy = copy.map({0.0: "cold", 1.0: "hot"}) if kind == "category" else copy
    fields = (*bank_contract.fields, Field("copy", kind, "fit"))
    findings = find_leaks(bank_leads.frame.assign(copy=copy), fields, quick_params)
    assert _names(findings) == [("LK1", "copy")]
    assert "alone ranks leads with an AUC of 1.000" in str(findings[0])


def test_two_copies_do_not_hide_each_other(bank_leads, bank_contract, quick_params):
    """Each perfect copy is judged alone."""
    label = bank_leads.frame["converted"].astype(float)
    fields = (*bank_contract.fields, Field("one", "number", "fit"), Field("two", "number", "fit"))
    findings = find_leaks(bank_leads.frame.assign(one=label, two=-label), fields, quick_params)
    assert _names(findings) == [("LK1", "one"), ("LK1", "two")]


def test_an_accepted_suspect_becomes_a_warning_with_its_reason(talked, bank_contract, quick_params):
    """The finding stays, and says why it was accepted; accepting another field changes nothing."""
    fields = (*bank_contract.fields, Field("duration", "number", "engagement"))
    accepted = _accepting(quick_params, duration="is known while the call is on")
    findings = find_leaks(talked, fields, accepted)
    assert _names(findings, "warn") == [("LK2", "duration")]
    assert findings[0].evidence.endswith("accepted: is known while the call is on")
    other = _accepting(quick_params, balance="is known from the bank's own books")
    assert _names(find_leaks(talked, fields, other)) == [("LK2", "duration")]


def test_a_bad_name_without_power_is_let_through(bank_leads, bank_contract, quick_params):
    """A field that sales systems fill in afterwards and that says nothing is no leak."""
    status = np.random.default_rng(0).choice(["open", "held"], len(bank_leads.frame))
    fields = (*bank_contract.fields, Field("status", "category", "fit"))
    assert _names(find_leaks(bank_leads.frame.assign(status=status), fields, quick_params)) == []


def test_a_strong_field_alone_in_its_model_is_not_compared(talked, quick_params):
    """With no other field there is nothing to beat."""
    findings = find_leaks(
        talked.rename(columns={"duration": "warmth"}), [Field("warmth", "number", "fit")], quick_params
    )
    assert [finding.code for finding in findings] == ["LK0"]


def test_a_strong_field_among_strong_fields_is_let_through(quick_params):
    """A field that is noteworthy alone but weaker than the others together is what a good model is made of."""
    random = np.random.default_rng(0)
    label = (random.random(3000) < 0.4).astype(np.int8)
    frame = pd.DataFrame({name: label + random.normal(0, 0.9, 3000) for name in "abc"})
    frame = frame.assign(lead_id=[f"{at:04d}" for at in range(3000)], converted=label)
    fields = [Field(name, "number", "fit") for name in "abc"]
    assert roc_auc(label, field_scores(frame, fields[0], label), np.ones(3000)) > 0.75
    assert [finding.code for finding in find_leaks(frame, fields, quick_params)] == ["LK0"]


def test_the_order_of_the_leads_changes_no_finding(talked, bank_contract, quick_params):
    """Shuffled leads give the same words."""
    fields = (*bank_contract.fields, Field("duration", "number", "engagement"))
    assert find_leaks(talked.sample(frac=1, random_state=1), fields, quick_params) == find_leaks(
        talked, fields, quick_params
    )


@pytest.mark.parametrize("size", [30_000, 40_000])
def test_at_most_twenty_thousand_leads_are_looked_at(quick_params, size):
    """A field that knows the outcome of every second lead, in the order of the ids, is perfect on those looked at."""
    random = np.random.default_rng(0)
    label = (random.random(size) < 0.2).astype(np.int8)
    known = np.where(np.arange(size) % 2 == 0, label, random.random(size))
    frame = pd.DataFrame({"lead_id": [f"{at:05d}" for at in range(size)], "known": known, "converted": label})
    assert _names(find_leaks(frame, [Field("known", "number", "fit")], quick_params)) == [("LK1", "known")]


@pytest.mark.parametrize(
    ("values", "kind", "least", "most"),
    [
        (lambda label, _: label + 0.0, "number", 1, 1),
        (lambda label, _: -label + 0.0, "number", 1, 1),
        (lambda label, _: np.where(label == 1, np.nan, 3.0), "number", 1, 1),
        (lambda label, _: np.full(len(label), np.nan), "number", 0.47, 0.5),
        (lambda label, _: np.full(len(label), 4.0), "number", 0.47, 0.5),
        (lambda label, random: random.random(len(label)), "number", 0.45, 0.55),
        (lambda label, _: np.arange(len(label)).astype(str), "category", 0.47, 0.5),
        (lambda label, random: label + random.normal(0, 1, len(label)), "number", 0.7, 0.8),
    ],
)
def test_the_power_of_a_field_is_that_on_leads_it_did_not_see(values, kind, least, most):
    """A copy is perfect, also turned round or hidden in what is missing; noise, constants and ids are worth nothing."""
    random = np.random.default_rng(3)
    label = (random.random(2000) < 0.3).astype(np.int8)
    frame = pd.DataFrame({"field": values(label, random)})
    power = roc_auc(label, field_scores(frame, Field("field", kind, "fit"), label), np.ones(2000))
    assert least - 1e-12 <= power <= most + 1e-12
