from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.frames import evidence_of, rows

from leadml.leads.check.contract import Contract
from leadml.leads.check.field import Field
from leadml.leads.check.load import load_leads
from leadml.leads.judge.evidence import Clock, LeakEvidence
from leadml.leads.judge.findings import Finding
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.model.leaks.gate import find_leaks
from leadml.params import LeakParams, load_params

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def leads_with_duration(bank_file):
    """Return the bundled leads with the duration of the call, which is known only after it."""
    overrides = ["tracking.enabled=false", "features.excluded={}", "features.engagement.duration=number"]
    params = load_params(bank_file.parents[2] / "params.yaml", overrides)
    return rows(load_leads(FileSource(bank_file, Dialect()), Contract.from_params(params)).frame)


def codes(findings, *severities):
    """Return code and field of the findings of some severities, by default of those that stop or warn."""
    severities = severities or ("stop", "warn")
    return [(finding.code, finding.field) for finding in findings if finding.severity in severities]


def accepting(params, **reasons):
    """Return params that accept suspects with reasons."""
    return params.model_copy(update={"leaks": LeakParams(accept=reasons)})


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_shuffled_labels_have_no_leak(bank_leads, bank_contract, quick_params, seed):
    """No field knows shuffled labels."""
    shuffled = np.random.default_rng(seed).permutation(bank_leads.frame["converted"])
    findings = find_leaks(bank_leads.frame.assign(converted=shuffled), bank_contract.fields, quick_params)

    assert codes(findings) == []


@pytest.mark.slow
def test_the_order_of_the_leads_changes_no_finding(leads_with_duration, bank_contract, quick_params):
    """Shuffled leads with their positions in the file have the same findings, word for word."""
    fields = (*bank_contract.fields, Field("duration", "number", "engagement"))
    positions = np.argsort(np.argsort(-leads_with_duration["converted"].to_numpy(), kind="stable"))
    shuffled = np.random.default_rng(1).permutation(len(leads_with_duration))
    found, found_shuffled = (
        find_leaks(leads_with_duration.iloc[at], fields, quick_params, evidence=LeakEvidence(order=positions[at]))
        for at in (np.arange(len(leads_with_duration)), shuffled)
    )

    assert found == found_shuffled
    assert codes(found, "stop") == [("LK2", "duration"), ("LK8", "order")]


@pytest.mark.slow
def test_the_bundled_leads_without_duration_are_passed(bank_leads, bank_contract, quick_params):
    """No field is a suspect, LK0 has the highest AUC of a field, and four rules are not applicable."""
    findings = find_leaks(bank_leads.frame, bank_contract.fields, quick_params)

    assert codes(findings) == []
    assert codes(findings, "not applicable") == [("LK6", ""), ("LK7", ""), ("LK9", ""), ("LK10", "")]
    assert str(findings[-1]).startswith(
        "LK0 no field seems to know the outcome; the highest AUC of a single field is 0.6"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code"), [("duration", "LK2"), ("Call Duration", "LK2"), ("TALK-TIME", "LK2"), ("warmth", "LK3")]
)
def test_duration_is_found_under_any_name(leads_with_duration, bank_contract, quick_params, name, code):
    """A field that is known only after the call is stopped, by its name or by its incremental AUC."""
    fields = (*bank_contract.fields, Field(name, "number", "engagement"))
    findings = find_leaks(leads_with_duration.rename(columns={"duration": name}), fields, quick_params)

    assert codes(findings) == [(code, name)]
    assert findings[0].severity == "stop"
    assert "without it AUC falls from 0.8" in findings[0].evidence
    assert (
        "if after, move it to features.excluded; if before, name it in leaks.accept with that reason"
        in findings[0].remedy
    )
    assert codes(findings, "passed") == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["number", "boolean", "category"])
def test_a_copy_of_the_label_is_stopped(bank_leads, bank_contract, quick_params, kind):
    """A perfect copy is found whatever its kind is, and two copies do not hide each other."""
    copy = bank_leads.frame["converted"].astype(float)
    copy = copy.map({0.0: "cold", 1.0: "hot"}).astype(object) if kind == "category" else copy
    fields = (*bank_contract.fields, Field("one", kind, "fit"), Field("two", kind, "fit"))
    findings = find_leaks(bank_leads.frame.assign(one=copy, two=copy), fields, quick_params)

    assert codes(findings, "stop") == [("LK1", "one"), ("LK1", "two")]
    assert "by itself has an AUC of 1.000" in str(findings[0])


