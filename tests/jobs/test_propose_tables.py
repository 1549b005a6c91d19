"""Tables of leads, activities and outcomes are told apart, joined, and accepted by check as they are proposed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.jobs.answers import Answers, UndecidedError
from leadml.jobs.check import check
from leadml.jobs.places import Places
from leadml.jobs.propose import ProposedParams
from leadml.jobs.propose_tables import propose_tables
from leadml.params import Params, parse_params

NOW = "2026-01-01T00:00:00+00:00"
SIZE = 2500
RNG = np.random.default_rng(1)
CREATED = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.sort(RNG.integers(0, 500, SIZE)), unit="D")
VISITS = RNG.poisson(3, SIZE)
IS_WON = RNG.random(SIZE) < 1 / (1 + np.exp(2 - 0.5 * VISITS))
WHO = np.repeat(np.arange(SIZE), VISITS)


def write(folder: Path, days: str = "%Y-%m-%d") -> list[Path]:
    """Write the three tables, and return their files."""
    came = CREATED.strftime(days)
    ids = np.array([f"C{at}" for at in range(SIZE)])
    leads = pd.DataFrame({"Contact ID": ids, "Created": came, "Region": RNG.choice(["north", "south"], SIZE)})
    leads["Company ID"] = [f"F{at % 700}" for at in range(SIZE)]
    leads["Lifecycle Stage"] = np.where(IS_WON, "Customer", "Lead")
    when = CREATED[WHO] + pd.to_timedelta(RNG.integers(0, 20, len(WHO)), unit="D")
    events = pd.DataFrame(
        {"contact": ids[WHO], "When": when.strftime(days), "Event": RNG.choice(["visit", "call"], len(WHO))}
    )
    closed = CREATED + pd.to_timedelta(RNG.integers(1, 60, SIZE), unit="D")
    stage = np.where(IS_WON, "Closed Won", "Closed Lost")
    deals = pd.DataFrame({"Who": ids, "Closed on": closed.strftime(days), "Stage": stage})
    files = [folder / name for name in ("events.csv", "contacts.csv", "deals.csv")]
    for frame, file in zip((events, leads, deals), files, strict=True):
        frame.to_csv(file, index=False)
    return files


def proposed(folder: Path, files: list[Path], answers: Answers | None = None) -> tuple[ProposedParams, Params]:
    """Return the proposal for some files, and its params."""
    names = [file.name for file in files]
    result = propose_tables(files, root=folder, written_as=names, now=NOW, answers=answers)
    return result, parse_params(result.text)


@pytest.mark.slow
def test_three_tables_are_proposed_as_check_accepts_them(tmp_path: Path) -> None:
    """Roles, meanings, kinds and the horizon follow from the tables; the order of the files does not matter."""
    files = write(tmp_path)
    result, params = proposed(tmp_path, files)
    sources = params.sources
    assert (sources.leads.path, sources.leads.lead_id, sources.leads.account) == (
        "contacts.csv",
        "Contact ID",
        "Company ID",
    )
    assert (sources.activities.path, sources.activities.kind) == ("events.csv", "Event")
    assert (sources.outcomes.path, sources.outcomes.occurred_at) == ("deals.csv", "Closed on")
    assert sources.outcomes.names == {"Closed Won": "customer", "Closed Lost": "lost"}
    assert (list(params.targets), params.targets["customer"].outcome) == (["customer"], "customer")
    assert 40 <= params.targets["customer"].horizon <= 60
    assert list(params.features.fit) == ["Region"]
    assert params.features.excluded["Lifecycle Stage"].startswith("says what became of the lead")
    assert list(params.features.activities.kinds) == ["call", "visit"]
    assert params.snapshots.oldest is None
    assert result.notes[0] == "deals.csv: 100% of the rows have the id of a lead (Who)"
    assert check(Places(tmp_path, params, "customer"), now=NOW, progress=lambda _: None).is_ready
    assert proposed(tmp_path, files[::-1])[0].text == result.text


@pytest.mark.slow
def test_leads_with_a_row_for_each_state_are_proposed_with_its_time(tmp_path: Path) -> None:
    """The values of a snapshot are those of its time; a time of a record is used unless it is that of a migration."""
    events, leads, deals = write(tmp_path)
    first = pd.read_csv(leads).assign(valid_from=lambda made: made["Created"], logged_at=lambda made: made["Created"])
    later = first[::2].assign(
        Region="east", valid_from=lambda made: pd.to_datetime(made["Created"]) + pd.Timedelta(days=9)
    )
    later = later.assign(logged_at=later["valid_from"])
    pd.concat([first, later]).to_csv(leads, index=False)
    result, params = proposed(tmp_path, [events, leads, deals])
    source = params.sources.leads
    assert (source.lead_id, source.valid_from, source.recorded_at) == ("Contact ID", "valid_from", "logged_at")
    assert source.created_at == "Created"
    assert [(each.column, each.role) for each in result.roles[:2]] == [
        ("Contact ID", "lead_id"), ("valid_from", "valid_from"),
    ]  # fmt: skip
    assert check(Places(tmp_path, params, "customer"), now=NOW, progress=lambda _: None).is_ready

    pd.concat([first, later]).assign(logged_at="2025-12-01").to_csv(leads, index=False)
    source = proposed(tmp_path, [events, leads, deals])[1].sources.leads
    assert (source.valid_from, source.recorded_at) == ("valid_from", None)


@pytest.mark.slow
def test_outcomes_without_a_kind_are_sales(tmp_path: Path) -> None:
    """All rows have one outcome, and there need not be activities."""
    _, leads, deals = write(tmp_path)
    pd.read_csv(deals)[IS_WON].drop(columns="Stage").to_csv(deals, index=False)
    _, params = proposed(tmp_path, [leads, deals])
    assert (params.sources.outcomes.outcome, params.sources.outcomes.names) == ("customer", {})
    assert params.sources.activities is None
    assert 50 <= params.snapshots.oldest <= 60
    result = check(Places(tmp_path, params, "customer"), now=NOW, progress=lambda _: None)
    assert result.is_ready, result


@pytest.mark.slow
def test_the_order_of_days_and_months_comes_from_each_column(tmp_path: Path) -> None:
    """And is asked for where no date tells it."""
    _, params = proposed(tmp_path, write(tmp_path, "%d.%m.%Y"))
    assert params.data.date_format == {"Created": "day_first", "When": "day_first", "Closed on": "day_first"}
    leads = pd.read_csv(tmp_path / "contacts.csv", dtype=str).assign(Created="01/02/2024")
    leads.to_csv(tmp_path / "contacts.csv", index=False)
    with pytest.raises(UndecidedError, match=r"--date-format day_first, or month_first"):
        proposed(tmp_path, [tmp_path / "contacts.csv", tmp_path / "deals.csv"])


def test_tables_that_cannot_be_joined_or_read_alike_are_refused(tmp_path: Path) -> None:
    """The message names the table and what it lacks."""
    events, leads, deals = write(tmp_path)
    text = deals.read_text(encoding="utf-8")
    for file, change, message in (
        (deals, text.replace(",C", ",X").replace("\nC", "\nX"), "one table must have a column that identifies leads"),
        (deals, text.replace(",", ";"), "all tables must have one delimiter and encoding"),
        (deals, "Who,Closed on,Stage\n", "must hold rows, got none"),
        (leads, leads.read_text(encoding="utf-8").replace("2024-", "x"), "time at which each lead came"),
    ):
        before = file.read_text(encoding="utf-8")
        file.write_text(change, encoding="utf-8")
        with pytest.raises(DataError, match=message):
            proposed(tmp_path, [events, leads, deals])
        file.write_text(before, encoding="utf-8")


@pytest.mark.slow
def test_a_sheet_that_is_named_is_read_of_every_workbook(tmp_path: Path) -> None:
    """And it is the sheet of the params."""
    books = []
    for file in write(tmp_path):
        books.append(file.with_suffix(".xlsx"))
        with pd.ExcelWriter(books[-1]) as book:
            pd.read_csv(file).to_excel(book, sheet_name="data", index=False)
            pd.DataFrame({"note": ["exported"]}).to_excel(book, sheet_name="notes", index=False)
    with pytest.raises(DataError, match="must have one sheet with cells, got 'data', 'notes'"):
        proposed(tmp_path, books)
    assert proposed(tmp_path, books, Answers(sheet="data"))[1].data.sheet == "data"
