"""Fit one linear part, as tests need it."""

from __future__ import annotations

from leadml.model.parts.linear import fit_linear_parts


def fit_linear(matrix, label, terms, *, strength, weight=None):
    """Return the linear part of one strength, as exact as that of a model."""
    return fit_linear_parts(matrix, label, terms, [(strength, weight)])[0]
