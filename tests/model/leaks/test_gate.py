from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.errors import ModelError
from leadml.leads.check.contract import Contract
from leadml.leads.check.field import Field
from leadml.leads.check.load import load_leads
from leadml.leads.judge.evidence import LeakEvidence
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.model.leaks import find_leaks
from leadml.params import LeakParams, load_params

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def talked(bank_file):
    """Return the bundled leads with the length of the call, which is known only after it."""
    overrides = ["tracking.enabled=false", "features.excluded={}", "features.engagement.duration=number"]
    params = load_params(bank_file.parents[2] / "params.yaml", overrides)
    return load_leads(FileSource(bank_file, Dialect()), Contract.from_params(params)).frame


def said(findings, *severities):
    """Return code and field of findings of some severities, those that judged something by default."""
    severities = severities or ("stop", "warn")
    return [(finding.code, finding.field) for finding in findings if finding.severity in severities]


def accepting(params, **reasons):
    """Return params that accept suspects."""
    return params.model_copy(update={"leaks": LeakParams(accept=reasons)})


@pytest.mark.parametrize("seed", range(3))
def test_labels_that_mean_nothing_find_no_leak(bank_leads, bank_contract, quick_params, seed):
    """Shuffled labels are known by no field."""
    shuffled = np.random.default_rng(seed).permutation(bank_leads.frame["converted"])
    findings = find_leaks(bank_leads.frame.assign(converted=shuffled), bank_contract.fields, quick_params)

    assert said(findings) == []


def test_the_order_of_the_leads_changes_no_finding(talked, bank_contract, quick_params):
    """Shuffled leads, with their places in the file beside them, give the same words."""
    fields = (*bank_contract.fields, Field("duration", "number", "engagement"))
    places = np.argsort(np.argsort(-talked["converted"].to_numpy(), kind="stable"))
    rows = np.random.default_rng(1).permutation(len(talked))
    found, again = (
        find_leaks(talked.iloc[at], fields, quick_params, evidence=LeakEvidence(order=places[at]))
        for at in (np.arange(len(talked)), rows)
    )

    assert found == again
    assert said(found, "stop") == [("LK2", "duration"), ("LK8", "order")]


def test_the_bundled_leads_without_duration_are_passed(bank_leads, bank_contract, quick_params):
    """Nothing is stopped, one line says how strong the strongest field is, and three rules lack what they need."""
    findings = find_leaks(bank_leads.frame, bank_contract.fields, quick_params)

    assert said(findings) == []
    assert said(findings, "not applicable") == [("LK6", ""), ("LK7", ""), ("LK9", "")]
    assert str(findings[-1]).startswith("LK0 no field seems to know the outcome; the strongest alone is 0.6")


@pytest.mark.parametrize(
    ("name", "code"), [("duration", "LK2"), ("Call Duration", "LK2"), ("TALK-TIME", "LK2"), ("warmth", "LK3")]
)
def test_duration_is_found_under_any_name(talked, bank_contract, quick_params, name, code):
    """What is known only after the call is named and stopped, by its name or by its power."""
    fields = (*bank_contract.fields, Field(name, "number", "engagement"))
    findings = find_leaks(talked.rename(columns={"duration": name}), fields, quick_params)

    assert said(findings) == [(code, name)]
    assert findings[0].severity == "stop"
    assert "all other fields together have an AUC of 0.7" in findings[0].evidence
    assert "and with it an AUC of 0.8" in findings[0].evidence
    assert "move it to features.excluded, or name it in leaks.accept with the reason" in findings[0].remedy
    assert said(findings, "passed") == []


@pytest.mark.parametrize("kind", ["number", "boolean", "category"])
def test_a_copy_of_the_label_is_stopped(bank_leads, bank_contract, quick_params, kind):
    """A perfect copy is found whatever it is declared to be, and two do not hide each other."""
    copy = bank_leads.frame["converted"].astype(float)
    copy = copy.map({0.0: "cold", 1.0: "hot"}).astype(object) if kind == "category" else copy
    fields = (*bank_contract.fields, Field("one", kind, "fit"), Field("two", kind, "fit"))
    findings = find_leaks(bank_leads.frame.assign(one=copy, two=copy), fields, quick_params)

    assert said(findings, "stop") == [("LK1", "one"), ("LK1", "two")]
    assert "alone ranks leads with an AUC of 1.000" in str(findings[0])


def test_an_accepted_suspect_becomes_a_warning_with_its_reason(talked, bank_contract, quick_params):
    """The finding stays, and says why it was accepted; accepting another field changes nothing."""
    fields = (*bank_contract.fields, Field("duration", "number", "engagement"))
    findings = find_leaks(talked, fields, accepting(quick_params, duration="is known while the call is on"))
    other = find_leaks(talked, fields, accepting(quick_params, balance="is known from the bank's own books"))

    assert said(findings, "warn") == [("LK2", "duration")]
    assert findings[0].evidence.endswith("accepted: is known while the call is on")
    assert findings[-1].evidence.startswith("no suspect stops the training")
    assert said(other, "stop") == [("LK2", "duration")]


def test_strong_fields_of_one_strength_are_let_through(quick_params):
    """A field that is noteworthy alone but weaker than the others together is what a good model is made of."""
    random = np.random.default_rng(0)
    label = (random.random(3000) < 0.4).astype(np.int8)
    frame = pd.DataFrame({name: label + random.normal(0, 0.9, 3000) for name in "abc"})
    frame = frame.assign(lead_id=[f"{at:04d}" for at in range(3000)], converted=label)

    assert said(find_leaks(frame, [Field(name, "number", "fit") for name in "abc"], quick_params), "stop") == []


