"""Columns of any type that frames and arrays have, as the numbers and texts that a classifier is fitted on.

A column is judged by its values where its type says nothing, so that the same values give the same model whether they
come as numbers, as Python objects, as Arrow or as pandas' own types. What is neither a number, a boolean nor a text is
refused.
"""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.leads.check.convert import plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.params import Kind

BOOLEANS, NUMBERS = (bool, np.bool_), (Real, np.bool_, Decimal)
OF_VALUES = ("unknown-array", "empty")  # types of columns that say nothing about the values
AS_IN_TRAINING = "must hold numbers or booleans, as in the training set"


def holds_objects(table: Any) -> bool:
    """Return whether an array, or a list of rows, holds Python objects or texts.

    Examples
    --------
    >>> holds_objects([["web", 1.5]]), holds_objects(np.ones((2, 2)))
    (True, False)
    """
    values = np.asarray(table) if isinstance(table, (list, tuple)) else table
    return getattr(getattr(values, "dtype", None), "kind", "") in {"O", "U", "S"}


def refuse_shapes(leads: pd.DataFrame) -> None:
    """Raise a ValueError where a frame has no row or no column, or two columns of one name."""
    if 0 in leads.shape:
        rows, columns = leads.shape
        msg = f"leads must have rows and columns, got {rows} sample(s) and {columns} feature(s)"
        raise ValueError(msg)
    if not leads.columns.is_unique:
        name = leads.columns[leads.columns.duplicated()][0]
        msg = f"each column must have its own name, got {name!r} twice; rename one"
        raise ValueError(msg)


def kind_of(column: pd.Series) -> Kind:
    """Return the kind of the field that a column is.

    Raises
    ------
    ValueError, TypeError
        Where the column holds neither numbers, booleans nor texts.

    Examples
    --------
    >>> [kind_of(pd.Series(values, dtype=object)) for values in ([1, 2.5], [True, None], ["a", 1])]
    ['number', 'boolean', 'category']
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    is_date = "date" in inferred
    if not is_date and (pd.api.types.is_object_dtype(column.dtype) or inferred in OF_VALUES):
        return _kind_of_values(column)
    if inferred == "boolean":
        return "boolean"
    if pd.api.types.is_numeric_dtype(column) and inferred != "complex":
        return "number"
    if inferred == "string":
        return "category"
    raise ValueError(_refusal(column, inferred, is_date=is_date))


def _kind_of_values(column: pd.Series) -> Kind:
    """Return the kind of a column of Python objects; a column without values is a category."""
    types = sorted(set(map(type, column.astype(object).dropna())), key=str)
    for found in types:
        if not issubclass(found, (*NUMBERS, str)):
            msg = f"{_refusal(column, found.__name__)}: each argument must be a string or a number"
            raise TypeError(msg)
    if not types or any(issubclass(found, str) for found in types):
        return "category"
    return "boolean" if all(issubclass(found, BOOLEANS) for found in types) else "number"


def as_fields(table: pd.DataFrame, fields: Sequence[Field]) -> pd.DataFrame:
    """Return the columns of a frame as numbers, NaN where missing, and as texts.

    Raises
    ------
    ValueError, TypeError
        Where a column does not hold what its field does, or holds infinity.
    """
    columns = {}
    for field in fields:
        column = table[field.name]
        is_category = kind_of(column) == "category"
        if field.kind == "category":
            texts = column.astype(object).where(column.notna(), None)  # pandas 2 would keep pandas.NA
            columns[field.name] = texts.map(lambda value: plain_text(str(value)), na_action="ignore")
            continue
        if is_category and column.notna().any():
            got = "categories" if isinstance(column.dtype, pd.CategoricalDtype) else "texts"
            msg = f"column {field.name!r} {AS_IN_TRAINING}, got {got}; convert it"
            raise ValueError(msg)
        columns[field.name] = _numbers(column)
    return pd.DataFrame(columns)


def _numbers(column: pd.Series) -> pd.Series:
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        is_finite = not np.isinf(values).any()
    except OverflowError:  # a whole number of Python that is larger than any float
        is_finite = False
    if not is_finite:
        msg = f"numbers must be finite, got infinity in column {column.name!r}; replace it"
        raise ValueError(msg)
    return pd.Series(values)


def _refusal(column: pd.Series, got: str, *, is_date: bool = False) -> str:
    hint = "pass it as created_at, or leave it out" if is_date else "convert it"
    return f"column {column.name!r} must hold numbers, booleans or texts, got {got}; {hint}"
