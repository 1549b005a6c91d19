"""Files of leads: Parquet and raw CSV are unchanged, CSV for people has no formula."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.frames import FORMULAS, OTHER_TEXTS, first_column, of_texts

from leadml.errors import LeadmlError
from leadml.publish.sinks import table_sink


def test_raw_csv_and_parquet_contain_texts_unchanged(tmp_path: Path) -> None:
    """Machines read every text exactly."""
    for name in ("a.csv", "a.parquet"):
        with table_sink(tmp_path / name, raw=True) as sink:
            sink.write(of_texts(FORMULAS + OTHER_TEXTS))

    assert first_column(tmp_path / "a.csv") == FORMULAS + OTHER_TEXTS
    assert pd.read_parquet(tmp_path / "a.parquet")["lead_id"].tolist() == FORMULAS + OTHER_TEXTS


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """Only Parquet and CSV are written."""
    with (
        pytest.raises(LeadmlError, match=r"must end in \.parquet, \.csv or \.delta, got 'a\.xlsx'"),
        table_sink(tmp_path / "a.xlsx"),
    ):
        pass


def test_csv_is_for_people_unless_it_is_raw(tmp_path: Path) -> None:
    """Without a word about it, formulas are escaped and counted."""
    with table_sink(tmp_path / "a.csv") as sink:
        sink.write(of_texts(FORMULAS + OTHER_TEXTS))

    assert first_column(tmp_path / "a.csv") == [f"'{text}" for text in FORMULAS] + OTHER_TEXTS
    assert sink.defused == len(FORMULAS)
