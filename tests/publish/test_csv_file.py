"""CSV for people has no formula, and as many digits as a number needs."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import pandas as pd
from tests.frames import FORMULAS, OTHER_TEXTS, first_column, of_texts

from leadml.publish.csv_file import CsvFile, RawCsvFile
from leadml.publish.table_file import open_table_file


def test_formulas_are_escaped_and_counted(tmp_path: Path) -> None:
    """Every text that begins like a formula gets a quote before it; other texts and numbers are unchanged."""
    with open_table_file(tmp_path / "a.csv", CsvFile) as sink:
        sink.write(of_texts(FORMULAS + OTHER_TEXTS))

    assert first_column(tmp_path / "a.csv") == [f"'{text}" for text in FORMULAS] + OTHER_TEXTS
    assert sink.defused == len(FORMULAS)
    assert pd.read_csv(tmp_path / "a.csv")["points"].iloc[0] == -1.5


def test_floats_are_read_back_to_the_bit(tmp_path: Path) -> None:
    """CSV contains as many digits as a number needs."""
    numbers = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.arange(-500, 500).clip(-300, 300)
    with open_table_file(tmp_path / "a.csv", CsvFile) as sink:
        sink.write(pd.DataFrame({"x": numbers}))

    assert [float(text) for text in first_column(tmp_path / "a.csv")] == numbers.tolist()


def test_raw_csv_is_unchanged(tmp_path: Path) -> None:
    """Nothing is escaped, so nothing is counted."""
    with open_table_file(tmp_path / "a.csv", RawCsvFile) as file:
        file.write(of_texts(FORMULAS))

    assert first_column(tmp_path / "a.csv") == FORMULAS
    assert file.defused == 0


def test_formulas_of_all_chunks_are_counted(tmp_path: Path) -> None:
    """The count is that of the file."""
    with open_table_file(tmp_path / "a.csv", CsvFile) as file:
        file.write(of_texts(["=1", "Ada", "+2"]))
        file.write(of_texts(["@SUM(A1)", "-3", "-4"]))
        file.write(of_texts(["Ada"]))

    assert file.defused == 5


def test_a_letter_or_digit_before_the_sign_makes_no_formula(tmp_path: Path) -> None:
    """Only spaces may stand before the sign of a formula."""
    texts = [f"{character}=1" for character in string.ascii_letters + string.digits]
    with open_table_file(tmp_path / "a.csv", CsvFile) as file:
        file.write(of_texts(texts))

    assert (first_column(tmp_path / "a.csv"), file.defused) == (texts, 0)
