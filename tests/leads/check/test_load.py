from __future__ import annotations

import csv
import gzip
import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.errors import DataError
from leadml.leads.check.contract import LEAD_ID, Contract, Field, Label
from leadml.leads.check.convert import plain_text
from leadml.leads.check.duplicates import find_duplicates, row_hashes
from leadml.leads.check.instants import instant
from leadml.leads.check.load import checked_chunks, load_leads
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.params import parse_params

HEAD = "id,age,country,y\n"
PLAIN = Dialect()
LETTERS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
ROWS = st.lists(
    st.tuples(
        st.text("0123456789é \n\"',;", min_size=1, max_size=19).filter(str.strip),
        st.none() | st.floats(-1e6, 1e6),
        LETTERS,
        st.sampled_from(["yes", "no"]),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda row: row[0],
)


def _text(rows):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "age", "country", "y"], *(["" if v is None else v for v in row] for row in rows)])
    return buffer.getvalue()


def _same(one, other):
    pd.testing.assert_frame_equal(one, other, check_dtype=False, check_exact=True)


@pytest.mark.slow
@given(ROWS)
def test_ids_and_texts_are_read_from_a_csv_without_change(write, contract, rows):
    """Each lead is there once with its id, number, text and label as written, sorted by id."""
    loaded = load_leads(FileSource(write(_text(rows)), PLAIN), contract)
    expected = sorted(rows)
    assert loaded.frame[LEAD_ID].tolist() == [row[0] for row in expected]
    np.testing.assert_array_equal(loaded.frame["age"], [np.nan if row[1] is None else row[1] for row in expected])
    assert [None if pd.isna(text) else text for text in loaded.frame["country"]] == [
        plain_text(row[2] or "") or None for row in expected
    ]
    assert loaded.frame["converted"].tolist() == [int(row[3] == "yes") for row in expected]
    assert (loaded.rows, loaded.merged) == (len(rows), 0)


@pytest.mark.parametrize(
    "lead", ["007", "0", "1e5", "9007199254740993", "1234567890123456789", " 7", "7 ", "NA", "nan"]
)
def test_an_id_keeps_its_zeros_spaces_and_nineteen_digits(write, contract, lead):
    """No id is read as a number or as missing."""
    path = write(f"{HEAD}{lead},1,BE,yes\n")
    assert load_leads(FileSource(path, PLAIN), contract).frame[LEAD_ID].tolist() == [lead]


@pytest.mark.slow
@given(ROWS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(write, contract, rows, random):
    """Permuted rows give the same leads."""
    shuffled = random.sample(rows, len(rows))
    one, other = (load_leads(FileSource(write(_text(order)), PLAIN), contract).frame for order in (rows, shuffled))
    _same(one, other)


@pytest.mark.slow
@given(ROWS, st.integers(0, 8))
def test_a_folder_of_files_gives_the_same_leads_as_one_file(write, contract, rows, cut):
    """Leads are the same from one file, and from two of which one is gzipped."""
    whole = write(_text(rows))
    first = write(_text(rows[:cut]), "a.csv")
    (first.parent / "b.csv.gz").write_bytes(gzip.compress(_text(rows[cut:]).encode()))
    _same(
        load_leads(FileSource(first.parent, PLAIN), contract).frame,
        load_leads(FileSource(whole, PLAIN), contract).frame,
    )


@pytest.mark.slow
@given(ROWS)
def test_csv_and_parquet_give_the_same_leads(write, contract, rows):
    """The checked frame does not depend on the format of the file."""
    frame = pd.DataFrame(rows, columns=["id", "age", "country", "y"]).astype({"age": float})
    path = write(_text(rows))
    other = path.with_suffix(".parquet")
    frame.to_parquet(other)
    _same(load_leads(FileSource(other, PLAIN), contract).frame, load_leads(FileSource(path, PLAIN), contract).frame)


MIXED = f"{HEAD}1,1,,yes\n2,2,BE,no\n1,1,,yes\n3,x,BE,no\n4\n2,5,BE,no\n5,,,no\n"


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 6])
def test_the_size_of_chunks_does_not_change_the_result(write, contract, rows):
    """Leads, lines, faults, and repeated and contradicting rows are the same for any size of chunks."""

    def read(size):
        chunks = list(checked_chunks(FileSource(write(MIXED), PLAIN), contract, rows=size))
        hashes = [row_hashes(chunk.frame) for chunk in chunks]
        duplicates = find_duplicates(*(np.concatenate(part) for part in zip(*hashes, strict=True)))
        faults = {str(fault) for chunk in chunks for fault in chunk.faults}
        locations = [location for chunk in chunks for location in chunk.locations]
        ids = [lead for chunk in chunks for lead in chunk.frame[LEAD_ID]]
        total = sum(chunk.rows for chunk in chunks)
        return ids, locations, faults, duplicates.merged.tolist(), duplicates.conflicting.tolist(), total

    expected = read(100)
    assert expected[0] == ["1", "2", "1", "2", "5"]
    assert expected[3:] == ([False, False, True, False, False], [False, True, False, True, False], 7)
    assert read(rows) == expected


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
def test_the_number_of_a_row_counts_unreadable_rows(write, rows):
    """Without an id column a lead has the same id for any size of chunks."""
    contract = Contract((Field("age", "number", "fit"),))
    chunks = checked_chunks(FileSource(write("age,x\n1,1\n2\n3,3\nx,4\n5,5\n"), PLAIN), contract, rows=rows)
    assert [lead for chunk in chunks for lead in chunk.frame[LEAD_ID]] == ["1", "3", "5"]


