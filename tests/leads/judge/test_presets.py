"""Exports of CRMs are recognised by their columns, and what is known of them is consistent."""

from __future__ import annotations

import pytest

from leadml.leads.judge.label_candidates import declared_candidate
from leadml.leads.judge.name_words import name_words
from leadml.leads.judge.presets import CRMS, Preset, find_preset, presets

BY_NAME = {preset.name: preset for preset in presets()}


@pytest.mark.parametrize("preset", presets(), ids=CRMS)
def test_an_export_is_recognised_by_some_of_its_columns(preset: Preset) -> None:
    """Whatever case they are written in, and beside columns that the team added."""
    names = [*preset.recognised_by[:4], "Budget", "Region"]
    assert find_preset(names) is preset
    assert find_preset([name.upper() for name in names]) is preset
    assert find_preset([*preset.recognised_by[:2], "Budget"]) is None


@pytest.mark.parametrize(
    "names", [[], ["id", "created_at", "source", "converted"], ["Lead Status", "Lead Source", "Email"]]
)
def test_a_plain_table_is_of_no_crm(names: list[str]) -> None:
    """A few common names are a coincidence."""
    assert find_preset(names) is None


@pytest.mark.parametrize("preset", presets(), ids=CRMS)
def test_what_is_known_of_a_crm_does_not_contradict_itself(preset: Preset) -> None:
    """No column is both known beforehand and filled in later, and no name is there twice."""
    early = {name_words(name) for name in (*preset.lead_id, *preset.created_at)}
    labels = {name_words(label.column) for label in preset.labels}
    later = [name_words(name) for name in preset.later]
    assert not early & {*later, *labels}
    assert not labels & set(later)
    assert len(set(later)) == len(later)
    assert len({name_words(name) for name in preset.recognised_by}) == len(preset.recognised_by) >= 10


@pytest.mark.parametrize("preset", presets(), ids=CRMS)
def test_the_outcomes_of_a_crm_have_a_meaning(preset: Preset) -> None:
    """With the values that it has when it is installed, its column makes a label."""
    for label in preset.labels:
        levels = dict.fromkeys((*label.positive, *label.negative, *label.open, "Lead"), 3)
        words = {"positive": label.positive, "negative": label.negative, "open_": label.open}
        found = declared_candidate(label.column, levels, **words)
        assert found is not None
        assert set(label.positive) <= set(found.positive)
        assert set(label.open) <= set(found.open)


def test_names_are_found_however_their_words_are_divided() -> None:
    """The name is given as the export has it."""
    hubspot = BY_NAME["HubSpot"]
    assert hubspot.first(["Record ID", "Create Date"], ["create_date", "RECORD-ID"]) == "RECORD-ID"
    assert hubspot.first(["Record ID"], ["id"]) is None
    assert hubspot.is_later("days_to_close")
    assert not hubspot.is_later("Industry")
