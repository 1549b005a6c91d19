"""Tables of leads: what came is kept, what a spreadsheet would run is harmless."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from leadml.errors import LeadmlError
from leadml.publish.sinks import table_sink

PAYLOADS = ["=1+1", "+49 30 1", "-2", "@SUM(A1)", "\tx", "\rx", " =1", "\u00a0=1", "\uff1d1", "\ufeff=1"]
INNOCENT = ["Ada", "a=b", "1-2", "", "'quoted'", 'a "b", c', "line\nbreak", "ünï"]


def frame(texts: list[str]) -> pd.DataFrame:
    """Return texts beside numbers."""
    return pd.DataFrame({"lead_id": np.array(texts, dtype=object), "points": np.arange(len(texts)) - 1.5})


def written(path: Path) -> list[str]:
    """Return the first column of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row[0] for row in csv.reader(file)][1:]


def test_formulas_are_made_harmless_and_counted(tmp_path: Path) -> None:
    """Every text that begins like a formula begins with a quote; no other text and no number is touched."""
    with table_sink(tmp_path / "a.csv") as sink:
        sink.write(frame(PAYLOADS + INNOCENT))

    assert written(tmp_path / "a.csv") == [f"'{text}" for text in PAYLOADS] + INNOCENT
    assert sink.harmless == len(PAYLOADS)
    assert pd.read_csv(tmp_path / "a.csv")["points"].iloc[0] == -1.5


def test_raw_csv_and_parquet_hold_what_came(tmp_path: Path) -> None:
    """Machines get every text to the letter."""
    for name in ("a.csv", "a.parquet"):
        with table_sink(tmp_path / name, raw=True) as sink:
            sink.write(frame(PAYLOADS + INNOCENT))

    assert written(tmp_path / "a.csv") == PAYLOADS + INNOCENT
    assert pd.read_parquet(tmp_path / "a.parquet")["lead_id"].tolist() == PAYLOADS + INNOCENT


def test_floats_come_back_to_the_bit(tmp_path: Path) -> None:
    """CSV holds as many digits as a number has."""
    numbers = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.arange(-500, 500).clip(-300, 300)
    with table_sink(tmp_path / "a.csv") as sink:
        sink.write(pd.DataFrame({"x": numbers}))

    assert [float(text) for text in written(tmp_path / "a.csv")] == numbers.tolist()


def test_chunks_are_one_table_also_where_a_chunk_is_empty(tmp_path: Path) -> None:
    """A chunk of nothing, even the first, changes neither rows nor types."""
    with table_sink(tmp_path / "a.parquet") as sink:
        for chunk in (frame([]), frame(["a"]), frame([]), frame(["b", "c"])):
            sink.write(chunk)

    assert pd.read_parquet(tmp_path / "a.parquet")["lead_id"].tolist() == ["a", "b", "c"]


def test_every_page_of_parquet_has_a_checksum(tmp_path: Path) -> None:
    """A flipped bit in the data is noticed by a reader that verifies pages."""
    with table_sink(tmp_path / "a.parquet") as sink:
        sink.write(pd.DataFrame({"x": np.random.default_rng(0).normal(size=5000)}))
    damaged = bytearray((tmp_path / "a.parquet").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "b.parquet").write_bytes(damaged)

    with pytest.raises(OSError, match="checksum"):
        pq.ParquetFile(tmp_path / "b.parquet", page_checksum_verification=True).read()


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """Only what is written right is written."""
    with (
        pytest.raises(LeadmlError, match=r"must end in \.parquet or \.csv, got 'a\.xlsx'"),
        table_sink(tmp_path / "a.xlsx"),
    ):
        pass
