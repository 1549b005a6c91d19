"""Scoring dated leads as of a date: each open lead once, from what was recorded by then."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.dated import NOW, day, instants, micros
from tests.frames import read_scores

from leadml.errors import DataError, LeadmlError
from leadml.jobs.explain import explain, explanation_table
from leadml.jobs.places import Places
from leadml.jobs.score import ScoreSummary, score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import Trained, train
from leadml.leads.check.activity_plan import DAY
from leadml.leads.check.instants import shown_instant
from leadml.leads.sources.source import scoring_source
from leadml.params import ScoreParams

TrainedProject = tuple[Places, Trained]
AS_OF = day(150)


def request_for(out: Path | None, **changed: Any) -> ScoreRequest:
    """Return a request for the leads of one date."""
    changed = {"as_of": AS_OF, **changed}
    as_of = None if changed["as_of"] is None else shown_instant(int(changed["as_of"]))
    return replace(ScoreRequest(out=out), **{**changed, "as_of": as_of})


def run(
    dated: TrainedProject,
    request: ScoreRequest,
    project: Places | None = None,
    *,
    now: str = NOW,
    database: str | None = None,
    **choices: int,
) -> ScoreSummary:
    """Score without a store, and return the counts."""
    places = project or dated[0]
    changed: dict[str, Any] = {"score": ScoreParams(**choices), "store": None}
    if database is not None:
        changed["output"] = places.params.output.model_copy(update={"database": database, "table": "scored"})
    places = replace(places, params=places.params.model_copy(update=changed))
    return score(dated[1].model, request, project=places, now=now, progress=lambda _: None)


@pytest.fixture(scope="module")
def scored(
    trained_dated: TrainedProject, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, ScoreSummary]:
    """Return the scores as of a date, and the counts."""
    out = tmp_path_factory.mktemp("scored") / "scored.parquet"
    summary = run(trained_dated, request_for(out))
    assert not out.with_name("scored.not_scored.csv").exists()
    return pd.read_parquet(out), summary


def test_each_open_lead_has_one_row(trained_dated: TrainedProject, scored: tuple[pd.DataFrame, ScoreSummary]) -> None:
    """Rows are sorted by id and have the date; leads outside the population are left out and counted."""
    frame, summary = scored
    leads = pd.read_parquet(trained_dated[0].root / "leads.parquet")
    outcomes = pd.read_parquet(trained_dated[0].root / "outcomes.parquet")
    moment = instants([AS_OF])[0]
    known = outcomes[(outcomes["occurred_at"] < moment) & (outcomes["recorded_at"] <= moment)]
    last = known.sort_values("occurred_at").groupby("lead_id")["outcome"].last()
    reached = set(known.loc[~known["outcome"].isin(["lost", "rejected", "churned"]), "lead_id"])
    created = set(leads.loc[leads["created_at"] < moment, "lead_id"])
    closed = set(last[last.isin(["lost", "rejected", "churned"])].index)

    assert frame["lead_id"].tolist() == sorted(created - reached - closed)
    assert set(frame["as_of"]) == {"2024-05-30T00:00:00+00:00"}
    assert set(frame["target"]) == {"mql"}
    assert (summary.scored, summary.not_scored, summary.rows) == (len(frame), 0, len(frame))
    assert summary.left_out + len(frame) == 2000
    assert list(summary.stages) == ["LEAD", "IQL", "MQL", "SQL"]
    assert summary.doubts == ()


def test_scores_are_probabilities_and_reasons_add_up(scored: tuple[pd.DataFrame, ScoreSummary]) -> None:
    """Starting point, shown reasons and everything else sum to the score, to a tenth."""
    frame, _ = scored
    parts = frame[["starting_point", "reason_1_points", "reason_2_points", "reason_3_points", "everything_else"]]

    assert frame["probability"].between(0, 1, inclusive="neither").all()
    assert frame["probability"].nunique() > 50
    assert np.abs(parts.sum(axis=1) - frame["score"]).max() <= 0.05 + 1e-9
    assert frame[["reason_1", "reason_2", "reason_3"]].notna().all(axis=None)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sources.activities.channel=null", "activities.channel was declared, and is not now; train again"),
        ("sources.leads.valid_from=null", "leads.valid_from was declared, and is not now; train again"),
        ("data.timezone=Asia/Kolkata", "data.timezone must be as it was .* it was UTC, and is Asia/Kolkata now"),
    ],
)
def test_sources_that_are_declared_differently_are_refused(
    trained_dated: TrainedProject, tmp_path: Path, override: str, message: str
) -> None:
    """Otherwise the fields would have another meaning than in the training."""
    project = Places.open(trained_dated[0].root / "params.yaml", [override], target="mql")

    with pytest.raises(LeadmlError, match=message):
        run(trained_dated, request_for(tmp_path / "s.csv"), project)
    with pytest.raises(LeadmlError, match=message):
        _explained((project, trained_dated[1]), "x", AS_OF)
    assert not (tmp_path / "s.csv").exists()


def test_a_date_in_the_future_is_refused(trained_dated: TrainedProject, tmp_path: Path) -> None:
    """One day after now is allowed, because clocks differ; one second more is refused."""
    tomorrow = micros([pd.Timestamp(NOW)])[0] + DAY
    summary = run(trained_dated, request_for(tmp_path / "s.csv", as_of=int(tomorrow)))

    assert len(summary.doubts) == 1
    assert summary.doubts[0].startswith("activities end on 2024-0")
    assert summary.doubts[0].endswith(" a week are usual, so active leads may look inactive")
    with pytest.raises(LeadmlError, match=r"as_of \(--as-of\) must not lie in the future, got 2026-01-02T00:00:01"):
        run(trained_dated, request_for(tmp_path / "s.csv", as_of=int(tomorrow) + 1_000_000))


def test_a_topic_gives_one_reason_at_most(
    scored: tuple[pd.DataFrame, ScoreSummary], trained_dated: TrainedProject
) -> None:
    """The windows of one kind of activity give one reason at most."""
    frame, _ = scored
    for words in trained_dated[0].params.features.activities.kinds.values():
        named = frame[["reason_1", "reason_2", "reason_3"]].apply(
            lambda column, words=words: column.str.contains(words)
        )
        assert named.sum(axis=1).max() <= 1


@pytest.mark.parametrize("number", [20, 90, 200])
def test_rows_that_are_recorded_later_do_not_change_scores(
    trained_dated: TrainedProject, make_dated_project: Callable[..., Places], tmp_path: Path, number: int
) -> None:
    """Tables that are cut at the date give the same rows, batch and probabilities to the bit."""
    as_of = day(number)
    project = make_dated_project(tmp_path / "cut")
    for name, clock in (("leads", "valid_from"), ("activities", "occurred_at"), ("outcomes", "occurred_at")):
        table = pd.read_parquet(project.root / f"{name}.parquet")
        is_known = (micros(table[clock]) < as_of) & (micros(table["recorded_at"]) <= as_of)
        table[is_known].to_parquet(project.root / f"{name}.parquet", index=False)
    whole = run(trained_dated, request_for(tmp_path / "whole.parquet", as_of=as_of))
    cut = run(trained_dated, request_for(tmp_path / "cut.parquet", as_of=as_of), project)

    assert whole.batch_id == cut.batch_id
    one, other = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("whole", "cut"))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert len(one) > 50


@pytest.mark.parametrize("chunk_rows", [7, 100])
def test_chunks_and_a_second_run_change_nothing(
    trained_dated: TrainedProject, scored: tuple[pd.DataFrame, ScoreSummary], tmp_path: Path, chunk_rows: int
) -> None:
    """Both give the same batch and the same rows to the bit."""
    again = run(trained_dated, request_for(tmp_path / "s.parquet"), now="2026-01-02T00:00:00Z", chunk_rows=chunk_rows)
    frame = pd.read_parquet(tmp_path / "s.parquet")

    assert again.batch_id == scored[1].batch_id
    assert set(frame["scored_at"]) == {"2026-01-02T00:00:00Z"}
    pd.testing.assert_frame_equal(
        frame.drop(columns="scored_at"), scored[0].drop(columns="scored_at"), check_exact=True
    )


def test_another_date_or_another_version_is_another_batch(
    trained_dated: TrainedProject, scored: tuple[pd.DataFrame, ScoreSummary], tmp_path: Path
) -> None:
    """The id of a batch depends on the leads, the version and the date; how many reasons are shown changes no score."""
    batches = {scored[1].batch_id}
    other = replace(trained_dated[1], model=replace(trained_dated[1].model, folder=tmp_path / "2"))
    batches.add(run(trained_dated, request_for(tmp_path / "1.parquet", as_of=AS_OF + DAY)).batch_id)
    batches.add(run(trained_dated, request_for(tmp_path / "2.parquet"), reasons=2).batch_id)
    batches.add(run((trained_dated[0], other), request_for(tmp_path / "3.parquet")).batch_id)

    assert len(batches) == 3


def test_columns_that_are_kept_are_of_the_newest_state(
    trained_dated: TrainedProject, scored: tuple[pd.DataFrame, ScoreSummary], tmp_path: Path
) -> None:
    """Whoever works the lead today; the scores are the same."""
    project = trained_dated[0]
    output = project.params.output.model_copy(update={"keep": ("email",)})
    project = replace(project, params=project.params.model_copy(update={"output": output}))
    run(trained_dated, request_for(tmp_path / "kept.parquet"), project, chunk_rows=50)
    kept = pd.read_parquet(tmp_path / "kept.parquet")

    leads = pd.read_parquet(project.root / "leads.parquet").sort_values(["valid_from", "recorded_at"], kind="stable")
    newest = leads.groupby("lead_id")["email"].last()
    assert kept["email"].tolist() == newest.reindex(kept["lead_id"]).tolist()
    same = [name for name in scored[0] if name not in {"batch_id", "scored_at"}]
    pd.testing.assert_frame_equal(kept[same], scored[0][same], check_exact=True)


def test_csv_and_parquet_contain_the_same_numbers(
    trained_dated: TrainedProject, scored: tuple[pd.DataFrame, ScoreSummary], tmp_path: Path
) -> None:
    """Every number is equal to the last digit, and the contributions sum to the scores."""
    run(trained_dated, request_for(tmp_path / "s.csv", raw=True, contributions=tmp_path / "c.parquet"))
    frame = read_scores(tmp_path / "s.csv")
    long = pd.read_parquet(tmp_path / "c.parquet")

    assert frame["lead_id"].tolist() == scored[0]["lead_id"].tolist()
    assert frame["probability"].tolist() == scored[0]["probability"].tolist()
    total = long.groupby("lead_id")["points"].sum()
    assert np.abs(total.to_numpy() - frame["score"].to_numpy()).max() < 1e-9


def test_a_database_has_each_lead_of_a_batch_once(
    trained_dated: TrainedProject, scored: tuple[pd.DataFrame, ScoreSummary], tmp_path: Path
) -> None:
    """Writing a batch twice adds no row; another date adds its rows."""
    database = f"sqlite:///{tmp_path / 'out.db'}"
    for as_of in (AS_OF, AS_OF, AS_OF + 7 * DAY):
        summary = run(trained_dated, request_for(None, as_of=as_of), database=database)
        assert not (tmp_path / "scored.csv").exists()
    with closing(sqlite3.connect(tmp_path / "out.db")) as connection:
        rows = pd.read_sql("SELECT * FROM scored ORDER BY as_of, lead_id", connection)

    first = rows[rows["batch_id"] == scored[1].batch_id].reset_index(drop=True)
    assert len(rows) == len(first) + summary.scored
    assert first["lead_id"].tolist() == scored[0]["lead_id"].tolist()
    assert first["probability"].tolist() == scored[0]["probability"].tolist()


def test_a_lead_with_a_faulty_row_is_refused_and_the_others_are_scored(
    trained_dated: TrainedProject,
    make_dated_project: Callable[..., Places],
    tmp_path: Path,
    scored: tuple[pd.DataFrame, ScoreSummary],
) -> None:
    """The faulty row is listed with its reason; so is a lead that was created in the future."""
    project = make_dated_project(tmp_path / "bad")
    leads = pd.read_parquet(project.root / "leads.parquet")
    candidates = (
        leads["lead_id"].value_counts().loc[lambda counts: counts == 1].index.intersection(scored[0]["lead_id"])
    )
    faulty, late = sorted(candidates)[:2]
    leads["created_at"] = [at.isoformat() for at in leads["created_at"]]
    leads.loc[leads["lead_id"] == faulty, "created_at"] = "soon"
    leads.loc[leads["lead_id"] == late, "created_at"] = "2099-01-01T00:00:00Z"
    leads.to_parquet(project.root / "leads.parquet", index=False)
    summary = run(trained_dated, request_for(tmp_path / "s.csv"), project)
    refused = pd.read_csv(tmp_path / "s.not_scored.csv")

    assert (summary.scored, summary.not_scored) == (len(scored[0]) - 2, 2)
    assert set(refused["lead_id"]) == {faulty, late}
    assert refused["reason"].str.contains("must be a time in ISO 8601, got 'soon'").sum() == 1
    assert refused["reason"].str.contains("must lie between 1970 and tomorrow").sum() == 1
    assert not {faulty, late} & set(pd.read_csv(tmp_path / "s.csv")["lead_id"])


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("valid_from", "soon", "must be a time in ISO 8601"),
        ("created_at", "2024-01-01T00:00:01Z", "must be the same on every row of a lead, got another at"),
    ],
)
def test_a_lead_with_one_faulty_row_is_not_scored_from_its_other_rows(
    column: str,
    value: str,
    reason: str,
    trained_dated: TrainedProject,
    make_dated_project: Callable[..., Places],
    tmp_path: Path,
    scored: tuple[pd.DataFrame, ScoreSummary],
) -> None:
    """An incomplete history would give a wrong score."""
    project = make_dated_project(tmp_path / "half")
    leads = pd.read_parquet(project.root / "leads.parquet")
    repeated = leads["lead_id"].value_counts().loc[lambda counts: counts > 1].index.intersection(scored[0]["lead_id"])
    lead_id = min(repeated)
    leads[column] = [at.isoformat() for at in leads[column]]
    leads.loc[leads.index[leads["lead_id"] == lead_id][-1], column] = value
    leads.to_parquet(project.root / "leads.parquet", index=False)
    summary = run(trained_dated, request_for(tmp_path / "s.csv"), project)

    assert (summary.scored, summary.not_scored) == (len(scored[0]) - 1, 1)
    assert lead_id not in set(pd.read_csv(tmp_path / "s.csv")["lead_id"])
    assert pd.read_csv(tmp_path / "s.not_scored.csv")["reason"].str.contains(reason).tolist() == [True]
    with pytest.raises(DataError, match=reason):
        _explained((project, trained_dated[1]), lead_id, AS_OF)


@pytest.mark.parametrize("place", ["leads.parquet", "activities.parquet", "outcomes.parquet"])
def test_the_tables_are_not_overwritten(trained_dated: TrainedProject, place: str) -> None:
    """A request to write the scores into a table of the leads is refused, and the table stays unchanged."""
    project, _ = trained_dated
    before = (project.root / place).read_bytes()
    with pytest.raises(
        LeadmlError, match="must not be the file of the leads or in their folder; write to another folder"
    ):
        run(trained_dated, request_for(project.root / place))

    assert (project.root / place).read_bytes() == before


def test_a_faulty_table_of_activities_or_outcomes_is_refused(
    trained_dated: TrainedProject, make_dated_project: Callable[..., Places], tmp_path: Path
) -> None:
    """Nothing is scored and nothing is written."""
    project = make_dated_project(tmp_path / "bad")
    outcomes = pd.read_parquet(project.root / "outcomes.parquet")
    outcomes.loc[3, "outcome"] = "woon"
    outcomes.to_parquet(project.root / "outcomes.parquet", index=False)

    with pytest.raises(
        DataError, match=r"^outcomes.parquet:4: outcome must be one of mql, .* got 'woon'; give its meaning in params"
    ):
        run(trained_dated, request_for(tmp_path / "s.csv"), project)
    assert not list(tmp_path.glob("s*"))


def test_a_date_without_leads_is_refused(trained_dated: TrainedProject, tmp_path: Path) -> None:
    """Before the first lead was created there is no lead to score, and no file is written."""
    with pytest.raises(
        LeadmlError, match="there must be leads to score, got none of 2,000 in the population at 2023-12-22"
    ):
        run(trained_dated, request_for(tmp_path / "s.csv", as_of=day(-10)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"as_of": None},
            r"as_of \(--as-of\) must give the date of the scoring of dated leads, got nothing; write",
        ),
        (
            {"file": Path("x.csv")},
            r"params.yaml: a file and held_out \(--held-out\) must not",
        ),
        (
            {"held_out": True},
            r"params.yaml: a file and held_out \(--held-out\) must not",
        ),
        ({"out": None}, r"out \(--out\) must name a file, or output.database an address, got neither"),
        ({"out": Path("s.txt")}, "must end in .parquet, .csv, .xlsx or .delta"),
        ({"contributions": Path("s.csv")}, "must differ from the other files that are written, got the same"),
    ],
)
def test_a_request_that_cannot_be_fulfilled_is_refused(
    trained_dated: TrainedProject, changed: dict[str, Any], message: str
) -> None:
    """Dates, files and destinations are checked before anything is read."""
    with pytest.raises(LeadmlError, match=message):
        run(trained_dated, request_for(**{"out": Path("s.csv"), **changed}))


def test_a_model_of_flat_leads_needs_a_file_and_no_date(
    trained_project: TrainedProject, bank_file: Path, tmp_path: Path
) -> None:
    """Flat leads have one snapshot each, so a date is refused."""
    with pytest.raises(LeadmlError, match="flat leads must be given as a file, got none; name it: leadml score FILE"):
        run(trained_project, request_for(tmp_path / "s.csv", as_of=None))
    with pytest.raises(LeadmlError, match=r"flat leads have one snapshot each, so as_of \(--as-of\) must not be given"):
        run(trained_project, request_for(tmp_path / "s.csv", file=bank_file))
    assert not list(tmp_path.iterdir())


def test_a_model_of_dated_leads_needs_dated_tables(
    trained_dated: TrainedProject, trained_project: TrainedProject, tmp_path: Path
) -> None:
    """A project of flat leads is refused."""
    with pytest.raises(LeadmlError, match="leads must be dated for this, got flat ones; declare sources and targets"):
        run(trained_dated, request_for(tmp_path / "s.csv"), trained_project[0])


@pytest.mark.parametrize("position", [0, 10, -1])
def test_an_explanation_adds_up_to_the_score(
    trained_dated: TrainedProject, scored: tuple[pd.DataFrame, ScoreSummary], position: int
) -> None:
    """The explanation as of the same date has the published probability, and every field has points."""
    row = scored[0].iloc[position]
    explained = _explained(trained_dated, row["lead_id"], AS_OF)

    assert explained.probability == row["probability"]
    assert explained.stage == row["stage"]
    assert explained.table["points"].sum() == pytest.approx(row["score"], abs=1e-9)
    assert set(explained.table["field"][1:]) == {
        field.name for field in trained_dated[1].model.bundle.leads.contract.fields
    }
    shown = explanation_table(explained).rows
    assert shown[-1][-1] == f"{row['score']:.2f}"
    assert [reason for reason, *_ in shown[1:4]] == [row[f"reason_{number}"] for number in (1, 2, 3)]


def _explained(dated: TrainedProject, lead_id: str, as_of: int) -> Any:
    source = scoring_source(dated[1].model.bundle.leads, dated[0], now=NOW)
    return explain(dated[1].model, lead_id, source=source, as_of=shown_instant(as_of), progress=lambda _: None)


def test_a_lead_outside_the_population_is_not_explained(
    trained_dated: TrainedProject, scored: tuple[pd.DataFrame, ScoreSummary]
) -> None:
    """The message distinguishes a lead that was closed from an unknown id."""
    outcomes = pd.read_parquet(trained_dated[0].root / "outcomes.parquet")
    early = outcomes[(outcomes["recorded_at"] < instants([day(100)])[0]) & (outcomes["outcome"] == "mql")]

    with pytest.raises(
        DataError,
        match=r"got one that was not in the population at 2024-05-30T00:00:00\+00:00: it .* on 2024-.*; choose",
    ):
        _explained(trained_dated, early["lead_id"].iloc[0], AS_OF)
    with pytest.raises(
        DataError, match=r"leads: must contain the lead 'nobody', got no such id; choose another date or id"
    ):
        _explained(trained_dated, "nobody", AS_OF)


def test_leads_with_one_snapshot_each_are_scored_on_the_day_after_they_came(
    make_dated_project: Callable[..., Places], tmp_path: Path
) -> None:
    """The model learns one snapshot of each lead; a scoring takes the leads of the day, and says which these are."""
    project = make_dated_project(tmp_path / "once", "snapshots.every=once")
    trained = train(project, now=NOW, progress=lambda _: None, accept_weak="few leads of a test")
    maturity, (date,) = trained.model.bundle.record.data.maturity, micros(pd.DatetimeIndex(["2024-06-04"]))
    summary = run((project, trained), request_for(tmp_path / "scores.parquet", as_of=date))
    leads = pd.read_parquet(project.root / "leads.parquet").groupby("lead_id")[["created_at", "recorded_at"]].min()
    known = leads.max(axis=1).pipe(micros)

    assert maturity.drawn == maturity.leads
    assert trained.model.evaluation.metric("roc_auc")["value"] > 0.6
    scored = set(pd.read_parquet(tmp_path / "scores.parquet")["lead_id"])
    assert scored <= set(leads.index[(known > date - DAY) & (known <= date)])
    assert len(scored) == summary.scored > 0
    assert "within 30 days of the first midnight after they came" in trained.model.bundle.leads.settings.predicts("mql")
    message = r"in the population at 2023.* that come since 2023-05-31.*snapshots.every: once"
    with pytest.raises(LeadmlError, match=message):
        run((project, trained), request_for(tmp_path / "none.parquet", as_of=date - 369 * DAY))
