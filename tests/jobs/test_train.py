"""Training: refusals before any fit, reproducible models, one champion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from leadml.bundle.champion import CHAMPION
from leadml.errors import BundleError, DataError, LeadmlError, ModelError
from leadml.jobs.check import check
from leadml.jobs.keep import last_batch
from leadml.jobs.places import Places
from leadml.jobs.report import model_card, warnings
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import Trained, train
from leadml.leads.check.contract import Contract
from leadml.leads.check.load import load_leads
from leadml.leads.read.files import Dialect
from leadml.leads.read.table_source import FileSource
from leadml.leads.sources.flat import as_snapshots

Make = Callable[..., Places]
NOW = "2026-01-02T03:04:05+00:00"
SMALL = ("model.max_rounds=40", "evaluation.draws=50")
SHARES = ("stages.mql={rule: share, top: 0.2}", "stages.sql={rule: share, top: 0.1}")


def ignore_progress(_: str) -> None:
    """Do nothing with the name of a step."""


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory, make_project: Make) -> Trained:
    """Return a training on the file as it is, with the project's own params."""
    return train(make_project(tmp_path_factory.mktemp("reference")), now=NOW, progress=ignore_progress)


@pytest.mark.parametrize(
    ("seed", "threads", "suffix"), [(1, 1, ".csv"), (2, 2, ".csv"), (3, 1, ".parquet"), (4, 2, ".parquet")]
)
def test_the_same_leads_make_the_same_model(
    tmp_path: Path, make_project: Make, bank_file: Path, reference: Trained, seed: int, threads: int, suffix: str
) -> None:
    """Row order, number of threads and file format change neither the model hash nor the data hash."""
    shuffled = pd.read_csv(bank_file).sample(frac=1, random_state=seed)
    path = tmp_path / f"leads{suffix}"
    shuffled.to_csv(path, index=False) if suffix == ".csv" else shuffled.to_parquet(path, index=False)
    project = make_project(tmp_path / "project", f"data.path={path}", f"model.threads={threads}")

    trained = train(project, now="2027-01-01T00:00:00+00:00", progress=ignore_progress)

    assert trained.model.bundle.model_hash == reference.model.bundle.model_hash
    assert trained.model.bundle.record.data_hash == reference.model.bundle.record.data_hash
    assert trained.model.evaluation.to_json() == reference.model.evaluation.to_json()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")  # of MLflow
def test_a_version_that_could_not_be_logged_is_not_trained(tmp_path: Path, make_project: Make) -> None:
    """Neither is it where the disk is full, or the store has a name that no disk takes; no step has begun then."""
    project, steps = make_project(tmp_path / "p", "tracking.enabled=true"), []
    store = tmp_path / "p" / "mlflow.db"
    client = MlflowClient(f"sqlite:///{store}")
    client.delete_experiment(client.create_experiment("leadml"))
    with pytest.raises(LeadmlError, match=r"^tracking\.experiment must be one that is not deleted, got 'leadml'; "):
        train(project, now=NOW, progress=steps.append)
    with pytest.raises(LeadmlError, match=r"^tracking\.experiment must be one that is not deleted, got 'leadml'; "):
        check(project, now=NOW, progress=steps.append)
    long = Places.open(tmp_path / "p" / "params.yaml", ["tracking.enabled=true", f"tracking.store={'a' * 300}.db"])
    with pytest.raises(LeadmlError, match=r"a\.db: must be writable, got File name too long$"):
        train(long, now=NOW, progress=steps.append)
    gate = project.params.gate.model_copy(update={"megabytes": 1e12})
    full = replace(project, params=project.params.model_copy(update={"gate": gate}))
    with pytest.raises(LeadmlError, match=r"^output\.models must be on a disk with 1e\+12 megabytes free, got "):
        train(full, now=NOW, progress=steps.append)

    assert steps == []
    assert not (tmp_path / "p" / "models").exists()


def test_another_seed_makes_another_model(tmp_path: Path, make_project: Make, reference: Trained) -> None:
    """Another split gives another model hash."""
    trained = train(make_project(tmp_path / "p", "split.seed=1"), now=NOW, progress=ignore_progress)

    assert trained.model.bundle.model_hash != reference.model.bundle.model_hash


def test_the_first_version_is_in_use_and_a_repeated_training_adds_none(tmp_path: Path, make_project: Make) -> None:
    """Version 1 becomes the champion; the same training gives version 1 again; another version does not replace it."""
    project = make_project(tmp_path / "p", *SMALL)
    first = train(project, now=NOW, progress=ignore_progress)
    again = train(project, now="2026-02-02T00:00:00+00:00", progress=ignore_progress)
    other = train(
        Places.open(project.root / "params.yaml", ["tracking.enabled=false", *SMALL, "split.seed=1"]),
        now=NOW,
        progress=ignore_progress,
    )

    assert [(t.model.version, t.is_new, t.champion) for t in (first, again, other)] == [
        ("1", True, "1"),
        ("1", False, "1"),
        ("2", True, "1"),
    ]
    assert project.registry.versions() == ["1", "2"]
    assert last_batch(project) is None


