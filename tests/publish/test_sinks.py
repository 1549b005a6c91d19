"""Files of leads: Parquet and raw CSV are unchanged, CSV for people has no formula."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
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


def test_raw_csv_and_parquet_contain_texts_unchanged(tmp_path: Path) -> None:
    """Machines read every text exactly."""
    for name in ("a.csv", "a.parquet"):
        with table_sink(tmp_path / name, raw=True) as sink:
            sink.write(frame(FORMULAS + OTHER_TEXTS))

    assert written(tmp_path / "a.csv") == FORMULAS + OTHER_TEXTS
    assert pd.read_parquet(tmp_path / "a.parquet")["lead_id"].tolist() == FORMULAS + OTHER_TEXTS


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """Only Parquet and CSV are written."""
    with (
        pytest.raises(LeadmlError, match=r"must end in \.parquet, \.csv or \.delta, got 'a\.xlsx'"),
        table_sink(tmp_path / "a.xlsx"),
    ):
        pass