@pytest.mark.parametrize(
    ("moved", "severity", "remedy"),
    [
        (5.0, "stop", "leave out the activities that it counts, or name it in leaks.accept"),
        (0.6, "warn", "see when its activities are entered: those that are dated back must have the instant of"),
    ],
)
def test_what_is_done_about_a_count_is_done_about_its_activities(quick_params, moved, severity, remedy):
    """Nobody fills in what leadml computes: the remedy of a field from activities speaks of them."""
    random = np.random.default_rng(4)
    label = (random.random(4000) < 0.3).astype(np.int8)
    frame = pd.DataFrame({"calls_7d": random.normal(moved * label), "other": random.normal(label * 0.3)})
    frame = frame.assign(lead_id=[f"{at:04d}" for at in range(4000)], converted=label)
    fields = [Field("calls_7d", "number", "engagement", "activity"), Field("other", "number", "engagement")]
    (found,) = (one for one in find_leaks(frame, fields, quick_params) if one.field)

    assert (found.field, found.severity) == ("calls_7d", severity)
    assert remedy in found.remedy
    assert "features.excluded" not in found.remedy


@pytest.mark.parametrize("size", [30_000, 40_000])
def test_at_most_twenty_thousand_leads_are_looked_at(quick_params, size):
    """A field that knows the outcome of every second lead, in the order of the ids, is perfect on those looked at."""
    random = np.random.default_rng(0)
    label = (random.random(size) < 0.2).astype(np.int8)
    known = np.where(np.arange(size) % 2 == 0, label, random.random(size))
    frame = pd.DataFrame({"lead_id": [f"{at:05d}" for at in range(size)], "known": known, "converted": label})

    assert said(find_leaks(frame, [Field("known", "number", "fit")], quick_params)) == [("LK1", "known")]


def test_snapshots_of_one_lead_are_on_one_side(quick_params):
    """A field that is the lead's own knows nothing of other leads, however many rows it has."""
    random = np.random.default_rng(1)
    own, label = random.normal(size=800), (random.random(800) < 0.3).astype(np.int8)
    rows = np.repeat(np.arange(800), 6)
    frame = pd.DataFrame({"lead_id": [f"L{at:03d}" for at in rows], "own": own[rows], "converted": label[rows]})
    frame = frame.assign(as_of=np.tile(np.arange(6) * 7 * DAY, 800), level=[f"v{at}" for at in rows])
    fields = [Field("own", "number", "fit"), Field("level", "category", "fit")]

    assert said(find_leaks(frame, fields, quick_params)) == []


def test_all_evidence_is_used_and_each_rule_names_what_it_found(bank_leads, bank_contract, quick_params):
    """Dates, changes, activities, places and leads kept aside each bring the finding that they are for."""
    frame, random = bank_leads.frame, np.random.default_rng(2)
    label, size = frame["converted"].to_numpy(), len(frame)
    created = 1_750_000_000_000_000 + random.integers(0, 200, size) * DAY
    won = label == 1
    closed = pd.DataFrame({"lead_id": frame["lead_id"][won], "occurred_at": created[won] + 60 * DAY})
    changes = closed.rename(columns={"occurred_at": "changed_at"}).assign(field="balance")
    kinds = pd.DataFrame({"kind": ["onboarding"], "rows": [100], "recorded_before": [0], "after_outcome": [100]})
    looked = frame.assign(created_at=created, seen=(created + np.where(won, 9, -9) * DAY) / 1e6)
    evidence = LeakEvidence(
        order=np.argsort(np.argsort(-label, kind="stable")),
        aside=looked.head(500),
        changes=changes,
        outcomes=closed,
        activities=kinds,
    )
    fields = (*bank_contract.fields, Field("seen", "number", "engagement"))
    findings = find_leaks(looked, fields, quick_params, evidence=evidence)

    stopped = [("LK6", "balance"), ("LK7", "seen"), ("LK7", "onboarding"), ("LK8", "order"), ("LK9", "split")]
    assert [one for one in said(findings, "stop") if one[0] >= "LK6"] == stopped
    assert said(findings, "not applicable", "passed") == []


def test_too_few_leads_to_be_judged_by_are_said(quick_params):
    """Few converters, or no field, or a half without converters: not applicable, which is not passed."""
    label = np.zeros(100, dtype=np.int8)
    label[:9] = 1
    frame = pd.DataFrame({"lead_id": [f"{at:03d}" for at in range(100)], "x": 1.0, "converted": label})
    (few,) = find_leaks(frame, [Field("x", "number", "fit")], quick_params)
    (none,) = find_leaks(frame.assign(converted=np.arange(100) % 3 == 0), [], quick_params)

    assert (few.code, few.severity, none.severity) == ("LK0", "not applicable", "not applicable")
    assert "there must be 10 leads of the rarer kind" in few.evidence
    assert "got 9 leads and 1 fields" in few.evidence
    (half,) = find_leaks(frame.assign(converted=np.arange(100) % 2), [Field("x", "number", "fit")], quick_params)
    assert half.severity == "not applicable"


@pytest.mark.parametrize(
    ("table", "columns", "message"),
    [
        ("aside", ["lead_id"], r"evidence\.aside must have a column 'converted', got none"),
        ("changes", ["lead_id", "field", "changed"], r"'changed_at', got none; the nearest is 'changed'"),
        ("outcomes", ["lead_id"], r"evidence\.outcomes must have a column 'occurred_at'"),
        ("activities", ["kind", "rows", "recorded_before"], r"must have a column 'after_outcome'"),
        ("ahead", ["lead_id", "calls_7d"], r"evidence\.ahead must have a column 'as_of'"),
    ],
)
def test_evidence_without_a_column_is_refused(table, columns, message):
    """The table and the column are named, and the nearest that is there."""
    with pytest.raises(ModelError, match=message):
        LeakEvidence(**{table: pd.DataFrame(columns=columns)})
