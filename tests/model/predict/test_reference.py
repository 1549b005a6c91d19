from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from leadml.leads.check.contract import Field
from leadml.model.parts.encode import Encoder
from leadml.model.predict.reference import QUANTILES, UNKNOWN_LEVEL, FieldProfile, golden_frame, golden_rows, profile


@pytest.fixture(scope="module")
def profiles(toy_leads, toy_fitted):
    """Return the profiles of the fields of the made-up leads."""
    return profile(toy_leads, toy_fitted.model.encoder)


def _as_json(profiles):
    return json.dumps({name: asdict(entry) for name, entry in profiles.items()})


@pytest.fixture(scope="module")
def rows(profiles, toy_fitted):
    """Return their golden rows."""
    return golden_rows(profiles, toy_fitted.model.encoder)


def test_shares_of_levels_other_and_missing_add_up(bank_leads, bank_fitted, toy_leads, toy_fitted):
    """Every lead has a level of the model, another level, or none."""
    for frame, fitted in ((bank_leads.frame, bank_fitted), (toy_leads, toy_fitted)):
        result = profile(frame, fitted.model.encoder)
        for field in fitted.model.encoder.fields:
            if field.kind == "category":
                entry = result[field.name]
                assert sum(entry.levels.values()) + entry.other + entry.missing == pytest.approx(1)


def test_a_profile_has_the_shares_and_quantiles_of_pandas(profiles, toy_leads):
    """Quantiles are those of the values that are not missing."""
    assert profiles["job"].levels["chef"] == pytest.approx((toy_leads["job"] == "chef").mean())
    assert profiles["age"].missing == pytest.approx(toy_leads["age"].isna().mean())
    assert profiles["age"].quantiles == pytest.approx(toy_leads["age"].quantile(list(QUANTILES)).tolist())


def test_a_rare_level_counts_as_other_and_is_not_stored(toy_leads, toy_fitted):
    """The profile does not hold the text of a level that few leads have."""
    frame = toy_leads.copy()
    frame.loc[:4, "job"] = "ann@example.org"
    result = profile(frame, toy_fitted.model.encoder)
    assert result["job"].other == pytest.approx(5 / len(frame))
    assert "ann@example.org" not in _as_json(result)


def test_a_number_without_values_has_no_quantiles():
    """The column is all missing."""
    encoder = Encoder((Field("age", "number", "fit"),), ((),))
    result = profile(pd.DataFrame({"age": [np.nan, np.nan]}), encoder)
    assert result == {"age": FieldProfile(missing=1.0, quantiles=[])}
    assert set(golden_rows(result, encoder)["age"]) == {None}


def test_golden_rows_have_only_quantiles_and_levels_of_the_profile(rows, profiles, toy_fitted):
    """Each value is one of the profile, an unknown level or missing, so that no row of a lead is stored."""
    allowed = {
        "age": {*profiles["age"].quantiles, None},
        "visits": {*profiles["visits"].quantiles, None},
        "asked": {0.0, 1.0, None},
        "job": {*profiles["job"].levels, UNKNOWN_LEVEL, None},
    }
    assert {name: set(values) <= allowed[name] for name, values in rows.items()} == dict.fromkeys(allowed, True)
    assert {len(values) for values in rows.values()} == {50}


def test_golden_rows_have_missing_values_and_unknown_levels(rows):
    """Each field is missing in some row, and the category has an unknown level in some row."""
    assert [name for name, values in rows.items() if None not in values] == []
    assert UNKNOWN_LEVEL in rows["job"]


def test_golden_rows_are_the_same_after_json_and_each_time(rows, profiles, toy_fitted):
    """They are plain data, and depend on the profile and the encoder alone."""
    assert json.loads(json.dumps(rows)) == rows
    again = {name: FieldProfile(**entry) for name, entry in json.loads(_as_json(profiles)).items()}
    assert golden_rows(again, toy_fitted.model.encoder) == rows


def test_golden_rows_can_be_scored(rows, toy_fitted):
    """Their frame is one of checked leads."""
    frame = golden_frame(rows, toy_fitted.model.encoder)
    scores = toy_fitted.model.predict(frame)
    assert frame["age"].dtype == np.float64
    assert ((scores > 0) & (scores < 1)).all()
    assert len(set(scores.tolist())) > 25
