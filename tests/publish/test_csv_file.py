"""CSV for people has no formula, and as many digits as a number needs."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from leadml.publish.csv_file import CsvFile, RawCsvFile
from leadml.publish.table_file import open_table_file

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
    with open_table_file(tmp_path / "a.csv", CsvFile) as sink:
        sink.write(frame(FORMULAS + OTHER_TEXTS))

    assert written(tmp_path / "a.csv") == [f"'{text}" for text in FORMULAS] + OTHER_TEXTS
    assert sink.defused == len(FORMULAS)
    assert pd.read_csv(tmp_path / "a.csv")["points"].iloc[0] == -1.5


def test_floats_are_read_back_to_the_bit(tmp_path: Path) -> None:
    """CSV contains as many digits as a number needs."""
    numbers = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.arange(-500, 500).clip(-300, 300)
    with open_table_file(tmp_path / "a.csv", CsvFile) as sink:
        sink.write(pd.DataFrame({"x": numbers}))

    assert [float(text) for text in written(tmp_path / "a.csv")] == numbers.tolist()


def test_raw_csv_is_unchanged(tmp_path: Path) -> None:
    """Nothing is escaped, so nothing is counted."""
    with open_table_file(tmp_path / "a.csv", RawCsvFile) as file:
        file.write(frame(FORMULAS))

    assert written(tmp_path / "a.csv") == FORMULAS
    assert file.defused == 0
