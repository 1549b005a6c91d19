from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.contract import Field
from leadml.model.parts.encode import Encoder, fit_encoder
from leadml.params import ModelParams

JOB, AGE, ASKED = Field("job", "category", "fit"), Field("age", "number", "fit"), Field("asked", "boolean", "fit")
ENCODER = Encoder((AGE, JOB, ASKED), ((), ("chef", "monk"), ()))
TEXTS = st.none() | st.sampled_from(["chef", "monk", "other", "missing", "", "nan", "é\u0301", "=1+1"])


def _frame(jobs, ages=None):
    ages = np.arange(len(jobs), dtype=float) if ages is None else ages
    return pd.DataFrame({"job": pd.Series(jobs, dtype=object), "age": ages, "asked": 1.0})


@pytest.mark.slow
@given(st.lists(TEXTS, min_size=1, max_size=30))
def test_every_lead_has_one_level_of_each_category(jobs):
    """The flags of a category are 0 and 1 and add up to 1, whatever the text."""
    flags = ENCODER.encode(_frame(jobs))[:, ENCODER.is_flag]
    assert set(np.unique(flags)) <= {0.0, 1.0}
    assert (flags.sum(axis=1) == 1).all()


@pytest.mark.slow
@given(st.lists(TEXTS, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_permuted_leads_give_permuted_columns(jobs, random):
    """The columns of a row do not depend on the other rows."""
    frame, order = _frame(jobs), list(range(len(jobs)))
    random.shuffle(order)
    assert np.array_equal(ENCODER.encode(frame)[order], ENCODER.encode(frame.iloc[order].reset_index(drop=True)))


@pytest.mark.parametrize(
    ("job", "column"),
    [("chef", 1), ("monk", 2), ("Chef", 3), ("other", 3), ("missing", 3), ("", 3), (None, 4), (float("nan"), 4)],
)
def test_each_level_has_its_own_column(job, column):
    """Levels come first, then all others, then missing; the words "other" and "missing" are only texts."""
    row = ENCODER.encode(_frame(["chef", job]))[1]
    assert np.flatnonzero(row[1:5]).tolist() == [column - 1]


@pytest.mark.parametrize("dtype", [object, "str"])
def test_text_columns_of_either_type_encode_equally(dtype):
    """The type of a column of texts changes nothing."""
    jobs = ["chef", None, "priest", "monk"]
    frame = _frame(jobs).assign(job=pd.Series(jobs, dtype=dtype))
    assert ENCODER.codes(frame, 1).tolist() == [0, 3, 2, 1]


def test_numbers_stay_as_they_are_and_only_they_can_be_missing():
    """A missing number is NaN; flags never are."""
    matrix = ENCODER.encode(_frame(["chef", None], np.array([np.nan, -3.5])))
    assert np.isnan(matrix).tolist() == [[True, False, False, False, False, False], [False] * 6]
    assert matrix[1, 0] == -3.5


def test_columns_are_owned_by_their_fields_in_order():
    """Each column has the position of its field."""
    assert ENCODER.owners.tolist() == [0, 1, 1, 1, 1, 2]
    assert [ENCODER.width(index) for index in range(3)] == [1, 4, 1]


@pytest.mark.parametrize(
    ("min_count", "max_levels", "levels"),
    [(1, 9, ("b", "a", "c", "d")), (2, 9, ("b", "a", "c")), (3, 9, ("b",)), (1, 2, ("b", "a")), (9, 9, ())],
)
def test_levels_are_the_most_frequent_with_ties_by_name(min_count, max_levels, levels):
    """A level needs enough rows and must be among the most frequent; missing is no level."""
    jobs = ["c", "a", "b", "b", "a", "c", "b", "d", None]
    params = ModelParams(min_level_count=min_count, max_levels=max_levels)
    assert fit_encoder(_frame(jobs), [JOB], params).levels == (levels,)


def test_levels_do_not_depend_on_the_order_of_leads(bank_leads, bank_contract, bank_params):
    """Shuffled rows give the same encoder."""
    shuffled = bank_leads.frame.sample(frac=1, random_state=3)
    assert fit_encoder(shuffled, bank_contract.fields, bank_params.model) == fit_encoder(
        bank_leads.frame, bank_contract.fields, bank_params.model
    )


def test_a_category_without_levels_still_has_columns_for_other_and_missing():
    """A field with only rare levels has two columns."""
    encoder = Encoder((JOB,), ((),))
    assert encoder.encode(_frame(["chef", None])).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_an_empty_frame_has_all_columns():
    """No rows give an array of 0 rows and the columns of the model."""
    assert ENCODER.encode(_frame([])).shape == (0, 6)


@pytest.mark.parametrize("new", [(), ((), ("missing",), ("missing",)), (("missing",), ("other", "missing"), ())])
def test_an_encoder_is_the_same_after_json(new):
    """What is written is what is read."""
    encoder = Encoder(ENCODER.fields, ENCODER.levels, new, ((-1.5, 80.0), (), ()))
    assert Encoder.from_json(json.loads(json.dumps(encoder.to_json()))) == encoder


@pytest.mark.parametrize("missing", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("rare", [0, 1, 2, 3, 4])
def test_other_and_missing_are_new_until_enough_rows_have_them(rare, missing):
    """Of a category, where fewer rows than a level needs are so; each rare level has one row, and all are "other"."""
    jobs = [*["chef"] * 5, *[f"rare {number}" for number in range(rare)], *[None] * missing]
    encoder = fit_encoder(_frame(jobs), [JOB], ModelParams(min_level_count=3))
    expected = (*(["other"] if rare < 3 else []), *(["missing"] if missing < 3 else []))
    assert encoder.levels == (("chef",),)
    assert encoder.new == (expected,)


@pytest.mark.parametrize(("count", "is_new"), [(0, True), (9, True), (10, False), (19, False), (20, False)])
def test_ten_rows_are_always_enough(count, is_new):
    """However many rows a level needs for a column of its own, ten teach what "other" or "missing" means."""
    jobs = [*["chef"] * 40, *["monk"] * min(count, 19), *[f"{number}" for number in range(count - 19)], *[None] * count]
    ages = np.where(np.arange(len(jobs)) < count, np.nan, 30.0)
    encoder = fit_encoder(_frame(jobs, ages), [JOB, AGE], ModelParams(min_level_count=20))
    assert encoder.levels == (("chef",), ())
    assert encoder.new == ((("other", "missing"), ("missing",)) if is_new else ((), ()))


def test_levels_beyond_the_most_frequent_are_rows_of_other():
    """A level that has enough rows, but no column, teaches what "other" means."""
    frame = _frame(["a"] * 9 + ["b"] * 5)
    assert fit_encoder(frame, [JOB], ModelParams(min_level_count=3, max_levels=1)).new == (("missing",),)
    assert fit_encoder(frame, [JOB], ModelParams(min_level_count=3)).new == (("other", "missing"),)


@pytest.mark.parametrize(("missing", "new"), [(0, ("missing",)), (2, ("missing",)), (3, ()), (6, ())])
def test_of_a_number_only_missing_can_be_new(missing, new):
    """Where too few rows of the training set miss it; a number that no row has is like others."""
    ages = np.array([30.0] * (9 - missing) + [np.nan] * missing)
    frame = _frame(["chef"] * 9, ages).assign(asked=ages)
    encoder = fit_encoder(frame, [AGE, ASKED], ModelParams(min_level_count=3))
    assert encoder.new == (new, new)
    is_new = encoder.is_new(np.array([[np.nan, np.nan], [1e300, 0.0], [-np.inf, 7.0]]))
    assert is_new.tolist() == [[bool(new)] * 2, [False] * 2, [False] * 2]


@given(st.lists(TEXTS, min_size=1, max_size=30), st.sets(st.sampled_from(["other", "missing"])))
def test_a_value_is_new_where_its_code_is(jobs, names):
    """A text without a column is new where "other" is, and a missing one where "missing" is; known levels never are."""
    new = tuple(name for name in ("other", "missing") if name in names)
    encoder = Encoder((JOB,), (("chef", "monk"),), (new,))
    kinds = ["missing" if job is None else "level" if job in {"chef", "monk"} else "other" for job in jobs]
    assert encoder.is_new(encoder.fields_of(_frame(jobs)))[:, 0].tolist() == [kind in names for kind in kinds]
    assert encoder.new_codes(0) == [{"other": 2, "missing": 3}[name] for name in new]


@given(st.lists(st.floats(-1e9, 1e9) | st.sampled_from([0.0, 1.0]), min_size=1, max_size=30))
def test_no_number_of_the_training_set_is_far_and_the_bounds_tell_none(values):
    """They are the mean and the deviation times a power of two, at least four; a constant has none."""
    frame = pd.DataFrame({"age": values})
    encoder = fit_encoder(frame, [AGE], ModelParams())
    assert not encoder.is_far(np.array(values)[:, None]).any()
    mean, deviation = np.mean(values), np.std(values)
    [bounds] = encoder.bounds
    assert bool(bounds) == (len(values) >= 10 and len(set(values)) > 1)
    for end in bounds:
        power = np.log2(abs(end - mean) / deviation)
        assert power == pytest.approx(round(power), abs=1e-3)
        assert power > 1.99
        beyond = end + np.sign(end - mean) * (1.0 + abs(end) * 1e-9)
        assert encoder.is_far(np.array([[beyond], [np.nan], [mean]])).ravel().tolist() == [True, False, False]


@pytest.mark.parametrize("values", [[1.0] + [0.0] * 256, [1e308] * 20 + [0.0] * 20, [0.1] * 1000, [5.0] * 9 + [6.0]])
def test_there_is_room_beyond_the_largest_number(values):
    """Where it is just a power of two of deviations from the mean, too; a constant and huge numbers are not beyond."""
    encoder = fit_encoder(pd.DataFrame({"age": values}), [AGE], ModelParams())
    assert not encoder.is_far(np.array(values)[:, None]).any()
    [bounds] = encoder.bounds
    assert bool(bounds) == (len(set(values)) > 1)
    if bounds:
        assert bounds[1] > min(max(values), 1e100) + 0.01 * np.std(np.clip(values, 0, 1e100))


def test_without_new_names_no_value_is_new():
    """An encoder that is written by hand needs none."""
    fields = ENCODER.fields_of(_frame(["chef", "priest", None], np.array([1.0, np.nan, 2.0])))
    assert not ENCODER.is_new(fields).any()
    assert [ENCODER.new_codes(index) for index in range(3)] == [[], [], []]
