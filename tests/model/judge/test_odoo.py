"""Odoo's lead scoring gives the numbers of Odoo's own tests."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.field import Field
from leadml.model.judge.odoo import Frequencies, OdooLead, count_flat, odoo_probabilities

ROWS = {  # team, country, state, source, stage
    0: ("1", "1", "1", "1", "1"), 1: ("1", "2", "2", "2", "2"), 2: ("1", "3", "3", "3", "3"),
    3: ("1", "1", "2", "3", "2"), 4: ("1", "2", "2", "2", "1"), 5: ("2", "1", "2", "2", "3"),
    6: ("2", "1", "2", "3", "2"), 7: ("2", "1", "3", "3", "1"), 8: ("2", "1", "2", "3", "2"),
    9: ("2", "2", "1", "2", "2"), 10: ("3", "2", "2", "2", "3"), 11: ("3", "1", "2", "1", "1"),
    12: ("3", "2", "3", "3", "1"), 13: ("3", "1", "2", "3", "2"),
}  # fmt: skip
WON, LOST = (2, 7, 10), (0, 1, 5, 6, 11, 12)
STAGES = ("1", "2", "3", "4")


def _lead(number, **changed):
    entry = dict(zip(("team", "country_id", "state_id", "source_id", "stage"), ROWS[number], strict=True)) | changed
    values = tuple((name, entry[name]) for name in ("country_id", "state_id", "source_id"))
    return OdooLead(entry["stage"], (*values, ("email_state", "False"), ("phone_state", "False")), entry["team"])


def _counted(**changed):
    frequencies = Frequencies(STAGES)
    for numbers, won in ((WON, True), (LOST, False)):
        for number in numbers:
            frequencies.count(_lead(number, **(changed if number >= 10 else {})), won=won)
    return frequencies


@pytest.mark.parametrize(("number", "percent"), [(3, 33.49), (8, 7.74), (13, 35.09)])
def test_open_leads_are_scored_by_the_counts_of_their_team(number, percent):
    """The three teams have their own counts."""
    assert _counted().percent(_lead(number)) == percent


def test_a_lead_without_a_team_is_scored_by_the_counts_of_all_teams():
    """Leads 10 to 13 belong to no team."""
    assert _counted(team="").percent(_lead(13, team="")) == 35.19


def test_a_lead_that_is_open_again_is_no_longer_counted():
    """Won and lost leads are counted when they close, and subtracted when they open again."""
    frequencies = _counted(team="")
    frequencies.count(_lead(4), won=False)
    frequencies.count(_lead(9), won=True)
    frequencies.count(_lead(4), won=False, back=True)
    frequencies.count(_lead(4), won=True)
    frequencies.count(_lead(4), won=True, back=True)
    frequencies.count(_lead(4), won=False)
    frequencies.count(_lead(4), won=False, back=True)

    assert frequencies.percent(_lead(3, stage="1")) == 20.87
    assert frequencies.percent(_lead(8, stage="1")) == 2.43
    assert frequencies.percent(_lead(8, stage="1", country_id="2")) == 34.38


@pytest.mark.parametrize(("tags", "percent"), [("A", 33.69), ("B", 23.51), ("AB", 28.05), ("", 28.6)])
def test_each_tag_of_a_lead_counts(tags, percent):
    """A lead may have several tags, or none."""
    frequencies = Frequencies(STAGES)
    for letters, lost, won in (("A", 30, 19), ("B", 40, 9), ("AB", 35, 14)):
        lead = OdooLead("1", tuple(("tag_id", tag) for tag in letters), "1")
        for _ in range(lost):
            frequencies.count(lead, won=False)
        for _ in range(won):
            frequencies.count(lead, won=True)
    assert frequencies.percent(OdooLead("1", tuple(("tag_id", tag) for tag in tags), "1")) == percent


def test_a_missing_field_does_not_change_the_score():
    """It is not counted either."""

    def lead(country, state, source, stage, phone="correct"):
        entry = {"country_id": country, "state_id": state, "source_id": source, "phone_state": phone}
        known = tuple((name, value) for name, value in entry.items() if value)
        return OdooLead(stage, (*known, ("email_state", "correct")), "1")

    frequencies = Frequencies(STAGES)
    for won in (lead("1", "1", "2", "1"), lead("2", "1", "", "1")):
        frequencies.count(won, won=True)
    for lost in (lead("", "", "1", "1", "incorrect"), lead("1", "", "1", "1", "incorrect"), lead("", "2", "", "3")):
        frequencies.count(lost, won=False)

    assert frequencies.percent(lead("1", "1", "1", "2")) == 74.3


@pytest.mark.parametrize(("won", "lost", "percent"), [(1e7, 1, 99.99), (1, 1e7, 0.01), (0.1, 0.1, 50.0), (0, 5, 0.0)])
def test_percentages_lie_from_001_to_9999_or_are_0_without_won_leads(won, lost, percent):
    """Where no lead is won there is no score."""
    frequencies = Frequencies(STAGES, {("", "stage_id", "1"): [won, lost]})
    assert frequencies.percent(OdooLead("1", ())) == percent


def test_frames_are_counted_and_scored_like_single_leads(toy_leads, toy_fields):
    """The counts of whole columns are those of their leads, and so are the probabilities."""
    learn, holdout = toy_leads[:500], toy_leads[500:].reset_index(drop=True)
    names = [field.name for field in toy_fields if field.kind != "number"]

    def lead(row):
        known = tuple((name, str(row[name])) for name in names if not pd.isna(row[name]))
        return OdooLead("new", known)

    frequencies = Frequencies(("new",))
    for _, row in learn.iterrows():
        frequencies.count(lead(row), won=bool(row["converted"]))
    counted = count_flat(learn, toy_fields)
    assert counted.cells == {key: pytest.approx(cell) for key, cell in frequencies.cells.items()}
    expected = [counted.percent(lead(row)) / 100 for _, row in holdout.iterrows()]
    assert odoo_probabilities(learn, holdout, toy_fields) == pytest.approx(np.array(expected), abs=1e-12)


def test_an_unknown_level_counts_as_missing(toy_leads, toy_fields):
    """It does not change the score."""
    holdout = toy_leads[:2].copy()
    holdout["job"] = ["astronaut", None]
    holdout["asked"] = 1.0
    frequencies = odoo_probabilities(toy_leads, holdout, toy_fields)
    assert frequencies[0] == frequencies[1]
    assert 0 < frequencies[0] < 1
    without_fields = odoo_probabilities(toy_leads, holdout, [Field("age", "number", "fit")])
    assert without_fields == pytest.approx(toy_leads["converted"].mean(), abs=1e-3)
