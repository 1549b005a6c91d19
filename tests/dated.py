"""What tests of dated leads share: small tables, a project on them, and a view of what was read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from leadml.jobs.places import Places
from leadml.leads.asof.view import AsOfView
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.contract import Contract
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.settings import AsOfSettings

NOW = "2026-01-01T00:00:00+00:00"
START = 1_704_067_200_000_000  # 2024-01-01, a Monday
TABLES = ("leads", "activities", "outcomes")
KINDS = ("page_visit", "pricing_page", "form", "demo_request", "email_open")
CRM: dict[str, Any] = {
    "data": {"timezone": "UTC"},
    "sources": {
        "leads": {
            "path": "leads.parquet",
            "recorded_at": "recorded_at",
            "valid_from": "valid_from",
            "account": "account_id",
        },
        "activities": {"path": "activities", "recorded_at": "recorded_at", "channel": "channel"},
        "outcomes": {"path": "outcomes.parquet", "recorded_at": "recorded_at"},
    },
    "targets": {
        "mql": {"outcome": "mql", "horizon": 30, "settling": 7, "drives": ["iql", "mql", "sql"]},
        "sql": {"outcome": "sql", "horizon": 30},
    },
    "features": {
        "fit": {"source": "category", "industry": "category", "technology": "category"},
        "read_out": {
            "email": "email",
            "title": "job_title",
            "company_size": "employees",
            "country": "country",
            "evidence": ["budget", "authority", "need", "timeline"],
        },
        "activities": {"kinds": {kind: kind.replace("_", " ") + "s" for kind in KINDS}, "windows": [7, 30]},
    },
    "stages": {stage: {"rule": "share", "top": top} for stage, top in (("iql", 0.5), ("mql", 0.2), ("sql", 0.05))},
    "split": {"folds": 3},
    "limits": {"min_leads": 100, "min_conversions": 20},
    "model": {"max_rounds": 40, "threads": 1},
    "evaluation": {"draws": 50},
    "tracking": {"enabled": False},
}


def instants(micros: Any) -> pd.Series:
    """Return whole microseconds as instants."""
    return pd.Series(pd.to_datetime(pd.Series(micros, dtype="int64"), unit="us", utc=True).dt.as_unit("us"))


def micros(column: Any) -> Any:
    """Return instants as whole microseconds."""
    return pd.DatetimeIndex(column).as_unit("us").asi8


def day(number: float) -> int:
    """Return an instant some days after the start."""
    return START + int(number * DAY)


def crm(**changed: Any) -> dict[str, Any]:
    """Return the choices for simulated tables, sections replaced as asked for."""
    return deepcopy({**CRM, **changed})


def small(**changed: Any) -> dict[str, Any]:
    """Return choices for small tables of plain columns: a size, visits and demos."""
    choices = {
        **CRM,
        "sources": {
            "leads": {"path": "leads.parquet"},
            "activities": {"path": "activities.parquet"},
            "outcomes": {"path": "outcomes.parquet"},
        },
        "targets": {"won": {"outcome": "customer", "horizon": 30}},
        "features": {
            "fit": {"size": "number"},
            "activities": {"kinds": {"visit": "visits", "demo": "demos"}, "windows": [7, 30]},
        },
    }
    return deepcopy({**choices, **changed})


def write_params(folder: Path, choices: dict[str, Any]) -> Path:
    """Write a params.yaml and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "params.yaml"
    path.write_text(yaml.safe_dump(choices, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path


def write_tables(folder: Path, **tables: pd.DataFrame) -> Path:
    """Write tables as Parquet and return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def small_tables(leads: list[Any], activities: list[Any], outcomes: list[Any]) -> dict[str, pd.DataFrame]:
    """Return tables from rows of days: (id, created, size), (id, occurred, kind) and (id, occurred, outcome)."""
    made = {
        "leads": pd.DataFrame(leads, columns=["lead_id", "created_at", "size"]),
        "activities": pd.DataFrame(activities, columns=["lead_id", "occurred_at", "kind"]),
        "outcomes": pd.DataFrame(outcomes, columns=["lead_id", "occurred_at", "outcome"]),
    }
    for table, clock in zip(made.values(), ("created_at", "occurred_at", "occurred_at"), strict=True):
        table[clock] = instants([day(number) for number in table[clock]])
        table["lead_id"] = table["lead_id"].astype("str")
    for name, word in (("activities", "kind"), ("outcomes", "outcome")):
        made[name][word] = made[name][word].astype("str")
    return made


@contextmanager
def open_view(
    folder: Path, choices: dict[str, Any], *overrides: str, target: str | None = None, now: str = NOW, **settings: Any
) -> Iterator[AsOfView]:
    """Give a view of the tables of a folder, read by the choices, with other settings of `DatedLeads` as asked for."""
    project = Places.open(write_params(folder, choices), overrides, target=target)
    with replace(dated_leads(project, now=now), **settings).view(lambda _: None) as view:
        yield view


def dated_leads(project: Places, *, now: str = NOW) -> DatedLeads:
    """Return the source of a project's dated leads."""
    settings = AsOfSettings.from_params(project.params, project.target)
    return DatedLeads(project.root, project.params, Contract.from_params(project.params), settings, now)
