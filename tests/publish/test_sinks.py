"""Files of leads: Parquet and raw CSV are unchanged, CSV for people has no formula."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.frames import FORMULAS, OTHER_TEXTS, first_column, of_texts

from leadml.errors import LeadmlError
from leadml.publish.sink import FileChoices
from leadml.publish.sinks import FORMATS, batch_rows, holds_batch, table_sink


def test_raw_csv_and_parquet_contain_texts_unchanged(tmp_path: Path) -> None:
    """Machines read every text exactly."""
    for name in ("a.csv", "a.parquet"):
        with table_sink(tmp_path / name, FileChoices(raw=True)) as sink:
            sink.write(of_texts(FORMULAS + OTHER_TEXTS))

    assert first_column(tmp_path / "a.csv") == FORMULAS + OTHER_TEXTS
    assert pd.read_parquet(tmp_path / "a.parquet")["lead_id"].tolist() == FORMULAS + OTHER_TEXTS


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    """Only Parquet and CSV are written."""
    with (
        pytest.raises(LeadmlError, match=r"must end in \.parquet, \.csv, \.xlsx or \.delta, got 'a\.txt'"),
        table_sink(tmp_path / "a.txt"),
    ):
        pass


def test_csv_is_for_people_unless_it_is_raw(tmp_path: Path) -> None:
    """Without a word about it, formulas are escaped and counted."""
    with table_sink(tmp_path / "a.csv") as sink:
        sink.write(of_texts(FORMULAS + OTHER_TEXTS))

    assert first_column(tmp_path / "a.csv") == [f"'{text}" for text in FORMULAS] + OTHER_TEXTS
    assert sink.defused == len(FORMULAS)


@pytest.mark.parametrize("suffix", [kind.suffix for kind in FORMATS])
def test_a_file_holds_the_batch_of_its_rows(tmp_path: Path, suffix: str) -> None:
    """And no other; a file that is not there holds none."""
    path = tmp_path / f"scored{suffix}"
    assert not holds_batch(path, "b1")
    with table_sink(path) as sink:
        sink.write(pd.DataFrame({"lead_id": ["1", "2"], "reason_1": ["a\nb", '"'], "batch_id": "b1"}))

    assert holds_batch(path, "b1")
    assert not holds_batch(path, "b2")
    texts = [["1", "a\nb"], ["2", '"']]
    assert [
        row for part in batch_rows(path, "b1") for row in part[["lead_id", "reason_1"]].to_numpy().tolist()
    ] == texts


def test_csv_is_read_back_whatever_its_marks(tmp_path: Path) -> None:
    """The names of its columns tell the delimiter, also after params were changed."""
    path = tmp_path / "scored.csv"
    with table_sink(path, FileChoices(delimiter=";", decimal=",")) as sink:
        sink.write(pd.DataFrame({"lead_id": ["1;2"], "points": [0.5], "batch_id": "b1"}))

    assert holds_batch(path, "b1")
    (frame,) = batch_rows(path, "b1")
    assert frame.to_numpy().tolist() == [["1;2", "0,5", "b1"]]


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".xlsx"])
def test_a_file_without_rows_is_of_any_batch(tmp_path: Path, suffix: str) -> None:
    """A batch of which every row was refused leaves such a file; one of other columns is of none."""
    path = tmp_path / f"scored{suffix}"
    columns = pd.DataFrame({"lead_id": pd.Series(dtype=str), "batch_id": pd.Series(dtype=str)})
    with table_sink(path) as sink:
        sink.write(columns)
    assert holds_batch(path, "b1")
    with table_sink(path) as sink:
        sink.write(pd.DataFrame({"lead_id": ["1"]}))

    assert not holds_batch(path, "b1")
