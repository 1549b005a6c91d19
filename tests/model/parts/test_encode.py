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


def test_an_encoder_is_the_same_after_json():
    """What is written is what is read."""
    assert Encoder.from_json(json.loads(json.dumps(ENCODER.to_json()))) == ENCODER
