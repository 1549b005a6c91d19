from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from leadml.leads.check.duplicates import content_keys
from leadml.model.classifier import LeadClassifier
from leadml.model.fit.estimator import fit_model
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
        (
            lambda x, y: (x, [1 if one == "won" else "lost" for one in y]),
            "^y must hold texts or numbers, got both",
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


def _value_at(values, rates, seed=0):
    random = np.random.default_rng(seed)
    return (random.random(len(values)) < rates[values]).astype(int)


def test_a_section_may_be_a_mapping(fitted):
    """Keys and values of a section make the same model as the section; a wrong one is refused by name."""
    classifier, frame, label = fitted
    mapped = LeadClassifier(model=QUICK.model_dump()).fit(frame, label)
    assert (mapped.predict_proba(frame) == classifier.predict_proba(frame)).all()
    with pytest.raises(ValueError, match=r"^model\.leafs: there is no such key; the nearest is 'leaves'$"):
        LeadClassifier(model={"leafs": (4,)}).fit(frame, label)
    with pytest.raises(ValueError, match=r"^split\.folds: Input should be greater than or equal to 2"):
        LeadClassifier(split={"folds": 1}).fit(frame, label)


@pytest.mark.parametrize(
    ("kind", "classes"),
    [("Int64", [0, 1]), ("boolean", [False, True]), ("object", [False, True]), ("category", [False, True])],
)
def test_classes_stay_what_they_were(fitted, kind, classes):
    """Whatever pandas keeps labels in, a prediction is a label."""
    _, frame, label = fitted
    found = LeadClassifier(model=QUICK).fit(frame, pd.Series(label == "won").astype(kind))
    assert found.predict(frame[:1]).tolist()[0] in classes
    assert [type(one) for one in found.classes_.tolist()] == [type(one) for one in classes]


@pytest.mark.parametrize(("size", "rate"), [(12, 0.5), (400, 0.02)])
def test_few_leads_have_wide_intervals(size, rate):
    """However little halves tell, an interval is no narrower than what so many leads can tell of their mean."""
    random = np.random.default_rng(5)
    label = (np.arange(size) < rate * size).astype(int)
    classifier = LeadClassifier(model={"threads": 1}).fit(random.normal(size=(size, 2)), label)
    low, high = classifier.predict_interval(random.normal(size=(20, 2))).T
    of_mean = 2 * 1.645 / np.sqrt(size * rate * (1 - rate))
    assert (np.log(high / (1 - high)) - np.log(low / (1 - low)) > 0.7 * of_mean).all()


def test_a_category_without_a_frequent_level_is_learned_without_a_warning():
    """Every level is "other": the line has nothing to hold on to, and nothing is said of solvers."""
    frame = pd.DataFrame({"page": [f"page {at}" for at in range(400)]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        label = np.random.default_rng(0).random(400) < 0.5
        found = LeadClassifier(model=QUICK).fit(frame, label)
    assert found.predict_proba(frame)[:, 1] == pytest.approx(label.mean(), abs=0.01)


def test_what_many_leads_say_alike_is_learned():
    """Twelve levels and nothing else: each gets its own rate, though all leads of a level are alike."""
    level = np.random.default_rng(1).integers(0, 12, 3000)
    rates = np.linspace(0.05, 0.6, 12)[np.random.default_rng(2).permutation(12)]
    frame = pd.DataFrame({"source": [f"s{at}" for at in level]})
    said = LeadClassifier(model=QUICK).fit(frame, _value_at(level, rates)).predict_proba(frame)[:, 1]
    assert np.abs(said - rates[level]).max() < 0.08


def test_columns_of_any_type_are_read_as_what_they_are(fitted):
    """Nullable, categorical, object and polars columns, and arrays in the order of the names, give one answer."""
    _, frame, label = fitted
    numbers = frame[["visits", "known"]]
    expected = LeadClassifier(model=QUICK).fit(numbers, label).predict_proba(numbers)
    gaps = frame["known"].astype(object).where(np.arange(len(frame)) % 2 == 0, frame["known"].astype("boolean"))
    for same in (
        numbers.astype({"known": "boolean", "visits": "Float64"}),
        numbers.assign(known=gaps),
        pl.DataFrame({name: numbers[name].to_numpy() for name in numbers}),
    ):
        again = LeadClassifier(model=QUICK).fit(same, label)
        assert (again.predict_proba(numbers) == expected).all()
        assert (again.predict_proba(same) == expected).all()
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        assert (again.predict_proba(numbers.astype(float).to_numpy()) == expected).all()
    coded = LeadClassifier(model=QUICK).fit(frame.assign(source=pd.Categorical(np.arange(len(frame)) % 3)), label)
    asked = frame.head(3).assign(source=np.arange(3.0)).astype({"source": object})
    assert coded.model_.encoder.count_other(asked.assign(source=["0", "1", "2"])) == {"source": 0}
    assert np.isfinite(coded.predict_proba(asked)).all()


def test_instants_count_by_their_order(fitted):
    """Dates, seconds and ranks are one clock."""
    _, frame, label = fitted
    dates = pd.date_range("2026-01-01", periods=len(frame), freq="s")
    clocks = (dates, dates.astype("int64"), np.arange(len(frame)) / 7, dates.strftime("%Y-%m-%d %H:%M:%S"))
    said = [LeadClassifier(model=QUICK).fit(frame, label, created_at=one).predict_proba(frame) for one in clocks]
    assert all((some == said[0]).all() for some in said)


def _clock(size, *, gap=False):
    clock = pd.Series(pd.date_range("2026-01-01", periods=size, freq="h"))
    return clock.where(clock.index > 2) if gap else clock


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"created_at": _clock(80, gap=True)}, r"^created_at must be known for every lead, got 3 gaps$"),
        ({"created_at": _clock(79)}, "inconsistent numbers of samples"),
        ({"y": pd.Series(["won", None] * 40)}, r"^y must be known for every lead, got gaps \(NaN\); leave out leads"),
        (
            {"X": pd.DataFrame({"at": _clock(80)})},
            r"^column 'at' must hold numbers, booleans or texts, got datetime64; give it as created_at",
        ),
        (
            {"X": pd.DataFrame([[1, 2]] * 80, columns=["a", "a"])},
            r"^columns must have names of their own, got 'a' twice$",
        ),
        (
            {"X": pd.DataFrame({"as_of": [1.0] * 80})},
            r"^no column may be called as_of, which leadml uses itself; name it",
        ),
        ({"X": pd.DataFrame({"a": []})}, r"^leads must have rows and columns, got 0 sample\(s\) and 1 feature\(s\)$"),
    ],
)
def test_what_is_no_lead_is_refused(change, message):
    """Gaps in outcomes or instants, columns of other kinds, and names that cannot be told apart."""
    frame, label = _leads(80)
    with pytest.raises(ValueError, match=message):
        LeadClassifier(model=QUICK).fit(**({"X": frame, "y": label} | change))


