"""A batch is that of an instant: as of which its leads are known."""

from __future__ import annotations

from tests.stores import NOW, entry

from leadml.publish.store.batch import BatchEntry


def test_the_instant_of_flat_leads_is_that_of_the_first_run() -> None:
    """That of dated leads is their date."""
    assert entry(as_of="2026-01-01T00:00:00+00:00", scored_at=NOW).at == "2026-01-01T00:00:00+00:00"
    assert BatchEntry("b", "sql", "1", "m", None, None, NOW, "scored.csv", None).at == NOW
