"""Leads of one person are on one side of holdout and folds, and personal data are written nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.dated import dated_leads, day, small, small_tables, write_params, write_tables

import leadml
from leadml.errors import DataError
from leadml.jobs.places import Places
from leadml.leads.check.contract import Contract
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.leads.sources.flat import FlatLeads
from leadml.leads.sources.people import read_people
from leadml.leads.sources.scored_pairs import ScoredPairs
from leadml.leads.split import RandomSplit, TimeSplit
from leadml.params import Params, PersonColumns

ROWS = 400
MAILBOX = "m1l-c4n4ry"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return leads of whom each fourth is the same person as the lead two places before."""
    random = np.random.default_rng(0)
    person = np.arange(ROWS) - 2 * (np.arange(ROWS) % 4 == 3)
    frame = pd.DataFrame(
        {
            "id": [f"L{at:03}" for at in range(ROWS)],
            "came": pd.to_datetime(day(0) + random.permutation(ROWS) * 86_400_000_000, unit="us").astype(str),
            "E-Mail": [f"{MAILBOX}{at}@{'Firm' if row % 2 else 'firm'}.org" for row, at in enumerate(person)],
            "size": random.normal(size=ROWS),
            "won": random.integers(0, 2, ROWS),
        }
    )
    frame.to_csv(tmp_path / "leads.csv", index=False)
    return tmp_path / "leads.csv"


def _params(file: Path, **split: Any) -> Params:
    return Params.model_validate(
        {
            "data": {"path": file.name, "lead_id": "id", "timezone": "UTC"},
            "target": {"name": "won", "column": "won", "positive": ["1"], "negative": ["0"]},
            "features": {"fit": {"size": "number"}},
            "stages": {
                stage: {"rule": "share", "top": top} for stage, top in (("iql", 0.5), ("mql", 0.2), ("sql", 0.1))
            },
            "split": {"same_person": {"email": "E-Mail"}} | split,
        }
    )


def _leads(file: Path, params: Params, *, created_at: str | None = None, held_out: Any = None) -> FlatLeads:
    contract = Contract.from_params(params)
    contract = contract.__class__(**{**contract.__dict__, "created_at": created_at})
    return FlatLeads(FileSource(file, Dialect()), contract, params.split, holdout=held_out)


def _person(ids: pd.Series) -> np.ndarray:
    number = ids.str[1:].astype(int).to_numpy()
    return number - 2 * (number % 4 == 3)


@pytest.mark.parametrize(("created_at", "kind"), [(None, RandomSplit), ("came", TimeSplit)])
def test_a_person_is_on_one_side_of_holdout_and_folds(file: Path, created_at: str | None, kind: type) -> None:
    """With dates and without; without the columns some people are on both sides."""
    params = _params(file)
    training = _leads(file, params, created_at=created_at).training(progress=lambda _: None)
    parts = training.parts()

    assert isinstance(training.split, kind)
    assert not set(_person(parts.learn["lead_id"])) & set(_person(parts.holdout["lead_id"]))
    for fitted, evaluated in training.split.folds(parts.learn):
        people = _person(parts.learn["lead_id"])
        assert not set(people[fitted]) & set(people[evaluated])
    blind = _leads(file, _params(file, same_person={}), created_at=created_at).training(progress=lambda _: None).parts()
    assert set(_person(blind.learn["lead_id"])) & set(_person(blind.holdout["lead_id"]))


def test_the_holdout_that_is_scored_is_that_of_the_training(file: Path) -> None:
    """Scoring finds the same people in the same file."""
    params = _params(file)
    training = _leads(file, params).training(progress=lambda _: None)
    held_out = _leads(file, params, held_out=training.holdout)
    with held_out.at(None, progress=lambda _: None) as leads:
        scored = {lead for chunk in leads.chunks() for lead in chunk.frame["lead_id"]}

    assert scored == set(training.parts().holdout["lead_id"])


def test_dated_leads_of_one_person_are_one_group(tmp_path: Path) -> None:
    """Also where they belong to different accounts; the accounts become one."""
    leads = [(f"L{at}", 0, float(at)) for at in range(8)]
    tables = small_tables(leads, [], [("L0", 20, "customer"), ("L5", 30, "customer")])
    tables["leads"] = tables["leads"].assign(
        account=["A", "A", "B", "B", "C", "C", "D", "D"],
        mail=["x@y.org", None, "x@y.org", *["u@v.org"] * 2, *[None] * 3],
    )
    choices = small(split={"same_person": {"email": "mail"}, "folds": 2})
    choices["sources"]["leads"]["account"] = "account"
    project = Places.open(write_params(tmp_path, choices))
    write_tables(tmp_path, **tables)
    with dated_leads(project).view(lambda _: None, with_people=True) as view:
        groups = dict(zip(view.history.lead_ids, view.history.split_keys, strict=True))
        people = view.history.people
    with dated_leads(project).view(lambda _: None) as view:
        assert set(view.history.split_keys) == {"A", "B", "C", "D"}

    assert people is not None
    assert people.to_dict() == {"L0": "L0", "L2": "L0", "L3": "L3", "L4": "L3"}
    assert groups == {**{f"L{at}": "A" for at in range(6)}, "L6": "D", "L7": "D"}


