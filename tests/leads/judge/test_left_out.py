"""Which leads are left out of a training is said, with numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from leadml.errors import Fault
from leadml.leads.check.contract import Contract, Field, Label
from leadml.leads.check.load import LoadedLeads
from leadml.leads.judge.left_out import judge_left_out

CONTRACT = Contract((Field("x", "number", "fit"),), "id", "at", "UTC", Label("y", ("won",), ("lost",)))
FRAME = pd.DataFrame({"lead_id": list("abcd"), "created_at": [1, 2, 3, 4], "x": 0.0, "converted": [0, 1, 0, 1]})
LOADED = LoadedLeads(FRAME, 4, 0, np.arange(4))


def found(loaded: LoadedLeads = LOADED, **label: object) -> list[tuple[str, str, str]]:
    """Return code, severity and evidence of the findings."""
    contract = replace(CONTRACT, label=replace(CONTRACT.label, **label))
    return [(each.code, each.severity, each.evidence) for each in judge_left_out(loaded, contract)]


def test_nothing_is_said_where_nothing_is_left_out() -> None:
    """A label without open values, plausible dates, and dates of their own give no finding."""
    assert found() == []


def test_open_leads_are_counted_by_their_reason() -> None:
    """The finding names how many are open by the column and how many are too young."""
    loaded = replace(LOADED, open=600, too_young=30)
    evidence = "630 leads are open and left out of the training: 600 by y, 30 because they are younger than 9 days"
    assert found(loaded, open=("",), wait_days=9) == [
        ("RD11", "passed", f"{evidence}; leadml score FILE --open --out SCORES scores them")
    ]


@pytest.mark.parametrize(("number", "words"), [(1, "1 lead is left out"), (2, "2 leads are left out")])
def test_dates_that_cannot_be_are_a_warning_with_the_first_of_them(number: int, words: str) -> None:
    """The finding shows where the first is."""
    faults = (Fault("leads.csv:3", "must lie between 1970 and tomorrow", "at"),) * number
    assert found(replace(LOADED, misdated=faults)) == [
        ("RD12", "warn", f"{words} for the date: leads.csv:3: at must lie between 1970 and tomorrow")
    ]


@pytest.mark.parametrize(("dates", "is_found"), [([1, 1, 1, 4], True), ([1, 1, 3, 4], False), ([7], False)])
def test_one_date_of_more_than_half_of_the_leads_is_a_warning(dates: list[int], is_found: bool) -> None:  # noqa: FBT001
    """A migration gives most leads the date of the import; a single lead says nothing."""
    loaded = replace(LOADED, frame=FRAME.head(len(dates)).assign(created_at=dates))
    evidence = f"3 of {len(dates)} leads have one and the same date, perhaps that of an import"
    assert found(loaded) == ([("RD12", "warn", evidence)] if is_found else [])


def test_leads_without_dates_have_no_finding_about_them() -> None:
    """Without a date there is none that cannot be."""
    assert found(replace(LOADED, frame=FRAME.drop(columns="created_at"))) == []
