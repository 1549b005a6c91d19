"""Outcomes and probabilities of the holdout, which an evaluation is made from.

Arrays of a user are checked before they are used: wrong shapes, missing values and numbers that are no probabilities
are refused with what must hold and what was got.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.arguments import mapping
from leadml.errors import ModelError, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from leadml.leads.check.field import Field
    from leadml.types import Floats, Labels, Rows

MODEL = "leadml"
NUMBER_TYPES = ("boolean", "integer", "floating", "mixed-integer-float", "decimal", "empty")


@dataclass(frozen=True)
class HoldoutPredictions:
    """Outcomes of the holdout, and what the model and its baselines predict for it.

    Parameters
    ----------
    label
        Array of shape (n_rows,) of 0 and 1.
    probability
        Calibrated, of the same shape.
    points
        Array of shape (n_rows, n_fields).
    fields
        The fields of ``points``.
    cuts
        Name and probability of each advised stage, lowest first.
    baselines
        Name and probabilities of each baseline.
    groups
        Array of shape (n_rows,): the group of each row, where groups have several rows. The bootstrap then draws
        groups, because the rows of a group are not independent.
    copies
        Array of shape (n_rows,): a number for each row, the same for copies of one row; None where there is no copy.
    """

    label: Labels
    probability: Floats
    points: Floats
    fields: Sequence[Field]
    cuts: Mapping[str, float]
    baselines: Mapping[str, Floats]
    groups: NDArray[Any] | None = None
    copies: Rows | None = None

    @cached_property
    def group_codes(self) -> Rows:
        """Array of shape (n_rows,): the number of each row's group, in the order of the rows."""
        if self.groups is None:
            return np.arange(len(self.label))
        return np.asarray(pd.factorize(self.groups)[0], dtype=np.intp)

    def ordered(self) -> HoldoutPredictions:
        """Return the rows in an order that depends on their values alone."""
        ties = () if self.groups is None else (pd.factorize(self.groups, sort=True)[0],)
        order = np.lexsort((*ties, *self.points.T, *self.baselines.values(), self.label, self.probability))
        baselines = {name: probability[order] for name, probability in self.baselines.items()}
        arrays = (self.label[order], self.probability[order], self.points[order])
        groups = None if self.groups is None else self.groups[order]
        copies = None if self.copies is None else np.asarray(pd.factorize(self.copies[order])[0], dtype=np.intp)
        return HoldoutPredictions(*arrays, self.fields, self.cuts, baselines, groups, copies)


def checked_predictions(
    y: ArrayLike,
    p: ArrayLike,
    *,
    groups: ArrayLike | None,
    cuts: Mapping[str, float],
    baselines: Mapping[str, ArrayLike],
    names: tuple[str, str] = ("y", "p"),
) -> HoldoutPredictions:
    """Return outcomes and probabilities of a user as predictions, after they have been checked.

    Parameters
    ----------
    y, p, groups, cuts, baselines
        As for `leadml.evaluate`.
    names
        What messages call ``y`` and ``p``.

    Raises
    ------
    ModelError
        Where an array has another shape, a value is missing, an outcome is not 0 or 1, or a probability or cut is not
        in [0, 1].
    """
    outcomes = _numbers(y, names[0])
    size = len(outcomes)
    if size == 0:
        msg = f"{names[0]} must have at least one row, got none"
        raise ModelError(msg)
    if not np.isin(outcomes, (0.0, 1.0)).all():
        first = float(outcomes[~np.isin(outcomes, (0.0, 1.0))][0])
        must = f"{names[0]} must hold 0 and 1 or booleans"
        msg = f"{must}, got {first:g}; write 1 for leads that converted and 0 for the others"
        raise ModelError(msg)
    baselines = mapping(baselines, "baselines", '{"rule": probabilities}', error=ModelError)
    cuts = mapping(cuts, "cuts", '{"MQL": 0.3}', error=ModelError)
    if MODEL in baselines:
        msg = f"a baseline must have another name than {quoted(MODEL)}, which names p; rename it"
        raise ModelError(msg)
    for stage, cut in cuts.items():
        if not _is_probability(cut):
            msg = f"cut {quoted(stage)} must be a probability in [0, 1], got {cut!r}"
            raise ModelError(msg)
    labels = None
    if groups is not None:
        labels = np.asarray(groups)
        _refuse_shape(labels, "groups", size)
        _refuse_missing(labels, "groups", "give every row a group")
    return HoldoutPredictions(
        label=outcomes.astype(np.int8),
        probability=_probabilities(p, names[1], size),
        points=np.empty((size, 0)),
        fields=(),
        cuts=dict(sorted(cuts.items(), key=lambda item: item[1])),
        baselines={name: _probabilities(other, f"baseline {quoted(name)}", size) for name, other in baselines.items()},
        groups=labels,
    )


def _is_probability(value: object) -> bool:
    return isinstance(value, Real) and 0 <= float(value) <= 1


def _probabilities(values: ArrayLike, name: str, size: int) -> Floats:
    numbers = _numbers(values, name, size)
    outside = (numbers < 0) | (numbers > 1)
    if outside.any():
        msg = f"{name} must be probabilities in [0, 1], got {numbers[outside][0]:g}; divide percentages by 100"
        raise ModelError(msg)
    return numbers


def _numbers(values: ArrayLike, name: str, size: int | None = None) -> Floats:
    """Return one number for each row, after missing values and other shapes were refused."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        msg = f"{name} must have one value for each row, got rows of different lengths"
        raise ModelError(msg) from None
    _refuse_shape(array, name, size)
    content = pd.api.types.infer_dtype(array, skipna=True)
    if content not in NUMBER_TYPES:
        msg = f"{name} must hold numbers, got {content}; convert them first"
        raise ModelError(msg)
    _refuse_missing(array, name, "leave out rows that are not known")
    return array.astype(np.float64)


def _refuse_shape(array: NDArray[Any], name: str, size: int | None) -> None:
    if array.ndim != 1:
        msg = f"{name} must have one value for each row, got an array of shape {array.shape}"
        raise ModelError(msg)
    if size is not None and len(array) != size:
        msg = f"{name} must have one value for each of the {size:,} rows, got {len(array):,}"
        raise ModelError(msg)


def _refuse_missing(array: NDArray[Any], name: str, remedy: str) -> None:
    missing = int(pd.isna(array).sum())
    if missing:
        msg = f"{name} must have no missing value, got {missing:,}; {remedy}"
        raise ModelError(msg)
