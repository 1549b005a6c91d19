"""The classifier inside scikit-learn's tools: each gives what the same steps by hand give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from leadml.model.classifier import LeadClassifier

pytestmark = pytest.mark.slow

QUICK = {"max_rounds": 20, "learning_rate": 0.3, "leaf_penalties": (5.0,), "threads": 1}
QUICK |= {"linear_strengths": (0.1,), "leaves": (3,)}
FOLDS = {"folds": 2}
NUMBERS = ["age", "balance", "campaign", "pdays", "previous"]
TEXTS = ["job", "contact", "month", "poutcome"]


@pytest.fixture(scope="module")
def leads(bank_file):
    """Return numbers and texts of 250 of the bundled leads, one missing, and whether each subscribed."""
    bank = pd.read_csv(bank_file).head(250)
    frame = bank[[*NUMBERS, *TEXTS]].copy()
    frame.loc[7, "job"] = None
    return frame, bank["y"]


@pytest.fixture(scope="module")
def fitted(leads):
    """Return a classifier of these leads."""
    return _quick().fit(*leads)


def _quick(**changes):
    return LeadClassifier(model=QUICK | changes, split=FOLDS)


def _passed_through(output):
    steps = [("all", "passthrough", [*NUMBERS, *TEXTS])]
    return ColumnTransformer(steps, verbose_feature_names_out=False).set_output(transform=output)


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
def test_a_pipeline_that_passes_through_changes_nothing(leads, fitted, output):
    """After a transformer that returns arrays of objects, frames of pandas or of Polars, probabilities are the same."""
    frame, label = leads
    pipeline = make_pipeline(_passed_through(output), _quick()).fit(frame, label)
    kinds = [field.kind for field in pipeline[-1].model_.encoder.fields]
    assert kinds == ["number"] * len(NUMBERS) + ["category"] * len(TEXTS)
    assert (pipeline.predict_proba(frame) == fitted.predict_proba(frame)).all()
    assert (pipeline.predict(frame) == fitted.predict(frame)).all()


@pytest.mark.parametrize("output", ["default", "pandas", "polars"])
def test_a_pipeline_is_its_steps_by_hand(leads, output):
    """Encoded texts beside numbers give the probabilities of a frame that is encoded by hand."""
    frame, label = leads
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("codes", encoder, TEXTS)], remainder="passthrough").set_output(transform=output)
    pipeline = Pipeline([("columns", columns), ("classifier", _quick())]).fit(frame, label)
    by_hand = np.column_stack([clone(encoder).fit_transform(frame[TEXTS]), frame[NUMBERS]])
    expected = _quick().fit(by_hand, label).predict_proba(by_hand)
    assert (pipeline.predict_proba(frame) == expected).all()


def test_a_sparse_matrix_is_refused_with_what_to_do(leads):
    """The one-hot encoder returns one unless it is told otherwise."""
    frame, label = leads
    with pytest.raises(TypeError, match=r"^Sparse data was passed.*, but dense data is required"):
        make_pipeline(OneHotEncoder(), _quick()).fit(frame[TEXTS], label)
    dense = OneHotEncoder(sparse_output=False).set_output(transform="pandas")
    assert make_pipeline(dense, _quick()).fit(frame[TEXTS], label).classes_.tolist() == ["no", "yes"]


def test_a_bag_of_one_classifier_is_the_classifier(leads, fitted):
    """Without a bootstrap the bag holds every row, in another order."""
    frame, label = leads
    bag = BaggingClassifier(_quick(), n_estimators=1, bootstrap=False, random_state=0).fit(frame, label)
    assert (bag.predict_proba(frame) == fitted.predict_proba(frame)).all()


def test_a_bag_is_the_mean_of_its_classifiers(leads):
    """Each is fitted on a draw of the rows."""
    frame, label = leads
    bag = BaggingClassifier(_quick(), n_estimators=2, random_state=0).fit(frame, label)
    each = [member.predict_proba(frame.to_numpy(dtype=object)) for member in bag.estimators_]
    assert (each[0] != each[1]).any()
    assert bag.predict_proba(frame) == pytest.approx(np.mean(each, axis=0), abs=1e-15)


def test_a_vote_is_the_mean_and_a_stack_of_one_keeps_the_order(leads, fitted):
    """Soft votes of two equal classifiers change nothing; a logistic regression on one only rescales it."""
    frame, label = leads
    vote = VotingClassifier([("a", _quick()), ("b", _quick())], voting="soft").fit(frame, label)
    assert (vote.predict_proba(frame) == fitted.predict_proba(frame)).all()
    stack = StackingClassifier([("a", FrozenEstimator(fitted))], LogisticRegression(), cv="prefit").fit(frame, label)
    order = np.argsort(fitted.predict_proba(frame)[:, 1], kind="stable")
    assert (np.diff(stack.predict_proba(frame)[order, 1]) >= 0).all()


@pytest.mark.parametrize(
    "grid",
    [
        {"model": [QUICK, QUICK | {"max_rounds": 40}]},
        {"split": [{"folds": 2}, {"folds": 3}], "calibration": [{"interval": 0.8}]},
        {"calibration": [None, {"interval": 0.8}]},
    ],
)
def test_a_search_refits_what_fitting_by_hand_gives(leads, grid):
    """The best of a grid over any constructor parameter has the probabilities of a classifier with that value."""
    frame, label = leads
    search = GridSearchCV(_quick(), grid, scoring="neg_log_loss", cv=2, error_score="raise").fit(frame, label)
    by_hand = _quick().set_params(**search.best_params_).fit(frame, label)
    assert (search.predict_proba(frame) == by_hand.predict_proba(frame)).all()
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()


def test_a_search_works_inside_a_pipeline(leads):
    """Parameters are named through the step, and arrays of objects are searched as frames are."""
    frame, label = leads
    pipeline = Pipeline([("columns", _passed_through("default")), ("classifier", _quick())])
    search = GridSearchCV(pipeline, {"classifier__split": [{"folds": 2}, {"folds": 3}]}, cv=2).fit(frame, label)
    by_hand = _quick().set_params(split=search.best_params_["classifier__split"]).fit(frame, label)
    assert (search.predict_proba(frame) == by_hand.predict_proba(frame)).all()


def _fold_by_fold(leads, folds, dates=None):
    """Return the probability of each evaluated row from the classifier of its fold; NaN for the others."""
    frame, label = leads
    probability = np.full((len(frame), 2), np.nan)
    for fit, evaluate in folds:
        params = {} if dates is None else {"created_at": dates.iloc[fit]}
        fold = _quick().fit(frame.iloc[fit], label.iloc[fit], **params)
        probability[evaluate] = fold.predict_proba(frame.iloc[evaluate])
    return probability


def test_cross_validation_by_groups_is_the_loop_by_hand(leads):
    """Out-of-fold probabilities and scores are those of one classifier for each fold of whole groups."""
    frame, label = leads
    groups = np.arange(len(frame)) // 4
    expected = _fold_by_fold(leads, folds := list(GroupKFold(2).split(frame, label, groups)))
    predicted = cross_val_predict(_quick(), frame, label, groups=groups, cv=GroupKFold(2), method="predict_proba")
    assert (predicted == expected).all()
    scores = cross_validate(_quick(), frame, label, groups=groups, cv=GroupKFold(2), scoring="roc_auc")["test_score"]
    by_hand = [roc_auc_score(label.iloc[rows] == "yes", expected[rows, 1]) for _, rows in folds]
    assert scores == pytest.approx(by_hand, abs=1e-15)


@pytest.mark.parametrize("routing", [False, True])
def test_dates_reach_the_fit_of_each_fold(leads, routing):
    """``created_at`` is cut to the rows of a fold, whether scikit-learn routes metadata or not."""
    frame, label = leads
    dates = pd.Series(pd.date_range("2026-01-01", periods=len(frame), freq="h"))
    folds = list(StratifiedKFold(2).split(frame, label))
    expected = _fold_by_fold(leads, folds, dates)
    assert (expected != _fold_by_fold(leads, folds)).any()
    with sklearn.config_context(enable_metadata_routing=routing):
        estimator = _quick().set_fit_request(created_at=True) if routing else _quick()
        params = {"created_at": dates}
        predicted = cross_val_predict(estimator, frame, label, cv=folds, method="predict_proba", params=params)
        results = cross_validate(estimator, frame, label, cv=folds, params=params, return_estimator=True)
    assert (predicted == expected).all()
    for (_, evaluate), fold in zip(folds, results["estimator"], strict=True):
        assert (fold.predict_proba(frame.iloc[evaluate]) == expected[evaluate]).all()


def test_dates_reach_the_fit_in_a_pipeline_and_in_a_search(leads):
    """By the name of the step, or by a request, they give the probabilities of a fit with dates."""
    frame, label = leads
    dates = np.arange(len(frame))
    expected = _quick().fit(frame, label, created_at=dates).predict_proba(frame)
    pipeline = Pipeline([("columns", _passed_through("pandas")), ("classifier", _quick())])
    assert (pipeline.fit(frame, label, classifier__created_at=dates).predict_proba(frame) == expected).all()
    search = GridSearchCV(_quick(), {"split": [FOLDS]}, cv=TimeSeriesSplit(2)).fit(frame, label, created_at=dates)
    assert (search.predict_proba(frame) == expected).all()


def test_calibration_of_a_fitted_classifier_is_isotonic_regression_by_hand(leads, fitted):
    """Its input is the probability, as the classifier has no other decision function."""
    frame, label = leads
    calibrated = CalibratedClassifierCV(FrozenEstimator(fitted), method="isotonic").fit(frame, label)
    probability = fitted.predict_proba(frame)[:, 1]
    by_hand = IsotonicRegression(out_of_bounds="clip").fit(probability, label == "yes").predict(probability)
    assert calibrated.predict_proba(frame)[:, 1] == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize("method", ["sigmoid", "temperature"])
def test_calibration_of_a_classifier_keeps_its_order(leads, method):
    """Each fold's curve is increasing in the probability of the classifier of the other fold."""
    frame, label = leads
    calibrated = CalibratedClassifierCV(_quick(), method=method, cv=2).fit(frame, label.to_numpy())
    for fold in calibrated.calibrated_classifiers_:
        order = np.argsort(fold.estimator.predict_proba(frame)[:, 1], kind="stable")
        assert (np.diff(fold.predict_proba(frame)[order, 1]) >= 0).all()


def test_permutation_importance_is_the_same_for_frames_and_arrays(leads):
    """Permuting a constant costs nothing, permuting what the classifier uses does, whatever holds the columns."""
    frame, label = leads
    frame = frame[["balance", "poutcome"]].assign(constant="same")
    array = frame.to_numpy(dtype=object)
    by_name, by_place = _quick().fit(frame, label), _quick().fit(array, label)
    tables = [(by_name, frame), (by_place, array), (by_place, pl.from_pandas(frame))]
    settings = {"scoring": "neg_log_loss", "n_repeats": 3, "random_state": 0}
    first, *others = (permutation_importance(*each, label, **settings).importances for each in tables)
    assert all((importances == first).all() for importances in others)
    assert (first[2] == 0).all()
    assert first[1].mean() > 0


def test_a_clone_is_unfitted_and_fits_to_the_same_model(leads, fitted):
    """It has equal parameters of its own, none of which a fit changes."""
    frame, label = leads
    copy = clone(fitted)
    assert not hasattr(copy, "model_")
    assert copy.get_params() == fitted.get_params() == _quick().get_params()
    assert copy.model is not fitted.model
    assert (copy.fit(frame, label).predict_proba(frame) == fitted.predict_proba(frame)).all()