def test_a_leak_stops_the_training_and_is_named(tmp_path: Path, make_project: Make) -> None:
    """With the length of the call as a field nothing is trained, and the message names the field and what to do."""
    project = make_project(tmp_path / "p", *SMALL, "features.engagement.duration=number", "features.excluded={}")

    with pytest.raises(ModelError, match=r"duration .*AUC by itself is 0\.8.*suspected leak.*features\.excluded"):
        train(project, now=NOW, progress=ignore_progress)
    assert project.registry.versions() == []


def test_an_accepted_leak_is_used_and_recorded(tmp_path: Path, make_project: Make) -> None:
    """A suspected leak that params accept with a reason is used, and the version stores the reason."""
    reason = "agreed by the team for this test"
    project = make_project(
        tmp_path / "p",
        *SMALL,
        *SHARES,
        "features.engagement.duration=number",
        "features.excluded={}",
        f"leaks.accept.duration={reason}",
    )

    trained = train(project, now=NOW, progress=ignore_progress)

    assert trained.model.bundle.record.accepted_leaks == {"duration": reason}
    findings = trained.model.bundle.record.findings
    assert [finding.severity for finding in findings if finding.code == "LK2"] == ["warn"]
    assert {finding.severity for finding in findings} <= {"stop", "warn"}
    assert trained.model.evaluation.metric("roc_auc")["value"] > 0.85


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (500, r"RD1 there are 500 leads, fewer than 1,000; bring more leads, or set limits\.allow_small: true"),
        (1_001, r"RD2 there are 1\d\d leads of the rarer outcome, fewer than 120"),
    ],
)
def test_too_little_data_is_refused(
    tmp_path: Path, make_project: Make, bank_file: Path, rows: int, message: str
) -> None:
    """Fewer leads or conversions than params require are refused with both numbers."""
    leads = pd.read_csv(bank_file)
    converted = leads[leads["y"] == "yes"].head(110 if rows > 1000 else 200)
    others = leads[leads["y"] == "no"].head(rows - len(converted))
    pd.concat([converted, others]).to_csv(tmp_path / "few.csv", index=False)

    with pytest.raises(ModelError, match=message):
        train(make_project(tmp_path / "p", f"data.path={tmp_path / 'few.csv'}"), now=NOW, progress=ignore_progress)


@pytest.mark.parametrize(("points", "stamp"), [("none", "Low evidence: "), ("given", "Rule first: ")])
def test_a_model_of_few_leads_is_marked(
    tmp_path: Path, make_project: Make, bank_file: Path, points: str, stamp: str
) -> None:
    """The record, the card and the summary of a batch say that there were few leads, and whether points lead."""
    pd.read_csv(bank_file).head(900).to_csv(tmp_path / "few.csv", index=False)
    rules = [f"stages.{stage}={{rule: share, top: {top}}}" for stage, top in (("iql", 0.5), ("mql", 0.2), ("sql", 0.1))]
    project = make_project(
        tmp_path / "p",
        *SMALL,
        *rules,
        f"data.path={tmp_path / 'few.csv'}",
        "limits.allow_small=true",
        *(["baselines.points=[]"] if points == "none" else []),
    )

    trained = train(project, now=NOW, progress=ignore_progress)
    request = ScoreRequest(project.data, out=tmp_path / "scored.csv")
    scored = score(trained.model, request, project=project, now=NOW, progress=ignore_progress)

    assert trained.model.bundle.record.is_small
    assert trained.model.bundle.record.stamp.startswith(stamp)
    assert ("evidence", trained.model.bundle.record.stamp) in model_card(trained.model).rows
    assert scored.stamp == trained.model.bundle.record.stamp
    assert (trained.model.bundle.record.choices["points_terms"] > 0) == (points == "given")


def test_the_holdout_of_leads_with_dates_is_the_newest(tmp_path: Path, make_project: Make, bank_file: Path) -> None:
    """The leads of the holdout were created after the leads that the model was fitted on."""
    leads = pd.read_csv(bank_file)
    leads["created"] = (pd.Timestamp("2025-01-01") + pd.to_timedelta(leads.index, unit="h")).strftime(
        "%Y-%m-%dT%H:%M:%S"
    )
    leads.to_csv(tmp_path / "dated.csv", index=False)
    project = make_project(
        tmp_path / "p", *SMALL, f"data.path={tmp_path / 'dated.csv'}", "data.created_at=created", "data.timezone=UTC"
    )

    split = train(project, now=NOW, progress=ignore_progress).model.bundle.record.split

    assert split.name == "newest held out"
    assert split.learn.last < split.holdout.first


