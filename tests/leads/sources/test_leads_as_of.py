"""The leads to score: counts, and a content hash that does not depend on chunks."""

from __future__ import annotations

import pandas as pd
import pytest

from leadml.errors import Fault
from leadml.leads.sources.leads_as_of import ContentHash, LeadsAsOf

FRAME = pd.DataFrame({"lead_id": [f"L{at}" for at in range(20)], "age": [float(at) for at in range(20)]})
FAULTS = [Fault("a.csv:3", "must be a number, got 'x'", "age", "L1"), Fault("a.csv:9", "must be an id")]


def content_hash(frame: pd.DataFrame, faults: list[Fault], *, rows: int) -> str:
    """Return the hash of a frame that is added in chunks; the last chunk has the faults."""
    content = ContentHash()
    for first in range(0, len(frame), rows):
        is_last = first + rows >= len(frame)
        content.add(frame.iloc[first : first + rows].reset_index(drop=True), faults if is_last else [])
    return content.hexdigest()


@pytest.mark.parametrize("rows", [1, 3, 20])
def test_the_hash_does_not_depend_on_the_size_of_chunks(rows: int) -> None:
    """Neither on the order of faults."""
    assert content_hash(FRAME, FAULTS, rows=rows) == content_hash(FRAME, FAULTS[::-1], rows=7)


def test_the_hash_depends_on_rows_and_faults() -> None:
    """Another value, another order, a missing fault and a missing row change it."""
    reversed_rows = FRAME.iloc[::-1].reset_index(drop=True)
    changed = [(FRAME.assign(age=1.0), FAULTS), (reversed_rows, FAULTS), (FRAME, FAULTS[:1]), (FRAME.head(19), FAULTS)]
    hashes = {content_hash(frame, faults, rows=20) for frame, faults in [(FRAME, FAULTS), *changed]}

    assert len(hashes) == 5


def test_rows_are_those_that_are_scored_or_refused() -> None:
    """Merged rows and leads that are left out do not count."""
    leads = LeadsAsOf("h", rows_read=10, merged=2, left_out=3, reason_left_out="", chunks=lambda: iter(()))

    assert leads.rows == 5
