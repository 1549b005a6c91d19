"""Leads with a known truth, written as CRMs and spreadsheets export them; no lead is a person.

Run with: python benchmarks/export_files.py NAME FOLDER (hubspot.csv, for example) writes 4,000 leads of one export.
Every file has the same leads. How probable it is that a lead converts depends on page views, the number of employees,
the source and the industry; no other column tells anything beforehand. Some columns are filled in when a lead converts.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from leadml.types import Floats

SOURCES, SHARES = (
    ("Organic Search", "Paid Social", "Direct Traffic", "Offline Sources", "Email Marketing"),
    (6, 5, 4, 3, 2),
)
INDUSTRIES = ("Software", "Retail", "Manufacturing", "Finance", "Health")
FIRST, SECOND = ("Nord", "Blau", "Quer", "Linden", "Stern", "Kern"), ("bau", "pharm", "log", "tech", "druck")
FORMS = ("GmbH", "AG", "Ltd", "Inc")
WORDS = ("call", "me", "please", "price", "list", "team", "demo", "next", "week", "offer", "about", "your", "product")
DAYS, COMPANIES = 520, 2700
LEARN, SINCE, SEED, FIRST_ID = 4000, "2024-01-02", 3, 10_000_001


@dataclass(frozen=True)
class Leads:
    """Leads with their truth.

    Parameters
    ----------
    frame
        The columns of all leads, in plain form.
    probability
        Array of shape (n_leads,): the true probability that a lead converts.
    """

    frame: pd.DataFrame
    probability: Floats


def draw_leads(size: int, *, seed: int, first_id: int, since: str, days: int) -> Leads:
    """Return leads that came within some days, in the order in which they came."""
    rng = np.random.default_rng(seed)
    employees = np.round(np.exp(rng.normal(4, 1.5, size))).astype(int) + 1
    views, source = rng.poisson(6, size), rng.choice(SOURCES, size, p=np.array(SHARES) / sum(SHARES))
    industry = rng.choice(INDUSTRIES, size)
    margin = -2.6 + 0.25 * (views - 6) + 0.35 * (np.log(employees) - 4)
    margin += 0.9 * (source == "Organic Search") - 0.7 * (source == "Paid Social") + 0.3 * (industry == "Software")
    probability = 1 / (1 + np.exp(-margin))
    converted = rng.random(size) < probability
    created = pd.Timestamp(since) + pd.to_timedelta(np.sort(rng.integers(0, days * 1440, size)), unit="min")
    names = [f"{rng.choice(FIRST)}{rng.choice(SECOND)} {at % COMPANIES} {rng.choice(FORMS)}" for at in range(size)]
    frame = pd.DataFrame({"number": np.arange(first_id, first_id + size), "created": created, "company": names})
    frame = frame.assign(
        source=source, industry=industry, employees=employees, views=views, visits=rng.poisson(3, size)
    )
    frame["revenue"] = np.round(np.exp(rng.normal(13, 1.3, size)), 2)
    frame["old_score"] = np.round(rng.normal(50, 9, size), 1)
    frame["message"] = [" ".join(rng.choice(WORDS, 8)) for _ in range(size)]
    frame["owner"] = rng.choice(["Mia Kurz", "Tom Weber", "Ida Lang"], size)
    frame["converted"] = converted
    frame["won_at"] = (frame["created"] + pd.to_timedelta(rng.integers(3, 80, size), unit="D")).where(converted)
    frame["stage"] = np.where(converted, "Customer", rng.choice(["Lead", "Marketing Qualified Lead"], size))
    frame["status"] = np.where(converted, "Closed", rng.choice(["New", "Open", "In Progress"], size))
    frame["chance"] = rng.random(size)
    return Leads(frame, probability)


@dataclass(frozen=True)
class Export:
    """One kind of file.

    Parameters
    ----------
    name
        Name of the file.
    frame
        Returns the columns as the system names and writes them.
    write
        Writes them.
    columns
        The columns of id, date and label, and of numbers by what they hold; empty for none.
    flags
        What a person has to say, where two columns say as much.
    """

    name: str
    frame: Callable[[pd.DataFrame], pd.DataFrame]
    write: Callable[[pd.DataFrame, Path], None]
    columns: dict[str, Any]
    flags: tuple[str, ...] = ()


def hubspot(leads: pd.DataFrame) -> pd.DataFrame:
    """Return leads as HubSpot exports contacts."""
    minute = "%Y-%m-%d %H:%M"
    return pd.DataFrame(
        {
            "Record ID": leads["number"],
            "First Name": "Eva",
            "Last Name": [f"Sommer{number}" for number in leads["number"]],
            "Email": [f"p{number}@firm{number % COMPANIES}.example" for number in leads["number"]],
            "Company name": leads["company"],
            "Create Date": leads["created"].dt.strftime(minute),
            "Lifecycle Stage": leads["stage"],
            "Lead Status": leads["status"],
            "Original Source": leads["source"],
            "Number of Pageviews": leads["views"],
            "Number of Sessions": leads["visits"],
            "Number of Employees": leads["employees"],
            "Annual Revenue": leads["revenue"],
            "Industry": leads["industry"],
            "Became a Customer Date": leads["won_at"].dt.strftime(minute),
            "Last Modified Date": (leads["created"] + pd.Timedelta(days=30)).dt.strftime(minute),
            "Message": leads["message"],
            "Marketing contact status": "Marketing contact",
            "Contact owner": leads["owner"],
        }
    )


def salesforce(leads: pd.DataFrame, created: str = "%Y-%m-%dT%H:%M:%S.000+0000", won: str = "%Y-%m-%d") -> pd.DataFrame:
    """Return leads as Salesforce exports them, with dates in some format."""
    is_won = leads["converted"]
    not_won = np.resize(["Open - Not Contacted", "Working - Contacted", "Closed - Not Converted"], len(leads))
    ids = pd.Series([f"00Q7T00000{number:05}EAB" for number in leads["number"]])
    return pd.DataFrame(
        {
            "Id": ids,
            "CreatedDate": leads["created"].dt.strftime(created),
            "IsConverted": np.where(is_won, "true", "false"),
            "ConvertedDate": leads["won_at"].dt.strftime(won),
            "ConvertedAccountId": ids.where(is_won),
            "Status": np.where(is_won, "Closed - Converted", not_won),
            "LeadSource": leads["source"],
            "Company": leads["company"],
            "AnnualRevenue": [f"EUR {value:,.2f}" for value in leads["revenue"]],
            "NumberOfEmployees": [f"{value:,}" for value in leads["employees"]],
            "Industry": leads["industry"],
            "Rating": np.resize(["Hot", "Warm", "", "Cold"], len(leads)),
            "PageViews__c": leads["views"],
            "Description": leads["message"],
            "LastModifiedDate": (leads["created"] + pd.Timedelta(days=30)).dt.strftime(created),
        }
    )


def salesforce_us(leads: pd.DataFrame) -> pd.DataFrame:
    """Return leads as Salesforce exports them to people in the United States."""
    return salesforce(leads, "%m/%d/%Y", "%m/%d/%Y")


def german(leads: pd.DataFrame) -> pd.DataFrame:
    """Return leads as a German spreadsheet has them."""
    return pd.DataFrame(
        {
            "Lead-Nr.": leads["number"],
            "Angelegt am": leads["created"].dt.strftime("%d.%m.%Y"),
            "Firma": leads["company"],
            "Branche": leads["industry"],
            "Mitarbeiter": leads["employees"],
            "Umsatz": [f"{value:,.2f} €".translate(str.maketrans(",.", ".,")) for value in leads["revenue"]],
            "Quelle": leads["source"],
            "Seitenaufrufe": leads["views"],
            "Score alt": [f"{value:.1f}".replace(".", ",") for value in leads["old_score"]],
            "Gewonnen": np.where(leads["converted"], "ja", "nein"),
        }
    )


def half_german(leads: pd.DataFrame) -> pd.DataFrame:
    """Return leads with English names and German numbers."""
    names = {"Angelegt am": "created_at", "Gewonnen": "converted", "Lead-Nr.": "id"}
    numbers = [f"{value:.2f}".replace(".", ",") for value in leads["revenue"]]
    return german(leads).assign(Umsatz=numbers).rename(columns=names)


def plain(leads: pd.DataFrame) -> pd.DataFrame:
    """Return leads in a plain table."""
    frame = leads[["number", "source", "views", "employees", "industry"]].rename(
        columns={"number": "id", "views": "page_views"}
    )
    frame.insert(1, "created_at", leads["created"].dt.strftime("%Y-%m-%d"))
    return frame.assign(converted=np.where(leads["converted"], "yes", "no"))


def open_leads(leads: pd.DataFrame) -> pd.DataFrame:
    """Return a plain table whose newest leads have no outcome yet."""
    frame = plain(leads)
    frame.loc[frame.index >= len(frame) - 600, "converted"] = ""
    return frame


def three_outcomes(leads: pd.DataFrame) -> pd.DataFrame:
    """Return a plain table with won, lost and open leads."""
    lost = np.where(leads["chance"] < 0.2, "Open", "Lost")  # noqa: PLR2004 - a fifth
    return plain(leads).assign(converted=np.where(leads["converted"], "Won", lost))


def mixed_case(leads: pd.DataFrame) -> pd.DataFrame:
    """Return a plain table with answers in several spellings, and another question with two answers."""
    at = np.arange(len(leads)) % 3
    won, lost = np.array(["yes", "Yes", "YES"])[at], np.array(["no", "No", "NO"])[at]
    newsletter = np.where(leads["chance"] < 0.5, "TRUE", "False")  # noqa: PLR2004 - a half
    return plain(leads).assign(converted=np.where(leads["converted"], won, lost), newsletter=newsletter)


def many_levels(leads: pd.DataFrame) -> pd.DataFrame:
    """Return a plain table with names of companies and free text."""
    frame = plain(leads)
    frame.insert(5, "company", leads["company"])
    frame.insert(6, "comment", leads["message"])
    return frame


def words_for_missing(leads: pd.DataFrame) -> pd.DataFrame:
    """Return a plain table with words where a value is not known."""
    frame = plain(leads)
    frame["employees"] = frame["employees"].astype(str)
    for step, word in ((7, "n/a"), (11, "#N/A"), (13, "-")):
        frame.loc[frame.index % step == 0, "employees"] = word
    frame.loc[frame.index % 9 == 0, "source"] = "(not set)"
    return frame


def repeated_name(leads: pd.DataFrame) -> pd.DataFrame:
    """Return a plain table in which two columns have one name."""
    return plain(leads).rename(columns={"industry": "source"})


def _csv(**choices: Any) -> Callable[[pd.DataFrame, Path], None]:
    return lambda frame, path: frame.to_csv(path, index=False, **choices)


def _with_total(frame: pd.DataFrame, path: Path) -> None:
    path.write_text(f"{frame.to_csv(index=False)}\n\nTotal,,,{frame['page_views'].sum()},,,\n", encoding="utf-8")


def _excel(frame: pd.DataFrame, path: Path) -> None:
    frame.to_excel(path, index=False)


def _json_lines(frame: pd.DataFrame, path: Path) -> None:
    frame.to_json(path, orient="records", lines=True)


CRM = {"id": "Record ID", "date": "Create Date", "label": "Lifecycle Stage"}
CRM_NUMBERS = {"Number of Employees": "employees", "Annual Revenue": "revenue"}
FORCE = {"id": "Id", "date": "CreatedDate", "label": "IsConverted"}
FORCE_NUMBERS = {"NumberOfEmployees": "employees", "AnnualRevenue": "revenue"}
DE = {"id": "Lead-Nr.", "date": "Angelegt am", "label": "Gewonnen"}
DE_NUMBERS = {"Mitarbeiter": "employees", "Umsatz": "revenue", "Score alt": "old_score"}
PLAIN: dict[str, Any] = {"id": "id", "date": "created_at", "label": "converted", "numbers": {"employees": "employees"}}
WITH_MARK = {"sep": ";", "encoding": "utf-8-sig"}

EXPORTS = (
    Export("hubspot.csv", hubspot, _csv(), {**CRM, "numbers": CRM_NUMBERS}),
    Export("salesforce.csv", salesforce, _csv(), {**FORCE, "numbers": FORCE_NUMBERS}),
    Export("salesforce_us.csv", salesforce_us, _csv(), {**FORCE, "numbers": FORCE_NUMBERS}),
    Export("excel_de.csv", german, _csv(**WITH_MARK), {**DE, "numbers": DE_NUMBERS}),
    Export("excel_cp1252.csv", german, _csv(sep=";", encoding="cp1252"), {**DE, "numbers": DE_NUMBERS}),
    Export("excel_de2.csv", half_german, _csv(**WITH_MARK), {**PLAIN, "numbers": DE_NUMBERS}),
    Export("open_empty.csv", open_leads, _csv(), PLAIN),
    Export("third.csv", three_outcomes, _csv(), PLAIN),
    Export("mixed.csv", mixed_case, _csv(), PLAIN),
    Export("levels.csv", many_levels, _csv(), PLAIN),
    Export("clean.csv", plain, _csv(), PLAIN),
    Export("total.csv", plain, _with_total, PLAIN),
    Export("utf16.csv", plain, _csv(encoding="utf-16"), PLAIN),
    Export("leads.tsv", plain, _csv(sep="\t"), PLAIN),
    Export("leads.xlsx", plain, _excel, PLAIN),
    Export("leads.jsonl", plain, _json_lines, PLAIN),
    Export("nawords.csv", words_for_missing, _csv(), PLAIN),
)
REFUSED = (
    Export("small.csv", lambda leads: plain(leads).head(300), _csv(), PLAIN),
    Export("dupcol.csv", repeated_name, _csv(), PLAIN),
)


def main() -> None:
    """Write one export into a folder."""
    (name, folder) = sys.argv[1:]
    (export,) = (export for export in EXPORTS if export.name == name)
    Path(folder).mkdir(parents=True, exist_ok=True)
    leads = draw_leads(LEARN, seed=SEED, first_id=FIRST_ID, since=SINCE, days=DAYS)
    export.write(export.frame(leads.frame), Path(folder) / name)


if __name__ == "__main__":
    main()