def test_a_text_is_not_taken_for_a_number(fitted):
    """A column that was a number when it was learned from stays one."""
    classifier, frame, _ = fitted
    with pytest.raises(
        ValueError, match=r"^column 'visits' must hold numbers or booleans, as when it was learned from, g"
    ):
        classifier.predict(frame.assign(visits="many"))
    with pytest.raises(
        ValueError,
        match=r"^column 'visits' must hold numbers, booleans or texts, got datetime64; give it as created_at",
    ):
        classifier.predict(frame.assign(visits=_clock(len(frame))))


def test_hundreds_of_levels_are_learned_without_telling_labels():
    """Landing pages with a rate each: four fifths of what one rate for all lacks is learned, and of noise nothing."""
    random = np.random.default_rng(0)
    effects, shares = random.normal(size=200), random.dirichlet(np.full(200, 2.0))
    page = random.choice(200, 16_000, p=shares)
    true = 1 / (1 + np.exp(1.5 - effects[page]))
    label = (random.random(len(page)) < true).astype(int)
    frame = pd.DataFrame({"page": [f"/{at}" for at in page], "visits": random.normal(size=len(page))})

    def lost(said, truth):
        return -(truth * np.log(said) + (1 - truth) * np.log1p(-said))[8000:].mean()

    said = LeadClassifier(model=QUICK).fit(frame[:8000], label[:8000]).predict_proba(frame)[:, 1]
    least, most = lost(true, true), lost(np.full(len(true), label[:8000].mean()), true)
    assert lost(said, true) < least + 0.2 * (most - least)
    noise = random.permutation(label)
    said = LeadClassifier(model=QUICK).fit(frame[:8000], noise[:8000]).predict_proba(frame)[:, 1]
    flat = np.full(len(true), label.mean())
    assert lost(said, flat) < lost(flat, flat) + 0.004
