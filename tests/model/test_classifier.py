from __future__ import annotations

import warnings
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from leadml.leads.check.duplicates import content_keys
from leadml.leads.split import RandomSplit
from leadml.model.classifier import LeadClassifier
from leadml.model.fit.estimator import fit_model
from leadml.params import CalibrationParams, ModelParams, SplitParams

pytestmark = pytest.mark.slow

QUICK = ModelParams(max_rounds=60, learning_rate=0.2, leaves=(4,), leaf_penalties=(5.0,), threads=1)


@pytest.mark.parametrize(
    ("estimator", "check"),
    list(estimator_checks_generator(LeadClassifier())),
    ids=lambda value: value.func.__name__ if isinstance(value, partial) else "LeadClassifier",
)
def test_scikit_learns_own_checks(estimator, check):
    """The classifier passes all checks that scikit-learn has for estimators; none is expected to fail."""
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
    margin = frame["visits"].fillna(2) - 4 + (frame["source"] == "fair") + frame["known"]
    return frame, np.where(random.random(size) < 1 / (1 + np.exp(-margin)), "won", "lost")


@pytest.fixture(scope="module")
def fitted():
    """Return a classifier and its training set."""
    frame, label = _leads()
    return LeadClassifier(model=QUICK).fit(frame, label), frame, label


def test_points_add_up_to_the_probability(fitted):
    """Starting point and points add up to 100 times the probability, which lies in the interval."""
    classifier, frame, _ = fitted
    start, points = classifier.points(frame)
    probability = classifier.predict_proba(frame)[:, 1]
    assert start + points.sum(axis=1) == pytest.approx(100 * probability, abs=1e-9)
    low, high = classifier.predict_interval(frame).T
    assert (low < probability).all()
    assert (probability < high).all()
    assert (classifier.predict(frame) == np.where(probability > 0.5, "won", "lost")).all()


def test_it_is_the_model_of_fit_model(bank_leads, bank_contract, bank_params):
    """Rows without ids and the same params give the same numbers."""
    frame = bank_leads.frame.head(1500)
    names = [field.name for field in bank_contract.fields]
    keyed = frame[[*names, "converted"]].assign(split_key=content_keys(frame[names]))
    fields = [replace(field, group="fit") for field in bank_contract.fields]
    split = RandomSplit(bank_params.split, copies=True)
    params = bank_params.model_copy(update={"model": QUICK})
    expected = fit_model(keyed, fields, params, split=split).model
    booleans = [field.name for field in fields if field.kind == "boolean"]
    typed = frame[names].astype(dict.fromkeys(booleans, bool))
    classifier = LeadClassifier(model=QUICK).fit(typed, frame["converted"])
    assert classifier.model_.encoder.fields == expected.encoder.fields
    assert (classifier.predict_proba(typed)[:, 1] == expected.predict(frame)).all()


@settings(max_examples=10)
@given(st.integers(0, 2**31 - 1))
def test_the_order_of_the_rows_changes_nothing(fitted, seed):
    """Permuted rows give the same model."""
    classifier, frame, label = fitted
    order = np.random.default_rng(seed).permutation(len(frame))
    again = LeadClassifier(model=QUICK).fit(frame.iloc[order], label[order])
    assert (again.predict_proba(frame) == classifier.predict_proba(frame)).all()


def test_with_instants_half_lives_are_tried(fitted):
    """They are not tried without instants."""
    _, frame, label = fitted
    instants = pd.date_range("2026-01-01", periods=len(frame), freq="h")
    dated = LeadClassifier(model=QUICK.model_copy(update={"half_lives": (0.25,)})).fit(
        frame, label, created_at=instants
    )
    assert dated.choices_["newest_weight"] == pytest.approx(1.0)
    assert LeadClassifier(model=QUICK).fit(frame, label).choices_["newest_weight"] == 0


def test_it_works_with_clone_cross_validation_and_grid_search(fitted):
    """A search may choose among sections of the params."""
    _, frame, label = fitted
    assert cross_val_score(LeadClassifier(model=QUICK), frame, label, scoring="roc_auc", cv=3).min() > 0.7
    folds = SplitParams(folds=3)
    assert clone(LeadClassifier(model=QUICK, split=folds)).split == folds
    grid = {"calibration": [CalibrationParams(interval=0.8), CalibrationParams(interval=0.9)]}
    search = GridSearchCV(LeadClassifier(model=QUICK), grid, scoring="neg_log_loss", cv=2).fit(frame, label)
    assert search.best_params_["calibration"] in grid["calibration"]


