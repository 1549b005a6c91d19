from __future__ import annotations

import datetime as dt
import subprocess
import sys
import zipfile

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import DataError
from leadml.leads.read.workbook import read_sheet, read_sheet_header

NOON = dt.datetime(2026, 1, 2, 12, 30, 5)  # noqa: DTZ001 - a workbook has no zones


def _book(folder, sheets, hidden=()):
    """Write a workbook: the rows of each sheet, by its name."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(rows, start=1):
            for column, value in enumerate(row, start=1):
                sheet.cell(number, column, value)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    path = folder / "leads.xlsx"
    book.save(path)
    return path


def _read(path, *, sheet=None, decimal=".", rows=100):
    parts = list(read_sheet(path, sheet=sheet, decimal=decimal, rows=rows))
    return [record for part in parts for record in part.records], [line for part in parts for line in part.lines]


CELLS = [
    (7, "7"),
    (-3.0, "-3"),
    (2.5, "2.5"),
    (0.1, "0.1"),
    (123456789012345, "123456789012345"),
    (1e22, "1e+22"),
    ("007", "007"),
    (" a ", " a "),
    (True, "true"),
    (False, "false"),
    (None, None),
    (dt.date(2026, 1, 2), "2026-01-02"),
    (NOON, "2026-01-02 12:30:05"),
    (NOON.replace(microsecond=250_000), "2026-01-02 12:30:05.250000"),
    (dt.time(3, 4), "03:04:00"),
    (dt.timedelta(hours=26, minutes=5), "26:05:00"),
]


@pytest.mark.parametrize(("cell", "text"), CELLS)
def test_a_cell_is_the_text_of_an_export_to_csv(tmp_path, cell, text):
    """Whole numbers have no point, dates are ISO 8601, what is empty is missing."""
    assert _read(_book(tmp_path, {"A": [["id", "x"], ["a", cell]]}))[0] == [["a", text]]


def test_a_number_has_the_decimal_mark_of_the_project(tmp_path):
    """As its export to CSV has; a text keeps its own."""
    path = _book(tmp_path, {"A": [["id", "x"], [1.5, "1.5"], [2, NOON.replace(microsecond=500_000)]]})
    assert _read(path, decimal=",")[0] == [["1,5", "1.5"], ["2", "2026-01-02 12:30:05.500000"]]


def test_an_error_of_a_formula_is_missing(tmp_path):
    """The library hands it over as an empty cell."""
    assert _read(_book(tmp_path, {"A": [["id", "x"], [1, "#N/A"], [2, "#REF!"]]}))[0] == [["1", None], ["2", None]]


@given(
    st.lists(st.sampled_from([[1, "x"], [None, "y"], [None, None]]), max_size=6), st.integers(0, 3), st.integers(1, 3)
)
def test_rows_have_the_numbers_that_the_sheet_shows(tmp_path_factory, rows, above, size):
    """Rows without cells are passed over, above the header, between leads and below them."""
    sheet = [*([[None, None]] * above), ["id", "x"], *rows, [None, None]]
    path = _book(tmp_path_factory.mktemp("book"), {"A": sheet})
    assert read_sheet_header(path, sheet=None) == (["id", "x"], above + 1)
    expected = [(number, row) for number, row in enumerate(rows, start=above + 2) if any(row)]
    values, lines = _read(path, rows=size)
    assert lines == [number for number, _ in expected]
    assert values == [["1" if row[0] else None, row[1]] for _, row in expected]


def test_a_column_without_a_name_has_none(tmp_path):
    """A table may begin in any column, and a cell beside it is in a column of its own."""
    path = _book(tmp_path, {"A": [[None, "id", None], [None, 1, "a note"]]})
    assert read_sheet_header(path, sheet=None) == (["id", ""], 1)
    assert _read(path)[0] == [["1", "a note"]]


def test_totals_below_the_leads_are_passed_over(tmp_path):
    """And told, with their rows."""
    path = _book(tmp_path, {"A": [["id", "x", "y", "z"], [1, 2, 3, 4], [], ["Summe", None, None, 4]]})
    (part,) = read_sheet(path, sheet=None, decimal=".", rows=9)
    assert (part.lines, part.passed_over) == ([2], ("leads.xlsx:4: 'Summe', 4",))


LEADS = [["id", "x"], [1, "a"]]


def test_the_only_visible_sheet_with_cells_is_read(tmp_path):
    """Empty sheets and hidden ones, in which tools keep lists, do not count; any may be chosen by its name."""
    path = _book(tmp_path, {"Empty": [], "Leads": LEADS, "Lists": [["y"], ["b"]]}, hidden=["Lists"])
    assert _read(path)[0] == [["1", "a"]]
    assert _read(path, sheet="Lists")[0] == [["b"]]


@pytest.mark.parametrize(
    ("sheets", "hidden", "sheet", "message"),
    [
        (
            {"Leads": LEADS, "Notes": LEADS},
            (),
            None,
            r"must have one sheet with cells, got 'Leads', 'Notes'; set data\.sheet",
        ),
        ({f"S{n}": LEADS for n in range(7)}, (), None, ".*, got 'S0', 'S1', 'S2', 'S3', 'S4' and 2 more; set"),
        (
            {"Leads": LEADS},
            (),
            "leads",
            "must have a sheet 'leads', got 'Leads'; the nearest is 'Leads'; correct data.sheet, or leadml init",
        ),
        (
            {"A": [], "B": LEADS},
            ["B"],
            None,
            "must hold a header and leads, got no sheet with cells that is not hidden",
        ),
        ({"A": [], "B": LEADS}, (), "A", "must begin with the names of the columns, got a sheet without cells"),
    ],
)
def test_a_sheet_is_never_guessed(tmp_path, sheets, hidden, sheet, message):
    """The line has the names of the sheets and the key that chooses one."""
    path = _book(tmp_path, sheets, hidden)
    with pytest.raises(DataError, match=f"^leads.xlsx: {message}"):
        read_sheet_header(path, sheet=sheet)


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"a\tb\n1\t2\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600]
)
@pytest.mark.parametrize("suffix", ["xlsx", "xls", "ods"])
def test_a_file_that_only_has_the_name_of_a_workbook_is_refused(tmp_path, content, suffix):
    """Many tools name a table of HTML or of tabs .xls."""
    path = tmp_path / f"leads.{suffix}"
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"^leads\.{suffix}: must be a whole workbook, got "):
        read_sheet_header(path, sheet=None)


def test_a_truncated_workbook_is_refused(tmp_path):
    """Cut at any byte."""
    path = _book(tmp_path, {"A": LEADS})
    whole = path.read_bytes()
    for length in range(0, len(whole), 211):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"^leads\.xlsx: must be a whole workbook, got "):
            _read(path)


@pytest.mark.slow
def test_a_workbook_with_a_changed_byte_is_refused_or_read(tmp_path):
    """No error of the library is shown, and none ends the program."""
    path = _book(tmp_path, {"A": LEADS})
    whole = path.read_bytes()
    for offset in range(0, len(whole), 5):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 255]) + whole[offset + 1 :])
        try:
            _read(path)
        except DataError as error:
            assert "leads.xlsx: must " in str(error)  # noqa: PT017 - it may also be read


ODS = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="Leads"><table:table-row>
<table:table-cell office:value-type="string"><text:p>id</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row><table:table-row>
<table:table-cell office:value-type="float" office:value="7"><text:p>7,00</text:p></table:table-cell>
<table:table-cell office:value-type="boolean" office:boolean-value="true"><text:p>WAHR</text:p></table:table-cell>
</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def test_a_workbook_of_open_document_is_read(tmp_path):
    """By what cells hold, not by how they are shown."""
    path = tmp_path / "LEADS.ODS"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", ODS.replace("\n", ""))
    assert read_sheet_header(path, sheet=None) == (["id", "x"], 1)
    assert _read(path)[0] == [["7", "true"]]


def test_a_workbook_is_known_by_its_content(tmp_path):
    """Tools write the newer format under the older name, and Windows writes names in capitals."""
    whole = _book(tmp_path, {"A": LEADS}).read_bytes()
    for name in ("leads.xls", "LEADS.XLSX", "leads.xlsm"):
        (tmp_path / name).write_bytes(whole)
        assert _read(tmp_path / name)[0] == [["1", "a"]]


def test_a_missing_file_is_refused(tmp_path):
    """With the error of the operating system."""
    with pytest.raises(DataError, match=r"none\.xlsx: must be readable, got No such file or directory"):
        read_sheet_header(tmp_path / "none.xlsx", sheet=None)


@pytest.mark.slow
def test_without_the_library_the_extra_is_named(tmp_path):
    """A project without workbooks needs no library."""
    path = _book(tmp_path, {"A": LEADS})
    script = f"""
import sys
sys.modules["python_calamine"] = None
from pathlib import Path
from leadml.errors import MissingExtraError
from leadml.leads.read.workbook import read_sheet_header
try:
    read_sheet_header(Path({str(path)!r}), sheet=None)
except MissingExtraError as error:
    print(error)
"""
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed == (
        "leads.xlsx: needs python-calamine, got none; pip install 'leadml[excel]', or save the sheet as CSV\n"
    )


def test_what_pandas_writes_is_what_is_read(tmp_path):
    """A frame without missing values gives the texts of its CSV."""
    frame = pd.DataFrame({"id": [1, 2], "x": [0.25, 1.5], "t": ["a", "b"], "d": ["2026-01-02", "2026-01-03"]})
    frame.to_excel(tmp_path / "leads.xlsx", index=False)
    assert _read(tmp_path / "leads.xlsx")[0] == [["1", "0.25", "a", "2026-01-02"], ["2", "1.5", "b", "2026-01-03"]]
