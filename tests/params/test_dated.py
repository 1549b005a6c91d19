"""Params of dated leads: how they are read, and which contradictions are refused."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.dated import crm, small, write_params

from leadml.errors import ParamsError
from leadml.jobs.places import Places
from leadml.leads.check.contract import Contract
from leadml.params import Params, parse_params
from leadml.params.dated import SnapshotParams

WINDOWS = "features.activities: windows must be one or more days in rising order, each once, got "


def _parsed(choices: dict[str, Any], *changes: str) -> Params:
    """Read choices as a file, some of them changed: ``section.key=value``, the value in YAML."""
    return parse_params(yaml.safe_dump(_changed(choices, *changes), sort_keys=False), name="p.yaml")


def _changed(choices: dict[str, Any], *changes: str) -> dict[str, Any]:
    whole = deepcopy(choices)
    for change in changes:
        key, _, value = change.partition("=")
        *sections, last = key.split(".")
        at = whole
        for section in sections:
            at = at.setdefault(section, {})
        at[last] = yaml.safe_load(value) if value != "2025-02-30" else value
    return whole


def test_the_choices_of_dated_leads_are_read_with_their_defaults() -> None:
    """By default snapshots are weekly on Mondays, and DuckDB computes features in one gigabyte."""
    params = _parsed(small())

    assert params.snapshots == SnapshotParams(every=7, weekday="monday", since=None, oldest=None, most=80_000)
    assert (params.compute.engine, params.compute.memory_gb) == ("duckdb", 1.0)
    assert params.sources.leads.created_at == "created_at"
    assert params.sources.outcomes.names == {}
    target = params.targets["won"]
    assert (target.population, target.again, target.settling) == ("open", False, 0)
    assert params.target_names == ("won",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "sources.leads.url=sqlite:///x.db",
            "sources.leads: a source must have a path, or a url with a table or a query",
        ),
        ("sources.leads.path=null", "sources.leads: a source must have a path, or a url with a table or a query"),
        (
            "sources.leads={url: 'sqlite:///x.db'}",
            "sources.leads: a url must come with either a table or a query",
        ),
        (
            "sources.leads={url: 'sqlite:///x.db', table: a, query: b}",
            "sources.leads: a url must come with either a table or a query",
        ),
        ("sources.leads.table=x", "sources.leads: a path must come without a table and a query; remove them"),
        ("sources.leads.query=x", "sources.leads: a path must come without a table and a query; remove them"),
        (
            "sources.leads={url: 'postgresql://u:canary@h/d', table: a}",
            "sources.leads.url: must hold no password, got one; put it in the environment",
        ),
        ("sources.leads.lead=x", "sources.leads.lead is not a key of leadml; the nearest is 'lead_id'"),
        ("sources.outcomes=null", "sources.outcomes must hold keys, got None"),
        ("targets.won.horizon=0", "targets.won.horizon: input should be greater than or equal to 1, got 0"),
        ("targets.won.horizon=4000", "targets.won.horizon: input should be less than or equal to 3650, got 4000"),
        ("targets.won.settling=-1", "targets.won.settling: input should be greater than or equal to 0"),
        ("targets.won.population=all", "targets.won.population: input should be 'open' or 'customers', got 'all'"),
        ("targets.won.outcom=x", "targets.won.outcom is not a key of leadml; the nearest is 'outcome'"),
        (
            "targets.won.outcome=custmer",
            "churned or a word of sources.outcomes.names, got 'custmer'; the nearest is 'customer'",
        ),
        ("targets.won.outcome=churned", "targets.won: churned is reached by customers; set population: customers"),
        (
            "targets.won.population=customers",
            "targets.won: customers have reached customer already; set population: open",
        ),
        ("targets={Won: {outcome: customer, horizon: 1}}", "string should match pattern"),
        ("targets={}", "flat leads need data.path and target; dated leads need sources and targets"),
        (
            "data.path=x.csv",
            "leads must be flat (data.path and target) or dated (sources and targets), got parts of both",
        ),
        ("snapshots.every=0", "snapshots.every: must be a whole number of days from 1 to 92, or once, got 0"),
        ("snapshots.every=true", "snapshots.every: must be a whole number of days from 1 to 92, or once, got True"),
        ("snapshots.every=twice", "snapshots.every: must be a whole number of days from 1 to 92, or once, got 'twice'"),
        ("snapshots.weekday=Monday", "snapshots.weekday: input should be 'monday', 'tuesday'"),
        ("snapshots.most=10", "snapshots.most: input should be greater than or equal to 1000, got 10"),
        ("snapshots.oldest=0", "snapshots.oldest: input should be greater than or equal to 1"),
        ("compute.engine=spark", "compute.engine: input should be 'duckdb' or 'polars', got 'spark'"),
        ("compute.memory_gb=0.1", "compute.memory_gb: input should be greater than or equal to 0.2, got 0.1"),
        ("compute.memory_gb=1.0e+300", "compute.memory_gb: input should be less than or equal to 10000, got 1e+300"),
        ("model.threads=100000", "model.threads: input should be less than or equal to 1024, got 100000"),
        ("model.min_leads_per_leaf=3000000000", "min_leads_per_leaf: input should be less than or equal to 1000000000"),
        (
            "score.chunk_rows=10000000000",
            "score.chunk_rows: input should be less than or equal to 10000000, got 100000",
        ),
        ("snapshots.most=10000000000", "snapshots.most: input should be less than or equal to 1000000000, got 100000"),
        (
            "features.activities.windows=[30, 7]",
            WINDOWS + "[30, 7]",
        ),
        (
            "features.activities.windows=[7, 7]",
            WINDOWS + "[7, 7]",
        ),
        (
            "features.activities.windows=[]",
            WINDOWS + "[]",
        ),
        (
            "features.activities.windows=[0]",
            "features.activities.windows.0: input should be greater than or equal to 1",
        ),
        (
            "features.activities.half_life=0",
            "features.activities.half_life: input should be greater than or equal to 1",
        ),
        ("features.activities.trend=0", "features.activities.trend: input should be greater than or equal to 1"),
        ("features.read_out.mail=x", "features.read_out.mail is not a key of leadml; the nearest is 'email'"),
        ("sources.activities=null", "features.activities.kinds must have sources.activities to count, got none"),
        ("sources.leads.created_at=size", "sources.leads.created_at is 'size', so 'size' must not be a feature too"),
        ("sources.leads.account=size", "sources.leads.account is 'size', so 'size' must not be a feature too"),
        (
            "features={fit: {}, activities: {kinds: {}}}",
            "features: a field must be in fit, engagement, features.read_out or activities.kinds, got",
        ),
        ("output.database=postgresql://u:canary@h/d", "output.database: must hold no password, got one; put it in"),
    ],
)
def test_choices_that_cannot_be_followed_are_refused(override: str, message: str) -> None:
    """The message is one line with file, line and key."""
    with pytest.raises(ParamsError, match=rf"^p.yaml:\d+: .*{re.escape(message)}"):
        _parsed(small(), override)


def test_customers_cannot_have_one_snapshot_when_they_come() -> None:
    """A lead is no customer on the day on which it comes."""
    with pytest.raises(
        ParamsError, match=r"snapshots.every must be a number of days where targets.won is of customers"
    ):
        _parsed(small(), "snapshots.every=once", "targets.won.outcome=churned", "targets.won.population=customers")


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        ("targets.won.outcome=custmer", "    outcome: custmer", "targets.won.outcome must be mql, sal"),
        ("targets.won.outcome=renewed", "    outcome: renewed", "sources.outcomes.names, got 'renewed'$"),
        ("targets.won.outcome=churned", "  won:", "targets.won: churned is reached by customers"),
        ("sources.leads.created_at=size", "    created_at: size", "sources.leads.created_at is 'size', so"),
        (
            "sources.observed_until=31/12/2025",
            "  observed_until: 31/12/2025",
            "sources.observed_until: must be a date or",
        ),
        (
            "snapshots.since=2025-02-30",
            "  since: '2025-02-30'",
            "snapshots.since: must be a date or a time in ISO 8601",
        ),
        (
            "features.activities.windows=[30, 7]",
            "    windows:",
            WINDOWS,
        ),
        ("sources.leads.query=x", "    path: leads.parquet", "sources.leads: a path must come without a table"),
    ],
)
def test_a_refusal_points_to_the_line_of_the_key_that_it_names(change: str, line: str, message: str) -> None:
    """A contradiction between keys is reported with the line of the key and not with line 1."""
    with pytest.raises(ParamsError, match=message) as caught:
        _parsed(small(), change)
    text = yaml.safe_dump(_changed(small(), change), sort_keys=False).splitlines()

    assert str(caught.value).startswith(f"p.yaml:{text.index(line) + 1}: ")


@pytest.mark.parametrize(
    "override",
    [
        "sources.leads={url: 'sqlite:///crm.db', table: leads}",
        "sources.leads={url: 'postgresql://u:${SECRET}@h/d', query: SELECT 1}",
        "sources.leads={url: '${CRM}', table: sales.leads}",
        "sources.leads={url: 'postgresql://${USER}:${SECRET}@[::1]:${PORT}/d?sslmode=require', table: leads}",
        "sources.leads={url: 'mssql+pyodbc:///?odbc_connect=${CRM}', table: leads}",
        "sources.leads={url: 'sqlite:////srv/a@b;c=d.db', table: leads}",
        "targets.won={outcome: customer, horizon: 90, population: customers, again: true}",
        "targets.won={outcome: churned, horizon: 90, population: customers}",
        "targets.won={outcome: lost, horizon: 90}",
        "features={activities: {kinds: {visit: visits}}}",
        "features={read_out: {email: mail}}",
        "features={read_out: {evidence: [budget]}}",
        "snapshots={every: 10, weekday: friday, since: '2024-01-01', oldest: 90}",
    ],
)
def test_choices_that_can_be_followed_are_read(override: str) -> None:
    """Databases with secrets of the environment, each population, and features of one source only are allowed."""
    assert _parsed(small(), override).sources is not None


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (None, r"^target \(--target\) must name one of the targets mql, sql, got none$"),
        ("sqll", r"^target \(--target\) must be one of mql, sql, got 'sqll'; the nearest is 'sql'$"),
    ],
)
def test_of_several_targets_one_must_be_named(tmp_path: Path, target: str | None, message: str) -> None:
    """Without --target, or with a wrong one, the message lists the targets."""
    with pytest.raises(ParamsError, match=message):
        Places.open(write_params(tmp_path, crm()), target=target)
    assert Places.open(write_params(tmp_path, crm()), target="sql").target == "sql"
    assert Places.open(write_params(tmp_path, crm()), target="sql").data is None


def test_two_fields_of_one_name_are_refused() -> None:
    """A column must not have the name of a computed field."""
    params = _parsed(small(), "features.fit.visit_7d=number")

    with pytest.raises(ParamsError, match="every field must have a name of its own, got 'visit_7d' twice"):
        Contract.from_params(params)


def test_a_contract_of_dated_leads_has_its_roles_and_survives_json() -> None:
    """Roles, columns of derived fields and computed fields are the same after a bundle is written and read."""
    contract = Contract.from_params(_parsed(crm()))
    again = Contract.from_json(contract.to_json())

    assert again == contract
    assert contract.columns[:5] == ("lead_id", "created_at", "recorded_at", "valid_from", "account_id")
    assert set(contract.derived.columns) <= set(contract.columns)
    assert [field.source for field in contract.lead_fields].count("derived") == 10
    assert not {field.name for field in contract.fields if field.source == "activity"} & set(contract.columns)
