"""Read a sheet of an Excel or OpenDocument workbook as the texts that its export to CSV would have.

The library hands over an error of a formula, such as #N/A, as an empty cell, so it is missing; a formula has the value
that was last computed. Lines keep the numbers that the sheet shows.
"""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from leadml.errors import DataError, Fault, MissingExtraError, inert, nearest, quoted
from leadml.leads.read.records import Records, divide

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Cell = str | float | bool | dt.date | dt.time | dt.timedelta

SHOWN_SHEETS = 5  # names in one line


def read_sheet_header(path: Path, *, sheet: str | None) -> tuple[list[str], int]:
    """Return the first row of a sheet that holds cells, as texts, and its number.

    Parameters
    ----------
    path
        The workbook.
    sheet
        Name of the sheet; None for the only visible one that holds cells.

    Raises
    ------
    MissingExtraError
        Where python-calamine is not installed.
    DataError
        Where the workbook cannot be read, there is no such sheet, or several sheets could be meant.
    """
    with _open_rows(path, sheet) as rows:
        number, names = _header(path, rows, ".")
        return [name or "" for name in names], number


def read_sheet(path: Path, *, sheet: str | None, decimal: str, rows: int) -> Iterator[Records]:
    """Yield the rows of a sheet below its header, at most ``rows`` at a time; rows without cells are passed over.

    Parameters
    ----------
    path
        The workbook.
    sheet
        Name of the sheet; None for the only visible one that holds cells.
    decimal
        Decimal mark of the text that a number becomes.
    rows
        Largest number of rows of a chunk.

    Raises
    ------
    MissingExtraError
        Where python-calamine is not installed.
    DataError
        Where the workbook cannot be read, there is no such sheet, or several sheets could be meant.
    """
    with _open_rows(path, sheet) as cells:
        _, names = _header(path, cells, decimal)
        entries = ((number, _texts(row, decimal)) for number, row in cells)
        yield from divide(entries, width=len(names), name=path.name, rows=rows)


@contextmanager
def _open_rows(path: Path, sheet: str | None) -> Iterator[Iterator[tuple[int, list[Cell]]]]:
    """Give the number and the cells of each row of a sheet."""
    try:
        import python_calamine as calamine  # noqa: PLC0415 - an extra
    except ImportError:
        msg = f"{path.name}: needs python-calamine, got none; pip install 'leadml[excel]', or save the sheet as CSV"
        raise MissingExtraError(msg) from None
    try:
        # By content and not by name: .XLSX is no format of the library, and many a file that is named .xls is an .xlsx.
        with path.open("rb") as file, calamine.CalamineWorkbook.from_filelike(file) as book:
            shown = calamine.SheetVisibleEnum.Visible
            visible = [each.name for each in book.sheets_metadata if each.visible == shown]
            chosen = book.get_sheet_by_name(_choose(path, book, sheet, visible))
            yield enumerate(chosen.iter_rows(), start=1)
    except calamine.PasswordError:
        message = "must be a workbook without a password, got one that has one; save it without"
        raise DataError([Fault(path.name, message)]) from None
    except calamine.CalamineError as error:
        message = f"must be a whole workbook, got one that cannot be read: {inert(error)}; save it again, or as CSV"
        raise DataError([Fault(path.name, message)]) from None
    except OSError as error:
        raise DataError([Fault(str(path), f"must be readable, got {error.strerror or error}")]) from None


def _choose(path: Path, book: Any, wanted: str | None, visible: list[str]) -> str:
    """Return the name of the sheet that is read; hidden sheets are read by their names only."""
    if wanted is not None:
        if wanted not in book.sheet_names:
            got = _listed(book.sheet_names)
            message = f"must have a sheet {quoted(wanted)}, got {got}{nearest(wanted, book.sheet_names)}"
            raise DataError([Fault(path.name, f"{message}; correct data.sheet, or leadml init FILE --sheet NAME")])
        return wanted
    filled = [name for name in visible if _holds_cells(book.get_sheet_by_name(name))]
    if len(filled) == 1:
        return filled[0]
    if not filled:
        message = (
            "must hold a header and leads, got no sheet with cells that is not hidden; to read one that is, set "
            "data.sheet, or leadml init FILE --sheet NAME"
        )
        raise DataError([Fault(path.name, message)])
    message = f"must have one sheet with cells, got {_listed(filled)}; set data.sheet, or leadml init FILE --sheet NAME"
    raise DataError([Fault(path.name, message)])


def _holds_cells(sheet: Any) -> bool:
    return any(cell != "" for row in sheet.iter_rows() for cell in row)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN_SHEETS:,} more" if len(names) > SHOWN_SHEETS else ""
    return ", ".join(map(quoted, names[:SHOWN_SHEETS])) + more


def _header(path: Path, rows: Iterator[tuple[int, list[Cell]]], decimal: str) -> tuple[int, list[str | None]]:
    for number, row in rows:
        if texts := _texts(row, decimal):
            return number, texts
    raise DataError([Fault(path.name, "must begin with the names of the columns, got a sheet without cells")])


def _texts(row: list[Cell], decimal: str) -> list[str | None]:
    """Return the texts of a row; none for a row without cells."""
    texts = [_text(cell, decimal) for cell in row]
    return texts if any(text is not None for text in texts) else []


def _text(cell: Cell, decimal: str) -> str | None:
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float | int):
        return repr(cell).removesuffix(".0").replace(".", decimal)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return cell.isoformat()
