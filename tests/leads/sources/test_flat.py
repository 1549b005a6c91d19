"""Flat leads: one snapshot each; scoring and explaining accept the same leads and give the same probability."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.frames import read_scores

from leadml.errors import DataError, LeadmlError
from leadml.jobs.explain import explain
from leadml.jobs.places import Places
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import Trained, train
from leadml.leads.check.contract import Contract, Field, Label
from leadml.leads.check.instants import instant
from leadml.leads.read.files import Dialect
from leadml.leads.read.frames import FrameSource
from leadml.leads.sources.flat import FlatLeads, as_snapshots
from leadml.leads.sources.scored_pairs import ScoredPairs
from leadml.leads.sources.source import scoring_source, training_source
from leadml.leads.split import Holdout, RandomSplit, TimeSplit
from leadml.params import DataParams

NOW = "2026-01-01T00:00:00+00:00"
SMALL = ("model.max_rounds=20", "evaluation.draws=50")
TrainedProject = tuple[Places, Trained]


def scored_file(trained: TrainedProject, file: Path, out: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scored and the refused rows of a file."""
    request = ScoreRequest(file, out=out, raw=True)
    score(trained[1].model, request, project=trained[0], now=NOW, progress=lambda _: None)
    refused = out.with_name(f"{out.stem}.not_scored.csv")
    return read_scores(out), pd.read_csv(refused, dtype={"lead_id": str}) if refused.exists() else pd.DataFrame()


def explained(trained: TrainedProject, file: Path, lead_id: str) -> float:
    """Return the probability that the explanation of a lead gives."""
    source = scoring_source(trained[1].model.bundle.leads, trained[0], now=NOW, file=file)
    return explain(trained[1].model, lead_id, source=source, as_of=None, progress=lambda _: None).probability


@pytest.fixture
def mixed(tmp_path: Path, bank_file: Path) -> Path:
    """Return a file with a repeated row, contradicting rows, rows at fault, and a lead with a good and a bad row."""
    lines = bank_file.read_text(encoding="utf-8").splitlines()[:41]
    lines[3] = lines[3].replace(",35,", ",thirty,")
    lines += [
        lines[10],
        lines[20].replace(",no,", ",yes,", 1),
        lines[30].replace(",cellular,", ",cellular,x", 1),
        lines[25] + ",more",
    ]
    path = tmp_path / "mixed.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_scoring_and_explaining_agree_on_every_lead(
    tmp_path: Path, trained_project: TrainedProject, mixed: Path
) -> None:
    """Every lead is scored and explained with the same probability, or refused by both."""
    scored, refused = scored_file(trained_project, mixed, tmp_path / "s.csv")
    numbers = dict(zip(scored["lead_id"], scored["probability"], strict=True))
    ids = pd.read_csv(mixed, dtype=str, on_bad_lines="skip")["id"].unique()

    assert len(refused) >= 5
    assert len(numbers) >= 30
    for lead_id in ids:
        if lead_id in numbers:
            assert explained(trained_project, mixed, lead_id) == numbers[lead_id]
        else:
            assert lead_id in set(refused["lead_id"])
            with pytest.raises(DataError):
                explained(trained_project, mixed, lead_id)


def test_contradicting_rows_are_refused_with_the_same_message(
    tmp_path: Path, trained_project: TrainedProject, mixed: Path
) -> None:
    """A lead whose rows contradict each other is neither scored nor explained."""
    _, refused = scored_file(trained_project, mixed, tmp_path / "s.csv")
    (lead_id,) = refused.loc[refused["reason"].str.contains("on another row too"), "lead_id"].unique()

    with pytest.raises(DataError, match=rf"must be there once, got '{lead_id}' on another row too, with other values"):
        explained(trained_project, mixed, lead_id)