@pytest.mark.slow
def test_an_accepted_suspect_becomes_a_warning_with_its_reason(leads_with_duration, bank_contract, quick_params):
    """The finding keeps its evidence and adds the reason; accepting another field changes nothing."""
    fields = (*bank_contract.fields, Field("duration", "number", "engagement"))
    findings = find_leaks(
        leads_with_duration, fields, accepting(quick_params, duration="is known while the call is on")
    )
    other = find_leaks(
        leads_with_duration, fields, accepting(quick_params, balance="is known from the bank's own books")
    )

    assert codes(findings, "warn") == [("LK2", "duration")]
    assert findings[0].evidence.endswith("accepted: is known while the call is on")
    assert findings[-1].evidence.startswith("no suspect stops the training")
    assert codes(other, "stop") == [("LK2", "duration")]


@pytest.mark.slow
def test_equally_strong_fields_are_passed(quick_params):
    """Fields that are strong by themselves but weaker than the others together make a good model."""
    random = np.random.default_rng(0)
    label = (random.random(3000) < 0.4).astype(np.int8)
    frame = pd.DataFrame({name: label + random.normal(0, 0.9, 3000) for name in "abc"})
    frame = rows(frame.assign(lead_id=[f"{at:04d}" for at in range(3000)], converted=label))

    assert codes(find_leaks(frame, [Field(name, "number", "fit") for name in "abc"], quick_params), "stop") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moved", "severity", "remedy"),
    [
        (5.0, "stop", "leave out the activities that it counts, or name it in leaks.accept"),
        (0.6, "warn", "check when its activities are entered: backdated activities need the instant of"),
    ],
)
def test_the_remedy_of_a_field_of_activities_is_about_its_activities(quick_params, moved, severity, remedy):
    """Nobody fills in a field that leadml computes, so the remedy does not name features.excluded."""
    random = np.random.default_rng(4)
    label = (random.random(4000) < 0.3).astype(np.int8)
    frame = pd.DataFrame({"calls_7d": random.normal(moved * label), "other": random.normal(label * 0.3)})
    frame = rows(frame.assign(lead_id=[f"{at:04d}" for at in range(4000)], converted=label))
    fields = [Field("calls_7d", "number", "engagement", "activity"), Field("other", "number", "engagement")]
    (found,) = (one for one in find_leaks(frame, fields, quick_params) if one.field)

    assert (found.field, found.severity) == ("calls_7d", severity)
    assert remedy in found.remedy
    assert "features.excluded" not in found.remedy


@pytest.mark.slow
@pytest.mark.parametrize("size", [30_000, 40_000])
def test_at_most_twenty_thousand_leads_are_judged(quick_params, size):
    """A field that knows the outcome of every second lead, in the order of the ids, is perfect on the sample."""
    random = np.random.default_rng(0)
    label = (random.random(size) < 0.2).astype(np.int8)
    known = np.where(np.arange(size) % 2 == 0, label, random.random(size))
    frame = rows(pd.DataFrame({"lead_id": [f"{at:05d}" for at in range(size)], "known": known, "converted": label}))

    assert codes(find_leaks(frame, [Field("known", "number", "fit")], quick_params)) == [("LK1", "known")]


def test_snapshots_of_one_lead_are_in_one_half(quick_params):
    """A field with a value for each lead does not know the outcome of other leads, however many rows a lead has."""
    random = np.random.default_rng(1)
    number, label = random.normal(size=800), (random.random(800) < 0.3).astype(np.int8)
    lead = np.repeat(np.arange(800), 6)
    ids = [f"L{at:03d}" for at in lead]
    frame = pd.DataFrame({"lead_id": ids, "split_key": ids, "number": number[lead], "converted": label[lead]})
    frame = frame.assign(as_of=np.tile(np.arange(6) * 7 * DAY, 800), level=[f"v{at}" for at in lead])
    fields = [Field("number", "number", "fit"), Field("level", "category", "fit")]

    assert codes(find_leaks(frame, fields, quick_params, evidence=evidence_of(frame))) == []