@pytest.mark.parametrize("created_at", [None, "came"])
def test_the_labels_of_scores_have_the_groups_of_the_training(file: Path, created_at: str | None) -> None:
    """Also where params name other columns by now: what was fitted on depends on the groups as they were."""
    training = _leads(file, _params(file), created_at=created_at).training(progress=lambda _: None)
    ids = training.frame["lead_id"].to_numpy()
    scores = ScoredPairs(ids, np.zeros(len(ids), np.int64), training.holdout, 0)
    for choices in ({}, {"same_person": {}}) if created_at is None else ({},):
        found = _leads(file, _params(file, **choices), created_at=created_at).labels(scores, progress=lambda _: None)
        assert found["split_key"].tolist() == training.frame["split_key"].tolist()
        assert found["fitted"].tolist() == training.holdout.learnable(training.frame).tolist()


def test_the_labels_of_dated_leads_have_the_groups_of_the_training(tmp_path: Path) -> None:
    """A lead that is the same person as one of a drawn account was not fitted on."""
    leads = [(f"L{at:02}", 3 * at, float(at)) for at in range(60)]
    tables = small_tables(leads, [], [(f"L{at:02}", 20 + 3 * at, "customer") for at in range(0, 60, 3)])
    accounts, people = [f"A{at // 2}" for at in range(60)], [f"m{at % 20}@y.org" for at in range(60)]
    tables["leads"] = tables["leads"].assign(account=accounts, mail=people)
    choices = small(split={"same_person": {"email": "mail"}}, targets={"won": {"outcome": "customer", "horizon": 7}})
    choices["sources"]["leads"]["account"] = "account"
    write_tables(tmp_path, **tables)
    source = dated_leads(Places.open(write_params(tmp_path, choices)))
    training = source.training(progress=lambda _: None)
    frame = training.frame
    scores = ScoredPairs(frame["lead_id"].to_numpy(), frame["as_of"].to_numpy(), training.holdout, day(400))
    found = source.labels(scores, progress=lambda _: None)

    assert set(frame["split_key"]) < set(accounts)
    assert found["split_key"].tolist() == frame["split_key"].tolist()
    assert found["fitted"].tolist() == training.holdout.learnable(frame).tolist()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_personal_data_are_written_nowhere(file: Path, tmp_path: Path) -> None:
    """Neither the model nor the report, the scores or the log hold an address; the finding counts the people."""
    choices = _params(file).as_written() | {
        "limits": {"allow_small": True},
        "model": {"max_rounds": 10},
        "evaluation": {"draws": 50},
        "tracking": {"enabled": True},
    }
    project = leadml.open_project(
        write_params(tmp_path, {key: value for key, value in choices.items() if value is not None})
    )
    findings = {finding.code: finding for finding in project.check().findings}
    project.train(accept_weak="few leads of a test")
    project.score(file, out=tmp_path / "scored.csv")
    project.report()
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != file]

    assert findings["LK10"].severity == "warn"
    assert "200 of 400 leads are 100 people" in findings["LK10"].evidence
    assert len(written) > 10
    assert not [path for path in written if MAILBOX.encode() in path.read_bytes()]


@pytest.mark.slow
def test_people_are_read_by_id_or_by_the_number_of_the_row(file: Path) -> None:
    """The ids are those that the leads have without an id column."""
    table, columns = FileSource(file, Dialect()), PersonColumns(email="E-Mail")
    by_id, by_row = (read_people(table, lead_id, columns) for lead_id in ("id", None))

    assert len(by_id) == len(by_row) == ROWS // 2
    assert by_id["L003"] == by_id["L001"] == "L001"
    assert by_row["4"] == by_row["2"] == "2"


def test_a_column_that_is_missing_is_refused(file: Path) -> None:
    """The message names the column."""
    with pytest.raises(DataError, match="must have a column 'mail'"):
        _leads(file, _params(file, same_person={"email": "mail"})).training(progress=lambda _: None)


@pytest.mark.parametrize("alone", [{"phone": "tel"}, {"name": "who"}])
def test_a_number_or_a_name_alone_is_refused(file: Path, alone: dict[str, str]) -> None:
    """It would join colleagues or namesakes."""
    with pytest.raises(ValueError, match=r"split\.same_person must have email, or both phone and name, got one column"):
        _params(file, same_person=alone)
    assert PersonColumns(phone="tel", name="who").columns == ("tel", "who")
