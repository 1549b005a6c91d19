"""Cases of advice about files, their columns and how leads are divided; see `advice_cases`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pyarrow.parquet as pq
from advice_cases import case
from advice_leads import day, write_leads
from advice_starting import SMALL

if TYPE_CHECKING:
    from advice_attempt import Attempt
    from advice_cases import Steps


@case("UTF-16; set data.encoding: utf-16")
def declare_utf_16(at: Attempt) -> Steps:
    """Check a file that Excel saved as Unicode text."""
    file = at.folder / "data" / "raw" / "bank.csv"
    file.write_text(file.read_text(encoding="utf-8"), encoding="utf-16")
    yield "leadml check"
    at.set("data.encoding", "utf-16")
    yield "leadml check"


@case("set data.encoding, for example ", base="nothing")
def name_the_encoding(at: Attempt) -> Steps:
    """Propose params for a file of Windows whose first accent stands far down."""
    write_leads(at, leads=30_000)
    with (at.folder / "leads.csv").open("a", encoding="cp1252") as file:
        file.write("B1,yes,1\nMünchen,no,2\n")
    yield "leadml init leads.csv"
    at.follow("leadml init FILE --encoding cp1252")
    yield "leadml init leads.csv --encoding cp1252"


@case("must have one sheet with cells, got ", base="nothing")
def name_one_of_two_sheets(at: Attempt) -> Steps:
    """Propose params for a workbook with a sheet of notes."""
    _write_book(at, hidden=False)
    yield "leadml init leads.xlsx"
    at.follow("leadml init FILE --sheet NAME")
    at.follow("'leads'")
    yield "leadml init leads.xlsx --sheet leads"


@case("got no sheet with cells that is not hidden", base="nothing")
def name_a_hidden_sheet(at: Attempt) -> Steps:
    """Propose params for a workbook whose leads are hidden."""
    _write_book(at, hidden=True)
    yield "leadml init leads.xlsx"
    at.follow("leadml init FILE --sheet NAME")
    yield "leadml init leads.xlsx --sheet leads"


@case("; correct data.sheet, or leadml init FILE --sheet NAME", base="nothing")
def correct_the_name_of_a_sheet(at: Attempt) -> Steps:
    """Check a workbook whose sheet is spelled in another way."""
    _write_book(at, hidden=False)
    at.do("leadml init leads.xlsx --sheet leads")
    at.prepare("data.sheet", "Leads")
    yield SMALL
    at.follow("the nearest is 'leads'")
    at.set("data.sheet", "leads")
    yield SMALL


@case("needs python-calamine, got none; pip install 'leadml[excel]'", base="nothing")
def do_without_calamine(at: Attempt) -> Steps:
    """Propose params for a workbook where the library for workbooks is not installed."""
    _write_book(at, hidden=True)
    with at.without("python_calamine"):
        yield "leadml init leads.xlsx --sheet leads"
    at.follow("pip install 'leadml[excel]'")
    yield "leadml init leads.xlsx --sheet leads"


@case(" with a zone (or set data.timezone)", base="nothing")
def declare_the_zone(at: Attempt) -> Steps:
    """Check leads whose times have no zone."""
    _write_dated(at)
    at.prepare("data.timezone", None)
    yield SMALL
    at.set("data.timezone", "Europe/Berlin")
    yield SMALL


@case("; set data.decimal: '")
def declare_the_decimal_mark(at: Attempt) -> Steps:
    """Check leads of whom one has a balance with a comma."""
    _replace(at, ",1787,", ',"1787,50",')
    yield "leadml check"
    at.set("data.decimal", ",")
    yield "leadml check"


@case("; if it means not known, add ")
def declare_a_missing_word(at: Attempt) -> Steps:
    """Check leads of whom one has no balance, but a word for it."""
    _replace(at, ",1787,", ",not asked,")
    yield "leadml check"
    at.follow("'not asked'")
    at.set("data.missing", ["not asked"])
    yield "leadml check"


@case("every field must have a name of its own, got ", base="crm")
def rename_a_column(at: Attempt) -> Steps:
    """Check leads with a column that is called as a count of activities is."""
    file, check = at.folder / "data" / "leads.parquet", f"{SMALL} --target sql"
    leads = pq.read_table(file)
    names = ["call_7d" if name == "need" else name for name in leads.column_names]
    pq.write_table(leads.rename_columns(names), file)
    at.params(lambda chosen: _rename(chosen["features"]["fit"], "need", "call_7d"))
    yield check
    at.follow("rename the column of features")
    names = ["calls" if name == "call_7d" else name for name in names]
    pq.write_table(leads.rename_columns(names), file)
    at.params(lambda chosen: _rename(chosen["features"]["fit"], "call_7d", "calls"))
    yield check


@case("set data.created_at where leads have a date", base="nothing")
def declare_the_date(at: Attempt) -> Steps:
    """Check leads whose date is not declared."""
    _write_dated(at)
    at.prepare("data.created_at", None)
    yield SMALL
    at.set("data.created_at", "created")
    yield SMALL


@case("score.weigh_explored needs data.lead_id and data.created_at", base="nothing")
def declare_what_weighing_needs(at: Attempt) -> Steps:
    """Check leads without a date whose exploration is to be weighed."""
    _write_dated(at)
    at.prepare("data.created_at", None)
    at.prepare("score.weigh_explored", value=True)
    yield SMALL
    at.set("data.created_at", "created")
    yield SMALL


@case("lower split.folds or bring more leads", base="nothing")
def lower_the_number_of_folds(at: Attempt) -> Steps:
    """Check leads that came on a few days, fewer than the folds."""
    _write_dated(at, days=4)
    yield SMALL
    at.set("split.folds", 2)
    yield SMALL


@case("raise split.folds or bring older leads of both outcomes", base="nothing")
def raise_the_number_of_folds(at: Attempt) -> Steps:
    """Check leads of whom the older ones did not convert."""
    _write_dated(at, since=0.6)
    yield SMALL
    at.set("split.folds", 20)
    yield SMALL


@case("suppression must have a column of the id to know people by")
def declare_the_id(at: Attempt) -> Steps:
    """Check leads without an id, of whom some must not be scored."""
    (at.folder / "objected.csv").write_text("id\n17\n", encoding="utf-8")
    at.prepare("suppression.objected", {"path": "objected.csv", "lead_id": "id"})
    at.prepare("data.lead_id", None)
    yield "leadml check"
    at.set("data.lead_id", "id")
    yield "leadml check"


@case("flat leads must be given as a file, got none; name it", base="trained bank")
def name_the_file(at: Attempt) -> Steps:
    """Score without a file."""
    yield "leadml score -o scores.csv"
    at.follow("leadml score FILE")
    yield "leadml score data/raw/bank.csv -o scores.csv"


@case("dated leads come from the sources of params.yaml, got no params.yaml", base="trained crm")
def name_the_params(at: Attempt) -> Steps:
    """Score with a version, without the params of its leads."""
    (at.folder / "params.yaml").rename(at.folder / "crm.yaml")
    version = next((at.folder / "models" / "sql").glob("*/manifest.json")).parent
    score = f"leadml score --model {version} --as-of 2025-01-31 -o scores.csv"
    yield score
    at.follow("--params")
    yield f"{score} --params crm.yaml"


def _write_book(at: Attempt, *, hidden: bool) -> None:
    """Write leads.xlsx with a sheet of leads, hidden or beside one of notes."""
    book = openpyxl.Workbook()
    leads, notes = book.active, book.create_sheet("notes")
    leads.title = "leads"
    leads.append(["id", "won", "visits"])
    for n in range(200):
        leads.append([f"A{n}", "no" if n % 3 else "yes", n % 7])
    leads.sheet_state = "hidden" if hidden else "visible"
    if not hidden:
        notes.append(["exported by sales"])
    book.save(at.folder / "leads.xlsx")


def _write_dated(at: Attempt, *, days: int = 336, since: float = 0.0) -> None:
    """Write leads.csv with dates, whose conversions begin after a share of the leads, and propose its params."""
    leads = 800
    won = ["yes" if n >= since * leads and n % 3 == 0 else "no" for n in range(leads)]
    lines = [f"A{n},{won[n]},{n % 7},{day(n * days // leads)}T10:00:00" for n in range(leads)]
    (at.folder / "leads.csv").write_text("\n".join(["id,won,visits,created", *lines]), encoding="utf-8")
    at.do("leadml init leads.csv")


def _replace(at: Attempt, old: str, new: str) -> None:
    """Write something else into the first lead of the bank that has it."""
    file = at.folder / "data" / "raw" / "bank.csv"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")


def _rename(fields: dict[str, str], old: str, new: str) -> None:
    """Rename a field."""
    fields[new] = fields.pop(old)
