from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from leadml.errors import LeadmlError
from leadml.simulator.scenario import Scenario
from leadml.simulator.world import standard_world
from leadml.simulator.write import CHUNK_SIZE, simulate

INSTANT = "timestamp[us, tz=UTC]"


def _hashes(folder):
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_with_any_number_of_processes(tmp_path):
    """One process and two give the same bytes in all files; another seed gives other bytes in all files."""
    size = {"leads": CHUNK_SIZE + 400, "months": 2, "scenario": Scenario(truth_leads=200)}
    result = simulate(tmp_path / "a", seed=1, **size)
    simulate(tmp_path / "b", seed=1, processes=2, **size)
    simulate(tmp_path / "c", seed=2, **size)
    one_process, two_processes, other_seed = (_hashes(tmp_path / name) for name in "abc")
    assert one_process == two_processes
    assert set(one_process) == {
        "activities/part-00000.parquet",
        "activities/part-00001.parquet",
        "leads.parquet",
        "outcomes.parquet",
        "simulation.json",
        "truth/part-00000.parquet",
        "truth/part-00001.parquet",
    }
    assert not set(one_process.values()) & set(other_seed.values())
    ids = pq.read_table(tmp_path / "a" / "leads.parquet").column("lead_id").to_pylist()
    assert ids == sorted(ids)
    assert len(set(ids)) == CHUNK_SIZE + 400
    assert result.leads == len(ids)


def test_the_result_counts_the_rows_and_columns_have_their_types(crm):
    """The counts are those of the tables; instants are UTC in microseconds; ids and categories are strings."""
    result, folder = crm.result, crm.result.folder
    assert (result.leads, result.activities) == (len(crm.leads), len(crm.activities))
    assert (result.outcomes, result.truth) == (len(crm.outcomes), len(crm.truth))
    for name in ("leads.parquet", "outcomes.parquet", "activities/part-00000.parquet", "truth/part-00000.parquet"):
        for column in pq.read_schema(folder / name):
            instant = column.name.endswith("_at") or column.name in {"valid_from", "as_of"}
            number = {"employees": "int64", "probability": "double", "reached": "bool"}.get(column.name, "string")
            assert str(column.type) == (INSTANT if instant else number), column.name


def test_rows_are_in_the_order_of_leads_and_time(crm):
    """Each table is sorted by lead and instant."""
    for table, instant in ((crm.leads, "valid_from"), (crm.activities, "occurred_at"), (crm.outcomes, "occurred_at")):
        order = table[["lead_id", instant]]
        assert order.equals(order.sort_values(["lead_id", instant], kind="stable"))
    keys = crm.truth[["lead_id", "as_of"]]
    assert keys.equals(keys.sort_values(["lead_id", "as_of"], kind="stable"))


def test_the_description_holds_all_numbers(crm):
    """simulation.json holds the options, the targets and all parameters of the simulation."""
    description = json.loads((crm.result.folder / "simulation.json").read_text(encoding="utf-8"))
    assert description["choices"] == {
        "leads": 8000,
        "months": 24,
        "seed": 5,
        "drift": "none",
        "drift_month": None,
        "spam": True,
        "worked_a_week": 0,
        "truth_leads": 20000,
        "truth_share": 1.0,
    }
    assert [target["horizon_days"] for target in description["targets"]] == [30, 90, 365]
    world = standard_world(731)
    for key, parameter in (
        ("transition", world.interest_transition),
        ("rate", world.activity_rate),
        ("kinds", world.kind_probability),
        ("lag", world.activity_lag),
        ("outcome_lag", world.outcome_lag),
    ):
        np.testing.assert_array_equal(description["world"][key], parameter)
    assert len(description["world"]["moves"]) == len(world.state_transitions)
    assert len(description["market"]["questions"]) == 5
    assert description["rows"]["leads"] == len(crm.leads)
    assert not any("nobody works" in line for line in description["truth"])


@pytest.mark.slow
def test_a_random_share_of_the_leads_has_a_truth(tmp_path, read_crm):
    """With a lower truth_leads fewer leads have a truth, with the same rows; the other tables do not change."""
    size = {"leads": 1000, "months": 3, "seed": 3}
    all_leads, some_leads, no_leads = (
        read_crm(simulate(tmp_path / str(truth_leads), **size, scenario=Scenario(truth_leads=truth_leads)))
        for truth_leads in (1000, 300, 0)
    )
    has_truth = all_leads.truth["lead_id"].isin(some_leads.truth["lead_id"])
    pd.testing.assert_frame_equal(all_leads.truth[has_truth].reset_index(drop=True), some_leads.truth)
    assert 250 < some_leads.truth["lead_id"].nunique() < 350
    assert no_leads.truth is None
    assert no_leads.result == replace(all_leads.result, folder=no_leads.result.folder, truth=0)
    for other in (some_leads, no_leads):
        pd.testing.assert_frame_equal(other.activities, all_leads.activities)


def test_one_lead_in_one_month_has_all_tables(tmp_path, read_crm):
    """The smallest simulation writes leads and the truth."""
    crm = read_crm(simulate(tmp_path, leads=1, months=1, seed=0))
    assert len(crm.leads) >= 1
    assert crm.truth is not None


def test_options_may_be_a_mapping_and_the_folder_a_text(tmp_path):
    """The simulation is that of the scenario and of the path."""
    for name, scenario in (("a", Scenario(spam=False, truth_leads=0)), ("b", {"spam": False, "truth_leads": 0})):
        simulate(str(tmp_path / name), leads=50, months=2, scenario=scenario)
    texts = [(tmp_path / name / "simulation.json").read_bytes() for name in "ab"]
    assert texts[0] == texts[1]


def test_a_folder_that_is_not_empty_is_refused(tmp_path):
    """A folder with a file and a file in place of the folder are refused, and nothing is overwritten."""
    (tmp_path / "existing").write_text("text", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "existing"):
        with pytest.raises(LeadmlError, match=r"must be new or empty, got '.*'; name another or empty it"):
            simulate(folder, leads=10, months=1, seed=0)
    assert [file.name for file in tmp_path.iterdir()] == ["existing"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"leads": 100.5}, "leads must be a whole number, from 1 to 20,000,000, got 100.5"),
        ({"months": "6"}, "months must be a whole number, from 1 to 120, got '6'"),
        ({"leads": 0}, "leads must be a whole number, from 1 to 20,000,000, got 0"),
        ({"leads": 10**9}, "leads must be a whole number, from 1 to 20,000,000, got 1000000000"),
        ({"months": 0}, "months must be a whole number, from 1 to 120, got 0"),
        ({"months": 121}, "months must be a whole number, from 1 to 120, got 121"),
        ({"seed": -1}, "seed must be a whole number, 0 or more, got -1"),
        ({"processes": 0}, "processes must be a whole number, 1 or more, got 0"),
        (
            {"scenario": {"drif": "mix"}},
            r"only the options drift, .*, got 'drif'; the nearest is 'drift'",
        ),
        (
            {"scenario": Scenario(drift="mix", drift_month=5)},
            "drift_month must be a whole number, from 1 to 2, got 5",
        ),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(tmp_path, arguments, message):
    """The error names the range, and the folder is not created."""
    with pytest.raises(LeadmlError, match=message):
        simulate(tmp_path / "new", **{"leads": 10, "months": 2, "seed": 0, **arguments})
    assert not (tmp_path / "new").exists()