def test_all_faults_of_a_file_are_reported_together(tmp_path: Path, make_project: Make, bank_file: Path) -> None:
    """Wrong values, labels and rows are in one error, each with its line."""
    lines = bank_file.read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5].replace(",59,", ",old,")
    lines[9] = lines[9].removesuffix("no") + "perhaps"
    lines[11] += ",more"
    (tmp_path / "faulty.csv").write_text("\n".join(lines), encoding="utf-8")

    with pytest.raises(DataError) as refusal:
        train(make_project(tmp_path / "p", f"data.path={tmp_path / 'faulty.csv'}"), now=NOW, progress=ignore_progress)

    messages = sorted(str(refusal.value).splitlines())
    assert messages[:2] == [
        "faulty.csv:10: y must be one of 'yes', 'no', got 'perhaps'",
        "faulty.csv:12: must have 18 values as the header has, got 19; correct the row",
    ]
    assert messages[2].startswith(
        "faulty.csv:6: age must be a number with decimal mark '.', got 'old'; if it means not known"
    )
    assert len(messages) == 3


def test_a_damaged_champion_is_replaced(tmp_path: Path, make_project: Make) -> None:
    """If the version in use is damaged or missing, the next training puts its own version in use."""
    project = make_project(tmp_path / "p", *SMALL)
    train(project, now=NOW, progress=ignore_progress)
    with (project.registry.path("1") / "model.json").open("a", encoding="utf-8") as file:
        file.write(" ")
    damaged = train(project, now=NOW, progress=ignore_progress)
    (project.registry.folder / CHAMPION).write_text("9", encoding="utf-8")
    missing = train(project, now=NOW, progress=ignore_progress)

    assert (damaged.model.version, damaged.champion) == ("2", "2")
    assert (missing.model.version, missing.champion) == ("2", "2")


def test_without_ids_equal_rows_are_on_one_side_of_the_split(
    tmp_path: Path, make_project: Make, bank_file: Path
) -> None:
    """Copies of a row are all fitted on or all held out, in any order of the rows."""
    leads = pd.read_csv(bank_file).drop(columns="id")
    copied = pd.concat([leads, leads.head(1500)])
    hashes = []
    for seed in (0, 1):
        copied.sample(frac=1, random_state=seed).to_csv(tmp_path / f"{seed}.csv", index=False)
        project = make_project(
            tmp_path / f"p{seed}", *SMALL, f"data.path={tmp_path / f'{seed}.csv'}", "data.lead_id=null"
        )
        trained = train(project, now=NOW, progress=ignore_progress)
        hashes.append(trained.model.bundle.model_hash)
        fields = [field.name for field in trained.model.bundle.leads.contract.fields]
        source = FileSource(project.data, Dialect())
        frame = as_snapshots(load_leads(source, Contract.from_params(project.params)).frame)
        marked = frame.assign(held_out=trained.model.bundle.leads.holdout.mask(frame))
        assert len(marked[[*fields, "held_out"]].drop_duplicates()) == len(marked[fields].drop_duplicates())

    assert hashes[0] == hashes[1]


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory, make_project: Make) -> Places:
    """Return a project whose outcomes are drawn without any look at the leads; a test may train it."""
    project = make_project(tmp_path_factory.mktemp("noise"), *SMALL, *SHARES)
    path = next((project.root / "data" / "raw").iterdir())
    leads = pd.read_csv(path)
    leads["y"] = leads["y"].sample(frac=1, random_state=3).to_numpy()
    leads.to_csv(path, index=False)
    return project


def test_a_weak_version_is_used_only_for_a_reason_of_a_person(noise: Places) -> None:
    """Without a word it is stored and not used; with one it is stored again, used, and says so wherever it is shown."""
    refused = train(noise, now=NOW, progress=ignore_progress)
    assert (refused.model.version, refused.champion) == ("1", None)
    assert "no version is in use" in repr(refused)
    with pytest.raises(BundleError, match=r"version 1 is weak, it .* --accept-weak"):
        noise.registry.champion_path()

    accepted = train(noise, now=NOW, progress=ignore_progress, accept_weak="a first try")
    again = train(noise, now=NOW, progress=ignore_progress)
    assert [(each.model.version, each.is_new, each.champion) for each in (accepted, again)] == [
        ("2", True, "2"),
        ("1", False, "2"),
    ]
    assert accepted.model.bundle.model_hash == refused.model.bundle.model_hash
    stamp = accepted.model.bundle.record.stamp
    assert stamp.startswith("Weak: it ")
    assert stamp.endswith("It is used all the same: a first try.")
    assert stamp in warnings(accepted.model.bundle)
    assert dict(model_card(accepted.model).rows)["evidence"] == stamp
    request = ScoreRequest(file=next((noise.root / "data" / "raw").iterdir()), out=noise.root / "scores.csv")
    assert score(accepted.model, request, project=noise, now=NOW, progress=ignore_progress).stamp == stamp


def test_a_version_that_is_worth_using_keeps_no_reason(reference: Trained) -> None:
    """It has no stamp either."""
    record = reference.model.bundle.record
    assert (record.weakness, record.accepted_weak, record.stamp, record.is_usable) == ("", "", "", True)
