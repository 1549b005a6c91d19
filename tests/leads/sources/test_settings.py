"""Settings of snapshots: stored with a model, and compared with the params of later jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dated import crm, small, write_params

from leadml.errors import LeadmlError
from leadml.leads.sources.settings import (
    AsOfSettings,
    SingleSnapshot,
    dated_sources,
    settings_from_json,
    settings_from_params,
)
from leadml.params import Params, load_params


def declared(folder: Path, *overrides: str) -> Params:
    """Return params of a simulated CRM with overrides."""
    return load_params(write_params(folder, crm()), overrides)


def test_settings_are_restored_from_json(tmp_path: Path) -> None:
    """Flat leads have none, and dated leads those of the target."""
    settings = settings_from_params(declared(tmp_path), "mql")

    assert settings_from_json(settings.to_json()) == settings
    assert settings_from_json(SingleSnapshot().to_json()) == SingleSnapshot()


def test_settings_name_unit_prediction_and_labels(tmp_path: Path, bank_params: Params) -> None:
    """The report shows them."""
    dated, flat = settings_from_params(declared(tmp_path), "mql"), settings_from_params(bank_params, "subscribed")

    assert (flat.unit, dated.unit) == ("leads", "snapshots")
    assert dated.predicts("mql") == "mql: whether open leads reach mql within 30 days of the snapshot"
    assert flat.predicts("won") == "won, for each lead, as a calibrated probability"
    assert flat.topic_labels == {}
    assert dated.topic_labels["form"] == "forms"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sources.activities.channel=null", "activities.channel was declared, and is not now"),
        ("sources.leads.valid_from=null", "leads.valid_from was declared, and is not now"),
        ("data.timezone=Asia/Kolkata", "it was UTC, and is Asia/Kolkata now"),
    ],
)
def test_params_must_declare_the_same_sources_as_the_model(tmp_path: Path, override: str, message: str) -> None:
    """The reverse change is refused too."""
    before, after = declared(tmp_path), declared(tmp_path, override)

    AsOfSettings.from_params(before, "mql").check(before)
    with pytest.raises(LeadmlError, match=message):
        AsOfSettings.from_params(before, "mql").check(after)
    with pytest.raises(LeadmlError, match=r"as (they were|it was) when the model was trained"):
        AsOfSettings.from_params(after, "mql").check(before)


def test_the_outcome_that_a_model_predicts_must_still_have_a_word(tmp_path: Path) -> None:
    """Otherwise nobody could tell which leads have reached it."""
    own = ["sources.outcomes.names={hot: hot}", "targets.hot={outcome: hot, horizon: 30, drives: []}"]
    settings = settings_from_params(declared(tmp_path, *own), "hot")
    settings.check(declared(tmp_path / "same", *own))
    with pytest.raises(LeadmlError, match=r"sources\.outcomes\.names must have a word for 'hot'"):
        settings.check(declared(tmp_path / "other", "sources.outcomes.names={hot: sql}"))


def test_flat_leads_have_no_dated_sources(tmp_path: Path, bank_params: Params) -> None:
    """The message says what to declare."""
    assert dated_sources(load_params(write_params(tmp_path, small()))).activities is not None
    with pytest.raises(LeadmlError, match="leads must be dated for this, got flat ones; declare sources and targets"):
        dated_sources(bank_params)
