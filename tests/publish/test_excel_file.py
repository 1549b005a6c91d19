"""Workbooks for people: texts are texts, numbers have 6 decimals, and the same rows are the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from tests.frames import FORMULAS, OTHER_TEXTS, of_texts

from leadml.errors import LeadmlError
from leadml.publish.excel_file import MOST_ROWS
from leadml.publish.sink import FileChoices
from leadml.publish.sinks import batch_rows, table_sink

FRAME = pd.DataFrame(
    {
        "lead_id": ["007", "1e5", "#N/A"],
        "probability": [0.123456789, np.nan, -1e-9],
        "drop": [True, False, False],
        "reason": [None, "a\nb", "x" * 100],
        "batch_id": "b1",
    }
)


def _write(path: Path, *frames: pd.DataFrame, raw: bool = False) -> Path:
    with table_sink(path, FileChoices(raw=raw)) as sink:
        for frame in frames:
            sink.write(frame)
    return path


def test_cells_have_the_types_of_the_columns(tmp_path: Path) -> None:
    """An id keeps its zeros, a missing value is an empty cell, the first row stays in sight."""
    sheet = openpyxl.load_workbook(_write(tmp_path / "a.xlsx", FRAME)).active

    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["lead_id", "probability", "drop", "reason", "batch_id"],
        ["007", 0.123457, True, None, "b1"],
        ["1e5", None, False, "a\nb", "b1"],
        ["#N/A", 0, False, "x" * 100, "b1"],
    ]
    assert sheet.freeze_panes == "B2"
    widths = [sheet.column_dimensions[name].width for name in "BD"]
    assert widths == pytest.approx([len("probability") + 2, 24], abs=1)


def test_no_text_is_a_formula(tmp_path: Path) -> None:
    """Each is a text as it is, so that none has to be escaped."""
    texts = FORMULAS + OTHER_TEXTS
    path = _write(tmp_path / "a.xlsx", of_texts(texts).assign(batch_id="b1"))
    cells = [row[0] for row in openpyxl.load_workbook(path).active.iter_rows(min_row=2)]

    assert all(cell.data_type in {"s", "inlineStr"} for cell in cells)
    read = [text for part in batch_rows(path, "b1") for text in part["lead_id"]]
    assert [text for text in read if text.isprintable()] == [text for text in texts if text.isprintable()]


def test_machines_get_every_digit(tmp_path: Path) -> None:
    """As in CSV."""
    sheet = openpyxl.load_workbook(_write(tmp_path / "a.xlsx", FRAME, raw=True)).active
    assert [sheet["B2"].value, sheet["B4"].value] == [0.123456789, -1e-9]


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    """Whatever the name of the file, the size of chunks, and the instant."""
    first = _write(tmp_path / "a.xlsx", FRAME).read_bytes()
    assert _write(tmp_path / "b.xlsx", FRAME[:1], FRAME[1:]).read_bytes() == first


def test_a_sheet_is_filled_to_its_last_row_and_no_further(tmp_path: Path) -> None:
    """What does not fit is refused in one line, and without a file."""
    message = r"full\.xlsx: must have at most 1,048,575 rows, as a sheet can, got more; write \.csv"

    def fill_too_far() -> None:
        with table_sink(tmp_path / "full.xlsx") as sink:
            sink.write(FRAME)
            sink.rows = MOST_ROWS - len(FRAME)  # as if so many rows were written
            sink.write(FRAME)
            sink.write(FRAME[:1])

    with pytest.raises(LeadmlError, match=message):
        fill_too_far()
    assert list(tmp_path.iterdir()) == []
    with table_sink(tmp_path / "last.xlsx") as sink:
        sink.write(FRAME[:0])
        sink.rows = MOST_ROWS - 1
        sink.write(FRAME[:1])
    last = openpyxl.load_workbook(tmp_path / "last.xlsx").active.max_row
    assert last == MOST_ROWS + 1


def test_rows_are_read_back_as_texts(tmp_path: Path) -> None:
    """The hand-off to sales reads them."""
    (frame,) = batch_rows(_write(tmp_path / "a.xlsx", FRAME), "b1")
    assert frame["lead_id"].tolist() == ["007", "1e5", "#N/A"]
    assert frame["probability"].tolist() == ["0.123457", "", "0"]