def test_unknown_levels_and_missing_values_are_scored(fitted):
    """A level that is not in the training set is "other"."""
    classifier, frame, _ = fitted
    leads = frame.head(3).assign(source=["telegraph", None, "fair"], visits=[np.nan, 1.0, 2.0])
    assert np.isfinite(classifier.predict_proba(leads)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda x, y: (x, np.full(len(y), "won")),
            "^y must hold leads of two classes, got 1 class, 'won'; add leads",
        ),
        (
            lambda x, y: (x, [1 if outcome == "won" else "lost" for outcome in y]),
            "^y must hold texts or numbers, got both",
        ),
        (lambda x, y: (x.rename(columns={"visits": "converted"}), y), "^no column may be called converted, which"),
        (
            lambda x, y: (x.assign(visits=np.inf), y),
            "^numbers must be finite, got infinity in column 'visits'; replace it$",
        ),
        (
            lambda x, y: (x, np.where(np.arange(len(y)) == 0, "won", "lost")),
            "^each fold must be fitted on leads of both outcomes",
        ),
    ],
)
def test_a_training_set_that_cannot_be_fitted_is_refused(change, message):
    """Each message says what must hold and what was got."""
    with pytest.raises(ValueError, match=message):
        LeadClassifier(model=QUICK).fit(*change(*_leads(80)))


def _labels(probability):
    return (np.random.default_rng(0).random(len(probability)) < probability).astype(int)


def test_a_section_may_be_a_mapping(fitted):
    """It gives the same model as the section; a wrong key or value is refused by name."""
    classifier, frame, label = fitted
    mapped = LeadClassifier(model=QUICK.model_dump()).fit(frame, label)
    assert (mapped.predict_proba(frame) == classifier.predict_proba(frame)).all()
    with pytest.raises(ValueError, match=r"^model\.leafs: there is no such key; the nearest is 'leaves'$"):
        LeadClassifier(model={"leafs": (4,)}).fit(frame, label)
    with pytest.raises(ValueError, match=r"^split\.folds: Input should be greater than or equal to 2"):
        LeadClassifier(split={"folds": 1}).fit(frame, label)


@pytest.mark.parametrize(
    ("dtype", "classes"),
    [("Int64", [0, 1]), ("boolean", [False, True]), ("object", [False, True]), ("category", [False, True])],
)
def test_predictions_are_labels_of_the_training_set(fitted, dtype, classes):
    """They are for every type of column that pandas has for two classes."""
    _, frame, label = fitted
    classifier = LeadClassifier(model=QUICK).fit(frame, pd.Series(label == "won").astype(dtype))
    assert classifier.predict(frame[:1]).tolist()[0] in classes
    assert list(map(type, classifier.classes_.tolist())) == list(map(type, classes))


@pytest.mark.parametrize(("size", "rate"), [(12, 0.5), (400, 0.02)])
def test_few_leads_have_wide_intervals(size, rate):
    """An interval is about as wide as that of the base rate, or wider."""
    random = np.random.default_rng(5)
    label = (np.arange(size) < rate * size).astype(int)
    classifier = LeadClassifier(model={"threads": 1}).fit(random.normal(size=(size, 2)), label)
    low, high = classifier.predict_interval(random.normal(size=(20, 2))).T
    width_of_rate = 2 * 1.645 / np.sqrt(size * rate * (1 - rate))
    assert (np.log(high / (1 - high)) - np.log(low / (1 - low)) > 0.7 * width_of_rate).all()


