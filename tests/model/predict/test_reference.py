"""The bins of fields, and golden rows that are drawn from them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.leads.check.contract import Field
from leadml.model.parts.encode import Encoder
from leadml.model.predict.reference import (
    QUANTILES,
    UNKNOWN_LEVEL,
    FieldBins,
    field_bins,
    golden_frame,
    golden_rows,
)


def _bins_of(frame, encoder):
    return field_bins(encoder.fields_of(frame), encoder)


@pytest.fixture(scope="module")
def bins(toy_leads, toy_fitted):
    """Return the bins of the fields of the made-up leads."""
    return _bins_of(toy_leads, toy_fitted.model.encoder)


@pytest.fixture(scope="module")
def rows(bins, toy_fitted):
    """Return their golden rows."""
    return golden_rows(bins, toy_fitted.model.encoder)


@given(st.lists(st.sampled_from([-3.0, 0.0, 0.5, 1.0, 7.0]) | st.floats(-10, 10), min_size=1, max_size=60))
def test_every_number_has_one_bin_and_larger_numbers_no_lower_one(values):
    """Whether values are repeated or not; a missing value has the number of bins as its position."""
    numbers = np.sort(np.array(values))
    bins = FieldBins("number", tuple(np.quantile(numbers, QUANTILES).tolist()))
    positions = bins.positions(numbers)

    assert (np.diff(positions) >= 0).all()
    assert positions.min() >= 0
    assert positions.max() < bins.size == len(bins.edges) + 1
    assert (np.diff(bins.edges) > 0).all()
    assert bins.positions(np.array([np.nan])).tolist() == [bins.size]


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=60))
def test_the_first_and_the_last_bin_are_outside_the_range(values):
    """Below the 1% quantile and above the 99% quantile, which are themselves inside."""
    quantiles = tuple(np.quantile(np.array(values), QUANTILES).tolist())
    bins = FieldBins("number", quantiles)
    ends = np.array([quantiles[0], quantiles[-1]])

    assert not set(bins.positions(ends).tolist()) & {0, bins.size - 1}
    assert bins.positions(np.nextafter(ends, [-np.inf, np.inf])).tolist() == [0, bins.size - 1]


def test_a_value_of_many_leads_has_a_bin_of_its_own():
    """Else -1 for "never" would be counted with the days that follow."""
    bins = FieldBins("number", (-1.0,) * 7 + (100.0, 300.0))

    assert bins.positions(np.array([-2.0, -1.0, -0.5, 100.0, 300.0, 301.0])).tolist() == [0, 1, 2, 2, 3, 4]
    assert [bins.label(at) for at in range(5)] == ["below -1", "-1", "-1 to 100", "100 to 300", "above 300"]


def test_days_since_an_activity_are_counted_in_full_weeks():
    """A score on another day of the week than the snapshots moves them by days, and no lead to another bin."""
    days = np.arange(200.0)
    number = Field("visit_last", "number", "engagement", "activity", "visit", "visits: the last {} days ago")
    bins = field_bins(days.reshape(-1, 1), Encoder((number,), ((),)))["visit_last"]

    assert bins.step == 7
    assert len(set(bins.positions(days[:7]).tolist())) == 1
    assert (bins.positions(days) == bins.positions(days // 7 * 7)).all()
    assert [bins.label(at) for at in (0, 1, 2, bins.size - 1)] == ["below 0", "0 to 13", "14 to 20", "above 202"]
    repeated = FieldBins("number", (0.0, 3.0, 20.0), step=7)
    assert [repeated.label(at) for at in range(repeated.size)] == ["below 0", "0 to 6", "7 to 20", "above 20"]


def test_a_category_has_a_bin_for_each_level_and_one_for_all_others(bins, toy_leads, toy_fitted):
    """The positions are the codes of the encoder; missing values come last."""
    encoder = toy_fitted.model.encoder
    index = [field.name for field in encoder.fields].index("job")
    frame = pd.DataFrame({"job": np.array(["chef", "monk", "pope", None], dtype=object)})
    codes = encoder.codes(frame, index).astype(float)

    assert bins["job"].levels == encoder.levels[index] == ("chef", "monk")
    assert bins["job"].positions(codes).tolist() == [0, 1, 2, 3]
    assert [bins["job"].label(at) for at in range(3)] == ["'chef'", "'monk'", "another level"]


def test_quantiles_are_those_of_pandas(bins, toy_leads):
    """Of the values that are not missing."""
    assert bins["age"].quantiles == pytest.approx(toy_leads["age"].quantile(list(QUANTILES)).tolist())
    assert bins["asked"] == FieldBins("boolean")
    assert [bins["asked"].label(at) for at in range(bins["asked"].size)] == ["no", "yes"]


def test_a_rare_level_is_in_no_bin(toy_leads, toy_fitted):
    """The bins do not hold the text of a level that few leads have."""
    frame = toy_leads.copy()
    frame.loc[:4, "job"] = "ann@example.org"

    assert "ann@example.org" not in json.dumps(_bins_of(frame, toy_fitted.model.encoder)["job"].to_json())


def test_a_number_without_values_has_one_bin():
    """The column is all missing in the training; later numbers are in the range of nothing."""
    encoder = Encoder((Field("age", "number", "fit"),), ((),))
    result = _bins_of(pd.DataFrame({"age": [np.nan, np.nan]}), encoder)

    assert result == {"age": FieldBins("number")}
    assert (result["age"].size, result["age"].label(0)) == (1, "any number")
    assert result["age"].positions(np.array([5.0, np.nan])).tolist() == [0, 1]
    assert set(golden_rows(result, encoder)["age"]) == {None}


def test_bins_are_the_same_after_json(bins):
    """Quantiles that do not rise are refused."""
    stored = json.loads(json.dumps({name: each.to_json() for name, each in bins.items()}))

    assert {name: FieldBins.from_json(each) for name, each in stored.items()} == bins
    with pytest.raises(ValueError, match=r"\(2.0, 1.0\)"):
        FieldBins.from_json({"kind": "number", "quantiles": [2, 1], "levels": []})


def test_golden_rows_have_only_quantiles_and_levels_of_the_training(rows, bins, toy_fitted):
    """Each value is one of the bins, an unknown level or missing, so that no row of a lead is stored."""
    allowed = {
        "age": {*bins["age"].quantiles, None},
        "visits": {*bins["visits"].quantiles, None},
        "asked": {0.0, 1.0, None},
        "job": {*bins["job"].levels, UNKNOWN_LEVEL, None},
    }
    assert {name: set(values) <= allowed[name] for name, values in rows.items()} == dict.fromkeys(allowed, True)
    assert {len(values) for values in rows.values()} == {50}


def test_golden_rows_have_missing_values_and_unknown_levels(rows):
    """Each field is missing in some row, and the category has an unknown level in some row."""
    assert [name for name, values in rows.items() if None not in values] == []
    assert UNKNOWN_LEVEL in rows["job"]


def test_golden_rows_are_the_same_after_json_and_each_time(rows, bins, toy_fitted):
    """They are plain data, and depend on the bins and the encoder alone."""
    assert json.loads(json.dumps(rows)) == rows
    again = {name: FieldBins.from_json(each.to_json()) for name, each in bins.items()}
    assert golden_rows(again, toy_fitted.model.encoder) == rows


def test_golden_rows_can_be_scored(rows, toy_fitted):
    """Their frame is one of checked leads."""
    frame = golden_frame(rows, toy_fitted.model.encoder)
    scores = toy_fitted.model.predict(frame)
    assert frame["age"].dtype == np.float64
    assert ((scores > 0) & (scores < 1)).all()
    assert len(set(scores.tolist())) > 25
