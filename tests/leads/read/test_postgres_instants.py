"""Instants of PostgreSQL that Python cannot hold set their row aside, and not the table."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.leads.read.test_database import read, run

from leadml.leads.check.contract import Contract
from leadml.leads.check.load import checked_chunks
from leadml.leads.check.rows import faults_of_range
from leadml.leads.read.database import TableName, open_read_transaction
from leadml.leads.read.files import Dialect
from leadml.leads.read.postgres_instants import LIMITS
from leadml.leads.read.table_source import DatabaseSource

pytest_plugins = ["tests.postgres"]

WRITTEN = ["infinity", "-infinity", "26204-01-05", "0044-03-15 BC"]
FIRST, LAST = LIMITS


@pytest.mark.parametrize("kind", ["date", "timestamp", "timestamptz"])
def test_what_python_cannot_hold_is_the_nearest_that_it_can(postgres_url, kind):
    """Infinity, years of five digits and years before Christ; other values are as they were, to the microsecond."""
    words = [*WRITTEN, "2026-01-02 03:04:05.000006+00"]
    insert = "INSERT INTO instants VALUES ('WORD')"
    rows = [insert.replace("WORD", word) for word in words]
    run(postgres_url, f"CREATE TABLE instants (x {kind})", *rows, "INSERT INTO instants VALUES (NULL)")
    with open_read_transaction(postgres_url) as transaction:
        values = read(transaction, TableName("instants"))["x"].to_pylist()

    known = dt.datetime(2026, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001
    expected = [LAST, FIRST, LAST, FIRST, known]
    if kind == "date":
        assert values == [*(value.date().isoformat() for value in expected), None]
    else:
        plain = [
            value and (value.astimezone(dt.UTC) if value.tzinfo else value).replace(tzinfo=None) for value in values
        ]
        assert plain == [*expected, None]
        assert {value.tzinfo is not None for value in values if value} == {kind == "timestamptz"}


def test_a_row_with_such_an_instant_is_set_aside(postgres_url):
    """Its fault names the row; the other rows are read."""
    rows = "INSERT INTO leads_in VALUES ('a', '2026-01-02'), ('b', 'infinity'), ('c', '2026-01-03')"
    run(postgres_url, "CREATE TABLE leads_in (id text, at timestamptz)", rows)
    contract = Contract((), lead_id="id", created_at="at", timezone="UTC")
    with open_read_transaction(postgres_url) as transaction:
        source = DatabaseSource(transaction, TableName("leads_in"), Dialect())
        (checked,) = checked_chunks(source, contract)
        faults = faults_of_range(checked, contract, latest=4 * 10**15)

    assert checked.frame["lead_id"].tolist() == ["a", "b", "c"]
    assert [str(fault) for fault in faults.values()] == [
        "leads_in table:2 (lead 'b'): at must lie between 1970 and tomorrow, got 9999-12-30"
    ]
