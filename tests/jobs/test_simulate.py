"""The file of a simulated stream: its columns, its dates, and the scores of a version."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.errors import DataError, LeadmlError
from leadml.jobs.places import Places
from leadml.jobs.simulate import write_stream
from leadml.jobs.train import Trained
from leadml.publish.files import sha256
from leadml.simulator.stream import Stream

STREAM = Stream(fields=3, leads_a_day=4)
FIELDS = ["field_1", "field_2", "field_3"]


@pytest.mark.slow
@settings(max_examples=12)
@given(days=st.integers(1, 400), seed=st.integers(0, 9))
def test_the_file_has_the_leads_of_the_days_with_a_date_for_each_day(tmp_path_factory, days: int, seed: int) -> None:
    """Also over the end of February and of the year."""
    path = tmp_path_factory.mktemp("stream") / "leads.parquet"
    number = write_stream(STREAM, path, seed=seed, days=days)
    leads, expected = pd.read_parquet(path), STREAM.days(days, seed=seed)

    assert number == len(leads) == 4 * days
    assert leads.columns.tolist() == ["lead_id", "created_at", *FIELDS, "true_probability", "converted"]
    same = expected.rename(columns={"probability": "true_probability"}).drop(columns="day")
    pd.testing.assert_frame_equal(leads.drop(columns="created_at"), same, check_exact=True, check_dtype=False)
    distance = pd.to_datetime(leads["created_at"]) - pd.Timestamp("2024-01-01")
    assert distance.dt.days.tolist() == expected["day"].tolist()


def test_leads_of_the_time_before_have_neither_a_date_nor_a_true_probability(tmp_path: Path) -> None:
    """So that a training uses the fields alone; the number of days does not matter."""
    for days in (1, 9):
        assert write_stream(STREAM, tmp_path / f"{days}.csv", seed=3, days=days, before=50) == 50
    leads, expected = pd.read_csv(tmp_path / "1.csv"), STREAM.before(50, seed=3)

    assert leads.columns.tolist() == ["lead_id", *FIELDS, "converted"]
    assert leads["converted"].tolist() == expected["converted"].tolist()
    assert sha256(tmp_path / "1.csv") == sha256(tmp_path / "9.csv")


def test_a_version_of_other_fields_is_refused(trained_project: tuple[Places, Trained], tmp_path: Path) -> None:
    """Nothing is written; tests/cli/test_simulating.py has a version of the stream's own fields."""
    with pytest.raises(DataError, match="must have a column 'age', got none"):
        write_stream(STREAM, tmp_path / "leads.csv", seed=0, days=2, model=trained_project[1].model)

    assert not (tmp_path / "leads.csv").exists()


@pytest.mark.parametrize("suffix", [".txt", ".delta"])
def test_other_kinds_of_files_are_refused_before_anything_is_computed(tmp_path: Path, suffix: str) -> None:
    """The message names those that there are."""
    with pytest.raises(LeadmlError, match=rf"must end in \.csv or \.parquet, got 'leads\{suffix}'$"):
        write_stream(STREAM, tmp_path / f"leads{suffix}", seed=0, days=0)


def test_numbers_in_csv_are_exact(tmp_path: Path) -> None:
    """Those of Parquet, to the last bit."""
    for name in ("leads.csv", "leads.parquet"):
        write_stream(STREAM, tmp_path / name, seed=1, days=3)
    texts, exact = pd.read_csv(tmp_path / "leads.csv", dtype=str), pd.read_parquet(tmp_path / "leads.parquet")

    for name in (*FIELDS, "true_probability"):
        assert np.array_equal(texts[name].astype(float), exact[name])