def test_a_lead_with_one_valid_and_one_faulty_row_is_refused(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """It is unknown which of the rows is right."""
    lines = bank_file.read_text(encoding="utf-8").splitlines()[:12]
    lines.append(lines[5].replace(",59,", ",old,").replace(",36,", ",old,").replace(",35,", ",old,"))
    if lines[-1] == lines[5]:
        lines[-1] = ",".join([lines[5].split(",")[0], "old", *lines[5].split(",")[2:]])
    (tmp_path / "half.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lead_id = lines[5].split(",")[0]

    scored, refused = scored_file(trained_project, tmp_path / "half.csv", tmp_path / "s.csv")

    assert lead_id not in set(scored["lead_id"])
    assert len(scored) == 10
    assert (refused["lead_id"] == lead_id).sum() == 2
    assert refused["reason"].str.contains("must have no faulty row").sum() == 1
    with pytest.raises(DataError, match="age must be a number"):
        explained(trained_project, tmp_path / "half.csv", lead_id)


def test_a_lead_needs_no_date_to_be_scored_or_explained(
    tmp_path: Path, make_project: Callable[..., Places], bank_file: Path
) -> None:
    """Only the split of a training set needs the date, so a file of new leads may have no such column."""
    leads = pd.read_csv(bank_file)
    leads["created"] = (pd.Timestamp("2025-01-01") + pd.to_timedelta(leads.index, unit="h")).strftime(
        "%Y-%m-%dT%H:%M:%S"
    )
    leads.to_csv(tmp_path / "dated.csv", index=False)
    dates = (f"data.path={tmp_path / 'dated.csv'}", "data.created_at=created", "data.timezone=UTC")
    project = make_project(tmp_path / "p", *SMALL, *dates)
    trained = project, train(project, now=NOW, progress=lambda _: None)
    new = leads.drop(columns=["created", "y"]).head(20)
    new.to_csv(tmp_path / "new.csv", index=False)

    scored, _ = scored_file(trained, tmp_path / "new.csv", tmp_path / "s.csv")

    assert len(scored) == 20
    lead_id = scored["lead_id"][0]
    assert explained(trained, tmp_path / "new.csv", lead_id) == scored["probability"][0]


def test_the_source_can_give_the_holdout_alone(trained_project: TrainedProject, bank_file: Path) -> None:
    """The rule of the holdout selects the same rows again."""
    project, trained = trained_project
    source = scoring_source(trained.model.bundle.leads, project, now=NOW, file=bank_file, held_out=True)

    with source.at(None, progress=lambda _: None, rows=500) as leads:
        rows = sum(len(chunk.frame) for chunk in leads.chunks())

    assert rows == trained.model.bundle.record.split.holdout.rows == leads.rows
    assert leads.left_out == trained.model.bundle.record.split.learn.rows


@pytest.mark.parametrize("rows", [3, 7, 1000])
def test_the_size_of_chunks_changes_nothing(trained_project: TrainedProject, mixed: Path, rows: int) -> None:
    """The content hash, the counts and the rows are the same."""
    project, trained = trained_project
    source = scoring_source(trained.model.bundle.leads, project, now=NOW, file=mixed)
    results = []
    for size in (rows, 50_000):
        with source.at(None, progress=lambda _: None, rows=size) as leads:
            chunks = list(leads.chunks())
            frame = pd.concat([chunk.frame for chunk in chunks], ignore_index=True)
            faults = sorted(str(fault) for chunk in chunks for fault in chunk.faults)
            results.append((replace(leads, chunks=None), frame, faults))

    assert results[0][0] == results[1][0]
    assert results[0][2] == results[1][2]
    pd.testing.assert_frame_equal(results[0][1], results[1][1], check_exact=True)


def test_without_ids_the_order_of_rows_changes_no_training_set(
    tmp_path: Path, make_project: Callable[..., Places], bank_file: Path
) -> None:
    """Apart from the ids, which are then the numbers of the rows."""
    frames = []
    for name, seed in (("a", None), ("b", 1), ("c", 2)):
        project = make_project(tmp_path / name, "data.lead_id=null")
        leads = pd.read_csv(bank_file)
        rows = leads if seed is None else leads.sample(frac=1, random_state=seed)
        rows.drop(columns="id").to_csv(project.root / "data/raw/bank.csv", index=False)
        training = training_source(project, "subscribed", now=NOW).training(progress=lambda _: None)
        assert sorted(training.evidence.order) == list(range(len(leads)))
        frames.append(training.frame.drop(columns="lead_id"))
    pd.testing.assert_frame_equal(frames[0], frames[1])
    pd.testing.assert_frame_equal(frames[0], frames[2])


def test_words_for_missing_values_are_those_of_the_training(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """A project whose params have other words now gets the scores that the loaded model gives."""
    project, trained = trained_project
    changed = replace(project, params=project.params.model_copy(update={"data": DataParams(missing=("unknown", "no"))}))
    scored, _ = scored_file((changed, trained), bank_file, tmp_path / "s.csv")
    assert scored["score"].tolist() == pytest.approx(trained.model.score(pd.read_csv(bank_file))["score"].tolist())


CONTRACT = Contract((Field("age", "number", "fit"),), "id", label=Label("y", ("1",), ("0",)))
ROWS = pd.DataFrame({"id": ["a", "b", "c", "b", "d", "d"], "age": [1, 2, 3, 2, 4, 5], "y": [0, 1, 0, 1, 1, 1]})


def _source(frame: pd.DataFrame, **changed: Any) -> FlatLeads:
    contract = replace(CONTRACT, **changed.pop("contract", {}))
    return FlatLeads(FrameSource.of(frame, Dialect(), frame.columns), contract, in_memory=True, **changed)


def test_a_flat_lead_is_one_snapshot_as_of_its_creation() -> None:
    """Its label counts as mature right after it; without a date there is no instant, and the id is the group."""
    frame = pd.DataFrame({"lead_id": ["a", "b"], "created_at": [10, 20], "age": [1.0, 2.0], "split_key": ["x", "x"]})
    dated, plain = as_snapshots(frame), as_snapshots(frame[["age", "lead_id"]])

    assert dated.columns.tolist() == ["lead_id", "split_key", "as_of", "mature_at", "age"]
    assert dated[["split_key", "as_of", "mature_at"]].to_numpy().tolist() == [["x", 10, 11], ["x", 20, 21]]
    assert plain.columns.tolist() == ["lead_id", "split_key", "age"]
    assert plain["split_key"].tolist() == ["a", "b"]
    assert frame.columns.tolist() == ["lead_id", "created_at", "age", "split_key"]


def test_equal_rows_are_merged_and_contradicting_rows_are_faults() -> None:
    """Each lead is scored once or refused, and the counts add up."""
    with _source(ROWS).at(None, progress=lambda _: None, rows=2) as leads:
        chunks = list(leads.chunks())

    assert [lead for chunk in chunks for lead in chunk.frame["lead_id"]] == ["a", "b", "c"]
    assert [fault.location for chunk in chunks for fault in chunk.faults] == ["frame:5", "frame:6"]
    assert (leads.rows_read, leads.merged, leads.left_out, leads.rows) == (6, 1, 0, 5)


def test_the_rule_of_the_holdout_leaves_out_the_other_leads() -> None:
    """By the hash of the id; the label is not needed."""
    many = pd.DataFrame({"id": [f"L{at}" for at in range(200)], "age": range(200)})
    holdout = Holdout(0.25, 1)
    drawn = holdout.mask(as_snapshots(pd.DataFrame({"lead_id": many["id"]})))
    with _source(many, contract={"label": None}, holdout=holdout).at(None, progress=lambda _: None) as leads:
        found = [lead for chunk in leads.chunks() for lead in chunk.frame["lead_id"]]

    assert found == many["id"][drawn].tolist()
    assert (leads.left_out, leads.reason_left_out) == (200 - drawn.sum(), "not in the holdout of the training")


def test_one_flat_lead_is_found_by_its_id() -> None:
    """The id is text; the message says so where there is none."""
    source = _source(ROWS)

    assert source.find("b", None, progress=lambda _: None)["age"].tolist() == [2.0]
    with pytest.raises(DataError, match=r"^frame: must contain the lead '7', got no such id; ids are text, so 007 is"):
        source.find("7", None, progress=lambda _: None)
    with pytest.raises(DataError, match="must be there once, got 'd' on another row too, with other values"):
        source.find("d", None, progress=lambda _: None)


def test_a_flat_lead_has_no_other_instant() -> None:
    """Whatever is asked of it; a frame of snapshots has the instant that it was given."""
    source = _source(ROWS, instant={"as_of": "2026-01-01T00:00:00+00:00"})
    message = r"^flat leads have one snapshot each, so as_of \(--as-of\) must not be given; only dated leads have many$"

    assert source.stamp(None) == {"as_of": "2026-01-01T00:00:00+00:00"}
    with pytest.raises(LeadmlError, match=message):
        source.stamp("2026-01-01")
    with pytest.raises(LeadmlError, match=message):
        source.find("a", "2026-01-01", progress=lambda _: None)
    with pytest.raises(LeadmlError, match=message), source.at("2026-01-01", progress=lambda _: None):
        pass


@pytest.mark.parametrize(("created", "split"), [(None, RandomSplit), ("born", TimeSplit)])
def test_leads_with_dates_are_divided_by_time(created: str | None, split: type) -> None:
    """The clock of the evidence is the creation, which limits nothing."""
    frame = pd.DataFrame({"id": [f"L{at:02}" for at in range(40)], "age": range(40), "y": [0, 1] * 20})
    frame["born"] = pd.date_range("2026-01-01", periods=40, tz="UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    training = _source(frame, contract={"created_at": created}).training(progress=lambda _: None)

    assert isinstance(training.split, split)
    assert training.evidence.order.tolist() == list(range(40))
    assert (training.evidence.clock is None) == (created is None)
    if created:
        assert (training.evidence.clock.name, training.evidence.clock.is_limit) == ("created_at", False)
        assert training.evidence.clock.instants.tolist() == training.frame["as_of"].tolist()
        assert training.holdout.since == training.frame["as_of"][30]


@pytest.mark.parametrize("created", [None, "born"])
def test_the_label_of_a_flat_lead_is_that_of_the_training_for_each_of_its_scores(created: str | None) -> None:
    """Joined by id, whatever the instants of the scores; unknown leads and repeated scores are left out."""
    ids = [f"L{at:02}" for at in range(40)]
    frame = pd.DataFrame({"id": ids, "age": range(40), "y": [0, 1] * 20})
    frame["born"] = pd.date_range("2026-01-01", periods=40, tz="UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    source = _source(frame, contract={"created_at": created})
    training = source.training(progress=lambda _: None)
    fitted = dict(zip(training.frame["lead_id"], training.holdout.learnable(training.frame), strict=True))
    asked = [*ids, "unknown", *ids, *ids]
    at = np.repeat([7, 9, 7], [41, 40, 40])
    scores = ScoredPairs(np.array(asked, dtype=object), at, training.holdout, 10)
    found = source.labels(scores, progress=lambda _: None)

    assert found.columns.tolist() == ["lead_id", "as_of", "split_key", "converted", "fitted"]
    assert found[["lead_id", "as_of"]].to_numpy().tolist() == [[each, when] for when in (7, 9) for each in ids]
    assert found["converted"].tolist() == [0, 1] * 40
    assert found["fitted"].tolist() == [fitted[each] for each in ids] * 2
    assert set(fitted.values()) == {True, False}


def test_a_flat_lead_whose_rows_contradict_each_other_has_no_label() -> None:
    """As in a training the table is refused; fields do not matter, so that their columns may be missing."""
    rows = ROWS[["id", "y"]]
    scores = ScoredPairs(np.array(["a", "d"], dtype=object), np.array([1, 1]), Holdout(0.0, 0), 10)
    found = _source(rows).labels(scores, progress=lambda _: None)

    assert found[["lead_id", "converted", "fitted"]].to_numpy().tolist() == [["a", 0, True], ["d", 1, True]]
    with pytest.raises(DataError, match="must be there once, got 'b' on another row too, with another y"):
        _source(rows.assign(y=[0, 1, 0, 0, 1, 1])).labels(scores, progress=lambda _: None)


@pytest.mark.parametrize("wait_days", [None, 5])
def test_open_leads_are_those_that_a_training_leaves_out(wait_days: int | None) -> None:
    """Training takes the leads whose outcome is known; scoring open ones takes the others that have not converted."""
    days = np.arange(30) % 15
    frame = pd.DataFrame(
        {"id": [f"{at:02}" for at in range(30)], "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(days, "D")}
    )
    frame = frame.assign(x=np.arange(30), y=np.resize(["won", "LOST", "", "lost", "won "], 30))
    label = Label("y", ("won",), ("lost",), ("",), wait_days)
    contract = Contract((Field("x", "number", "fit"),), "id", "at", "UTC", label)
    table = FrameSource.of(frame, Dialect(), frame.columns)
    training = FlatLeads(table, contract, in_memory=True).training(progress=lambda _: None)
    with FlatLeads(table, contract, in_memory=True, only_open=True).at(None, progress=lambda _: None) as leads:
        scored = pd.concat([chunk.frame for chunk in leads.chunks()])
        assert (leads.left_out, leads.rows) == (len(frame) - len(scored), len(scored))
        assert leads.reason_left_out == "their outcome is known"
    known = (frame["y"] != "") & (days + (wait_days or 0) <= (14 if wait_days else 99))
    assert sorted(training.frame["lead_id"]) == frame["id"][known].tolist()
    is_won = frame["y"].str.strip() == "won"
    assert sorted(scored["lead_id"]) == frame["id"][~known & ~is_won].tolist()
    wait = max(1, (wait_days or 0) * 86_400_000_000)
    assert set(training.frame["mature_at"] - training.frame["as_of"]) == {wait}
    assert sum(training.facts.counts.values()) == (~known).sum()


def test_a_lead_of_the_future_makes_no_other_lead_old() -> None:
    """Neither in a training nor where open leads are scored: the newest possible lead says when leads were exported."""
    days = [*(f"2024-01-{day:02}" for day in range(1, 9)), "2024-01-20", "2204-05-01"]
    frame = pd.DataFrame({"id": list("abcdefghij"), "at": days}).assign(x=1, y="lost")
    contract = Contract((Field("x", "number", "fit"),), "id", "at", "UTC", Label("y", ("won",), ("lost",), (), 10))
    latest = instant("2024-02-01", timezone="UTC")
    table = FrameSource.of(frame, Dialect(), frame.columns)
    source = FlatLeads(table, contract, only_open=True, latest=latest, in_memory=True)
    assert source.training(progress=lambda _: None).frame["lead_id"].tolist() == list("abcdefgh")
    with source.at(None, progress=lambda _: None) as leads:
        assert [lead for chunk in leads.chunks() for lead in chunk.frame["lead_id"]] == ["i", "j"]


def test_outcomes_are_joined_though_some_leads_have_no_date() -> None:
    """A review reads the file as the training did."""
    frame = pd.DataFrame({"id": [f"{at:02}" for at in range(40)], "at": ["2024-01-01"] * 39 + [""], "x": 1, "y": "won"})
    contract = Contract((Field("x", "number", "fit"),), "id", "at", "UTC", Label("y", ("won",), ("lost",)))
    latest = instant("2024-02-01", timezone="UTC")
    source = FlatLeads(FrameSource.of(frame, Dialect(), frame.columns), contract, latest=latest, in_memory=True)
    pairs = ScoredPairs(np.array(["00", "39"], dtype=object), np.array([1, 1]), Holdout(0.0, 0), 10)
    assert source.labels(pairs, progress=lambda _: None)["lead_id"].tolist() == ["00"]


def test_open_leads_need_params_that_say_which_they_are(trained_project: TrainedProject, bank_file: Path) -> None:
    """Without target.open and target.wait_days, or without a project, no lead can be told to be open."""
    places, trained = trained_project
    for project in (places, None):
        with pytest.raises(LeadmlError, match=r"--open\) scores the leads that are open .*, got neither"):
            scoring_source(trained.model.bundle.leads, project, now=NOW, file=bank_file, only_open=True)


def test_of_a_file_only_the_open_leads_are_scored(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """Open leads have the scores that they have in the whole file; the others are counted."""
    places, trained = trained_project
    target = places.params.target.model_copy(update={"open": ("", "maybe")})
    project = replace(places, params=places.params.model_copy(update={"target": target, "store": None}))
    leads = pd.read_csv(bank_file, dtype=str, nrows=40)
    leads.loc[::4, "y"] = np.resize(["", "Maybe"], 10)
    leads.to_csv(tmp_path / "leads.csv", index=False)
    parts = {}
    for only_open in (False, True):
        request = ScoreRequest(tmp_path / "leads.csv", out=tmp_path / f"{only_open}.csv", only_open=only_open)
        summary = score(trained.model, request, project=project, now=NOW, progress=lambda _: None)
        parts[only_open] = read_scores(request.out).set_index("lead_id")["probability"]
    assert (summary.scored, summary.left_out, summary.reason_left_out) == (10, 30, "their outcome is known")
    assert parts[True].index.tolist() == leads["id"][::4].tolist()
    pd.testing.assert_series_equal(parts[True], parts[False][parts[True].index])