def test_repeated_rows_are_merged_and_counted(write, contract):
    """Rows with the same values are merged, even where they write a number in different ways."""
    loaded = load_leads(FileSource(write(f"{HEAD}1,1,,yes\n1,1.0,,yes\n2,,BE,no\n1,1e0,,yes\n"), PLAIN), contract)
    assert (loaded.frame[LEAD_ID].tolist(), loaded.rows, loaded.merged) == (["1", "2"], 4, 2)


def test_all_faults_of_a_file_are_in_one_error(write, contract):
    """Unreadable rows, wrong values, wrong labels and contradicting rows each have their line."""
    path = write(f"{HEAD}1,x,BE,yes\n2\n3,1,BE,perhaps\n4,1,BE,yes\n4,2,BE,yes\n,1,BE,no\n")
    with pytest.raises(DataError, match=r"leads.csv:2: age must be a number") as caught:
        load_leads(FileSource(path, PLAIN), contract)
    lines = {int(str(fault).split(":")[1]) for fault in caught.value.faults}
    assert lines == {2, 3, 4, 5, 6, 7}


def test_many_faults_are_shown_in_at_most_twenty_lines_and_counted(write, contract):
    """Thirty rows with one fault are one line; of thirty different faults twenty are shown and ten counted."""
    with pytest.raises(DataError, match=r"add '\?' to data.missing; the same in 29 more rows$") as caught:
        load_leads(FileSource(write(HEAD + "".join(f"{n},?,BE,yes\n" for n in range(30))), PLAIN), contract)
    assert len(caught.value.faults) == 30
    with pytest.raises(DataError, match=r"\nand 10 more faults$") as caught:
        load_leads(FileSource(write(HEAD + "".join(f"{n},1,BE,{n}\n" for n in range(30))), PLAIN), contract)
    assert len(str(caught.value).splitlines()) == 21


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "leads.csv: must hold a header and leads, got an empty file"),
        (HEAD, "leads.csv: must hold leads, got none below the header"),
        ("id,age,contry,y\n1,1,BE,yes\n", "leads.csv: must have a column 'country', got none; the nearest is 'contry'"),
        (
            "id,age,country,Y\n1,1,BE,yes\n",
            "leads.csv: must have a column 'y', got none; the nearest is 'Y'; set target.co",
        ),
        ("id,age,country,y,id\n", "leads.csv:1: every column must have a name of its own, got 'id' twice"),
        (
            HEAD + "1,1,BE,yes,\n2,2,BE,no,\n",
            "leads.csv:2: must have 4 values as the header has, got 5; correct the row",
        ),
        (HEAD + "1,1,BE,yes\n2\n", "leads.csv:3: must have 4 values as the header has, got 1; correct the row"),
        (HEAD + '1,1,"a\nb",yes\n2,?,BE,no\n', "leads.csv:4: age must be a number"),
        (HEAD + '1,"1,5",BE,yes\n', "leads.csv:2: age must be a number with decimal mark '.', got '1,5'; set data.dec"),
        (HEAD + "1,1,BE,\n", "leads.csv:2: y must be one of 'yes', 'no', got nothing"),
        (HEAD + "1,1,BE,nan\n", "leads.csv:2: y must be one of 'yes', 'no', got 'nan'"),
        (
            HEAD + "1,1,BE,yes\n1,1,FR,yes\n",
            "leads.csv:2: id must be there once, got '1' on another row too, with another country; k",
        ),
        (HEAD.replace(",", ";"), "leads.csv:1: header has one column, 'id;age;country;y'; set data.delimiter: ';'"),
        (HEAD.encode() + b"1,1,\xe9,yes\n", "leads.csv:2: must be utf-8, got byte 0xe9 at offset 21"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_its_line_and_remedy(write, contract, content, message):
    """One line says what must hold, what was got and what to do."""
    with pytest.raises(DataError, match=re.escape(message)):
        load_leads(FileSource(write(content), PLAIN), contract)


def test_the_word_na_is_text_and_infinity_is_missing(write, contract):
    """Declared words and numbers that are not finite are missing; no other word is."""
    frame = load_leads(
        FileSource(write(f"{HEAD}1,inf,NA,yes\n2,1e400,None,no\n3,-,nan,no\n"), Dialect(missing=("-",))), contract
    ).frame
    assert frame["country"].tolist() == ["NA", "None", "nan"]
    assert frame["age"].isna().all()


def test_a_column_that_is_missing_in_one_file_of_a_folder_is_refused(write, contract):
    """The message names the file that has not all columns."""
    path = write(f"{HEAD}1,1,BE,yes\n", "a.csv")
    (path.parent / "b.csv").write_text("id,age,y\n2,2,no\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"^b.csv: must have a column 'country', got none"):
        load_leads(FileSource(path.parent, PLAIN), contract)
    assert load_leads(FileSource(path.parent, PLAIN), replace(contract, fields=contract.fields[:1])).rows == 2


def test_a_column_is_found_with_composed_and_decomposed_accents(write):
    """A name in params matches the same name of a file in either Unicode form."""
    text = (
        "data: {path: x}\ntarget: {name: won, column: y, positive: [yes], negative: [no]}\n"
        "features: {fit: {cafe\u0301: category}}\nstages: {iql: {rule: share, top: 0.5}}\n"
    )
    rules = ["stages.mql={rule: share, top: 0.2}", "stages.sql={rule: share, top: 0.1}"]
    contract = Contract.from_params(parse_params(text, overrides=rules))
    for name in ("cafe\u0301", "café"):
        frame = load_leads(FileSource(write(f"{name},y\nBE,yes\n"), PLAIN), contract).frame
        assert frame["caf\u00e9"].tolist() == ["BE"]


def test_the_bundled_leads_are_those_that_pandas_reads(bank_file, bank_leads):
    """Ids, numbers, texts and labels of 4,521 leads are the same as those that pandas reads."""
    raw = pd.read_csv(bank_file, dtype={"id": str}).sort_values("id", ignore_index=True)
    frame = bank_leads.frame
    assert frame[LEAD_ID].tolist() == raw["id"].tolist()
    np.testing.assert_array_equal(frame["balance"], raw["balance"])
    np.testing.assert_array_equal(frame["housing"], raw["housing"] == "yes")
    assert frame["job"].tolist() == raw["job"].tolist()
    assert frame["converted"].sum() == (raw["y"] == "yes").sum() == 521


DATED = Contract((Field("x", "number", "fit"),), "id", "at", "UTC", Label("y", ("won",), ("lost",), ("",), 10))


def _dated(write, rows):
    return FileSource(
        write("id,at,x,y\n" + "".join(f"{number},{at},1,{y}\n" for number, (at, y) in enumerate(rows))), PLAIN
    )


@given(st.lists(st.tuples(st.integers(1, 28), st.sampled_from(["won", "Lost ", ""])), min_size=1, max_size=12))
def test_open_and_young_leads_are_counted_and_left_out(write, days):
    """Each lead is known, open by its label, or too young: at most ten days older than the newest lead."""
    rows = [(f"2024-01-{day:02}", y) for day, y in days]
    newest = max(day for day, _ in days)
    known = [number for number, (day, y) in enumerate(days) if y and day + 10 <= newest]
    if not known:
        with pytest.raises(DataError, match="must hold leads whose outcome is known, got open ones only"):
            load_leads(_dated(write, rows), DATED)
        return
    loaded = load_leads(_dated(write, rows), DATED)
    assert sorted(map(int, loaded.frame[LEAD_ID])) == known
    assert loaded.open == sum(not y for _, y in days)
    assert loaded.open + loaded.too_young + len(known) == loaded.rows
    assert loaded.places.tolist() == [int(number) for number in loaded.frame[LEAD_ID]]


@pytest.mark.parametrize(("undated", "is_refused"), [(1, False), (2, True)])
def test_some_leads_without_a_date_are_left_out_and_many_are_refused(write, undated, is_refused):
    """One of twenty may be without a date, or have one that is none; where no limit of time is given, none may."""
    rows = (
        [("2024-01-01", "won")] * 18
        + [("", "won"), ("soon", "lost")][:undated]
        + [("2024-01-20", "lost")] * (2 - undated)
    )
    latest = instant("2024-02-01", timezone="UTC")
    if is_refused:
        with pytest.raises(DataError, match="at must be a time in ISO 8601"):
            load_leads(_dated(write, rows), DATED, latest=latest)
        return
    loaded = load_leads(_dated(write, rows), DATED, latest=latest)
    assert (len(loaded.frame), len(loaded.misdated), loaded.too_young) == (18, 1, 1)
    with pytest.raises(DataError, match="at must be a time in ISO 8601"):
        load_leads(_dated(write, rows), DATED)


def test_leads_of_the_future_and_of_the_time_before_computers_are_left_out(write):
    """They are counted with their place, and do not make other leads too young."""
    rows = [("2204-05-01", "won"), ("2024-01-01", "won"), ("1967-01-01", "lost"), ("2024-01-20", "lost")]
    latest = instant("2024-02-01", timezone="UTC")
    loaded = load_leads(_dated(write, rows), DATED, latest=latest)
    assert loaded.frame[LEAD_ID].tolist() == ["1"]
    assert [str(fault) for fault in loaded.misdated] == [
        f"leads.csv:{line}: at must lie between 1970 and tomorrow, got {day}"
        for line, day in ((2, "2204-05-01"), (4, "1967-01-01"))
    ]
    assert (loaded.rows, loaded.too_young) == (4, 1)