def test_a_category_without_a_frequent_level_gives_the_base_rate_without_a_warning():
    """Every level is "other", so that the column is constant, and no solver warns."""
    frame = pd.DataFrame({"page": [f"page {number}" for number in range(400)]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        label = np.random.default_rng(0).random(400) < 0.5
        classifier = LeadClassifier(model=QUICK).fit(frame, label)
    assert classifier.predict_proba(frame)[:, 1] == pytest.approx(label.mean(), abs=0.01)


def test_the_rates_of_the_levels_of_a_single_category_are_learned():
    """Rows of a level are copies of each other, and yet each of twelve levels gets about its own rate."""
    level = np.random.default_rng(1).integers(0, 12, 3000)
    rates = np.linspace(0.05, 0.6, 12)[np.random.default_rng(2).permutation(12)]
    frame = pd.DataFrame({"source": [f"s{number}" for number in level]})
    probability = LeadClassifier(model=QUICK).fit(frame, _labels(rates[level])).predict_proba(frame)[:, 1]
    assert np.abs(probability - rates[level]).max() < 0.08


def test_the_type_of_a_column_changes_nothing(fitted):
    """Nullable, categorical, object and Polars columns, and arrays in the order of the names, give the same numbers."""
    _, frame, label = fitted
    numbers = frame[["visits", "known"]]
    expected = LeadClassifier(model=QUICK).fit(numbers, label).predict_proba(numbers)
    mixed = frame["known"].astype(object).where(np.arange(len(frame)) % 2 == 0, frame["known"].astype("boolean"))
    for same in (
        numbers.astype({"known": "boolean", "visits": "Float64"}),
        numbers.assign(known=mixed),
        pl.DataFrame({name: numbers[name].to_numpy() for name in numbers}),
    ):
        again = LeadClassifier(model=QUICK).fit(same, label)
        assert (again.predict_proba(numbers) == expected).all()
        assert (again.predict_proba(same) == expected).all()
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        assert (again.predict_proba(numbers.astype(float).to_numpy()) == expected).all()
    coded = LeadClassifier(model=QUICK).fit(frame.assign(source=pd.Categorical(np.arange(len(frame)) % 3)), label)
    leads = frame.head(3).assign(source=np.arange(3.0)).astype({"source": object})
    encoder = coded.model_.encoder
    source = [field.name for field in encoder.fields].index("source")
    assert sorted(encoder.codes(leads.assign(source=["0", "1", "2"]), source).tolist()) == [0, 1, 2]
    assert np.isfinite(coded.predict_proba(leads)).all()


def test_only_the_order_of_instants_counts(fitted):
    """Dates, numbers and texts of dates give the same model."""
    _, frame, label = fitted
    dates = pd.date_range("2026-01-01", periods=len(frame), freq="s")
    texts = (dates.strftime(f"{year}-%m-%d %H:%M:%S") for year in ("%Y", "2926"))  # pandas 2 has no year 2926
    clocks = (dates, dates.astype("int64"), np.arange(len(frame)) / 7, *texts)
    first, *others = (
        LeadClassifier(model=QUICK).fit(frame, label, created_at=clock).predict_proba(frame) for clock in clocks
    )
    assert all((probability == first).all() for probability in others)


def _clock(size, *, with_missing=False):
    clock = pd.Series(pd.date_range("2026-01-01", periods=size, freq="h"))
    return clock.where(clock.index > 2) if with_missing else clock


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"created_at": _clock(80, with_missing=True)},
            r"^created_at must be known for every lead, got 3 missing values$",
        ),
        (
            {"created_at": ["2024-01-31"] * 79 + ["01.02.2024"]},
            r"^created_at must hold dates, numbers or texts in ISO 8601 such as 2026-01-31, got '01\.02\.2024'$",
        ),
        ({"created_at": _clock(79)}, "inconsistent numbers of samples"),
        (
            {"y": pd.Series(["won", None] * 40)},
            r"^y must be known for every lead, got missing values \(NaN\); leave out leads",
        ),
        (
            {"X": pd.DataFrame({"at": _clock(80)})},
            r"^column 'at' must hold numbers, booleans or texts, got datetime64; pass it as created_at",
        ),
        (
            {"X": pd.DataFrame([[1, 2]] * 80, columns=["a", "a"])},
            r"^each column must have its own name, got 'a' twice; rename one$",
        ),
        (
            {"X": pd.DataFrame({"as_of": [1.0] * 80})},
            r"^no column may be called as_of, which leadml uses itself; name it",
        ),
        ({"X": pd.DataFrame({"a": []})}, r"^leads must have rows and columns, got 0 sample\(s\) and 1 feature\(s\)$"),
    ],
)
def test_arguments_of_a_wrong_shape_or_type_are_refused(change, message):
    """Among them are missing outcomes or instants, columns of other types, and names that occur twice."""
    frame, label = _leads(80)
    with pytest.raises(ValueError, match=message):
        LeadClassifier(model=QUICK).fit(**({"X": frame, "y": label} | change))


def test_a_column_of_numbers_must_not_hold_texts_or_dates_later(fitted):
    """A column that has numbers in the training set must have numbers in every frame."""
    classifier, frame, _ = fitted
    with pytest.raises(ValueError, match=r"^column 'visits' must hold numbers or booleans, as in the training set, g"):
        classifier.predict(frame.assign(visits="many"))
    with pytest.raises(
        ValueError,
        match=r"^column 'visits' must hold numbers, booleans or texts, got datetime64; pass it as created_at",
    ):
        classifier.predict(frame.assign(visits=_clock(len(frame))))


def test_hundreds_of_levels_are_learned_without_overfitting():
    """Of 200 landing pages with a rate each, four fifths of the information is learned, and of shuffled labels none."""
    random = np.random.default_rng(0)
    effects, shares = random.normal(size=200), random.dirichlet(np.full(200, 2.0))
    page = random.choice(200, 16_000, p=shares)
    true = 1 / (1 + np.exp(1.5 - effects[page]))
    label = (random.random(len(page)) < true).astype(int)
    frame = pd.DataFrame({"page": [f"/{number}" for number in page], "visits": random.normal(size=len(page))})

    def loss(probability, truth):
        return -(truth * np.log(probability) + (1 - truth) * np.log1p(-probability))[8000:].mean()

    probability = LeadClassifier(model=QUICK).fit(frame[:8000], label[:8000]).predict_proba(frame)[:, 1]
    least, most = loss(true, true), loss(np.full(len(true), label[:8000].mean()), true)
    assert loss(probability, true) < least + 0.2 * (most - least)
    noise = random.permutation(label)
    probability = LeadClassifier(model=QUICK).fit(frame[:8000], noise[:8000]).predict_proba(frame)[:, 1]
    rate = np.full(len(true), label.mean())
    assert loss(probability, rate) < loss(rate, rate) + 0.004
