from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from leadml.leads.duplicates import content_keys
from leadml.model.classifier import LeadClassifier
from leadml.model.estimator import fit_model
from leadml.params import CalibrationParams, ModelParams, SplitParams

QUICK = ModelParams(max_rounds=60, patience=20, learning_rate=0.2, leaves=(4,), leaf_penalties=(5.0,), threads=1)
EXPECTED_FAILURES: dict[str, str] = {}


@parametrize_with_checks([LeadClassifier()], expected_failed_checks=lambda _: EXPECTED_FAILURES)
def test_scikit_learns_own_checks(estimator, check):
    """The contract of an estimator, as scikit-learn has it; what is expected to fail is listed with its reason."""
    check(estimator)


def _leads(size=600, seed=0):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "visits": random.poisson(4, size).astype(float),
            "source": random.choice(["web", "fair", "partner"], size),
            "known": random.random(size) < 0.5,
        }
    )
    frame.loc[random.random(size) < 0.1, "visits"] = np.nan
    frame.loc[random.random(size) < 0.1, "source"] = None
    odds = frame["visits"].fillna(2) - 4 + (frame["source"] == "fair") + frame["known"]
    return frame, np.where(random.random(size) < 1 / (1 + np.exp(-odds)), "won", "lost")


@pytest.fixture(scope="module")
def fitted():
    """Return a classifier and the leads it learned from."""
    frame, label = _leads()
    return LeadClassifier(model=QUICK).fit(frame, label), frame, label


def test_points_add_up_to_the_probability(fitted):
    """Start and points of a lead are 100 times its probability, and the interval holds that."""
    classifier, frame, _ = fitted
    start, points = classifier.points(frame)
    probability = classifier.predict_proba(frame)[:, 1]
    assert start + points.sum(axis=1) == pytest.approx(100 * probability, abs=1e-9)
    low, high = classifier.predict_interval(frame).T
    assert (low < probability).all()
    assert (probability < high).all()
    assert (classifier.predict(frame) == np.where(probability > 0.5, "won", "lost")).all()


def test_it_is_the_model_of_the_jobs(bank_leads, bank_contract, bank_params):
    """Leads without ids and the same choices give the same numbers as `fit_model`."""
    frame = bank_leads.frame.head(1500)
    names = [field.name for field in bank_contract.fields]
    keyed = frame[[*names, "converted"]].assign(split_key=content_keys(frame[names]))
    fields = [replace(field, group="fit") for field in bank_contract.fields]
    known = fit_model(keyed, fields, bank_params.model_copy(update={"model": QUICK})).model
    booleans = [field.name for field in fields if field.kind == "boolean"]
    typed = frame[names].astype(dict.fromkeys(booleans, bool))
    classifier = LeadClassifier(model=QUICK).fit(typed, frame["converted"])
    assert classifier.model_.encoder.fields == known.encoder.fields
    assert (classifier.predict_proba(typed)[:, 1] == known.predict(frame)).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_the_order_of_the_rows_changes_nothing(fitted, seed):
    """Permuted leads give the same model."""
    classifier, frame, label = fitted
    order = np.random.default_rng(seed).permutation(len(frame))
    again = LeadClassifier(model=QUICK).fit(frame.iloc[order], label[order])
    assert (again.predict_proba(frame) == classifier.predict_proba(frame)).all()


def test_instants_let_folds_go_forward_in_time(fitted):
    """With dates the folds judge by newer leads, so that rounds grow by more."""
    _, frame, label = fitted
    instants = pd.date_range("2026-01-01", periods=len(frame), freq="h")
    dated = LeadClassifier(model=QUICK.model_copy(update={"half_lives": (0.25,)})).fit(
        frame, label, created_at=instants
    )
    assert dated.choices_["half_life"] == 0.25


def test_it_is_searched_and_validated_like_any_other(fitted):
    """Clone, cross-validation and a search over the sections of the params."""
    _, frame, label = fitted
    assert cross_val_score(LeadClassifier(model=QUICK), frame, label, scoring="roc_auc", cv=3).min() > 0.7
    folds = SplitParams(folds=3)
    assert clone(LeadClassifier(model=QUICK, split=folds)).split == folds
    grid = {"calibration": [CalibrationParams(methods=("none",)), CalibrationParams(methods=("sigmoid",))]}
    found = GridSearchCV(LeadClassifier(model=QUICK), grid, scoring="neg_log_loss", cv=2).fit(frame, label)
    assert found.best_params_["calibration"] in grid["calibration"]


def test_an_unknown_level_and_a_missing_one_are_scored(fitted):
    """What training did not see is "other", and nothing fails."""
    classifier, frame, _ = fitted
    strange = frame.head(3).assign(source=["telegraph", None, "fair"], visits=[np.nan, 1.0, 2.0])
    assert np.isfinite(classifier.predict_proba(strange)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda x, y: (x, np.full(len(y), "won")),
            "^y must hold leads of two classes, got 1 class, 'won'; bring leads",
        ),
        (lambda x, y: (x.rename(columns={"visits": "converted"}), y), "^no column may be called converted, which"),
        (lambda x, y: (x.assign(visits=np.inf), y), "^numbers must be finite, got infinity in column 'visits'$"),
        (lambda x, y: (x, np.where(np.arange(len(y)) == 0, "won", "lost")), "^each fold must be fitted on leads that"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(change, message):
    """Each refusal says what must hold and what was got."""
    with pytest.raises(ValueError, match=message):
        LeadClassifier(model=QUICK).fit(*change(*_leads(80)))
