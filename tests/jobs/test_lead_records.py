"""The store of a project, lead by lead, from Python."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.dated import crm, write_params
from tests.stores import silent, write_batch

from leadml.errors import LeadmlError
from leadml.jobs.lead_records import LeadRecords, as_text, current_instant
from leadml.jobs.places import Places
from leadml.publish.store.opening import writing_alone


@pytest.fixture
def records(tmp_path: Path) -> LeadRecords:
    """Return the records of a project whose store has one batch."""
    places = Places.open(write_params(tmp_path, crm()), target="sql")
    with writing_alone(str(places.store_url), silent) as store:
        write_batch(store, tmp_path, "b1", {"7": "MQL"}, as_of="2026-01-31T00:00:00+00:00")
    return LeadRecords(places)


def test_a_stage_is_set_by_hand_and_ended(records: LeadRecords) -> None:
    """Both are in the history, with their reasons."""
    tomorrow = date.fromisoformat(current_instant()[:10]) + timedelta(days=1)
    assert records.override(7, "CUSTOMER", reason="signed", until=tomorrow) == "CUSTOMER"
    assert records.override("7", None, reason="a mistake") == "MQL"
    found = records.history(7)

    assert found.stages["stage_source"].tolist() == ["advised", "manual", "advised"]
    assert found.manual[["stage", "reason"]].values.tolist() == [["CUSTOMER", "signed"], ["", "a mistake"]]
    assert found.manual["until"].tolist() == [f"{tomorrow.isoformat()}T00:00:00+00:00", None]
    assert records.forget(7).manual_stages == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("7", "HOT", "why"), r"^stage \(--stage\) must be one of LEAD, IQL, .* got 'HOT'"),
        (("7", "SQL", "  "), r"^reason \(--reason\) must say why the stage is set by hand, got nothing"),
        (("8", "SQL", "why"), r"^the store must know the lead '8'"),
    ],
)
def test_what_cannot_be_set_is_refused(records: LeadRecords, words: tuple[str, str, str], message: str) -> None:
    """The message says what to write."""
    with pytest.raises(LeadmlError, match=message):
        records.override(words[0], words[1], reason=words[2])


def test_a_date_is_a_text_or_a_date() -> None:
    """Nothing else."""
    assert [as_text(each) for each in (None, "2026-01-31", date(2026, 1, 31))] == [None, "2026-01-31", "2026-01-31"]
    with pytest.raises(LeadmlError, match="as_of must be a date or a text such as 2026-01-31, got int"):
        as_text(5)
