"""Cases of advice about findings of the tables of dated leads; see `advice_cases`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from advice_cases import case
from advice_judging import looked_up

if TYPE_CHECKING:
    from advice_attempt import Attempt
    from advice_cases import Steps

CHECK = "leadml check --target sql"
FILES = {"leads": "leads.parquet", "activities": "activities/part-00000.parquet", "outcomes": "outcomes.parquet"}
FEW = 700  # leads: a check takes few seconds, and holdout and folds still have both outcomes
KINDS = (
    "page_visit pricing_page download webinar email_open email_click form demo_request call meeting"  # those of the CRM
)


def table(at: Attempt, name: str) -> pd.DataFrame:
    """Return a table of the simulated CRM."""
    return pd.read_parquet(at.folder / "data" / FILES[name])


def put(at: Attempt, name: str, rows: pd.DataFrame) -> None:
    """Write a table of the simulated CRM."""
    rows.to_parquet(at.folder / "data" / FILES[name])


def shrink(at: Attempt) -> None:
    """Keep the first leads of all tables and few fields, for speed, and say that few leads are enough."""
    ids = table(at, "leads")["lead_id"].drop_duplicates().head(FEW)
    for name in FILES:
        rows = table(at, name)
        put(at, name, rows[rows["lead_id"].isin(ids)])
    at.prepare("limits.allow_small", value=True)
    at.prepare("features.activities.windows", [30])
    at.prepare("snapshots.every", 14)


@case("Polars is not installed: pip install", base="crm")
def train_without_polars(at: Attempt) -> Steps:
    """Check with the engine of an extra that is not installed."""
    shrink(at)
    at.prepare("compute.engine", "polars")
    with at.without("polars"):
        yield CHECK
    at.set("compute.engine", "duckdb")
    yield CHECK


@case("declare sources.leads.valid_from, or keep one row a lead", base="crm")
def declare_states(at: Attempt) -> Steps:
    """Check leads with a row for each change, which params do not say."""
    shrink(at)
    at.prepare("sources.leads.valid_from", None)
    yield CHECK
    at.set("sources.leads.valid_from", "valid_from")
    yield CHECK


def keep_newest(at: Attempt) -> None:
    """Keep the newest state of each lead, as an export without a history has it."""
    shrink(at)
    put(at, "leads", table(at, "leads").drop_duplicates("lead_id", keep="last"))
    at.prepare("sources.leads.valid_from", None)


@case("declare sources.leads.valid_from, or leave out what is filled in later", base="crm")
def declare_history(at: Attempt) -> Steps:
    """Check leads without a history, whose table says since when each row holds."""
    keep_newest(at)
    yield CHECK
    at.set("sources.leads.valid_from", "valid_from")
    yield CHECK


@case("Declare sources.leads.valid_from, or exclude attributes that are filled in later.", base="crm")
def look_up_history(at: Attempt) -> Steps:
    """Look up what to do about leads without a history."""
    keep_newest(at)
    yield looked_up(at, "warn", target="sql")
    at.set("sources.leads.valid_from", "valid_from")
    yield looked_up(at, "warn", target="sql")


def end_early(at: Attempt) -> None:
    """Let outcomes end in November, and say that they were observed to the day of the export."""
    shrink(at)
    outcomes = table(at, "outcomes")
    put(at, "outcomes", outcomes[outcomes["occurred_at"] < "2024-11-15"])
    at.prepare("sources.observed_until", "2025-02-28")


@case("or set sources.observed_until to ", base="crm")
def set_end(at: Attempt) -> Steps:
    """Check tables whose outcomes end three months before they are said to."""
    end_early(at)
    yield CHECK
    at.follow("set sources.observed_until to 2024-11-14")
    at.set("sources.observed_until", "2024-11-14")
    yield CHECK


@case("Bring the rows since, or set sources.observed_until to the day on which the outcomes end.", base="crm")
def look_up_end(at: Attempt) -> Steps:
    """Look up what to do about outcomes that end early; the finding says on which day they end."""
    end_early(at)
    yield looked_up(at, "stop", target="sql")
    at.follow("outcomes end on 2024-11-14")
    at.set("sources.observed_until", "2024-11-14")
    yield looked_up(at, "stop", target="sql")


@case("see that sources.outcomes.names gives each word of the table its meaning", base="crm")
def mean_the_target(at: Attempt) -> Steps:
    """Check outcomes whose name for the target is mistyped."""
    shrink(at)
    outcomes = table(at, "outcomes")
    outcomes = outcomes[~outcomes["outcome"].isin(["opportunity", "customer", "churned"])]
    put(at, "outcomes", outcomes.replace({"outcome": {"sql": "Qualified"}}))
    at.prepare("sources.outcomes.names", {"Qualified": "qualified"})
    yield CHECK
    at.set("sources.outcomes.names", {"Qualified": "sql"})
    yield CHECK


@case("Give each word of the table its meaning in sources.outcomes.names.", base="crm")
def look_up_outcomes(at: Attempt) -> Steps:
    """Look up what to do about a word for lost leads that is taken for an outcome of its own."""
    shrink(at)
    put(at, "outcomes", table(at, "outcomes").replace({"outcome": {"lost": "Closed"}}))
    at.prepare("sources.outcomes.names", {"Closed": "closed"})
    yield looked_up(at, "warn", target="sql")
    at.set("sources.outcomes.names", {"Closed": "lost"})
    yield looked_up(at, "warn", target="sql")


@case("Name the kinds that tell interest in features.activities.kinds, spelled as in the table.", base="crm")
def look_up_kinds(at: Attempt) -> Steps:
    """Look up what to do about kinds of activity that are spelled otherwise than in the table."""
    shrink(at)
    words = {kind: kind.replace("_", " ") for kind in KINDS.split()}
    at.prepare("features.activities.kinds", {kind.title(): text for kind, text in words.items()})
    yield looked_up(at, "warn", target="sql")
    at.set("features.activities.kinds", words)
    yield looked_up(at, "warn", target="sql")


@case("Declare features.activities.machines, and sources.activities.message and agent", base="crm")
def look_up_machines(at: Attempt) -> Steps:
    """Look up what to do where acts of machines are not recognised."""
    shrink(at)
    activities = table(at, "activities")
    put(at, "activities", activities.assign(program="Mozilla/5.0", mail=activities["lead_id"] + activities["kind"]))
    yield looked_up(at, "not applicable", target="sql")
    at.set("features.activities.machines", {"mail": ["email_open", "email_click"]})
    at.follow("sources.activities.message and agent")
    at.prepare("sources.activities.message", "mail")
    at.prepare("sources.activities.agent", "program")
    yield looked_up(at, "not applicable", target="sql")
