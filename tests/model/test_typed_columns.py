"""Columns of every type that frames have: right, or refused in one line that says what to do."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from leadml.leads.check.field import Field
from leadml.model.classifier import LeadClassifier
from leadml.model.typed_columns import as_fields, kind_of

QUICK = {"max_rounds": 10, "learning_rate": 0.5, "leaf_penalties": (1.0,), "linear_strengths": (1.0,), "threads": 1}
SIZE = 120
RANDOM = np.random.default_rng(3)
WHOLE = RANDOM.integers(0, 9, SIZE)
HALVES = np.where(RANDOM.random(SIZE) < 0.1, np.nan, WHOLE / 2)
KNOWN = WHOLE % 3 == 0
WORDS = np.where(RANDOM.random(SIZE) < 0.6, "web", "fair").astype(object)
GAPS = np.where(np.isnan(HALVES), None, WORDS)
LABEL = np.where(RANDOM.random(SIZE) < (WHOLE + 3 * (WORDS == "fair")) / 13, "won", "lost")
HUGE = (WHOLE.astype(np.uint64) << np.uint64(60)) + np.uint64(3)


def _objects(values, convert):
    return pd.Series([None if pd.isna(value) else convert(value) for value in values], dtype=object)


def _arrow(values, arrow_type):
    return pd.Series(pa.array(values, arrow_type, from_pandas=True), dtype=pd.ArrowDtype(arrow_type))


def _dictionary(values):
    coded = pa.array(values, pa.string(), from_pandas=True).dictionary_encode()
    return pd.Series(coded, dtype=pd.ArrowDtype(coded.type))


def _mixed_missing(values):
    gaps = [None, np.nan, pd.NA, pd.NaT]
    return pd.Series([gaps[row % 4] if pd.isna(value) else value for row, value in enumerate(values)], dtype=object)


SAME_NUMBERS = {
    "integers as objects": (WHOLE, _objects(WHOLE, int)),
    "numbers and None as objects": (HALVES, _objects(HALVES, float)),
    "every kind of missing value": (HALVES, _mixed_missing(HALVES)),
    "Decimal": (HALVES, _objects(HALVES, lambda value: Decimal(str(value)))),
    "Decimal, integers and fractions": (
        HALVES,
        _objects(HALVES, lambda value: (Decimal(str(value)), Fraction(value), int(value))[int(2 * value) % 2]),
    ),
    "numpy scalars as objects": (HALVES, _objects(HALVES, np.float32)),
    "Int64": (np.where(KNOWN, np.nan, WHOLE), pd.Series(np.where(KNOWN, np.nan, WHOLE)).astype("Int64")),
    "Float64": (HALVES, pd.Series(HALVES, dtype="Float64")),
    "int8": (WHOLE, pd.Series(WHOLE.astype(np.int8))),
    "float16": (HALVES, pd.Series(HALVES.astype(np.float16))),
    "longdouble": (HALVES, pd.Series(HALVES.astype(np.longdouble))),
    "uint64 beyond 2^53": (HUGE.astype(float), pd.Series(HUGE)),
    "uint64[pyarrow] beyond 2^53": (HUGE.astype(float), _arrow(HUGE, pa.uint64())),
    "integers of Python beyond 2^64": (WHOLE * 2.0**70, _objects(WHOLE, lambda value: int(value) * 2**70)),
    "int64[pyarrow]": (np.where(KNOWN, np.nan, WHOLE), _arrow([*np.where(KNOWN, None, WHOLE)], pa.int64())),
    "double[pyarrow]": (HALVES, _arrow(HALVES, pa.float64())),
    "decimal128[pyarrow]": (
        HALVES,
        _arrow([None if np.isnan(value) else Decimal(str(value)) for value in HALVES], pa.decimal128(9, 2)),
    ),
    "sparse numbers": (HALVES, pd.Series(pd.arrays.SparseArray(HALVES))),
    "sparse integers": (WHOLE, pd.Series(pd.arrays.SparseArray(WHOLE))),
}
SAME_BOOLEANS = {
    "boolean": (KNOWN, pd.Series(KNOWN, dtype="boolean")),
    "bool[pyarrow]": (KNOWN, _arrow(KNOWN, pa.bool_())),
    "booleans as objects": (KNOWN, _objects(KNOWN, bool)),
    "booleans of numpy as objects": (KNOWN, _objects(KNOWN, np.bool_)),
    "sparse booleans": (KNOWN, pd.Series(pd.arrays.SparseArray(KNOWN))),
}
SAME_TEXTS = {
    "str": (GAPS, pd.Series(GAPS, dtype="str")),
    "string with pd.NA": (GAPS, pd.Series(GAPS, dtype="string")),
    "string[pyarrow]": (GAPS, _arrow(GAPS, pa.string())),
    "large_string[pyarrow]": (GAPS, _arrow(GAPS, pa.large_string())),
    "dictionary[pyarrow]": (GAPS, _dictionary(GAPS)),
    "categories, some without rows": (GAPS, pd.Series(pd.Categorical(GAPS, ["none", "fair", "web", "zzz"]))),
    "ordered categories": (GAPS, pd.Series(pd.Categorical(GAPS, ["web", "fair"], ordered=True))),
    "categories of integers": (WHOLE.astype(str), pd.Series(pd.Categorical(WHOLE))),
    "texts of numpy": (GAPS, _objects(GAPS, np.str_)),
    "sparse texts": (WORDS, pd.Series(pd.arrays.SparseArray(WORDS, dtype=pd.SparseDtype(object)))),
    "numbers and texts": (
        np.where(KNOWN, WORDS, WHOLE.astype(str)),
        pd.Series(np.where(KNOWN, WORDS, WHOLE.astype(float)), dtype=object),
    ),
    "booleans and texts": (
        np.where(KNOWN, WORDS, "true"),
        pd.Series(np.where(KNOWN, WORDS, np.True_), dtype=object),
    ),
}
SAME = SAME_NUMBERS | SAME_BOOLEANS | SAME_TEXTS


def _fit(frame):
    return LeadClassifier(model=QUICK, split={"folds": 2}).fit(frame, LABEL)


def _frame(column):
    return pd.DataFrame({"visits": WHOLE.astype(float), "field": column})


@pytest.fixture(scope="module")
def fitted():
    """Return a classifier of a number, a boolean and a text, and its training set."""
    frame = pd.DataFrame({"number": HALVES, "known": KNOWN, "source": GAPS})
    return _fit(frame), frame


@pytest.mark.parametrize("name", SAME)
def test_a_column_of_another_type_is_read_as_the_plain_column(name):
    """Both are of one kind, and have the same numbers and texts to the bit."""
    plain, other = (pd.DataFrame({"field": column}) for column in SAME[name])
    kind = kind_of(plain["field"])
    assert kind_of(other["field"]) == kind
    fields = [Field("field", kind, "fit")]
    pd.testing.assert_frame_equal(as_fields(other, fields), as_fields(plain, fields), check_exact=True)


@pytest.fixture(scope="module", params=[SAME_NUMBERS, SAME_BOOLEANS | SAME_TEXTS], ids=["numbers", "others"])
def plain_and_other(request):
    """Return plain columns, and the same columns of other types."""
    return [pd.DataFrame({name: pair[which] for name, pair in request.param.items()}) for which in (0, 1)]


@pytest.mark.slow
def test_a_classifier_of_columns_of_other_types_is_that_of_plain_columns(plain_and_other):
    """Fitted on either columns, and given either to score, a classifier returns the same probabilities to the bit."""
    plain, other = plain_and_other
    first, second = _fit(plain), _fit(other)
    expected = first.predict_proba(plain)
    assert len(np.unique(expected)) > 5
    for classifier, frame in ((first, other), (second, plain), (second, other)):
        assert (classifier.predict_proba(frame) == expected).all()


@pytest.mark.parametrize("name", ["number", "known", "source"])
@pytest.mark.parametrize("dtype", [object, "null[pyarrow]", "float64", "Int64", "string"])
def test_a_column_without_values_is_missing_values(fitted, name, dtype):
    """It may be of any type: the probabilities are those of a column of None."""
    classifier, frame = fitted
    arrow = _arrow([None] * SIZE, pa.null())
    empty = arrow if dtype == "null[pyarrow]" else pd.Series([None] * SIZE, dtype=dtype)
    expected = classifier.predict_proba(frame.assign(**{name: pd.Series([None] * SIZE, dtype=object)}))
    assert (classifier.predict_proba(frame.assign(**{name: empty})) == expected).all()


def test_a_category_that_the_training_set_has_not_is_other(fitted):
    """An unseen category and a text that occurs nowhere get the same probability, and no points: both are new."""
    classifier, frame = fitted
    unseen = frame.assign(source=pd.Categorical(["telegraph"] * SIZE))
    assert (classifier.predict_proba(unseen) == classifier.predict_proba(frame.assign(source="-"))).all()
    assert (classifier.predict_proba(unseen) != classifier.predict_proba(frame.assign(source="web"))).any()
    source = frame.columns.get_loc("source")
    assert (classifier.points(unseen)[1][:, source] == 0).all()
    assert (classifier.points(frame)[1][:, source] != 0).any()


def test_polars_columns_are_the_plain_columns(fitted):
    """Categorical, Enum, Decimal, booleans with nulls and whole numbers give the same probabilities."""
    classifier, frame = fitted
    table = pl.from_pandas(frame)
    expected = classifier.predict_proba(frame)
    for change in (
        pl.col("source").cast(pl.Categorical),
        pl.col("source").cast(pl.Enum(["web", "fair", "none"])),
        pl.col("number").cast(pl.Decimal(9, 2)),
        pl.col("known").cast(pl.UInt8),
    ):
        assert (classifier.predict_proba(table.with_columns(change)) == expected).all()
    assert (classifier.predict_proba(pa.Table.from_pandas(frame)) == expected).all()


@pytest.mark.slow
@pytest.mark.parametrize("as_list", [False, True])
def test_an_array_of_objects_is_the_frame_with_its_values(fitted, as_list):
    """Texts, numbers and booleans in one array, or in a list of rows, give the probabilities of the frame."""
    classifier, frame = fitted
    array = frame.to_numpy(dtype=object)
    rows = array.tolist() if as_list else array
    other = _fit(rows)
    assert [field.kind for field in other.model_.encoder.fields] == ["number", "boolean", "category"]
    assert (other.predict_proba(rows) == classifier.predict_proba(frame)).all()


@pytest.mark.slow
def test_an_array_of_texts_is_a_frame_of_texts():
    """A text that looks like a number stays a text."""
    words = np.column_stack([WORDS, WHOLE]).astype(str)
    frame = pd.DataFrame(words, columns=["a", "b"])
    assert (_fit(words).predict_proba(words) == _fit(frame).predict_proba(frame)).all()


DATES = pd.date_range("2026-01-01", periods=SIZE)
REFUSED = {
    "datetime64": (DATES, "datetime64; pass it as created_at, or leave it out"),
    "datetime64 with zone": (DATES.tz_localize("UTC"), "datetime64; pass it as created_at, or leave it out"),
    "date": (DATES.date, "date; pass it as created_at, or leave it out"),
    "datetime": (pd.Series(DATES.to_pydatetime(), dtype=object), "datetime; pass it as created_at, or leave it out"),
    "date32[pyarrow]": (_arrow(DATES.date, pa.date32()), "date; pass it as created_at, or leave it out"),
    "timestamp[pyarrow]": (_arrow(DATES, pa.timestamp("us")), "datetime64; pass it as created_at, or leave it out"),
    "timedelta64": (DATES - DATES[0], "timedelta64; convert it"),
    "duration[pyarrow]": (_arrow(DATES - DATES[0], pa.duration("us")), "timedelta64; convert it"),
    "period": (pd.period_range("2026", periods=SIZE), "period; convert it"),
    "interval": (pd.interval_range(0, SIZE), "interval; convert it"),
    "complex": (WHOLE * 1j, "complex; convert it"),
    "complex as objects": (_objects(WHOLE, complex), "complex; convert it"),
    "bytes": (_objects(WORDS, str.encode), "bytes; convert it"),
    "binary[pyarrow]": (_arrow([word.encode() for word in WORDS], pa.binary()), "bytes; convert it"),
    "lists": (_objects(WHOLE, lambda value: [value]), "list; convert it"),
    "lists[pyarrow]": (_arrow([[1]] * SIZE, pa.list_(pa.int64())), "ndarray; convert it"),
    "texts and dates": (
        pd.Series(np.where(KNOWN, WORDS, dt.date(2026, 1, 1)), dtype=object),
        "date; convert it",
    ),
    "time": (pd.Series([dt.time(1)] * SIZE), "time; convert it"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_types_are_refused_at_fit_and_at_predict(fitted, name):
    """The line names the column, what it must hold, what it holds and what to do, whatever the field is."""
    classifier, frame = fitted
    column, got = REFUSED[name]
    line = f"^column 'field' must hold numbers, booleans or texts, got {re.escape(got)}[^\n]*$"
    with pytest.raises((ValueError, TypeError), match=line):
        _fit(_frame(column))
    for field in frame:
        with pytest.raises((ValueError, TypeError), match=line.replace("'field'", f"'{field}'")):
            classifier.predict(frame.assign(**{field: column}))


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(HALVES).replace(1.5, np.inf),
        pd.Series(HALVES).replace(1.5, -np.inf),
        pd.Series(HALVES, dtype="Float64").replace(1.5, np.inf),
        pd.Series(pd.arrays.SparseArray(np.where(KNOWN, np.inf, HALVES))),
        _arrow(np.where(KNOWN, np.inf, HALVES), pa.float64()),
        _objects(WHOLE, lambda value: Decimal("Infinity") if value == 3 else value),
        _objects(WHOLE, lambda value: int(value) * 10**400),
    ],
)
def test_infinity_is_refused(fitted, column):
    """It is refused in every type of column, at fit and at predict."""
    classifier, frame = fitted
    with pytest.raises(ValueError, match=r"^numbers must be finite, got infinity in column 'field'; replace it$"):
        _fit(_frame(column))
    with pytest.raises(ValueError, match=r"^numbers must be finite, got infinity in column 'number'; replace it$"):
        classifier.predict(frame.assign(number=column))


@pytest.mark.parametrize(
    ("column", "got"),
    [(WORDS, "texts"), (WHOLE.astype(str), "texts"), (pd.Categorical(WHOLE), "categories")],
)
def test_texts_for_numbers_are_refused(fitted, column, got):
    """Even texts of digits are, because nobody said how their numbers are written."""
    classifier, frame = fitted
    line = rf"^column '\w+' must hold numbers or booleans, as in the training set, got {got}; convert it$"
    for name in ("number", "known"):
        with pytest.raises(ValueError, match=line):
            classifier.predict(frame.assign(**{name: column}))


@pytest.mark.slow
@pytest.mark.parametrize("names", [[0, 1, 2], [2, 7, 4], [("a", 1), ("a", 2), ("b", 1)]])
def test_names_that_are_not_texts_must_come_in_the_order_of_the_training_set(fitted, names):
    """The probabilities are those of other names; columns in another order, which scikit-learn accepts, are refused."""
    classifier, frame = fitted
    columns = pd.MultiIndex.from_tuples(names) if isinstance(names[0], tuple) else names
    named = frame.set_axis(columns, axis=1)
    other = _fit(named)
    assert (other.predict_proba(named) == classifier.predict_proba(frame)).all()
    with pytest.raises(
        ValueError, match=r"^columns must be \[.*\], as in the training set, got \[.*\]; select them in"
    ):
        other.predict(named[named.columns[::-1]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame[["known", "number", "source"]], "Feature names must be in the same order as they were"),
        (lambda frame: frame.drop(columns="known"), "Feature names seen at fit time, yet now missing:\n- known"),
        (lambda frame: frame.assign(extra=1), "Feature names unseen at fit time:\n- extra"),
        (lambda frame: frame.iloc[:0], r"^leads must have rows and columns, got 0 sample\(s\) and 3 feature\(s\)$"),
        (lambda frame: frame.set_axis(["a", "a", "b"], axis=1), "^each column must have its own name, got 'a' twice;"),
    ],
)
def test_columns_that_do_not_fit_the_training_set_are_refused(fitted, change, message):
    """The words for names are scikit-learn's, whose own checks ask for them."""
    classifier, frame = fitted
    with pytest.raises(ValueError, match=message):
        classifier.predict(change(frame))


def test_names_of_several_types_are_refused():
    """They are refused in scikit-learn's words."""
    with pytest.raises(TypeError, match="Feature names are only supported if all input features have string names"):
        _fit(pd.DataFrame({"a": WHOLE, 1: WHOLE}))
