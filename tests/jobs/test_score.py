"""Scoring flat leads: each lead once, the same score from every format, and no incomplete file."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.frames import read_scores

from leadml.bundle.model import load
from leadml.bundle.saved_cuts import SavedCuts, saved_folder, saved_text
from leadml.errors import DataError, LeadmlError
from leadml.jobs.places import Places
from leadml.jobs.score import ScoreSummary, score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import Trained
from leadml.leads.check.contract import Contract
from leadml.leads.check.load import load_leads
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.params import ScoreParams
from leadml.publish.sinks import batch_rows

TrainedProject = tuple[Places, Trained]
NUMBERS = ["probability", "score", "fit", "engagement", "starting_point", "everything_else"]


def request_for(source: Path, out: Path, **changes: object) -> ScoreRequest:
    """Return a request to score a file."""
    return replace(ScoreRequest(source, out=out), **changes)


def run(
    project: Places, request: ScoreRequest, *, threads: int = 0, chunk_rows: int = 50_000
) -> tuple[pd.DataFrame, ScoreSummary]:
    """Score without a store, and return the published rows sorted by id, and the counts."""
    choices = project.params.model_copy(update={"score": ScoreParams(chunk_rows=chunk_rows), "store": None})
    model = load(project.registry.path("1"), threads=threads)
    places = replace(project, params=choices)
    summary = score(model, request, project=places, now="2026-01-01T00:00:00+00:00", progress=lambda _: None)
    readers = {
        ".parquet": pd.read_parquet,
        ".csv": read_scores,
        ".xlsx": partial(pd.read_excel, engine="calamine", dtype={"lead_id": str}),
    }
    return readers[request.out.suffix](request.out).sort_values("lead_id", ignore_index=True), summary


@pytest.fixture(scope="module")
def published(
    trained_project: TrainedProject, tmp_path_factory: pytest.TempPathFactory
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of all bundled leads and their contributions."""
    project, _ = trained_project
    folder = tmp_path_factory.mktemp("published")
    request = request_for(project.data, folder / "scored.parquet", contributions=folder / "long.parquet")
    scored, _ = run(project, request)
    return scored, pd.read_parquet(folder / "long.parquet")


@pytest.mark.parametrize(
    ("suffix", "out", "chunk_rows", "threads", "seed"),
    [
        (".csv", "scored.csv", 1_000, 1, None),
        (".csv", "scored.parquet", 7, 2, 1),
        (".parquet", "scored.parquet", 997, 1, 2),
        (".parquet", "scored.csv", 50_000, 2, 3),
        (".csv.gz", "scored.parquet", 3_000, 2, 4),
    ],
)
def test_a_score_depends_on_the_lead_alone(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path, published: tuple[pd.DataFrame, pd.DataFrame],
    suffix: str, out: str, chunk_rows: int, threads: int, seed: int | None,
) -> None:  # fmt: skip
    """Format, chunk size, threads, order of rows and order of columns change no bit of a number and no reason."""
    leads = pd.read_csv(bank_file)
    if seed is not None:
        leads = leads.sample(frac=1, random_state=seed).sample(frac=1, axis=1, random_state=seed)
    if chunk_rows == 7:
        leads = leads.head(200)
    source = tmp_path / f"leads{suffix}"
    leads.to_parquet(source, index=False) if suffix == ".parquet" else leads.to_csv(source, index=False)

    scored, summary = run(
        trained_project[0], request_for(source, tmp_path / out, raw=True), threads=threads, chunk_rows=chunk_rows
    )

    expected = published[0]
    expected = expected[expected["lead_id"].isin(set(leads["id"].astype(str)))].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        scored.drop(columns=["batch_id", "previous_stage"]).astype(object),
        expected.drop(columns=["batch_id", "previous_stage"]).astype(object),
        check_exact=True,
    )
    assert summary.scored == len(leads)


