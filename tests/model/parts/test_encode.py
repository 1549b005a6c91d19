from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.leads.check.contract import Field
from leadml.model.parts.encode import Encoder, fit_encoder
from leadml.params import ModelParams

JOB, AGE, ASKED = Field("job", "category", "fit"), Field("age", "number", "fit"), Field("asked", "boolean", "fit")
ENCODER = Encoder((AGE, JOB, ASKED), ((), ("chef", "monk"), ()))
WORDS = st.none() | st.sampled_from(["chef", "monk", "other", "missing", "", "nan", "é\u0301", "=1+1"])


def _frame(jobs, ages=None):
    ages = np.arange(len(jobs), dtype=float) if ages is None else ages
    return pd.DataFrame({"job": pd.Series(jobs, dtype=object), "age": ages, "asked": 1.0})


@settings(deadline=None, derandomize=True)
@given(st.lists(WORDS, min_size=1, max_size=30))
def test_every_lead_has_one_level_of_each_category(jobs):
    """The flags of a category are 0 and 1 and add up to 1, whatever the text."""
    flags = ENCODER.encode(_frame(jobs))[:, ENCODER.is_flag]
    assert set(np.unique(flags)) <= {0.0, 1.0}
    assert (flags.sum(axis=1) == 1).all()


@settings(deadline=None, derandomize=True)
@given(st.lists(WORDS, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_permuted_leads_give_permuted_columns(jobs, random):
    """Encoding looks at one lead at a time."""
    frame, order = _frame(jobs), list(range(len(jobs)))
    random.shuffle(order)
    assert np.array_equal(ENCODER.encode(frame)[order], ENCODER.encode(frame.iloc[order].reset_index(drop=True)))


@pytest.mark.parametrize(
    ("job", "column"),
    [("chef", 1), ("monk", 2), ("Chef", 3), ("other", 3), ("missing", 3), ("", 3), (None, 4), (float("nan"), 4)],
)
def test_a_level_falls_in_its_own_column(job, column):
    """Levels come first, then all others, then missing; the words "other" and "missing" are only texts."""
    row = ENCODER.encode(_frame(["chef", job]))[1]
    assert np.flatnonzero(row[1:5]).tolist() == [column - 1]


@pytest.mark.parametrize("dtype", [object, "str"])
def test_text_columns_of_either_kind_encode_alike(dtype):
    """A column of text gives the same columns whichever way it is held."""
    jobs = ["chef", None, "priest", "monk"]
    frame = _frame(jobs).astype({"job": dtype})
    assert ENCODER.codes(frame, 1).tolist() == [0, 3, 2, 1]


def test_numbers_stay_as_they_are_and_only_they_can_be_missing():
    """A missing number is NaN; flags never are."""
    matrix = ENCODER.encode(_frame(["chef", None], np.array([np.nan, -3.5])))
    assert np.isnan(matrix).tolist() == [[True, False, False, False, False, False], [False] * 6]
    assert matrix[1, 0] == -3.5


def test_columns_are_owned_by_their_fields_in_order():
    """Each column knows its field."""
    assert ENCODER.owners.tolist() == [0, 1, 1, 1, 1, 2]
    assert [ENCODER.width(at) for at in range(3)] == [1, 4, 1]


@pytest.mark.parametrize(
    ("least", "most", "kept"),
    [(1, 9, ("b", "a", "c", "d")), (2, 9, ("b", "a", "c")), (3, 9, ("b",)), (1, 2, ("b", "a")), (9, 9, ())],
)
def test_levels_are_the_most_frequent_with_ties_by_name(least, most, kept):
    """A level needs enough leads and a place among the most frequent; missing is no level."""
    jobs = ["c", "a", "b", "b", "a", "c", "b", "d", None]
    choices = ModelParams(min_level_count=least, max_levels=most)
    assert fit_encoder(_frame(jobs), [JOB], choices).levels == (kept,)


def test_levels_do_not_depend_on_the_order_of_leads(bank_leads, bank_contract, bank_params):
    """Shuffled leads give the same encoder."""
    shuffled = bank_leads.frame.sample(frac=1, random_state=3)
    assert fit_encoder(shuffled, bank_contract.fields, bank_params.model) == fit_encoder(
        bank_leads.frame, bank_contract.fields, bank_params.model
    )


def test_unknown_levels_are_counted_by_field():
    """Missing is not unknown, and numbers have no levels."""
    assert ENCODER.count_other(_frame(["chef", "priest", None, "pope"])) == {"job": 2}


def test_a_category_without_levels_still_tells_missing_from_other():
    """A field whose every level is rare has two columns."""
    encoder = Encoder((JOB,), ((),))
    assert encoder.encode(_frame(["chef", None])).tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_no_leads_give_no_rows():
    """An empty frame has the model's columns."""
    assert ENCODER.encode(_frame([])).shape == (0, 6)


def test_an_encoder_survives_json():
    """What is stored is what is read."""
    assert Encoder.from_json(json.loads(json.dumps(ENCODER.to_json()))) == ENCODER
