"""Findings about changes: what is above its limit is said once, in numbers of both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.bundle.profile import ChangeSizes, FieldCounts, FieldSizes, LeadCounts, Profile
from leadml.leads.judge.findings import CATALOGUE, Finding
from leadml.model.predict.reference import FieldBins
from leadml.params.review import ChangeLimits
from leadml.review.drift.judge import is_emptied, judge_changes, merge_findings

BINS = {"age": FieldBins("number", (18.0, 40.0, 71.0)), "job": FieldBins("category", levels=("chef", "monk"))}
TRAINING = LeadCounts(
    rows=5000,
    fields={"age": FieldCounts(3, (47, 2450, 2450, 50)), "job": FieldCounts(1000, (3000, 980, 20))},
    scores=(2500, 2500),
    millionths=500_000_000,
    stages={"LEAD": 4000, "SQL": 1000},
)
PROFILE = Profile(BINS, (0.1,), TRAINING, ChangeSizes({name: FieldSizes() for name in BINS}), {})
SAME = LeadCounts(
    rows=200,
    fields={"age": FieldCounts(0, (2, 98, 98, 2)), "job": FieldCounts(40, (120, 39, 1))},
    scores=(100, 100),
    millionths=20_000_000,
    stages={"LEAD": 160, "SQL": 40},
)
LIMITS = ChangeLimits()


def _lines(counts: LeadCounts, profile: Profile = PROFILE, limits: ChangeLimits = LIMITS) -> list[str]:
    """Return the findings without what to do, each of which must be that of the catalogue."""
    lines = []
    for finding in judge_changes(profile, counts, limits):
        remedy = CATALOGUE[finding.code].remedy
        assert finding.remedy == ("" if finding.severity == "passed" else remedy[0].lower() + remedy[1:-1])
        lines.append(f"{finding.severity}: {replace(finding, remedy='')}")
    return lines


def _with(counts: LeadCounts, **fields: FieldCounts) -> LeadCounts:
    return replace(counts, fields={**counts.fields, **fields})


def test_leads_like_those_of_the_training_pass() -> None:
    """One finding says so."""
    assert _lines(SAME) == ["passed: RV0 200 leads do not differ from the training by more than the limits"]


def test_few_leads_are_not_judged() -> None:
    """That is not the same as passed; the limit is that of params."""
    few = replace(SAME, rows=199, scores=(0, 199), stages={"LEAD": 0, "SQL": 199})

    assert _lines(few) == ["not applicable: RV0 there are 199 leads, and fewer than 200 are not judged"]
    assert _lines(few, limits=ChangeLimits(min_leads=199))[0].startswith("warn: RV7")
    nobody = LeadCounts(0, {name: FieldCounts(0, (0,) * bins.size) for name, bins in BINS.items()}, (0, 0), 0, {})
    assert _lines(nobody)[0].startswith("not applicable: RV0 there are 0 leads")


@pytest.mark.parametrize("leads", [20, 200])
def test_a_field_that_no_lead_has_is_said_alone(leads: int) -> None:
    """With few leads too, and nothing else about it or about the probabilities that follow from it."""
    counts = replace(_with(SAME, age=FieldCounts(leads, (0, 0, 0, 0))), rows=leads, scores=(0, leads))

    assert _lines(counts) == [f"warn: RV1 age is empty in all {leads} leads; in the training in 3 of 5,000"]


def test_a_field_that_a_few_leads_lack_may_be_chance() -> None:
    """Fewer than 20 leads without a value, or a field that a twentieth of the training lacked, are not said."""
    assert not is_emptied(FieldCounts(3, (4997,)), FieldCounts(19, (0,)))
    assert not is_emptied(FieldCounts(3, (4997,)), FieldCounts(199, (1,)))
    assert is_emptied(FieldCounts(250, (4750,)), FieldCounts(200, (0,)))
    assert not is_emptied(FieldCounts(251, (4749,)), FieldCounts(200, (0,)))


def test_a_field_that_some_of_the_training_lacked_is_empty_if_the_change_is_large() -> None:
    """A fifth of the training had no job; the limit is that of missing values."""
    counts = _with(SAME, job=FieldCounts(200, (0, 0, 0)))

    assert _lines(counts) == ["warn: RV1 job is empty in all 200 leads; in the training in 1,000 of 5,000"]
    assert _lines(counts, limits=ChangeLimits(missing=0.9))[0].startswith("passed")


def test_a_field_that_is_more_often_empty_or_less_often_is_said() -> None:
    """With the shares of both sides."""
    fewer = _with(SAME, job=FieldCounts(120, (60, 19, 1)))
    assert _lines(fewer) == [
        "warn: RV2 job is empty in 120 of 200 leads (60%); in the training in 1,000 of 5,000 leads (20%)"
    ]
    assert _lines(_with(SAME, job=FieldCounts(0, (150, 49, 1))))[0].startswith("warn: RV2 job is empty in 0 of 200")


def test_another_unit_is_out_of_range() -> None:
    """And its distribution is not said as well."""
    line = (
        "warn: RV3 age is below 18 or above 71 in 200 of 200 numbers (100%); "
        "in the training in 97 of 4,997 numbers (2%)"
    )
    assert _lines(_with(SAME, age=FieldCounts(0, (0, 0, 0, 200)))) == [line]


def test_a_new_level_is_said() -> None:
    """Levels that the training did not keep count as new, as far as there are more of them."""
    line = (
        "warn: RV4 job has a level that the model does not know in 40 of 200 values (20%); "
        "in the training in 20 of 4,000 values (0%)"
    )
    assert _lines(_with(SAME, job=FieldCounts(0, (120, 40, 40))))[1:] == [line]


def test_another_distribution_is_said_by_its_most_changed_value() -> None:
    """Of a category a level, of a number a range."""
    assert _lines(_with(SAME, age=FieldCounts(0, (2, 191, 5, 2)))) == [
        "warn: RV5 age is 18 to 40 in 191 of 200 values (96%); in the training in 2,450 of 4,997 values (49%)"
    ]
    few = _with(SAME, age=FieldCounts(1, (2, 190, 5, 2)))
    assert _lines(few)[0].startswith("passed"), "of fewer than 200 values the distribution is not judged"


def test_a_change_of_the_probabilities_is_said_where_no_field_explains_it() -> None:
    """By the mean of both sides and the size."""
    counts = replace(SAME, scores=(20, 180), millionths=50_000_000)

    assert _lines(counts) == [
        "warn: RV6 the mean probability is 25.0%, in the training 10.0%; the stability index is 0.86"
    ]
    other_values = replace(SAME, scores=(180, 20))
    assert _lines(other_values)[0].startswith("passed"), "with the same mean, probabilities may have other values"
    changed = _with(counts, age=FieldCounts(0, (0, 0, 0, 200)))
    assert [line[:9] for line in _lines(changed)] == ["warn: RV3"]


def test_all_leads_in_one_stage_are_said() -> None:
    """Beside a field that may explain it, because sales would get them all; and instead of the probabilities."""
    counts = replace(SAME, scores=(0, 200), millionths=180_000_000, stages={"LEAD": 0, "SQL": 200})
    expected = (
        "warn: RV7 all 200 leads are in SQL by the cuts; in the training 1,000 of 5,000 leads (20%); "
        "the mean probability is 90.0%, in the training 10.0%"
    )

    assert _lines(counts) == [expected]
    assert _lines(_with(counts, age=FieldCounts(200, (0, 0, 0, 0))))[1:] == [expected]
    half = replace(SAME, stages={"LEAD": 60, "SQL": 140})
    assert _lines(half)[0].startswith("warn: RV7 140 of 200 leads (70%) are in SQL by the cuts")


def test_what_the_training_varied_by_is_no_change() -> None:
    """A limit is the larger of that of params and that of the training."""
    counts = replace(_with(SAME, age=FieldCounts(0, (0, 0, 0, 200))), stages={"LEAD": 0, "SQL": 200})
    fields = {"age": FieldSizes(out_of_range=1.0, distribution=20.0), "job": FieldSizes()}
    varied = replace(PROFILE, varied=ChangeSizes(fields, score=20.0, stages=1.0))

    assert [line[:9] for line in _lines(counts)] == ["warn: RV3", "warn: RV7"]
    assert _lines(counts, varied)[0].startswith("passed")


@given(st.sampled_from(["missing", "out_of_range", "new_levels", "distribution"]), st.floats(0, 1))
def test_a_higher_limit_never_adds_a_finding(name: str, limit: float) -> None:
    """Whichever change it is of; what it hides may show a lesser change of the same field."""
    counts = LeadCounts(
        400,
        {"age": FieldCounts(100, (100, 50, 50, 100)), "job": FieldCounts(0, (100, 100, 200))},
        (200, 200),
        40_000_000,
        {"LEAD": 320, "SQL": 80},
    )
    changed = {finding.field for finding in judge_changes(PROFILE, counts, LIMITS)}
    limits = ChangeLimits(**{name: max(limit, getattr(LIMITS, name))})

    assert {finding.field for finding in judge_changes(PROFILE, counts, limits)} <= changed


def test_fields_of_one_kind_of_change_are_one_line() -> None:
    """The first is told in full, the others by name; what strangers wrote stays on the line."""
    found = [Finding("RV5", "warn", f"is {name}", "see why", f"{name}\n") for name in ("a", "b", "c")]
    merged = merge_findings([*found, Finding("RV7", "warn", "all are SQL", "see")])

    assert [str(each) for each in merged] == [
        r"RV5 a\n is a; likewise changed: b\n, c\n; see why",
        "RV7 all are SQL; see",
    ]
    assert merge_findings([]) == []
