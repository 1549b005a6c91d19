"""The spool returns chunks unchanged, from memory and from disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import Fault
from leadml.leads.sources.spool import LeadChunk, Spool

TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=6)), min_size=0, max_size=12)


@pytest.mark.slow
@given(TEXTS, st.randoms(use_true_random=False))
def test_every_value_is_restored(tmp_path_factory: pytest.TempPathFactory, texts: list[str | None], random) -> None:
    """Texts of any characters, missing texts, numbers with NaN and infinity, integers, and columns of any name."""
    numbers = [random.choice([np.nan, np.inf, -0.0, 1e-300, random.random()]) for _ in texts]
    frame = pd.DataFrame(
        {
            "lead_id": pd.Series([f"{at}" for at in range(len(texts))], dtype=object),
            "where": pd.Series(texts, dtype=object),
            "a b,c": pd.Series(numbers, dtype=np.float64),
            "as_of": pd.Series(range(len(texts)), dtype=np.int64),
        }
    )
    where = [f"x.csv:{at}" for at in range(len(texts))]
    faults = [Fault("x.csv:9", "must be a number, got 'x'", "age", "7", "must be a number", 2)]
    for folder in (None, tmp_path_factory.mktemp("spool")):
        spool = Spool(folder)
        spool.add(LeadChunk(frame, where, faults))
        spool.add(LeadChunk(frame.head(0)))
        one, other = spool

        pd.testing.assert_frame_equal(one.frame, frame, check_exact=True)
        assert [type(value) for value in one.frame["where"]] == [type(value) for value in frame["where"]]
        assert (list(one.where), list(one.faults)) == (where, faults)
        assert (len(other.frame), list(other.where), list(other.faults)) == (0, [], [])


def test_a_damaged_spool_is_refused(tmp_path: Path) -> None:
    """A checksum detects a changed byte on the disk."""
    spool = Spool(tmp_path)
    spool.add(LeadChunk(pd.DataFrame({"x": np.arange(1000.0)})))
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))

    with pytest.raises(OSError, match=r"."):
        list(spool)
