"""Which table holds what follows from the ids that they share and from what happened in them."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from leadml.errors import DataError
from leadml.leads.judge.column_content import describe_column
from leadml.leads.judge.table_roles import (
    Join,
    NamedTable,
    find_account,
    find_kind,
    find_leads,
    find_recorded,
    find_times,
    find_valid_from,
    outcome_likeness,
    outcome_of,
)
from leadml.leads.read.files import Dialect
from leadml.params import OUTCOMES

IDS = [f"L{at}" for at in range(30)]
DAYS = [f"2024-01-{1 + at % 28:02}" for at in range(60)]


def table(name: str, **columns: list[Any]) -> NamedTable:
    """Return a table with what its columns hold."""
    contents = {key: describe_column(pa.chunked_array([values]), Dialect()) for key, values in columns.items()}
    return NamedTable(name, contents)


LEADS = table("people.csv", row=list(range(30)), key=IDS, Created=DAYS[:30], Account_ID=["a", "b"] * 15)
EVENTS = table("log.csv", who=IDS * 2, When=DAYS, What=["visit", "call"] * 30)
DEALS = table("deals.csv", lead=IDS, logged_at=DAYS[:30], at=DAYS[:30], stage=["Won", "Lost", "MQL"] * 10)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_the_leads_are_the_table_whose_ids_the_others_have(order: tuple[int, ...]) -> None:
    """In whatever order the tables are given; each join is counted."""
    tables = [(LEADS, EVENTS, DEALS)[at] for at in order]
    at, column, joins = find_leads(tables)
    assert tables[at] is LEADS
    assert column == "key"
    assert {tables[other].name: join for other, join in joins.items()} == {
        "log.csv": Join("who", 1.0), "deals.csv": Join("lead", 1.0),
    }  # fmt: skip


def test_leads_may_have_a_row_for_each_state() -> None:
    """They are known by the time from which a row holds; the time until which it does is none."""
    states = table("people.csv", key=IDS * 2, Created=DAYS[:30] * 2, valid_to=DAYS, valid_from=DAYS)
    assert find_valid_from(states) == "valid_from"
    assert find_valid_from(EVENTS) is None
    assert find_leads([EVENTS, states, DEALS])[:2] == (1, "key")
    with pytest.raises(DataError, match=r"one table must have a column that identifies leads"):
        find_leads([table("people.csv", key=IDS * 2, Created=DAYS), EVENTS])


def test_a_time_of_a_record_that_most_rows_share_is_that_of_a_migration() -> None:
    """It says nothing of when a row became known."""
    assert find_recorded(DEALS) == "logged_at"
    moved = table("deals.csv", lead=IDS, logged_at=["2024-01-09"] * 20 + DAYS[:10], at=DAYS[:30])
    assert find_recorded(moved) is None
    assert find_times(moved) == ("at", None)


def test_tables_without_ids_in_common_are_refused() -> None:
    """The message names them."""
    strangers = table("log.csv", who=[f"X{at}" for at in range(60)], When=DAYS)
    with pytest.raises(DataError, match=r"^people.csv, log.csv: one table must have a column that identifies leads"):
        find_leads([LEADS, strangers])


def test_the_kind_and_the_times_of_events_are_found() -> None:
    """The time of a record is known by its name, and the first of the others is when it happened."""
    assert find_kind(EVENTS, Join("who", 1.0)) == "What"
    assert find_kind(table("x.csv", who=IDS, When=DAYS[:30]), Join("who", 1.0)) is None
    assert find_times(EVENTS) == ("When", None)
    assert find_times(DEALS) == ("at", "logged_at")
    with pytest.raises(DataError, match=r"x.csv: must have a column with the time of each row, got none"):
        find_times(table("x.csv", who=IDS))


def test_outcomes_are_known_by_their_name_and_their_words() -> None:
    """A table of visits is none."""
    assert outcome_likeness(DEALS, "stage") == 2
    assert outcome_likeness(EVENTS, "What") == 0
    assert outcome_likeness(table("orders.csv", who=IDS), None) == 1


def test_the_account_is_an_id_that_several_leads_have() -> None:
    """An id of the lead itself is none, and neither is the name of a company."""
    assert find_account(LEADS.contents) == "Account_ID"
    assert find_account(EVENTS.contents) is None
    assert find_account(table("x", company_id=IDS, company=["a", "b"] * 15).contents) is None


def test_outcomes_of_leadml_mean_themselves() -> None:
    """Whatever their case; other words by what they say."""
    assert [outcome_of(word.upper()) for word in OUTCOMES] == list(OUTCOMES)
    words = ("Closed Won", "verloren", "Sales Qualified Lead", "page view")
    assert [outcome_of(word) for word in words] == ["customer", "lost", "sql", None]