@pytest.mark.slow
def test_each_part_of_the_evidence_is_judged_by_its_rule(bank_leads, bank_contract, quick_params):
    """The clock, changes, activities, positions in the file and the holdout each have their finding."""
    frame, random = bank_leads.frame, np.random.default_rng(2)
    label, size = frame["converted"].to_numpy(), len(frame)
    created = 1_750_000_000_000_000 + random.integers(0, 200, size) * DAY
    won = label == 1
    closed = pd.DataFrame({"lead_id": frame["lead_id"][won], "occurred_at": created[won] + 60 * DAY})
    changes = closed.rename(columns={"occurred_at": "changed_at"}).assign(field="balance")
    kinds = pd.DataFrame({"kind": ["onboarding"], "rows": [100], "recorded_before": [0], "after_outcome": [100]})
    dated = frame.assign(created_at=created, visited=(created + np.where(won, 9, -9) * DAY) / 1e6)
    evidence = LeakEvidence(
        order=np.argsort(np.argsort(-label, kind="stable")),
        clock=Clock(created, "created_at", is_limit=False),
        held_out=dated.head(500),
        changes=changes,
        outcomes=closed,
        activities=kinds,
        people=pd.Series({frame["lead_id"][0]: "0", frame["lead_id"][1]: "0"}, dtype=object),
    )
    fields = (*bank_contract.fields, Field("visited", "number", "engagement"))
    findings = find_leaks(dated, fields, quick_params, evidence=evidence)

    stopped = [("LK6", "balance"), ("LK7", "visited"), ("LK7", "onboarding"), ("LK8", "order"), ("LK9", "split")]
    assert [one for one in codes(findings, "stop") if one[0] >= "LK6"] == stopped
    assert ("LK10", "people") in codes(findings, "warn")
    assert codes(findings, "not applicable", "passed") == []


def test_too_few_leads_are_not_applicable(quick_params):
    """So are leads without a field, and a half without converters; not applicable is not passed."""
    label = np.zeros(100, dtype=np.int8)
    label[:9] = 1
    frame = rows(pd.DataFrame({"lead_id": [f"{at:03d}" for at in range(100)], "x": 1.0, "converted": label}))
    (few,) = find_leaks(frame, [Field("x", "number", "fit")], quick_params)
    (none,) = find_leaks(frame.assign(converted=np.arange(100) % 3 == 0), [], quick_params)

    assert (few.code, few.severity, none.severity) == ("LK0", "not applicable", "not applicable")
    assert "there must be 10 leads of the rarer outcome" in few.evidence
    assert "got 9 leads and 1 fields" in few.evidence
    (half,) = find_leaks(frame.assign(converted=np.arange(100) % 2), [Field("x", "number", "fit")], quick_params)
    assert half.severity == "not applicable"


NOT_APPLICABLE = {
    "LK6": "there are no dates of changes and outcomes, so when fields are changed is not known",
    "LK7": "leads have no dates, so dates after the snapshot cannot be found",
    "LK9": "no holdout was given, so copies of its leads cannot be found",
    "LK10": "no columns are declared by which a person is known (split.same_person), so duplicates are not found",
}
X = [Field("x", "number", "fit")]


def leads(size=400, rate=0.25):
    """Return leads in an order of chance, with a field that knows nothing."""
    label = np.random.default_rng(5).permutation((np.arange(size) < rate * size).astype(np.int8))
    ids = [f"{at:05d}" for at in range(size)]
    frame = pd.DataFrame({"lead_id": ids, "split_key": ids, "x": 1.0, "converted": label})
    return frame.sample(frac=1, random_state=2)


def test_without_a_suspect_each_rule_without_evidence_is_told_and_the_gate_is_passed(quick_params):
    """A constant field has an AUC of 0.5; where a suspect is accepted the last line says that nothing stops."""
    untold = [Finding(code, "not applicable", reason) for code, reason in NOT_APPLICABLE.items()]
    passed = "no field seems to know the outcome; the highest AUC of a single field is 0.500"
    warned = "no suspect stops the training; the highest AUC of a single field is 1.000"
    knowing = leads().assign(x=lambda frame: frame["converted"] * 1.0)
    accepted = find_leaks(knowing, X, accepting(quick_params, x="is the outcome itself"))

    assert find_leaks(leads(), X, quick_params) == [*untold, Finding("LK0", "passed", passed)]
    assert codes(accepted) == [("LK1", "x")]
    assert accepted[0].evidence.endswith("; accepted: is the outcome itself")
    assert accepted[1:] == [*untold, Finding("LK0", "passed", warned)]


