"""Files of leads: Parquet and raw CSV are unchanged, CSV for people has no formula."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from leadml.errors import LeadmlError
from leadml.publish.sinks import table_sink

FORMULAS = ["=1+1", "+49 30 1", "-2", "@SUM(A1)", "\tx", "\rx", " =1", "\u00a0=1", "\uff1d1", "\ufeff=1"]
OTHER_TEXTS = ["Ada", "a=b", "1-2", "", "'quoted'", 'a "b", c', "line\nbreak", "ünï"]


def frame(texts: list[str]) -> pd.DataFrame:
    """Return a frame of texts and numbers."""
    return pd.DataFrame({"lead_id": np.array(texts, dtype=object), "points": np.arange(len(texts)) - 1.5})


def written(path: Path) -> list[str]:
    """Return the first column of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row[0] for row in csv.reader(file)][1:]


def test_formulas_are_escaped_and_counted(tmp_path: Path) -> None:
    """Every text that begins like a formula gets a quote before it; other texts and numbers are unchanged."""
    with table_sink(tmp_path / "a.csv") as sink:
        sink.write(frame(FORMULAS + OTHER_TEXTS))

    assert written(tmp_path / "a.csv") == [f"'{text}" for text in FORMULAS] + OTHER_TEXTS
    assert sink.defused == len(FORMULAS)
    assert pd.read_csv(tmp_path / "a.csv")["points"].iloc[0] == -1.5


def test_raw_csv_and_parquet_contain_texts_unchanged(tmp_path: Path) -> None:
    """Machines read every text exactly."""
    for name in ("a.csv", "a.parquet"):
        with table_sink(tmp_path / name, raw=True) as sink:
            sink.write(frame(FORMULAS + OTHER_TEXTS))

    assert written(tmp_path / "a.csv") == FORMULAS + OTHER_TEXTS
    assert pd.read_parquet(tmp_path / "a.parquet")["lead_id"].tolist() == FORMULAS + OTHER_TEXTS


def test_floats_are_read_back_to_the_bit(tmp_path: Path) -> None:
    """CSV contains as many digits as a number needs."""
    numbers = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.arange(-500, 500).clip(-300, 300)
    with table_sink(tmp_path / "a.csv") as sink:
        sink.write(pd.DataFrame({"x": numbers}))

    assert [float(text) for text in written(tmp_path / "a.csv")] == numbers.tolist()


def test_an_empty_chunk_changes_nothing(tmp_path: Path) -> None:
    """An empty chunk, even the first one, changes neither rows nor types."""
    with table_sink(tmp_path / "a.parquet") as sink:
        for chunk in (frame([]), frame(["a"]), frame([]), frame(["b", "c"])):
            sink.write(chunk)

    assert pd.read_parquet(tmp_path / "a.parquet")["lead_id"].tolist() == ["a", "b", "c"]


def test_every_page_of_parquet_has_a_checksum(tmp_path: Path) -> None:
    """A reader that verifies pages detects a changed bit."""
    with table_sink(tmp_path / "a.parquet") as sink:
        sink.write(pd.DataFrame({"x": np.random.default_rng(0).normal(size=5000)}))
    damaged = bytearray((tmp_path / "a.parquet").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "b.parquet").write_bytes(damaged)

    with pytest.raises(OSError, match="checksum"):
        pq.ParquetFile(tmp_path / "b.parquet", page_checksum_verification=True).read()


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """Only Parquet and CSV are written."""
    with (
        pytest.raises(LeadmlError, match=r"must end in \.parquet, \.csv or \.delta, got 'a\.xlsx'"),
        table_sink(tmp_path / "a.xlsx"),
    ):
        pass
