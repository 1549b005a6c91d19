"""What a bundle holds: texts that are the same for the same version, and a hash of the model alone."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadml.bundle.contents import BOOSTER, EVALUATION, FILES, MODEL, Bundle, canonical_json, model_hash
from leadml.model.parts.calibration import Calibrator
from leadml.model.predict.reference import golden_frame
from leadml.stages.plan import StagePlan

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def texts(bundle: Bundle) -> dict[str, str]:
    """Return the texts of the bundle."""
    return bundle.texts()


@pytest.mark.slow
@given(VALUES)
def test_canonical_json_is_read_as_the_value(value: object) -> None:
    """It is one line, and writing what was read gives the same line."""
    text = canonical_json(value)

    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text
    assert text.endswith("\n")
    assert "\n" not in text[:-1]


@pytest.mark.slow
@given(st.dictionaries(st.text(), st.integers(), max_size=6))
def test_the_order_of_keys_changes_no_byte(value: dict[str, int]) -> None:
    """So equal values have equal hashes."""
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


def test_a_bundle_has_a_text_for_each_file(texts: dict[str, str], bundle: Bundle) -> None:
    """The trees as LightGBM writes them, the rest as canonical JSON; a second time the same bytes."""
    assert tuple(texts) == FILES
    assert texts[BOOSTER] == bundle.model.trees.text
    for name in (MODEL, EVALUATION):
        assert canonical_json(json.loads(texts[name])) == texts[name]
    assert bundle.texts() == texts


def test_the_texts_hold_every_part_by_its_name(texts: dict[str, str], bundle: Bundle) -> None:
    """A program that reads the files finds the target, how leads are read, the model, the stages and the evaluation."""
    model, evaluation = (json.loads(texts[name]) for name in (MODEL, EVALUATION))
    own = {name: model.pop(name) for name in bundle.model.to_json()}

    assert own == json.loads(canonical_json(bundle.model.to_json()))
    assert set(model.pop("golden")) == {"rows", "scores"}
    assert model.pop("reference") == json.loads(canonical_json(bundle.reference.to_json()))
    assert model.pop("profile") == json.loads(canonical_json(bundle.profile.to_json()))
    assert model == {
        "target": "subscribed",
        "contract": json.loads(canonical_json(bundle.leads.contract.to_json())),
        "as_of": None,
        "holdout": {"share": 0.25, "seed": 3, "since": 1_700_000_000_000_000, "by_group": True, "same_person": None},
        "stages": {
            "cuts": [{"stage": "MQL", "probability": 0.2, "rule": "fixed at 0.2", "remark": ""}],
            "bands": {"fit": [-1.0, 0.0, 2.5], "engagement": []},
            "drop": None,
        },
    }
    assert evaluation.pop("candidates") == [{"cut": 0.1, "precision": 0.5}, {"cut": 0.2, "precision": 1.0}]
    assert evaluation == json.loads(canonical_json(bundle.evaluation.to_json()))


def test_golden_scores_are_those_of_the_model(texts: dict[str, str], bundle: Bundle) -> None:
    """To the bit."""
    golden = json.loads(texts[MODEL])["golden"]

    assert bundle.model.predict(golden_frame(golden["rows"], bundle.model.encoder)).tolist() == golden["scores"]


def test_the_hash_of_a_model_is_that_of_two_of_its_files(texts: dict[str, str], bundle: Bundle) -> None:
    """The evaluation, which follows from them, is not in it."""
    expected = hashlib.sha256((texts[BOOSTER] + texts[MODEL]).encode()).hexdigest()

    assert model_hash(texts) == bundle.model_hash == expected
    assert model_hash({**texts, EVALUATION: ""}) == expected
    assert model_hash({**texts, MODEL: texts[MODEL] + " "}) != expected
    assert model_hash({**texts, BOOSTER: texts[BOOSTER] + " "}) != expected


@pytest.mark.slow
def test_every_part_that_changes_a_score_or_a_stage_changes_the_hash(bundle: Bundle) -> None:
    """Target, how leads are read, calibration and cuts; the record changes nothing."""
    model = replace(bundle.model, calibrator=Calibrator(1.0, 0.1))
    leads = replace(bundle.leads, contract=replace(bundle.leads.contract, lead_id="other"))
    changed = [
        replace(bundle, target="other"),
        replace(bundle, leads=leads),
        replace(bundle, model=model),
        replace(bundle, stages=StagePlan((), bundle.stages.bands)),
    ]

    assert len({bundle.model_hash, *(each.model_hash for each in changed)}) == 5
    assert replace(bundle, record=replace(bundle.record, rows=11)).texts() == bundle.texts()


def test_a_bundle_is_shown_in_one_line(bundle: Bundle) -> None:
    """With its target, its date and the number of fields."""
    assert repr(bundle) == "Bundle('subscribed', trained 2026-01-02T03:04:05+00:00, 15 fields)"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_canonical_json_refuses_what_json_cannot_say(value: float) -> None:
    """NaN and infinity are not part of JSON."""
    with pytest.raises(ValueError, match="Out of range float values are not JSON compliant"):
        canonical_json({"value": value})


def test_canonical_json_has_one_spelling() -> None:
    """Keys are sorted, and no letter is escaped."""
    assert canonical_json({"b": "é", "a": [1, None]}) == '{"a":[1,null],"b":"é"}\n'
