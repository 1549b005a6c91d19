"""The points of a team as terms of the linear part.

A team that has scored leads by points knows something that few leads cannot tell. So the linear part starts from its
points, times a factor that is learnt, and the penalty holds it back to them and not to nothing. Each point stays with
the field that it is given for, so reasons are exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.check.convert import plain_text
from leadml.leads.check.field_test import field_test_holds
from leadml.model.parts.linear import LARGEST, Term

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from leadml.model.parts.encode import Encoder
    from leadml.params import PointsRule


def useful_rules(frame: pd.DataFrame, rules: Sequence[PointsRule]) -> list[PointsRule]:
    """Return the rules that give points to some leads of the training set and not to all."""
    useful = []
    for rule in rules:
        holds = field_test_holds(frame[rule.field], rule)
        if rule.points and holds.any() and not holds.all():
            useful.append(rule)
    return useful


def named_levels(rules: Sequence[PointsRule]) -> dict[str, set[str]]:
    """Return the levels that rules name, by the name of their field."""
    named: dict[str, set[str]] = {}
    for rule in rules:
        named.setdefault(rule.field, set()).update(plain_text(word) for word in rule.any_of or ())
    return named


def points_terms(encoder: Encoder, rules: Sequence[PointsRule], directions: Sequence[int]) -> tuple[Term, ...]:
    """Return terms whose sum is the points of a lead but for a constant, without centers.

    Parameters
    ----------
    encoder
        The columns. A level that has none adds no points.
    rules
        The points of the team.
    directions
        For each field 1 where the log-odds may only rise with it, -1 where they may only fall, else 0. A rule with a
        step against it is left out.

    Examples
    --------
    >>> from leadml.leads.check.field import Field
    >>> from leadml.model.parts.encode import Encoder
    >>> from leadml.params import PointsRule
    >>> encoder = Encoder((Field("calls", "number", "engagement"),), ((),))
    >>> [term] = points_terms(encoder, [PointsRule(field="calls", at_least=2, points=10)], (0,))
    >>> (term.coefficient * term.values(np.array([1.0, 2.0, np.nan]))).tolist()
    [0.0, 10.0, 0.0]
    """
    places = {field.name: place for place, field in enumerate(encoder.fields)}
    found: list[Term] = []
    for rule in rules:
        place = places[rule.field]
        terms = list(_terms(encoder, place, rule))
        if all(term.shape != "step" or term.coefficient * directions[place] >= 0 for term in terms):
            found += terms
    return tuple(found)


def _terms(encoder: Encoder, place: int, rule: PointsRule) -> Iterator[Term]:
    """Yield the terms of a rule: a flag for each level, or steps up at the lowest and down above the highest number."""
    column = int(np.searchsorted(encoder.owners, place))
    if rule.any_of is not None:
        words = {plain_text(word) for word in rule.any_of}
        for code, level in enumerate(encoder.levels[place]):
            if level in words:
                yield Term(column + code, "flag", coefficient=rule.points)
        return
    if rule.at_least is not None and rule.at_least > -LARGEST:
        yield Term(column, "step", float(np.nextafter(rule.at_least, -np.inf)), coefficient=rule.points)
    else:
        yield Term(column, "missing", coefficient=-rule.points)
    if rule.at_most is not None:
        yield Term(column, "step", float(rule.at_most), coefficient=-rule.points)
