"""Proposals of params for a file of leads."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from leadml.errors import DataError
from leadml.jobs.places import Places
from leadml.jobs.propose import propose_params
from leadml.jobs.train import train
from leadml.params import parse_params

SMALL = ["model.max_rounds=40", "evaluation.draws=50", "tracking.enabled=false"]


@pytest.mark.slow
def test_a_proposal_is_accepted_by_training(tmp_path: Path, bank_file: Path) -> None:
    """The proposal for the bundled leads can be trained unchanged; the leak is excluded with a reason."""
    text = propose_params(str(bank_file), written_as=str(bank_file))
    params = parse_params(text)
    assert parse_params(propose_params(bank_file)).data.path == bank_file.name
    params = parse_params(text, overrides=SMALL)
    trained = train(Places(tmp_path, params, params.target_names[0]), now="2026-01-01", progress=lambda _: None)

    assert params.data.lead_id == "id"
    assert (params.target.column, params.target.positive, params.target.negative) == ("y", ("yes",), ("no",))
    assert list(params.features.excluded) == ["duration"]
    assert params.features.excluded["duration"].startswith("suspected leak: ")
    assert {name: kind for name, kind in params.features.fit.items() if kind == "boolean"} == {
        "default": "boolean", "housing": "boolean", "loan": "boolean",
    }  # fmt: skip
    assert trained.model.version == "1"


@pytest.mark.slow
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_detected(tmp_path: Path, bank_file: Path, delimiter: str) -> None:
    """The delimiter that divides the header into its columns is proposed."""
    pd.read_csv(bank_file).drop(columns="duration").to_csv(tmp_path / "leads.csv", sep=delimiter, index=False)

    assert parse_params(propose_params(tmp_path / "leads.csv", written_as="leads.csv")).data.delimiter == delimiter


@pytest.mark.slow
def test_decimal_commas_are_detected(tmp_path: Path, bank_file: Path) -> None:
    """In a file with semicolons and decimal commas, numbers are read as numbers."""
    leads = pd.read_csv(bank_file).drop(columns="duration")
    leads["balance"] = leads["balance"] + 0.5
    leads.to_csv(tmp_path / "leads.csv", sep=";", decimal=",", index=False)

    params = parse_params(propose_params(tmp_path / "leads.csv", written_as="leads.csv"))

    assert (params.data.decimal, params.features.fit["balance"]) == (",", "number")


@pytest.mark.slow
def test_a_parquet_file_gets_the_same_proposal(tmp_path: Path, bank_file: Path) -> None:
    """It gets the same roles as the CSV file with the same leads."""
    pd.read_csv(bank_file).to_parquet(tmp_path / "leads.parquet", index=False)

    assert (
        parse_params(propose_params(tmp_path / "leads.parquet", written_as="x")).features
        == parse_params(propose_params(bank_file, written_as="x")).features
    )


@pytest.mark.slow
def test_special_characters_in_names_are_escaped(tmp_path: Path, bank_file: Path) -> None:
    """Names with quotes, colons, hashes and letters of other scripts are read back unchanged."""
    names = {"age": 'a "quoted": name # here', "job": "größe\\n 😀", "balance": "{x}", "y": "Won?"}
    pd.read_csv(bank_file).drop(columns="duration").rename(columns=names).to_csv(tmp_path / "odd.csv", index=False)

    params = parse_params(propose_params(tmp_path / "odd.csv", written_as="odd.csv"))

    assert {names["age"], names["job"], names["balance"]} <= {*params.features.fit, *params.features.engagement}
    assert (params.target.column, params.target.name) == ("Won?", "won")


def test_a_file_without_a_label_is_refused(tmp_path: Path) -> None:
    """If no column has two values, nothing is proposed."""
    (tmp_path / "leads.csv").write_text("id,size\n1,10\n2,20\n3,30\n", encoding="utf-8")

    with pytest.raises(DataError, match=r"must have a column of two values .* got id, size"):
        propose_params(tmp_path / "leads.csv", written_as="leads.csv")


def test_a_label_with_three_values_is_refused(tmp_path: Path, bank_file: Path) -> None:
    """Open leads have no label: the message names the values and what to do."""
    leads = pd.read_csv(bank_file).head(300).rename(columns={"y": "status"})
    leads = leads.drop(columns=["default", "housing", "loan"])
    leads.loc[:9, "status"] = "open"
    leads.to_csv(tmp_path / "leads.csv", index=False)

    with pytest.raises(DataError, match=r"status must have two values .* got 'no', 'open', 'yes'; keep the rows whose"):
        propose_params(tmp_path / "leads.csv", written_as="leads.csv")


@pytest.mark.slow
def test_a_time_that_is_not_the_creation_is_excluded(tmp_path: Path, bank_file: Path) -> None:
    """The reason is that it is a time, not that it is constant."""
    leads = pd.read_csv(bank_file)
    leads["last_call"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(leads.index, unit="h")
    leads.to_parquet(tmp_path / "leads.parquet", index=False)

    params = parse_params(propose_params(tmp_path / "leads.parquet", written_as="x"))

    assert params.features.excluded["last_call"].startswith("a time: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,y\n", "must hold leads, got none below the header"),
        ("id,y\n1,yes,2\n", "must have 2 values as the header has, got 3"),
        ("id\n1\n", "must have a column of two values"),
        ("", "got an empty file"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A damaged file is refused before any role is proposed."""
    (tmp_path / "leads.csv").write_text(text, encoding="utf-8")

    with pytest.raises(DataError, match=message):
        propose_params(tmp_path / "leads.csv", written_as="leads.csv")
