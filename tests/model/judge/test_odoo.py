"""Odoo's lead scoring gives the numbers that Odoo's own tests give."""

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
    found = Frequencies(STAGES)
    for numbers, won in ((WON, True), (LOST, False)):
        for number in numbers:
            found.count(_lead(number, **(changed if number >= 10 else {})), won=won)
    return found


@pytest.mark.parametrize(("number", "percent"), [(3, 33.49), (8, 7.74), (13, 35.09)])
def test_open_leads_of_three_teams(number, percent):
    """Each team counts for itself."""
    assert _counted().percent(_lead(number)) == percent


def test_a_lead_without_a_team_is_scored_by_all():
    """Leads 10 to 13 belong to no team."""
    assert _counted(team="").percent(_lead(13, team="")) == 35.19


def test_counts_follow_what_is_won_lost_and_open_again():
    """Won and lost leads are counted as they close, and taken back where they open again."""
    found = _counted(team="")
    found.count(_lead(4), won=False)
    found.count(_lead(9), won=True)
    found.count(_lead(4), won=False, back=True)
    found.count(_lead(4), won=True)
    found.count(_lead(4), won=True, back=True)
    found.count(_lead(4), won=False)
    found.count(_lead(4), won=False, back=True)

    assert found.percent(_lead(3, stage="1")) == 20.87
    assert found.percent(_lead(8, stage="1")) == 2.43
    assert found.percent(_lead(8, stage="1", country_id="2")) == 34.38


@pytest.mark.parametrize(("tags", "percent"), [("A", 33.69), ("B", 23.51), ("AB", 28.05), ("", 28.6)])
def test_tags(tags, percent):
    """A lead may have several, and each counts."""
    found = Frequencies(STAGES)
    for some, lost, won in (("A", 30, 19), ("B", 40, 9), ("AB", 35, 14)):
        lead = OdooLead("1", tuple(("tag_id", tag) for tag in some), "1")
        for _ in range(lost):
            found.count(lead, won=False)
        for _ in range(won):
            found.count(lead, won=True)
    assert found.percent(OdooLead("1", tuple(("tag_id", tag) for tag in tags), "1")) == percent


def test_fields_that_are_missing():
    """A field that a lead lacks says nothing of it."""

    def lead(country, state, source, stage, phone="correct"):
        entry = {"country_id": country, "state_id": state, "source_id": source, "phone_state": phone}
        known = tuple((name, value) for name, value in entry.items() if value)
        return OdooLead(stage, (*known, ("email_state", "correct")), "1")

    found = Frequencies(STAGES)
    for some in (lead("1", "1", "2", "1"), lead("2", "1", "", "1")):
        found.count(some, won=True)
    for some in (lead("", "", "1", "1", "incorrect"), lead("1", "", "1", "1", "incorrect"), lead("", "2", "", "3")):
        found.count(some, won=False)

    assert found.percent(lead("1", "1", "1", "2")) == 74.3


@pytest.mark.parametrize(("won", "lost", "percent"), [(1e7, 1, 99.99), (1, 1e7, 0.01), (0.1, 0.1, 50.0), (0, 5, 0.0)])
def test_the_extremes_are_held(won, lost, percent):
    """An open lead is never sure, and where nobody won nothing is known."""
    found = Frequencies(STAGES, {("", "stage_id", "1"): [won, lost]})
    assert found.percent(OdooLead("1", ())) == percent


def test_many_leads_are_scored_as_one_by_one(toy_leads, toy_fields):
    """Counting whole columns is counting leads, and their probabilities are the same."""
    learn, judge = toy_leads[:500], toy_leads[500:].reset_index(drop=True)
    names = [field.name for field in toy_fields if field.kind != "number"]

    def lead(row):
        known = tuple((name, str(row[name])) for name in names if not pd.isna(row[name]))
        return OdooLead("new", known)

    found = Frequencies(("new",))
    for _, row in learn.iterrows():
        found.count(lead(row), won=bool(row["converted"]))
    counted = count_flat(learn, toy_fields)
    assert counted.cells == {key: pytest.approx(cell) for key, cell in found.cells.items()}
    expected = [counted.percent(lead(row)) / 100 for _, row in judge.iterrows()]
    assert odoo_probabilities(learn, judge, toy_fields) == pytest.approx(np.array(expected), abs=1e-12)


def test_a_level_that_was_never_closed_says_nothing(toy_leads, toy_fields):
    """It is skipped, as a gap is."""
    judge = toy_leads[:2].copy()
    judge["job"] = ["astronaut", None]
    judge["asked"] = 1.0
    found = odoo_probabilities(toy_leads, judge, toy_fields)
    assert found[0] == found[1]
    assert 0 < found[0] < 1
    bare = odoo_probabilities(toy_leads, judge, [Field("age", "number", "fit")])
    assert bare == pytest.approx(toy_leads["converted"].mean(), abs=1e-3)