def test_findings_are_in_the_order_of_the_rules(quick_params):
    """Suspects come first; where one of them stops, nothing is passed; people are counted in all rows."""
    frame = leads()
    at = np.arange(400) * DAY + 1_750_000_000_000_000
    frame["x"] = at + np.where(np.arange(400) < 8, DAY, -DAY) * 1.0
    kinds = pd.DataFrame({"kind": ["call"], "rows": [40], "recorded_before": [0], "after_outcome": [40]})
    people = pd.Series({"00001": "a", "00003": "a"}, dtype=object)
    clock = Clock(at, "as_of", is_limit=True)
    evidence = LeakEvidence(clock=clock, activities=kinds, people=people, held_out=None)
    findings = find_leaks(frame, X, quick_params, evidence=evidence)

    assert codes(findings) == [("LK7", "x"), ("LK7", "call"), ("LK10", "people")]
    assert findings[0].evidence == "holds dates, and 8 of 400 are later than as_of"
    assert [finding.severity for finding in findings] == ["stop", "stop", "warn", "not applicable", "not applicable"]
    assert findings[3:] == [Finding(code, "not applicable", NOT_APPLICABLE[code]) for code in ("LK6", "LK9")]


def test_ten_leads_of_the_rarer_outcome_are_judged(quick_params):
    """Nine are not, nor are leads without a field, nor halves without converters; the line says what there is."""
    nine = leads().assign(converted=lambda frame: (frame["lead_id"] < "00009").astype(np.int8))
    ten = nine.assign(converted=lambda frame: (frame["lead_id"] < "00010").astype(np.int8))
    one_half = nine.assign(converted=lambda frame: frame["lead_id"].astype(int) % 2)
    found = [find_leaks(*given, quick_params) for given in ((nine, X), (ten, []), (one_half, X))]

    assert found == [
        [
            Finding(
                "LK0",
                "not applicable",
                "there must be 10 leads of the rarer outcome, some in each half, and a field to judge, got "
                f"{converters} leads and {fields} fields",
            )
        ]
        for converters, fields in ((9, 1), (10, 0), (200, 1))
    ]
    assert len(find_leaks(ten, X, quick_params)) > 1


@pytest.mark.slow
@pytest.mark.parametrize(("size", "is_known"), [(20_000, False), (20_002, True)])
def test_of_more_than_twenty_thousand_rows_every_second_is_judged(quick_params, size, is_known):
    """Rows are in the order of their ids, and those of one lead in the order of their instants, as of the file or not.

    A field that knows the outcome at the first of two snapshots of each lead is perfect among the first ones.
    """
    lead, snapshot = np.arange(size) // 2, np.arange(size) % 2
    random = np.random.default_rng(0)
    label = random.permutation(size // 2) % 4 == 0
    known = np.where(snapshot == 0, label[lead], random.random(size) < 0.25)
    ids = [f"{at:05d}" for at in lead]
    frame = pd.DataFrame({"lead_id": ids, "split_key": ids, "as_of": 1_750_000_000_000_000 + snapshot * DAY})
    frame = frame.assign(converted=label[lead].astype(np.int8), x=known.astype(float))
    frame = frame.sample(frac=1, random_state=1)
    clock = Clock(frame["as_of"].to_numpy(), "as_of", is_limit=True)

    found = find_leaks(frame, X, quick_params, evidence=LeakEvidence(clock=clock))
    assert codes(found) == ([("LK1", "x")] if is_known else [])


def test_a_field_near_its_limit_is_judged_by_several_draws_of_halves(quick_params):
    """Of four draws three stop a field with an AUC near 0.95, and the evidence tells that."""
    noise = np.random.default_rng(1).normal(size=400)
    frame = leads().assign(x=lambda frame: frame["converted"] * 3.0 + noise)
    found = find_leaks(frame, X, quick_params)

    assert codes(found, "stop") == [("LK1", "x")]
    assert found[0].evidence == (
        "by itself has an AUC of 0.982, too high for a field that is known before the outcome; 3 of 4 draws of halves "
        "say so"
    )
