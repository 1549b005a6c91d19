"""Learning: a bundle follows from the training set and the choices, and what stops a training stops it before a fit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dated import NOW

from leadml.bundle.contents import Bundle
from leadml.errors import ModelError
from leadml.jobs.learn import data_hash, learn
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.leads.judge.findings import Finding
from leadml.leads.read.files import Dialect
from leadml.leads.sources.source import training_source
from leadml.leads.sources.training_set import TrainingSet
from leadml.model.predict.explain import explain_leads
from leadml.model.predict.reference import field_bins

TrainedProject = tuple[Places, Trained]
FRAME = pd.DataFrame({"lead_id": ["a", "b", "c"], "age": [1.0, np.nan, 3.0], "job": ["x", None, "y"]})


def _training(project: Places) -> TrainingSet:
    return training_source(project, project.target, now=NOW).training(progress=lambda _: None)


@pytest.fixture(scope="module")
def training(trained_project: TrainedProject) -> TrainingSet:
    """Return the training set of the trained project."""
    return _training(trained_project[0])


@pytest.fixture(scope="module")
def learned(trained_project: TrainedProject) -> Bundle:
    """Return the bundle that was learned from it."""
    return trained_project[1].model.bundle


@given(st.permutations(range(3)))
def test_the_hash_of_rows_is_that_of_their_values_in_order(order: list[int]) -> None:
    """The same frame has the same hash, and rows in another order another; the source sorts them."""
    same = data_hash(FRAME.iloc[order].reset_index(drop=True)) == data_hash(FRAME)

    assert same == (order == [0, 1, 2])
    assert data_hash(FRAME.copy()) == data_hash(FRAME)
    assert len(data_hash(FRAME.head(0))) == 64


@pytest.mark.parametrize(
    "changed",
    [
        FRAME.assign(age=[1.0, np.nan, np.nextafter(3.0, 4)]),
        FRAME.assign(job=["x", "None", "y"]),
        FRAME.assign(lead_id=["a", "b", "d"]),
        FRAME.head(2),
    ],
)
def test_any_other_value_gives_another_hash(changed: pd.DataFrame) -> None:
    """However small the difference; a missing value is not its word."""
    assert data_hash(changed) != data_hash(FRAME)


def test_the_record_is_that_of_the_rows_and_choices(
    learned: Bundle, training: TrainingSet, trained_project: TrainedProject
) -> None:
    """Counts, hashes, sizes of both parts, and what params exclude and accept."""
    record, parts, params = learned.record, training.parts(), trained_project[0].params

    assert (record.rows, record.conversions) == (len(training.frame), training.frame["converted"].sum())
    assert record.data_hash == data_hash(training.frame)
    written = json.dumps(params.as_written(), sort_keys=True)
    assert record.params_hash == hashlib.sha256(written.encode()).hexdigest()
    assert (record.data, record.unit, record.is_small) == (training.facts, "leads", False)
    assert (record.excluded, record.accepted_leaks) == (params.features.excluded, params.leaks.accept)
    for part, frame in ((record.split.learn, parts.learn), (record.split.holdout, parts.holdout)):
        assert (part.rows, part.conversions, part.first) == (len(frame), frame["converted"].sum(), None)
    assert len(record.split.folds) == params.split.folds
    assert {finding.severity for finding in record.findings} <= {"warn"}


def test_a_bundle_reads_leads_as_the_training_did_without_the_label(
    learned: Bundle, training: TrainingSet, trained_project: TrainedProject
) -> None:
    """Contract, settings, dialect and the rule of the holdout."""
    assert learned.leads.contract == replace(training.contract, label=None)
    assert training.contract.label is not None
    assert (learned.leads.settings, learned.leads.holdout) == (training.settings, training.holdout)
    assert learned.leads.dialect == Dialect.from_params(trained_project[0].params.data)
    assert learned.target == "subscribed"


def test_grade_bands_and_bins_are_those_of_the_rows_that_were_fitted_on(learned: Bundle, training: TrainingSet) -> None:
    """The bands are the quartiles of the points of each group."""
    learn_rows = training.parts().learn
    explanation = explain_leads(learned.model, learned.model.encoder.fields_of(learn_rows))
    bands = learned.stages.bands

    for group, quartiles in (("fit", bands.fit), ("engagement", bands.engagement)):
        assert quartiles == pytest.approx(np.quantile(explanation.group_points(group), [0.25, 0.5, 0.75]))
    profile = learned.profile
    assert profile.bins == field_bins(learned.model.encoder.fields_of(learn_rows), learned.model.encoder)
    assert profile.counts.rows == profile.counts.scored == len(learn_rows)


def test_slices_of_the_review_must_be_fields_of_the_model(
    training: TrainingSet, trained_project: TrainedProject
) -> None:
    """It is refused before a fit: what is not counted in the training cannot be compared later."""
    params = trained_project[0].params
    changed = params.model_copy(update={"review": params.review.model_copy(update={"slices": ("country",)})})
    steps: list[str] = []
    with pytest.raises(ModelError, match=r"^review.slices must name fields of the model, got 'country'; declare it in"):
        learn(training, changed, target="subscribed", trained_at=NOW, progress=steps.append)

    assert steps == ["looking for leaks"]


def test_the_evaluation_is_that_of_the_holdout(learned: Bundle, training: TrainingSet) -> None:
    """By the model that was learned, at its cuts."""
    holdout = training.parts().holdout
    probability, label = learned.model.predict(holdout), holdout["converted"].to_numpy()
    evaluation = learned.evaluation

    assert (evaluation.leads, evaluation.conversions) == (len(holdout), label.sum())
    loss = -np.where(label == 1, np.log(probability), np.log1p(-probability)).mean()
    assert evaluation.metric("log_loss")["value"] == pytest.approx(loss)
    for cut in learned.stages.cuts:
        stage = evaluation.stages[(evaluation.stages["stage"] == cut.stage) & (evaluation.stages["figure"] == "share")]
        assert stage["value"].item() == pytest.approx((probability >= cut.probability).mean())


def test_dated_leads_have_their_settings_and_the_counts_of_their_activities(trained_dated: TrainedProject) -> None:
    """Scoring compares later tables with the counts, and both parts have dates."""
    project, trained = trained_dated
    bundle, training = trained.model.bundle, _training(project)

    assert bundle.leads.rows_by_kind == training.facts.rows_by_kind != {}
    assert bundle.leads.settings == training.settings
    assert bundle.record.data_hash == data_hash(training.frame)
    split = bundle.record.split
    assert split.learn.last < training.holdout.since <= split.holdout.first


def test_a_stop_ends_the_training_before_a_fit(training: TrainingSet, trained_project: TrainedProject) -> None:
    """Each finding that stops is one line; the steps end with the search for leaks."""
    steps: list[str] = []
    stop = Finding("DT2", "stop", "outcomes are late", "raise the settling")
    few = replace(
        training, frame=training.frame.head(500), findings=(stop,), evidence=training.evidence.part(range(500))
    )
    with pytest.raises(ModelError, match=r"^DT2 outcomes are late; raise the settling\nRD1 there are 500 leads, fewer"):
        learn(few, trained_project[0].params, target="subscribed", trained_at=NOW, progress=steps.append)

    assert steps == ["looking for leaks"]
