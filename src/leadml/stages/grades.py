"""Give each lead a grade by its points: a letter for fit and a digit for engagement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from leadml.types import Floats, Objects


FIT_GRADES = ("D", "C", "B", "A")
ENGAGEMENT_GRADES = ("4", "3", "2", "1")
QUARTILES = (0.25, 0.5, 0.75)  # between four grades


@dataclass(frozen=True)
class GradeBands:
    """Quartiles of the points of each group among the leads that the model was fitted on.

    Parameters
    ----------
    fit, engagement
        The three quartiles, in points; empty if the model has no field of the group.
    """

    fit: tuple[float, ...]
    engagement: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the bands as plain data."""
        return {"fit": list(self.fit), "engagement": list(self.engagement)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> GradeBands:
        """Return the bands that `to_json` wrote."""
        return cls(tuple(stored["fit"]), tuple(stored["engagement"]))


def grade_bands(fit: Floats | None, engagement: Floats | None) -> GradeBands:
    """Return the quartiles of each group's points; None stands for a group without fields."""
    groups = (() if points is None else tuple(np.quantile(points, QUARTILES).tolist()) for points in (fit, engagement))
    return GradeBands(*groups)


def grades(fit: Floats, engagement: Floats, bands: GradeBands) -> Objects:
    """Return the grade of each lead: A to D by fit and 1 to 4 by engagement, ``A1`` is the best.

    A group without fields adds nothing to the grade.

    Examples
    --------
    >>> bands = GradeBands((0.0, 1.0, 2.0), ())
    >>> grades(np.array([5.0, -1.0]), np.zeros(2), bands).tolist()
    ['A', 'D']
    """
    return np.asarray(_grade(fit, bands.fit, FIT_GRADES) + _grade(engagement, bands.engagement, ENGAGEMENT_GRADES))


def _grade(points: Floats, bands: tuple[float, ...], names: tuple[str, ...]) -> Objects:
    if not bands:
        return np.full(len(points), "", dtype=object)
    return np.array(names, dtype=object)[np.searchsorted(bands, points, side="left")]
