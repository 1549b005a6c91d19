"""Sums and means of numbers of activities are those that pandas computes, on both engines, whatever the order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.dated import day, instants, open_view, small, small_tables, write_tables

from leadml.errors import DataError, LeadmlError
from leadml.leads.asof.snapshots import scoring_snapshots
from leadml.leads.check.activity_feature import ActivityKind
from leadml.leads.check.activity_features import activity_columns
from leadml.leads.check.activity_plan import ActivityPlan
from leadml.leads.check.activity_values import Values
from leadml.leads.sources.settings import AsOfSettings
from leadml.params import Params

AS_OF = day(100)


def _choices(engine: str = "duckdb") -> dict[str, Any]:
    choices = small(compute={"engine": engine, "memory_gb": 0.5})
    choices["sources"]["activities"]["values"] = {"amount": "Order total", "items": "items"}
    return choices


def _orders(seed: int, rows: int = 400) -> pd.DataFrame:
    """Return activities of 12 leads up to a day after the snapshot, one in five without an amount."""
    random = np.random.default_rng(seed)
    amount = np.where(random.random(rows) < 0.2, np.nan, random.integers(-5_000, 500_000, rows) / 100)
    return pd.DataFrame(
        {
            "lead_id": random.choice([f"L{number:02}" for number in range(12)], rows).astype(object),
            "occurred_at": instants(AS_OF + random.integers(-45 * 24, 24, rows) * 3_600_000_000),
            "kind": random.choice(["visit", "demo", "other"], rows).astype(object),
            "Order total": amount,
            "items": random.integers(0, 9, rows).astype(float),
        }
    )


def _scored(folder: Path, orders: pd.DataFrame, choices: dict[str, Any]) -> pd.DataFrame:
    leads = [(f"L{number:02}", 0, 1.0) for number in range(14)]
    tables = small_tables(leads, [], [("L00", 200, "customer")])
    if choices["sources"]["activities"]["path"].endswith(".parquet"):
        write_tables(folder, activities=orders)
    write_tables(folder, leads=tables["leads"], outcomes=tables["outcomes"])
    with open_view(folder, choices) as view:
        return pd.concat(scoring_snapshots(view, AS_OF)).set_index("lead_id")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["duckdb", "polars"])
@pytest.mark.parametrize("seed", [0, 1])
def test_sums_and_means_are_those_of_pandas(tmp_path: Path, engine: str, seed: int) -> None:
    """Of each kind, in each window, of what happened before the snapshot; cents add up exactly."""
    orders = _orders(seed)
    found = _scored(tmp_path, orders, _choices(engine))
    age = (pd.Timestamp(AS_OF, unit="us", tz="UTC") - orders["occurred_at"]).dt.total_seconds() / 86_400
    for kind in ("visit", "demo"):
        for days in (7, 30):
            rows = orders[(age > 0) & (age <= days) & (orders["kind"] == kind)]
            for name, column in (("amount", "Order total"), ("items", "items")):
                cents = (rows[column] * 100).round().groupby(rows["lead_id"])
                total = (cents.sum() / 100).reindex(found.index, fill_value=0.0)
                mean = (cents.mean() / 100).reindex(found.index)
                np.testing.assert_array_equal(found[f"{kind}_{name}_sum_{days}d"], total)
                np.testing.assert_allclose(found[f"{kind}_{name}_mean_{days}d"], mean, rtol=1e-14)


@pytest.mark.slow
def test_the_order_of_rows_and_the_engine_change_no_bit(tmp_path: Path) -> None:
    """Sums are of whole numbers."""
    orders = _orders(2)
    once = _scored(tmp_path / "a", orders, _choices())
    again = _scored(tmp_path / "b", orders.sample(frac=1, random_state=3), _choices("polars"))

    pd.testing.assert_frame_equal(once, again, check_exact=True)


def test_a_lead_without_numbers_has_sum_0_and_no_mean(tmp_path: Path) -> None:
    """Lead L13 was never active, and the words say so."""
    found = _scored(tmp_path, _orders(0), _choices()).loc["L13"]
    plan = ActivityPlan.from_params(Params.model_validate(_choices()))
    words = {column.field.name: column.field.words_if_missing for column in activity_columns(plan)}

    assert found["visit_amount_sum_30d"] == 0
    assert np.isnan(found["visit_amount_mean_30d"])
    assert words["visit_amount_mean_30d"] == "no visits with amount in the last 30 days"


@pytest.mark.slow
def test_csv_gives_the_numbers_of_parquet(tmp_path: Path) -> None:
    """Also with a decimal comma."""
    orders = _orders(4)
    typed = _scored(tmp_path / "a", orders, _choices())
    choices = _choices()
    choices["sources"]["activities"]["path"] = "activities.csv"
    choices["data"] |= {"decimal": ",", "delimiter": ";"}
    (tmp_path / "b").mkdir()
    orders.to_csv(tmp_path / "b" / "activities.csv", index=False, decimal=",", sep=";")

    pd.testing.assert_frame_equal(_scored(tmp_path / "b", orders, choices), typed, check_exact=True)


@pytest.mark.parametrize(("value", "shown"), [("12 pcs", "'12 pcs'"), ("1000000001", "'1000000001'")])
def test_what_is_no_number_or_too_large_is_refused(tmp_path: Path, value: str, shown: str) -> None:
    """The message has the line, the column, the range and the value."""
    choices = _choices()
    choices["sources"]["activities"]["path"] = "activities.csv"
    orders = _orders(5, 3).astype({"Order total": object})
    orders.loc[1, "Order total"] = value
    orders.to_csv(tmp_path / "activities.csv", index=False)

    expected = f"activities.csv:3: .*Order total must be a number between -1,000,000,000 and 1,000,000,000, got {shown}"
    with pytest.raises(DataError, match=expected):
        _scored(tmp_path, orders, choices)


def test_each_column_of_numbers_has_a_sum_and_a_mean_in_each_window() -> None:
    """Without such columns the feature adds nothing."""
    plan = ActivityPlan((("visit", "visits"),), (7, 30), (1,), 30, channels=False, values=("amount", "items"))
    kind = ActivityKind(0, "visit", "visits")
    names = [column.field.name for column in Values().of_kind(plan, kind)]

    assert names == [
        f"visit_{name}_{measure}_{days}d"
        for name in ("amount", "items")
        for days in (7, 30)
        for measure in ("sum", "mean")
    ]
    assert Values().of_kind(replace(plan, values=()), kind) == []


def test_values_that_the_model_was_not_trained_with_are_refused(tmp_path: Path) -> None:
    """A model of other columns would be given fields that it does not know."""
    trained = _choices()
    del trained["sources"]["activities"]["values"]["items"]
    settings = AsOfSettings.from_params(Params.model_validate(trained), "won")

    with pytest.raises(LeadmlError, match=r"activities\.values\.items was not declared, and is now"):
        settings.check(Params.model_validate(_choices()))
