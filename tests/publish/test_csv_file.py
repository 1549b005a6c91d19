"""CSV for people has no formula, 6 decimals and the marks of their spreadsheet; for machines nothing is changed."""

from __future__ import annotations

import string
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from tests.frames import FORMULAS, OTHER_TEXTS, first_column, of_texts

from leadml.publish.csv_file import CsvFile
from leadml.publish.sink import FileChoices
from leadml.publish.table_file import TableFile, open_table_file

PEOPLE, MACHINES = FileChoices(), FileChoices(raw=True)
EUROPEAN = FileChoices(delimiter=";", decimal=",")


def _csv(path: Path, choices: FileChoices = PEOPLE) -> AbstractContextManager[TableFile]:
    return open_table_file(path, partial(CsvFile, choices=choices))


def test_formulas_are_escaped_and_counted(tmp_path: Path) -> None:
    """Every text that begins like a formula gets a quote before it; other texts and numbers are unchanged."""
    with _csv(tmp_path / "a.csv") as sink:
        sink.write(of_texts(FORMULAS + OTHER_TEXTS))

    assert first_column(tmp_path / "a.csv") == [f"'{text}" for text in FORMULAS] + OTHER_TEXTS
    assert sink.defused == len(FORMULAS)
    assert pd.read_csv(tmp_path / "a.csv")["points"].iloc[0] == -1.5


def test_floats_for_machines_are_read_back_to_the_bit(tmp_path: Path) -> None:
    """Raw CSV contains as many digits as a number needs."""
    numbers = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.arange(-500, 500).clip(-300, 300)
    with _csv(tmp_path / "a.csv", MACHINES) as sink:
        sink.write(pd.DataFrame({"x": numbers}))

    assert [float(text) for text in first_column(tmp_path / "a.csv")] == numbers.tolist()


NUMBERS = [0.123456789, 1e-7, -1e-7, 2.0, -2.5, 12345.6789012, np.nan]


def test_people_get_six_decimals(tmp_path: Path) -> None:
    """What is smaller is 0, without a sign; a missing number is empty."""
    with _csv(tmp_path / "a.csv") as sink:
        sink.write(pd.DataFrame({"x": NUMBERS, "n": 1}))

    assert first_column(tmp_path / "a.csv") == ["0.123457", "0", "0", "2", "-2.5", "12345.678901", ""]


def test_marks_are_those_of_the_spreadsheet(tmp_path: Path) -> None:
    """A European one has semicolons and decimal commas; texts and whole numbers are as they were."""
    with _csv(tmp_path / "a.csv", EUROPEAN) as sink:
        sink.write(pd.DataFrame({"x": NUMBERS, "n": 1, "t": "a.b;c"}))

    frame = pd.read_csv(tmp_path / "a.csv", sep=";", dtype=str, keep_default_na=False)
    assert frame["x"].tolist() == ["0,123457", "0", "0", "2", "-2,5", "12345,678901", ""]
    assert (frame["n"] == "1").all()
    assert (frame["t"] == "a.b;c").all()


def test_machines_get_commas_and_points(tmp_path: Path) -> None:
    """Whatever marks people have."""
    with _csv(tmp_path / "a.csv", FileChoices(raw=True, delimiter=";", decimal=",")) as sink:
        sink.write(pd.DataFrame({"x": [0.123456789], "n": [1]}))

    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == '"x","n"\n0.123456789,1\n'


def test_raw_csv_is_unchanged(tmp_path: Path) -> None:
    """Nothing is escaped, so nothing is counted."""
    with _csv(tmp_path / "a.csv", MACHINES) as file:
        file.write(of_texts(FORMULAS))

    assert first_column(tmp_path / "a.csv") == FORMULAS
    assert file.defused == 0


def test_formulas_of_all_chunks_are_counted(tmp_path: Path) -> None:
    """The count is that of the file."""
    with _csv(tmp_path / "a.csv") as file:
        file.write(of_texts(["=1", "Ada", "+2"]))
        file.write(of_texts(["@SUM(A1)", "-3", "-4"]))
        file.write(of_texts(["Ada"]))

    assert file.defused == 5


def test_a_letter_or_digit_before_the_sign_makes_no_formula(tmp_path: Path) -> None:
    """Only spaces may stand before the sign of a formula."""
    texts = [f"{character}=1" for character in string.ascii_letters + string.digits]
    with _csv(tmp_path / "a.csv") as file:
        file.write(of_texts(texts))

    assert (first_column(tmp_path / "a.csv"), file.defused) == (texts, 0)
