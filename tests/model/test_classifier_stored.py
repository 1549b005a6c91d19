"""A stored classifier: plain data, the same to the bit when it is read, and refused if a byte was changed."""

from __future__ import annotations

import copy
import io
import pickle
import pickletools
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import joblib
import mlflow
import numpy as np
import pandas as pd
import pytest
import sklearn
import skops.io
from mlflow.exceptions import MlflowException
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from leadml.model.classifier import LeadClassifier
from leadml.params import CalibrationParams, ModelParams

pytestmark = pytest.mark.slow

TRUSTED = ["leadml.model.classifier.LeadClassifier"]
QUICK = {"max_rounds": 20, "learning_rate": 0.3, "leaves": (4,), "leaf_penalties": (5.0,), "threads": 1}
SCORE_WITH_PICKLE = """
import pickle, sys
import numpy as np
classifier = pickle.load(open(sys.argv[1], "rb"))
print(classifier.predict_proba(np.load(sys.argv[2], allow_pickle=True))[:, 1].tobytes().hex())
"""


def _pickled(classifier):
    return pickle.loads(pickle.dumps(classifier))  # noqa: S301 - a pickle of this test


def _dumped(classifier):
    file = io.BytesIO()
    joblib.dump(classifier, file)
    file.seek(0)
    return joblib.load(file)


def _with_skops(classifier):
    return skops.io.loads(skops.io.dumps(classifier), trusted=TRUSTED)


WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": _pickled,
    "deepcopy": copy.deepcopy,
    "joblib": _dumped,
    "skops": _with_skops,
}


@pytest.fixture(scope="module")
def leads(bank_file):
    """Return numbers and texts of 250 of the bundled leads, and whether each subscribed."""
    bank = pd.read_csv(bank_file).head(250)
    return bank[["age", "balance", "pdays", "job", "poutcome"]], bank["y"]


@pytest.fixture(scope="module")
def fitted(leads):
    """Return a classifier of these leads."""
    return LeadClassifier(model=QUICK, split={"folds": 2}).fit(*leads)


@pytest.fixture(scope="module")
def deep():
    """Return a classifier with trees that have no look-up tables, which LightGBM evaluates, and its training set."""
    random = np.random.default_rng(4)
    flags = (random.random((2000, 14)) < 0.85).astype(float)
    label = (flags.all(axis=1) ^ (random.random(len(flags)) < 0.02)).astype(int)
    model = {"leaves": (20,), "min_leads_per_leaf": 1, "leaf_penalties": (0.0,), "field_share": 1.0}
    return LeadClassifier(model=QUICK | model, split={"folds": 2}).fit(flags, label), flags


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_is_the_classifier_to_the_bit(fitted, leads, way):
    """Probabilities, intervals, points, classes, names, choices and parameters are the same."""
    again, frame = WAYS[way](fitted), leads[0]
    for method in ("predict_proba", "predict_interval", "predict"):
        assert (getattr(again, method)(frame) == getattr(fitted, method)(frame)).all()
    assert again.points(frame)[0] == fitted.points(frame)[0]
    assert (again.points(frame)[1] == fitted.points(frame)[1]).all()
    assert (again.classes_.tolist(), again.classes_.dtype) == (fitted.classes_.tolist(), fitted.classes_.dtype)
    assert again.feature_names_in_.tolist() == frame.columns.tolist()
    assert (again.choices_, again.n_features_in_) == (fitted.choices_, 5)
    assert again.get_params() == fitted.get_params()
    assert vars(again).keys() == vars(fitted).keys()


def test_a_model_that_lightgbm_evaluates_is_the_same_to_the_bit(deep):
    """Trees that are too deep for tables are stored as text."""
    classifier, array = deep
    assert classifier.choices_["trees_without_tables"] > 0
    assert (_pickled(classifier).predict_proba(array) == classifier.predict_proba(array)).all()


