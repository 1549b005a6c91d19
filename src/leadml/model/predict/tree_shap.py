"""SHAP values of trees where it is not known whether a lead meets a condition.

A value that is new to the model meets each condition on its field with the probability that leads of the training set
did. What a lead gets is then the expectation, and the field itself adds nothing.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache
from itertools import groupby
from math import cos, pi, prod
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.model.parts.tree_text import Condition, Tree
    from leadml.types import Floats, Mask, Rows

DIGITS, STEPS = 40, 8  # each step doubles the digits of a node, of which the first has two
NEW = 2  # beside 0 and 1, whether a condition is met: nobody knows
FieldConditions: TypeAlias = "list[tuple[int, list[Condition]]]"


def by_field(conditions: Sequence[Condition]) -> FieldConditions:
    """Return the fields that some conditions test, in order, with the conditions on each."""
    ordered = sorted(conditions, key=lambda condition: condition.field)
    return [(field, list(group)) for field, group in groupby(ordered, key=lambda condition: condition.field)]


def tree_contributions(trees: Sequence[Tree], fields: Floats, is_new: Mask) -> Floats:
    """Return the SHAP values of trees, log-odds of shape (n_rows, n_fields), where some values may be new.

    Much slower than look-up tables: for rows of which few trees have no table. Rows that meet the same conditions of a
    leaf are computed once.

    Parameters
    ----------
    trees
        Of `leadml.model.parts.tree_text.read_trees`.
    fields
        Of the encoder's `fields_of`, shape (n_rows, n_fields).
    is_new
        Of the encoder's `is_new`, shape (n_rows, n_fields).
    """
    total = np.zeros(fields.shape)
    for leaf in (leaf for tree in trees for leaf in tree.leaves if leaf.conditions):
        groups = by_field(leaf.conditions)
        places = [field for field, _ in groups]
        shares = np.array([prod(condition.share for condition in conditions) for _, conditions in groups])
        states = [
            np.where(is_new[:, field], NEW, _is_met(conditions, fields[:, field])) for field, conditions in groups
        ]
        patterns, place = _patterns(states)
        met = np.where(patterns == NEW, shares, patterns.astype(np.float64))
        total[:, places] += shapley_values(shares[None], np.array([leaf.value]), met[None])[0][place]
    return total


def _patterns(states: Sequence[Rows]) -> tuple[Rows, Rows]:
    """Return the different rows of some columns, shape (n_patterns, n_columns), and which of them each row is."""
    number, first = np.zeros(len(states[0]), dtype=np.intp), np.zeros(1, dtype=np.intp)
    for column in states:  # new numbers for those that occur, so that there are never more than rows
        number = number * (NEW + 1) + column
        first = np.full(number.max(initial=-1) + 1, -1, dtype=np.intp)
        first[number[::-1]] = np.arange(len(number))[::-1]  # the first row of each number, which is written last
        number, first = (np.cumsum(first >= 0) - 1)[number], first[first >= 0]
    return np.column_stack(states)[first], number


def _is_met(conditions: list[Condition], values: Floats) -> Mask:
    """Return whether values meet all conditions on their field, shape (n_rows,)."""
    met = np.ones(len(values), dtype=bool)
    for condition in conditions:
        goes_left = values <= condition.threshold
        met &= np.where(np.isnan(values), condition.accepts_missing, goes_left == condition.is_left)
    return met


def shapley_values(shares: Floats, value: Floats, met: Floats) -> Floats:
    """Return the Shapley value of each condition of leaves, for some patterns of conditions that a lead meets.

    Parameters
    ----------
    shares
        Array of shape (n_leaves, n_conditions): share of the rows that meets each condition.
    value
        Array of shape (n_leaves,), in log-odds.
    met
        Array of shape (n_leaves, n_patterns, n_conditions): 1 where a condition is met, 0 where it is not, and between
        where that is not known: then the probability that it is.

    Returns
    -------
    array
        Of shape (n_leaves, n_patterns, n_conditions), in log-odds. The Shapley values of a pattern add up to the leaf's
        value times all of ``met``, less its value times all shares.

    Notes
    -----
    The game of path-dependent TreeSHAP (Lundberg et al., 2020): a coalition of conditions is worth the leaf's value
    times 1 or 0 for each of its conditions, met or not, times the share of each other condition. Where each other
    condition is in the coalition with probability t, what a condition adds is expected to be a product; the Shapley
    value is its mean over t from 0 to 1 (Owen, "Multilinear extensions of games", Management Science 18, 1972). The
    product is a polynomial in t, so that its mean over the nodes of Gauss and Legendre is exact. It is linear in
    whether a condition is met, so that a probability gives the expectation.
    """
    mean = np.zeros(met.shape)
    count = met.shape[2]
    for node, weight in _nodes(-(-count // 2)):
        factors = shares[:, None] * (1 - node) + met * node
        others, after = np.full(met.shape, weight), np.ones(met.shape[:2])
        for condition in range(1, count):
            others[:, :, condition] = others[:, :, condition - 1] * factors[:, :, condition - 1]
        for condition in range(count - 2, -1, -1):
            after *= factors[:, :, condition + 1]
            others[:, :, condition] *= after
        mean += others
    return value[:, None, None] * (met - shares[:, None]) * mean


@cache
def _nodes(count: int) -> list[tuple[float, float]]:
    """Return numbers from 0 to 1 and their weights, whose mean is exact of polynomials up to degree 2 count - 1.

    The zeros of a Legendre polynomial by Newton's method, in decimals: the same bits on every machine.
    """
    found = []
    with localcontext(prec=DIGITS):
        for number in range(count):
            node = Decimal(cos(pi * (number + 0.75) / (count + 0.5)))  # near to a zero
            for _ in range(STEPS):
                before, value = Decimal(1), node
                for degree in range(2, count + 1):
                    before, value = value, ((2 * degree - 1) * node * value - (degree - 1) * before) / degree
                slope = count * (node * value - before) / (node**2 - 1)
                node -= value / slope
            found.append((float((node + 1) / 2), float(1 / ((1 - node**2) * slope**2))))
    return found
