"""A model as plain data: texts and a number, the same bits when they are read, and refused if a byte was changed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadml.model.fit.estimator import FitResult
from leadml.model.predict.explain import explain_leads
from leadml.model.predict.plain_state import from_state, to_state


@pytest.fixture(scope="module")
def state(toy_fitted: FitResult) -> dict[str, Any]:
    """Return a model as plain data."""
    return to_state(toy_fitted.model, {"labels": ["no", "yes"]})


def test_the_model_is_read_to_the_bit(state: dict[str, Any], toy_fitted: FitResult, toy_leads: pd.DataFrame) -> None:
    """Also after JSON, with the other values."""
    model, facts = from_state(json.loads(json.dumps(state)))
    fields = model.encoder.fields_of(toy_leads)

    assert facts == {"labels": ["no", "yes"]}
    read, written = (explain_leads(one, fields).probability for one in (model, toy_fitted.model))
    np.testing.assert_array_equal(read, written)


def test_the_state_is_texts_and_a_number(state: dict[str, Any], toy_fitted: FitResult) -> None:
    """So any serializer can hold it, and the same model has the same state."""
    assert {name: type(value) for name, value in state.items()} == {
        "format": int,
        "model": str,
        "trees": str,
        "sha256": str,
    }
    assert to_state(toy_fitted.model, {"labels": ["no", "yes"]}) == state


@pytest.mark.parametrize("part", ["model", "trees"])
def test_a_changed_byte_is_refused_before_anything_is_read(state: dict[str, Any], part: str) -> None:
    """Wherever it is."""
    for at in (0, len(state[part]) // 2, len(state[part]) - 1):
        changed = state[part][:at] + chr(ord(state[part][at]) ^ 1) + state[part][at + 1 :]
        with pytest.raises(ValueError, match="must be as it was written, got other bytes"):
            from_state(state | {part: changed})
    with pytest.raises(ValueError, match="must be as it was written, got other bytes"):
        from_state(state | {part: state[part][:-100]})


@pytest.mark.parametrize("other", [None, {}, {"format": 1}, "text"])
def test_another_format_is_refused(other: Any) -> None:
    """The message has the format that is expected and the one that was found."""
    with pytest.raises(ValueError, match=r"must have format 3, got .*; use the leadml that wrote it, or fit it again"):
        from_state(other)