def test_leads_of_all_formats_give_the_same_file_to_the_byte(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """CSV, tabs, Excel, JSON lines and Parquet, at the same instant."""
    leads = pd.read_csv(bank_file).head(300)
    leads.to_csv(tmp_path / "a.csv", index=False)
    leads.to_csv(tmp_path / "b.tsv", index=False, sep="\t")
    leads.to_excel(tmp_path / "c.xlsx", index=False)
    leads.to_json(tmp_path / "d.jsonl", orient="records", lines=True)
    leads.to_parquet(tmp_path / "e.parquet", index=False)
    files = sorted(tmp_path.iterdir())
    written = []
    for file in files:
        run(trained_project[0], request_for(file, tmp_path / "scored.parquet"))
        written.append((tmp_path / "scored.parquet").read_bytes())
    assert len(files) == 5
    assert len(set(written)) == 1


def test_points_add_up_to_the_probability_of_every_lead(published: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """The points of a lead and its starting point sum to 100 times its probability, to 1e-9."""
    scored, long = published
    total = long.groupby("lead_id")["points"].sum().reindex(scored["lead_id"]).to_numpy()

    assert np.abs(total - 100 * scored["probability"]).max() <= 1e-9
    assert long.columns.tolist() == ["lead_id", "field", "group", "value", "log_odds", "points"]
    assert (long.groupby("lead_id").size() == 16).all()
    start = long[long["field"] == "starting point"]["points"].iloc[0]
    assert np.allclose(start + scored["fit"] + scored["engagement"], scored["score"], rtol=0, atol=1e-9)


def test_the_points_of_a_row_add_up_to_its_score(published: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Starting point, shown reasons and everything else sum to the rounded score, to a tenth."""
    scored, _ = published
    shown = scored[["starting_point", "reason_1_points", "reason_2_points", "reason_3_points", "everything_else"]]

    assert (np.rint(10 * shown).sum(axis=1) == np.rint(10 * scored["score"])).all()


def test_stages_follow_the_cuts(published: tuple[pd.DataFrame, pd.DataFrame], trained_project: TrainedProject) -> None:
    """A lead is in the highest stage whose cut its probability reaches."""
    scored, _ = published
    cuts = trained_project[1].model.cuts

    for stage, higher in (("IQL", "MQL"), ("MQL", "SQL")):
        inside = (scored["probability"] >= cuts[stage]) & (scored["probability"] < cuts[higher])
        assert set(scored.loc[inside, "stage"]) == {stage}
    assert set(scored.loc[scored["probability"] >= cuts["SQL"], "stage"]) == {"SQL"}
    assert set(scored.loc[scored["probability"] < cuts["IQL"], "stage"]) == {"LEAD"}
    assert scored["grade"].str.fullmatch("[A-D][1-4]").all()


def test_faulty_rows_are_listed_and_the_others_scored(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """Every row is scored or listed with a reason; repeated rows are merged and contradicting rows refused."""
    lines = bank_file.read_text(encoding="utf-8").splitlines()[:101]
    lines[3] = lines[3].replace(",35,", ",thirty,")
    lines[4] += ",more"
    lines[5] = "," + lines[5].split(",", 1)[1]
    lines += [lines[20], lines[30].replace(",no,", ",yes,", 1)]
    source = tmp_path / "mixed.csv"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")

    scored, summary = run(trained_project[0], request_for(source, tmp_path / "scored.csv"))

    listed = pd.read_csv(tmp_path / "scored.not_scored.csv", dtype=str, keep_default_na=False)
    assert (summary.merged, summary.rows, summary.scored, summary.not_scored) == (1, 101, 96, 5)
    assert len(scored) == 96
    assert listed["where"].tolist() == [f"mixed.csv:{line}" for line in (5, 6, 4, 31, 103)]
    assert listed["reason"].tolist()[:3] == [
        "must have 18 values as the header has, got 19; correct the row",
        "must be an id of 1 to 256 characters as text or whole number, got nothing",
        "must be a number with decimal mark '.', got 'thirty'; if it means not known, add 'thirty' to data.missing",
    ]
    (lead,) = set(listed["lead_id"].tolist()[3:])
    assert set(listed["reason"].tolist()[3:]) == {
        f"must be there once, got '{lead}' on another row too, with other values; keep the right row"
    }
    assert set(listed["column"].tolist()[3:]) == {"id"}


def test_categories_are_the_same_from_csv_and_from_parquet(
    tmp_path: Path, bank_file: Path, bank_contract: Contract
) -> None:
    """Numbers and booleans in category columns become the same text from both formats."""
    leads = pd.read_csv(bank_file).head(50)
    leads["job"], leads["marital"] = np.arange(50) / 2, np.arange(50) % 3 == 0
    leads.loc[3, "job"] = np.nan
    leads.to_csv(tmp_path / "a.csv", index=False)
    leads.to_parquet(tmp_path / "a.parquet", index=False)

    frames = [
        load_leads(FileSource(tmp_path / name, Dialect()), bank_contract).frame for name in ("a.csv", "a.parquet")
    ]

    pd.testing.assert_frame_equal(*frames)
    assert frames[0]["marital"].unique().tolist() == ["true", "false"]


def test_a_file_without_faults_has_no_list_of_refused_rows(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """A list of an earlier run is removed."""
    stale = tmp_path / "scored.not_scored.csv"
    stale.write_text("old", encoding="utf-8")

    run(trained_project[0], request_for(bank_file, tmp_path / "scored.csv"))

    assert not stale.exists()


def test_links_to_scores_and_refused_rows_stay_links(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """Who reads the files that they lead to finds the new scores, and no old list of refused rows."""
    (tmp_path / "share").mkdir()
    for name in ("scored.csv", "scored.not_scored.csv"):
        (tmp_path / "share" / name).write_text("old", encoding="utf-8")
        (tmp_path / name).symlink_to(f"share/{name}")

    run(trained_project[0], request_for(bank_file, tmp_path / "scored.csv"))

    assert [path.name for path in (tmp_path / "share").iterdir()] == ["scored.csv"]
    assert len(read_scores(tmp_path / "share" / "scored.csv")) > 0
    assert (tmp_path / "scored.csv").is_symlink()
    assert (tmp_path / "scored.not_scored.csv").is_symlink()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_no_leads_make_an_empty_result_with_every_column(
    tmp_path: Path,
    trained_project: TrainedProject,
    bank_file: Path,
    published: tuple[pd.DataFrame, pd.DataFrame],
    suffix: str,
) -> None:
    """A file with a header only gives an empty result."""
    nobody = pd.read_csv(bank_file).head(0)
    source = tmp_path / f"nobody{suffix}"
    nobody.to_parquet(source, index=False) if suffix == ".parquet" else nobody.to_csv(source, index=False)

    scored, summary = run(trained_project[0], request_for(source, tmp_path / "scored.parquet"))

    assert (summary.rows, summary.scored, len(scored)) == (0, 0, 0)
    assert scored.columns.tolist() == published[0].columns.tolist()


def test_the_holdout_can_be_scored_alone(tmp_path: Path, trained_project: TrainedProject) -> None:
    """All other leads are left out and counted."""
    project, trained = trained_project

    scored, summary = run(project, request_for(project.data, tmp_path / "scored.csv", held_out=True))

    assert len(scored) == trained.model.evaluation.leads
    assert summary.left_out == trained.model.bundle.record.split.learn.rows
    assert summary.rows == summary.scored


def test_scoring_prints_nothing(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The counts are returned; the command line prints them."""
    run(trained_project[0], request_for(bank_file, tmp_path / "scored.csv"))

    assert tuple(capfd.readouterr()) == ("", "")


def test_a_missing_column_is_refused_with_the_nearest_name(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """The message names the missing column and the nearest existing one, and nothing is written."""
    pd.read_csv(bank_file).rename(columns={"balance": "Balance"}).to_csv(tmp_path / "leads.csv", index=False)

    with pytest.raises(
        DataError, match=r"leads\.csv: must have a column 'balance', got none; the nearest is 'Balance'"
    ):
        run(trained_project[0], request_for(tmp_path / "leads.csv", tmp_path / "scored.csv"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["leads.csv"]


def test_a_truncated_file_leaves_the_earlier_result(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """If reading fails in the middle, the earlier result keeps its bytes and no temporary file remains."""
    whole = gzip.compress(bank_file.read_bytes())
    (tmp_path / "leads.csv.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "scored.csv").write_text("earlier", encoding="utf-8")

    with pytest.raises(DataError, match=r"leads\.csv\.gz: must be a whole gzip file"):
        run(trained_project[0], request_for(tmp_path / "leads.csv.gz", tmp_path / "scored.csv"), chunk_rows=100)
    assert (tmp_path / "scored.csv").read_text(encoding="utf-8") == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["leads.csv.gz", "scored.csv"]


def test_an_unknown_suffix_is_refused_before_any_work(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """Only CSV and Parquet are written."""
    with pytest.raises(LeadmlError, match=r"must end in \.parquet, \.csv, \.xlsx or \.delta, got 'scored\.txt'"):
        run(trained_project[0], request_for(bank_file, tmp_path / "scored.txt"))


def test_a_result_overwrites_neither_the_leads_nor_another_result(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path
) -> None:
    """The file of the leads, their folder, and a file that the same job writes are refused."""
    leads = tmp_path / "leads"
    leads.mkdir()
    (leads / "a.csv").write_bytes(bank_file.read_bytes())
    out = tmp_path / "scored.csv"

    for request in (request_for(leads / "a.csv", leads / "a.csv"), request_for(leads, leads / "scored.csv")):
        with pytest.raises(LeadmlError, match=r"csv: must not be the file of the leads or in their folder"):
            run(trained_project[0], request)
    for path in (out, tmp_path / "scored.not_scored.csv"):
        with pytest.raises(LeadmlError, match=r"csv: must differ from the other files that are written, got the same"):
            run(trained_project[0], request_for(bank_file, out, contributions=path))
    assert (leads / "a.csv").read_bytes() == bank_file.read_bytes()


def test_a_folder_is_scored_as_one_file(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path, published: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Files of several formats in one folder, one of them empty, are scored together."""
    leads = pd.read_csv(bank_file)
    (tmp_path / "in").mkdir()
    leads.head(0).to_csv(tmp_path / "in" / "a.csv", index=False)
    leads.head(2000).to_parquet(tmp_path / "in" / "b.parquet", index=False)
    leads.tail(-2000).to_csv(tmp_path / "in" / "c.csv.gz", index=False)

    scored, summary = run(trained_project[0], request_for(tmp_path / "in", tmp_path / "scored.parquet"))

    assert summary.scored == len(leads)
    assert scored["probability"].tolist() == published[0]["probability"].tolist()


def test_extreme_values_give_a_probability(tmp_path: Path, trained_project: TrainedProject, bank_file: Path) -> None:
    """Infinite, huge, missing and unknown values give a probability in (0, 1); unknown levels are counted."""
    leads = pd.read_csv(bank_file, dtype=str).head(6)
    leads["age"] = ["inf", "-1e400", "1e308", "", "5e-324", "nan"]
    leads["job"] = ["astronaut", "", "admin.", "=cmd()", "<script>", "x" * 5000]
    leads.to_csv(tmp_path / "strange.csv", index=False)

    scored, summary = run(trained_project[0], request_for(tmp_path / "strange.csv", tmp_path / "scored.parquet"))

    assert scored["probability"].between(0, 1, inclusive="neither").all()
    assert summary.unknown_levels["job"] == 4


def test_leads_of_the_holdout_are_like_those_of_the_training(tmp_path: Path, trained_project: TrainedProject) -> None:
    """No warning: the findings say that it was judged; 200 of the leads that were fitted on give none either."""
    project, _ = trained_project
    for changes in ({"held_out": True}, {}):
        _, summary = run(project, request_for(project.data, tmp_path / "s.csv", **changes))

        assert [(finding.code, finding.severity) for finding in summary.changes] == [("RV0", "passed")]
        assert summary.warnings == ()
        assert summary.counts.rows == summary.counts.scored == summary.scored


@pytest.mark.parametrize("chunk_rows", [7, 300, 50_000])
def test_counts_do_not_depend_on_chunks(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path, chunk_rows: int
) -> None:
    """Each lead is counted once, and refused rows are not."""
    leads = pd.read_csv(bank_file, dtype=str).head(400)
    leads.loc[5, "age"] = "old"
    leads.to_csv(tmp_path / "leads.csv", index=False)
    request = request_for(tmp_path / "leads.csv", tmp_path / "s.parquet")

    scored, summary = run(trained_project[0], request, chunk_rows=chunk_rows)

    counts, model = summary.counts, trained_project[1].model
    assert (counts.rows, summary.not_scored) == (399, 1)
    assert counts.mean_probability == pytest.approx(scored["probability"].mean(), abs=1e-6)
    assert counts.stages == {stage: int((scored["stage"] == stage).sum()) for stage in ("LEAD", *model.cuts)}
    levels = dict(zip(model.bundle.profile.bins["job"].levels, counts.fields["job"].bins, strict=False))
    assert levels == leads.drop(index=5)["job"].value_counts().reindex(list(levels), fill_value=0).to_dict()


PLANTED = {
    "a field is empty": (lambda leads: leads.assign(balance=""), "RV1", "balance"),
    "another unit": (lambda leads: leads.assign(balance=leads["balance"] + "000"), "RV3", "balance"),
    "a new level": (
        lambda leads: leads.assign(job=leads["job"].where(leads.index % 5 > 0, "astronaut")), "RV4", "job",
    ),
    "other leads": (lambda leads: leads.assign(month="oct"), "RV5", "month"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_change_of_a_field_is_found(
    tmp_path: Path, trained_project: TrainedProject, bank_file: Path, name: str
) -> None:
    """By the finding of its kind, and by no other of the field; the scores are written all the same."""
    plant, code, field = PLANTED[name]
    leads = pd.read_csv(bank_file, dtype=str).sample(1000, random_state=0).reset_index(drop=True)
    plant(leads).to_csv(tmp_path / "leads.csv", index=False)

    scored, summary = run(trained_project[0], request_for(tmp_path / "leads.csv", tmp_path / "s.csv"))

    assert len(scored) == 1000
    of_field = [(finding.code, finding.severity) for finding in summary.changes if finding.field]
    assert of_field == [(code, "warn")]
    assert summary.changes[0].field == field
    assert summary.warnings[0].startswith(f"{code} {field} is " if code != "RV4" else "RV4 job has a level")


def test_leads_that_are_all_of_one_stage_are_found(
    tmp_path: Path, trained_project: TrainedProject, published: tuple[pd.DataFrame, pd.DataFrame], bank_file: Path
) -> None:
    """200 of 200 leads in SQL, by a line for the fields that differ and one for the stages."""
    best = published[0].sort_values("probability", ascending=False)["lead_id"].head(200)
    leads = pd.read_csv(bank_file, dtype=str)
    leads[leads["id"].isin(set(best))].to_csv(tmp_path / "leads.csv", index=False)

    _, summary = run(trained_project[0], request_for(tmp_path / "leads.csv", tmp_path / "s.csv"))

    assert summary.stages["SQL"] == 200
    assert [line[:3] for line in summary.warnings] == ["RV5", "RV7"]
    assert "RV7 all 200 leads are in SQL by the cuts; in the training " in summary.warnings[1]


def test_stages_by_saved_cuts_are_compared_with_what_the_same_cuts_gave(
    tmp_path: Path, trained_project: TrainedProject
) -> None:
    """Other cuts change the share of each stage, and that is no change of the leads."""
    project, trained = trained_project
    model = trained.model
    lower = tuple(replace(cut, probability=cut.probability / 4) for cut in model.bundle.stages.cuts)
    by_hand = replace(model, bundle=replace(model.bundle, stages=replace(model.bundle.stages, cuts=lower)))
    folder = Path(shutil.copytree(model.folder, tmp_path / "1"))
    file = saved_folder(folder) / "1.json"
    file.parent.mkdir()
    text = saved_text(SavedCuts(1, lower, None, "2026-01-01T00:00:00+00:00"), model.manifest.model_hash)
    file.write_text(text, encoding="utf-8")
    request = request_for(project.data, tmp_path / "s.csv")
    places = replace(project, params=project.params.model_copy(update={"store": None}))
    codes = {}
    for number, version in enumerate((by_hand, load(folder))):
        summary = score(version, request, project=places, now="2026-01-01T00:00:00+00:00", progress=lambda _: None)
        codes[number] = [finding.code for finding in summary.changes]

    assert codes == {0: ["RV7"], 1: ["RV0"]}


def _keep(project: Places, *names: str) -> Places:
    output = project.params.output.model_copy(update={"keep": names})
    return replace(project, params=project.params.model_copy(update={"output": output}))


@pytest.mark.parametrize(("suffix", "chunk_rows"), [(".csv", 50_000), (".parquet", 7), (".xlsx", 100)])
def test_columns_that_are_kept_stand_beside_the_id(
    trained_project: TrainedProject, bank_file: Path, tmp_path: Path, suffix: str, chunk_rows: int
) -> None:
    """As they are written, a field among them; no score changes, and neither does who repeats whom."""
    leads = pd.read_csv(bank_file, dtype=str).head(300)
    leads["Owner"] = [None if at % 7 == 0 else f" Ada {at:03} " for at in range(300)]
    leads = pd.concat([leads, leads.head(2).assign(Owner="Bob")])
    leads.to_csv(tmp_path / "leads.csv", index=False)
    request = request_for(tmp_path / "leads.csv", tmp_path / "plain.parquet")
    plain, without = run(trained_project[0], request)
    kept = _keep(trained_project[0], "Owner", "job")
    run(kept, replace(request, out=tmp_path / f"kept{suffix}"), chunk_rows=chunk_rows)
    scored, summary = run(kept, replace(request, out=tmp_path / "kept.parquet"), chunk_rows=chunk_rows)

    assert list(scored)[:4] == ["lead_id", "Owner", "job", "target"]
    assert (summary.scored, summary.merged) == (300, 2)
    owners = leads.head(300).set_index("id")["Owner"].str.strip().reindex(scored["lead_id"])
    assert scored["Owner"].tolist() == owners.where(owners.notna(), None).tolist()
    pd.testing.assert_frame_equal(
        scored.drop(columns=["Owner", "job", "batch_id"]), plain.drop(columns="batch_id"), check_exact=True
    )
    assert summary.batch_id != without.batch_id
    (part,) = batch_rows(tmp_path / f"kept{suffix}", summary.batch_id)
    assert part.set_index("lead_id")["Owner"].to_dict() == owners.fillna("" if suffix != ".parquet" else None).to_dict()


def test_other_values_of_a_kept_column_are_another_batch(
    trained_project: TrainedProject, bank_file: Path, tmp_path: Path
) -> None:
    """The rows differ, so their batch must."""
    batches = set()
    for owner in ("Ada", "Bob"):
        pd.read_csv(bank_file, dtype=str).head(20).assign(Owner=owner).to_csv(tmp_path / "leads.csv", index=False)
        request = request_for(tmp_path / "leads.csv", tmp_path / "scored.csv")
        batches.add(run(_keep(trained_project[0], "Owner"), request)[1].batch_id)

    assert len(batches) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Owner", r"bank\.csv: must have a column 'Owner', got none.*; set output\.keep"),
        ("score", "output.keep must not name a column of the scores, got 'score'; leave it out or rename it"),
    ],
)
def test_a_column_that_cannot_be_kept_is_refused(
    trained_project: TrainedProject, bank_file: Path, tmp_path: Path, name: str, message: str
) -> None:
    """Before any file is written."""
    leads = pd.read_csv(bank_file, dtype=str).head(20).assign(score="7")
    leads.to_csv(tmp_path / "bank.csv", index=False)
    with pytest.raises(LeadmlError, match=message):
        run(_keep(trained_project[0], name), request_for(tmp_path / "bank.csv", tmp_path / "scored.csv"))
    assert [path.name for path in tmp_path.iterdir()] == ["bank.csv"]
