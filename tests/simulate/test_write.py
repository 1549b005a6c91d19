from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from leadml.errors import LeadmlError
from leadml.simulate.scenario import Scenario
from leadml.simulate.world import standard_world
from leadml.simulate.write import CHUNK, simulate

INSTANT = "timestamp[us, tz=UTC]"


def _bytes(folder):
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_the_same_seed_gives_the_same_bytes_whatever_the_processes(tmp_path):
    """One process or two, the files are the same to the byte; with another seed none of the tables is."""
    few = Scenario(truth_leads=200)
    size = {"leads": CHUNK + 400, "months": 2, "scenario": few}
    first = simulate(tmp_path / "a", seed=1, **size)
    simulate(tmp_path / "b", seed=1, processes=2, **size)
    simulate(tmp_path / "c", seed=2, **size)
    one, two, other = (_bytes(tmp_path / name) for name in "abc")
    assert one == two
    assert set(one) == {
        "activities/part-00000.parquet",
        "activities/part-00001.parquet",
        "leads.parquet",
        "outcomes.parquet",
        "simulation.json",
        "truth/part-00000.parquet",
        "truth/part-00001.parquet",
    }
    assert not set(one.values()) & set(other.values())
    leads = pq.read_table(tmp_path / "a" / "leads.parquet").column("lead_id").to_pylist()
    assert leads == sorted(leads)
    assert len(set(leads)) == CHUNK + 400
    assert first.leads == len(leads)


def test_what_is_said_is_what_is_written(crm):
    """The counts agree with the tables, instants are in UTC and microseconds, ids and words are text."""
    simulated, folder = crm.simulated, crm.simulated.folder
    assert (simulated.leads, simulated.activities) == (len(crm.leads), len(crm.activities))
    assert (simulated.outcomes, simulated.truth) == (len(crm.outcomes), len(crm.truth))
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


def test_the_account_tells_all_numbers(crm):
    """simulation.json holds the choices, the targets and every number of the world, as they were used."""
    story = json.loads((crm.simulated.folder / "simulation.json").read_text(encoding="utf-8"))
    assert story["choices"] == {
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
    assert [target["horizon_days"] for target in story["targets"]] == [30, 90, 365]
    world = standard_world(731)
    for name in ("transition", "rate", "kinds", "lag", "outcome_lag"):
        np.testing.assert_array_equal(story["world"][name], getattr(world, name))
    assert len(story["world"]["moves"]) == len(world.moves)
    assert len(story["market"]["questions"]) == 5
    assert story["rows"]["leads"] == len(crm.leads)
    assert not any("nobody works" in line for line in story["truth"])


def test_a_share_of_the_leads_has_a_truth(tmp_path, read_crm):
    """Whole leads are drawn: with fewer asked for the tables are the same, and the truths of those asked too."""
    size = {"leads": 1000, "months": 3, "seed": 3}
    every, some, none = (
        read_crm(simulate(tmp_path / str(asked), **size, scenario=Scenario(truth_leads=asked)))
        for asked in (1000, 300, 0)
    )
    kept = every.truth[every.truth["lead_id"].isin(some.truth["lead_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, some.truth)
    assert 250 < some.truth["lead_id"].nunique() < 350
    assert none.truth is None
    assert none.simulated == replace(every.simulated, folder=none.simulated.folder, truth=0)
    for other in (some, none):
        pd.testing.assert_frame_equal(other.activities, every.activities)


def test_one_lead_for_one_month_is_enough(tmp_path, read_crm):
    """The smallest simulation has all its tables."""
    crm = read_crm(simulate(tmp_path, leads=1, months=1, seed=0))
    assert len(crm.leads) >= 1
    assert crm.truth is not None


def test_a_folder_that_holds_anything_is_refused(tmp_path):
    """Nothing is overwritten, be it a file or a folder with a file; an empty folder will do."""
    (tmp_path / "kept").write_text("kept", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "kept"):
        with pytest.raises(LeadmlError, match=r"must be new or empty, got '.*'; name another or empty it"):
            simulate(folder, leads=10, months=1, seed=0)
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"leads": 0}, "leads must be from 1 to 20,000,000, got 0; simulate fewer"),
        ({"leads": 10**9}, "leads must be from 1 to 20,000,000, got 1,000,000,000; simulate fewer"),
        ({"months": 0}, "months must be from 1 to 120, got 0"),
        ({"months": 121}, "months must be from 1 to 120, got 121"),
        ({"seed": -1}, "seed must be 0 or more, got -1"),
        ({"processes": 0}, "processes must be 1 or more, got 0"),
        ({"scenario": Scenario(drift="mix", drift_month=5)}, "drift_month must be from 1 to 2, got 5"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_is_written(tmp_path, choices, message):
    """The error says the range, and the folder is not made."""
    with pytest.raises(LeadmlError, match=message):
        simulate(tmp_path / "new", **{"leads": 10, "months": 2, "seed": 0, **choices})
    assert not (tmp_path / "new").exists()
