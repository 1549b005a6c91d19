"""Attributes of leads beside their outcomes: the newest known, in columns that no other column can be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.dated import dated_leads, day, instants, small, small_tables, write_params, write_tables

from leadml.errors import LeadmlError
from leadml.jobs.places import Places
from leadml.leads.check.contract import Contract, Field, Label
from leadml.leads.read.files import Dialect
from leadml.leads.read.frames import FrameSource
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.flat import FlatLeads
from leadml.leads.sources.scored_pairs import ScoredPairs
from leadml.leads.split import Holdout

PAIRS = ScoredPairs(np.array(["b", "a"], dtype=object), np.array([day(5), day(5)]), Holdout(0.0, 0), day(300))
CONTRACT = Contract(
    (Field("size", "number", "fit"), Field("fitted", "category", "fit")), "id", label=Label("y", ("1",), ("0",))
)


def _flat() -> FlatLeads:
    frame = pd.DataFrame({"id": ["a", "b"], "size": [1.0, 2.0], "fitted": ["x", "y"], "y": [0, 1]})
    return FlatLeads(FrameSource.of(frame, Dialect(), frame.columns), CONTRACT, in_memory=True)


def _dated(folder: Path) -> DatedLeads:
    tables = small_tables([("a", 0, 1.0), ("a", 0, 7.0), ("b", 1, 2.0)], [], [("a", 20, "customer"), ("b", 90, "lost")])
    tables["leads"]["valid_from"] = instants([day(0), day(60), day(1)])
    choices = small()
    choices["sources"]["leads"]["valid_from"] = "valid_from"
    write_tables(folder, **tables)
    return dated_leads(Places.open(write_params(folder, choices)))


def test_an_attribute_has_a_column_of_its_own() -> None:
    """Also one that has the name of a column of the outcomes."""
    assert PAIRS.columns == {}
    assert replace(PAIRS, attributes=("size", "fitted")).columns == {
        "size": "attribute size", "fitted": "attribute fitted",
    }  # fmt: skip


def test_the_attributes_of_flat_leads_are_beside_their_labels() -> None:
    """Each with the values of its lead."""
    found = _flat().labels(replace(PAIRS, attributes=("fitted", "size")), progress=lambda _: None)
    found = found.set_index("lead_id").sort_index()

    assert found[["converted", "fitted"]].to_numpy().tolist() == [[0, True], [1, True]]
    assert found["attribute fitted"].tolist() == ["x", "y"]
    assert found["attribute size"].tolist() == [1.0, 2.0]


def test_the_attributes_of_dated_leads_are_their_newest(tmp_path: Path) -> None:
    """Though the lead was scored before they changed."""
    found = _dated(tmp_path).labels(replace(PAIRS, attributes=("size",)), progress=lambda _: None)

    assert found[["lead_id", "converted", "attribute size"]].to_numpy().tolist() == [["a", 1, 7.0], ["b", 0, 2.0]]


def test_what_is_no_attribute_is_refused(tmp_path: Path) -> None:
    """With the nearest name."""
    message = r"^review\.slices must name attributes of leads, got 'sise'; the nearest is 'size'$"
    for source in (_flat(), _dated(tmp_path)):
        with pytest.raises(LeadmlError, match=message):
            source.labels(replace(PAIRS, attributes=("sise",)), progress=lambda _: None)
