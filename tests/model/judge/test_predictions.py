"""Predictions of a holdout: arrays of a user are checked, and rows have an order that their values decide."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leadml.errors import ModelError
from leadml.leads.check.field import Field
from leadml.model.judge.predictions import HoldoutPredictions, checked_predictions


def _checked(**changed: Any) -> HoldoutPredictions:
    given = {"y": [0, 1, 0], "p": [0.1, 0.9, 0.2], "groups": None, "cuts": {}, "baselines": {}} | changed
    return checked_predictions(given.pop("y"), given.pop("p"), **given)


def _predictions(size: int = 200, *, groups: int | None = None) -> HoldoutPredictions:
    random = np.random.default_rng(5)
    fields = (Field("age", "number", "fit"),)
    probability = random.integers(0, 5, size) / 5
    return HoldoutPredictions(
        random.integers(0, 2, size).astype(np.int8),
        probability,
        random.integers(0, 3, (size, 1)).astype(float),
        fields,
        {"MQL": 0.4},
        {"rule": random.random(size).round(1)},
        None if groups is None else random.integers(0, groups, size),
    )


@pytest.mark.parametrize(
    "y",
    [[0, 1, 0], [False, True, False], pd.array([0, 1, 0], "Int64"), [Decimal(0), Decimal(1), Decimal(0)], [0.0, 1, 0]],
)
def test_outcomes_of_any_type_are_0_and_1(y: Any) -> None:
    """They are labels of one byte; there are no points."""
    found = _checked(y=y)

    assert (found.label.dtype, found.label.tolist()) == (np.int8, [0, 1, 0])
    assert (found.probability.tolist(), found.points.shape, found.fields) == ([0.1, 0.9, 0.2], (3, 0), ())


def test_cuts_are_sorted_and_baselines_keep_their_order() -> None:
    """The lowest stage comes first; names are texts."""
    found = _checked(cuts={"SQL": 0.9, "MQL": 1, 7: 0}, baselines=pd.DataFrame({"z": [0, 0, 1], "a": [1, 1, 0]}))

    assert list(found.cuts.items()) == [("7", 0), ("SQL", 0.9), ("MQL", 1)]
    assert {name: values.tolist() for name, values in found.baselines.items()} == {"z": [0, 0, 1], "a": [1, 1, 0]}


def test_messages_use_the_names_that_the_caller_has() -> None:
    """A command has other words than the library."""
    with pytest.raises(ModelError, match=r"^label must have at least one row, got none$"):
        _checked(y=[], names=("label", "probability"))
    with pytest.raises(ModelError, match=r"^probability must have one value for each of the 3 rows, got 1$"):
        _checked(p=[0.5], names=("label", "probability"))


@pytest.mark.parametrize("groups", [None, 30])
def test_rows_in_order_do_not_depend_on_the_order_before(groups: int | None) -> None:
    """Shuffled rows have the same order, also where probabilities are the same; each row stays whole."""
    predictions = _predictions(groups=groups)
    order = np.random.default_rng(1).permutation(200)
    shuffled = replace(
        predictions,
        **{name: getattr(predictions, name)[order] for name in ("label", "probability", "points")},
        baselines={"rule": predictions.baselines["rule"][order]},
        groups=None if groups is None else predictions.groups[order],
    )
    one, other = predictions.ordered(), shuffled.ordered()

    for name in ("label", "probability", "points"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert one.baselines["rule"].tolist() == other.baselines["rule"].tolist()
    assert (np.diff(one.probability) >= 0).all()
    rows = [
        sorted(zip(each.label, each.probability, each.points[:, 0], each.baselines["rule"], strict=True))
        for each in (predictions, one)
    ]
    assert rows[0] == rows[1]
    assert (one.fields, one.cuts) == (predictions.fields, predictions.cuts)
    if groups is not None:
        assert one.groups.tolist() == other.groups.tolist()


def test_group_codes_number_the_groups_in_the_order_of_the_rows() -> None:
    """Without groups every row has a number of its own."""
    assert _predictions(9).group_codes.tolist() == list(range(9))
    assert replace(_predictions(4), groups=np.array(["b", "a", "b", "c"])).group_codes.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": []}, "^y must have at least one row, got none$"),
        ({"y": [[0, 1]]}, r"^y must have one value for each row, got an array of shape \(1, 2\)$"),
        ({"y": 1}, r"^y must have one value for each row, got an array of shape \(\)$"),
        ({"p": [0.1, 0.2]}, "^p must have one value for each of the 3 rows, got 2$"),
        (
            {"y": [0, 1, 2]},
            "^y must hold 0 and 1 or booleans, got 2; write 1 for leads that converted and 0 for the oth",
        ),
        ({"y": ["no", "yes", "no"]}, "^y must hold numbers, got string; convert them first$"),
        ({"y": [0, None, 1]}, "^y must have no missing value, got 1; leave out rows that are not known$"),
        ({"p": [0.1, np.nan, np.nan]}, "^p must have no missing value, got 2; leave out rows that are not known$"),
        ({"p": [0.1, 1.5, 0.2]}, r"^p must be probabilities in \[0, 1\], got 1.5; divide percentages by 100$"),
        ({"p": [0.1, -np.inf, 0.2]}, r"^p must be probabilities in \[0, 1\], got -inf; divide"),
        ({"p": ["a", "b", "c"]}, "^p must hold numbers, got string; convert them first$"),
        ({"groups": ["a", "b"]}, "^groups must have one value for each of the 3 rows, got 2$"),
        ({"groups": ["a", None, "b"]}, "^groups must have no missing value, got 1; give every row a group$"),
        ({"cuts": {"MQL": 30}}, r"^cut 'MQL' must be a probability in \[0, 1\], got 30$"),
        ({"cuts": {"MQL": np.nan}}, r"^cut 'MQL' must be a probability in \[0, 1\], got nan$"),
        ({"baselines": {"old": [0.1, 2, 0]}}, r"^baseline 'old' must be probabilities in \[0, 1\], got 2; divide"),
        ({"baselines": {"leadml": [0.1, 0.2, 0]}}, "^a baseline must have another name than 'leadml', which names p"),
        ({"y": [[0], [1, 2]]}, "^y must have one value for each row, got rows of different lengths$"),
        ({"cuts": [0.3]}, '^cuts must be a mapping such as {"MQL": 0.3}, got list$'),
        ({"baselines": 1}, '^baselines must be a mapping such as {"rule": probabilities}, got 1$'),
    ],
)
def test_arrays_that_are_no_outcomes_or_probabilities_are_refused(change: dict[str, Any], message: str) -> None:
    """Each message says what must hold and what was got."""
    with pytest.raises(ModelError, match=message):
        _checked(**change)
