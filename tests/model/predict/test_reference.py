from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.contract import Field
from leadml.model.parts.encode import Encoder
from leadml.model.predict.reference import QUANTILES, UNKNOWN_LEVEL, golden_frame, golden_rows, profile


@pytest.fixture(scope="module")
def profiled(toy_leads, toy_fitted):
    """Return what the made-up leads looked like."""
    return profile(toy_leads, toy_fitted.model.encoder)


@pytest.fixture(scope="module")
def rows(profiled, toy_fitted):
    """Return their golden rows."""
    return golden_rows(profiled, toy_fitted.model.encoder)


def test_shares_of_levels_other_and_missing_add_up(bank_leads, bank_fitted, toy_leads, toy_fitted):
    """Every lead has one level, another one, or none."""
    for frame, fitted in ((bank_leads.frame, bank_fitted), (toy_leads, toy_fitted)):
        found = profile(frame, fitted.model.encoder)
        for field in fitted.model.encoder.fields:
            if field.kind == "category":
                entry = found[field.name]
                assert sum(entry["levels"].values()) + entry["other"] + entry["missing"] == pytest.approx(1)


def test_a_profile_says_what_pandas_counts(profiled, toy_leads):
    """Shares and quantiles are those of the known values."""
    assert profiled["job"]["levels"]["chef"] == pytest.approx((toy_leads["job"] == "chef").mean())
    assert profiled["age"]["missing"] == pytest.approx(toy_leads["age"].isna().mean())
    assert profiled["age"]["quantiles"] == pytest.approx(toy_leads["age"].quantile(list(QUANTILES)).tolist())


def test_a_rare_text_counts_as_other_and_is_nowhere(toy_leads, toy_fitted):
    """What few leads have is not written down."""
    frame = toy_leads.copy()
    frame.loc[:4, "job"] = "ann@example.org"
    found = profile(frame, toy_fitted.model.encoder)
    assert found["job"]["other"] == pytest.approx(5 / len(frame))
    assert "ann@example.org" not in json.dumps(found)


def test_a_number_that_is_never_known_has_no_quantiles():
    """An empty column is all missing."""
    encoder = Encoder((Field("age", "number", "fit"),), ((),))
    found = profile(pd.DataFrame({"age": [np.nan, np.nan]}), encoder)
    assert found == {"age": {"missing": 1.0, "quantiles": []}}
    assert set(golden_rows(found, encoder)["age"]) == {None}


def test_golden_rows_hold_quantiles_and_levels_alone(rows, profiled, toy_fitted):
    """Each value is one of the profile's, an unknown level or missing: no lead stands among them."""
    allowed = {
        "age": {*profiled["age"]["quantiles"], None},
        "visits": {*profiled["visits"]["quantiles"], None},
        "asked": {0.0, 1.0, None},
        "job": {*profiled["job"]["levels"], UNKNOWN_LEVEL, None},
    }
    assert {name: set(values) <= allowed[name] for name, values in rows.items()} == dict.fromkeys(allowed, True)
    assert {len(values) for values in rows.values()} == {50}


def test_golden_rows_visit_missing_and_unknown(rows):
    """Each field is missing somewhere, and the category unknown somewhere."""
    assert [name for name, values in rows.items() if None not in values] == []
    assert UNKNOWN_LEVEL in rows["job"]


def test_golden_rows_survive_json_and_repeat(rows, profiled, toy_fitted):
    """They are plain data, and the same each time."""
    assert json.loads(json.dumps(rows)) == rows
    assert golden_rows(json.loads(json.dumps(profiled)), toy_fitted.model.encoder) == rows


def test_golden_rows_can_be_scored(rows, toy_fitted):
    """As a frame they are checked leads."""
    frame = golden_frame(rows, toy_fitted.model.encoder)
    scores = toy_fitted.model.predict(frame)
    assert frame["age"].dtype == np.float64
    assert ((scores > 0) & (scores < 1)).all()
    assert len(set(scores.tolist())) > 25
