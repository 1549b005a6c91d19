"""The history of a lead, and forgetting it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.dated import crm, write_params
from tests.stores import NOW, silent, write_batch

from leadml.errors import LeadmlError
from leadml.jobs.places import Places
from leadml.jobs.remember import forget, history, history_tables
from leadml.publish.store.opening import writing_alone


@pytest.fixture
def project(tmp_path: Path) -> Places:
    """Return a project whose store has one batch."""
    places = Places.open(write_params(tmp_path, crm()), target="sql")
    with writing_alone(str(places.store_url), silent) as store:
        write_batch(store, tmp_path, "b1", {"7": "MQL", "8": "LEAD"}, as_of="2026-01-31T00:00:00+00:00")
    return places


def test_a_history_is_shown_as_two_tables(project: Places) -> None:
    """Scores with their intervals, and stages."""
    (_, scores), (_, stages) = history_tables(history(project, "7"))

    assert scores.rows == [("2026-01-31T00:00:00+00:00", "sql", "0.3333", "0.0000 to 1.0000", "MQL", "1", "b1")]
    assert stages.rows == [("2026-01-31T00:00:00+00:00", "MQL", "advised", "sql", "1", "b1")]
    assert history(project, "8").stages.empty


def test_a_lead_that_is_forgotten_is_unknown(project: Places) -> None:
    """Forgetting it again is refused."""
    receipt = forget(project, "7", now=NOW, progress=silent)

    assert (receipt.scores, receipt.stage_changes, receipt.files) == (1, 1, ("scored.csv",))
    for use in (history, lambda *words: forget(*words, now=NOW, progress=silent)):
        with pytest.raises(LeadmlError, match=r"^the store must know the lead '7', got no score of it; ids are text"):
            use(project, "7")


def test_nothing_is_known_without_a_store(project: Places, tmp_path: Path) -> None:
    """Neither before the first score nor where params name none."""
    without = replace(project, params=project.params.model_copy(update={"store": None}))
    with pytest.raises(LeadmlError, match=r"^store must name a store in params.yaml, got null"):
        history(without, "7")
    with pytest.raises(LeadmlError, match=r"^the store must know the lead '7'"):
        history(replace(project, root=tmp_path / "new"), "7")
