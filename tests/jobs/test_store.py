"""A store is opened to write to it without the people who are suppressed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.dated import crm, write_params
from tests.stores import NOW, rows, silent, write_batch

from leadml.errors import DataError, LeadmlError
from leadml.jobs.places import Places
from leadml.jobs.store import open_store, store_url
from leadml.publish.store.tables import SCORES


@pytest.fixture
def project(tmp_path: Path) -> Places:
    """Return a project with a list of people."""
    places = Places.open(write_params(tmp_path, crm()), target="sql")
    choices = places.params.as_written() | {"suppression": {"objected": {"path": "objected.csv"}}}
    return replace(places, params=type(places.params).model_validate(choices))


def test_people_on_a_list_are_removed_before_anything_is_done(project: Places) -> None:
    """Their ids are given, so that nothing of them is stored again."""
    (project.root / "objected.csv").write_text("lead_id\n7\n9\n", encoding="utf-8")
    without = replace(project, params=project.params.model_copy(update={"suppression": {}}))
    with open_store(without, now=NOW, progress=silent) as (store, suppressed):
        write_batch(store, project.root, "b1", {"7": "MQL", "8": "LEAD"})
        assert suppressed == frozenset()
    with open_store(project, now=NOW, progress=silent) as (store, suppressed):
        assert suppressed == {"7", "9"}
        assert rows(store, SCORES, "lead_id") == [("8",)]


def test_nothing_is_opened_where_a_list_cannot_be_read_or_there_is_no_store(project: Places) -> None:
    """Whoever is on the list would be written."""
    with (
        pytest.raises(DataError, match=r"objected.csv: must be a file or a folder"),
        open_store(project, now=NOW, progress=silent),
    ):
        pass
    none = replace(project, params=project.params.model_copy(update={"store": None}))
    with pytest.raises(LeadmlError, match=r"^store must name a store in params.yaml, got null"):
        store_url(none)