def test_another_process_gets_the_same_probabilities(fitted, leads, tmp_path):
    """A file that one process pickles is read by another."""
    classifier = LeadClassifier(model=QUICK, split={"folds": 2}).fit(rows := leads[0].to_numpy(dtype=object), leads[1])
    (tmp_path / "classifier.pkl").write_bytes(pickle.dumps(classifier))
    np.save(tmp_path / "rows.npy", rows)
    words = [sys.executable, "-c", SCORE_WITH_PICKLE, tmp_path / "classifier.pkl", tmp_path / "rows.npy"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == classifier.predict_proba(rows)[:, 1].tobytes().hex()


def test_only_the_class_itself_is_named(fitted):
    """A pickle names no other class, function or module, and skops asks for trust in no other type."""
    sections = LeadClassifier(model=ModelParams(), calibration=CalibrationParams())
    with sklearn.config_context(enable_metadata_routing=True):
        requesting = LeadClassifier().set_fit_request(created_at=True)
    for classifier in (fitted, sections, requesting):
        operations = list(pickletools.genops(pickle.dumps(classifier, protocol=2)))
        named = {argument for code, argument, _ in operations if code.name == "GLOBAL"}
        assert {name.split()[0] for name in named} - {"copy_reg", "__builtin__"} == {"leadml.model.classifier"}
        assert skops.io.get_untrusted_types(data=skops.io.dumps(classifier)) == TRUSTED


@pytest.mark.parametrize("way", WAYS)
def test_parameters_and_requests_outlive_a_copy(way):
    """Sections stay sections, mappings mappings, and what a fit asks of scikit-learn's routing stays asked."""
    classifier = LeadClassifier(model=ModelParams(leaves=(4,)), split={"folds": 3}, calibration=CalibrationParams())
    with sklearn.config_context(enable_metadata_routing=True):
        classifier.set_fit_request(created_at="day")
        again = WAYS[way](classifier)
        assert str(again.get_metadata_routing()) == str(classifier.get_metadata_routing())
    assert again.get_params() == classifier.get_params()
    assert type(again.model) is ModelParams
    assert not hasattr(again, "model_")


@pytest.mark.parametrize(
    "label",
    [
        np.array([False, True]),
        np.array([-1.0, 1.0]),
        np.array([1, 2**62]),
        np.array(["lost", "won"], dtype=object),
        np.array(["2026-01-01", "2026-01-02"], dtype="M8[us]"),
    ],
    ids=str,
)
def test_classes_keep_their_type(leads, label):
    """Booleans, numbers, texts and dates are the same after a copy."""
    classifier = LeadClassifier(model=QUICK, split={"folds": 2}).fit(leads[0][["age"]], label[(leads[1] == "yes") * 1])
    again = _pickled(classifier)
    assert again.classes_.dtype == classifier.classes_.dtype
    assert again.classes_.tolist() == label.tolist()


@pytest.mark.parametrize("which", ["fitted", "deep"])
@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("trees", lambda text: text[:-300], "must be as it was written, got other bytes; use another copy, or fit it"),
        ("trees", lambda text: text[:0], "must be as it was written, got other bytes"),
        ("model", lambda text: text.replace("category", "number").replace("x0", "x9"), "must be as it was written, go"),
        ("sha256", lambda text: text[::-1], "must be as it was written, got other bytes"),
        ("format", lambda number: number + 96, "must have format 3, got 99; use the leadml that wrote it, or fit it a"),
    ],
)
def test_a_damaged_state_is_refused(request, which, part, change, message):
    """One line says so before anything is interpreted, above all before LightGBM reads a text that was cut off."""
    found = request.getfixturevalue(which)
    state = (found[0] if isinstance(found, tuple) else found).__getstate__()
    damaged = state | {"fitted": state["fitted"] | {part: change(state["fitted"][part])}}
    assert damaged != state
    with pytest.raises(ValueError, match=f"^a stored classifier {message}[^\n]*$"):
        LeadClassifier().__setstate__(damaged)


def test_any_changed_byte_of_a_pickle_is_refused_or_changes_nothing(fitted, leads):
    """Of 200 pickles with another byte in the text of the model, none gives another probability."""
    stored, expected = pickle.dumps(fitted), fitted.predict_proba(leads[0])
    first, last = stored.index(b'{"calibrator"'), stored.index(b"end of trees")
    for place in np.random.default_rng(0).integers(first, last, 200):
        damaged = stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :]
        try:
            again = pickle.loads(damaged)  # noqa: S301 - a pickle of this test
        except (ValueError, pickle.UnpicklingError):
            continue
        assert (again.predict_proba(leads[0]) == expected).all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_mlflow_saves_and_loads_it_in_its_own_format(fitted, leads, tmp_path):
    """Of its types only the class must be trusted; alone and in a pipeline the probabilities are the same."""
    frame = leads[0]
    with pytest.raises(MlflowException, match=r"Untrusted types found in the file: \['leadml\.model\.classifier\.Lead"):
        mlflow.sklearn.save_model(fitted, tmp_path / "refused", pip_requirements=["leadml"])
    numbers = frame[["age", "balance", "pdays"]]
    pipeline = make_pipeline(StandardScaler(), LeadClassifier(model=QUICK, split={"folds": 2})).fit(numbers, leads[1])
    for name, estimator, table in (("alone", fitted, frame), ("pipeline", pipeline, numbers)):
        settings = {"pip_requirements": ["leadml"], "skops_trusted_types": TRUSTED}
        mlflow.sklearn.save_model(estimator, tmp_path / name, pyfunc_predict_fn="predict_proba", **settings)
        expected = estimator.predict_proba(table)
        assert (mlflow.sklearn.load_model(str(tmp_path / name)).predict_proba(table) == expected).all()
        assert (mlflow.pyfunc.load_model(str(tmp_path / name)).predict(table) == expected).all()
        assert "model.skops" in {path.name for path in (tmp_path / name).iterdir()}
