"""Give each lead an advised stage, by its probability and the cuts, and a grade, by its points.

Stages are advice: the module rejects no lead. A lead whose probability equals a cut is in the stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.stages.cuts import Cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.types import Floats, Objects


LEAD = "LEAD"
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


@dataclass(frozen=True)
class StagePlan:
    """The cuts of the stages and the bounds of the grades of one model."""

    cuts: tuple[Cut, ...]
    bands: GradeBands

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return {"cuts": [cut.to_json() for cut in self.cuts], "bands": self.bands.to_json()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> StagePlan:
        """Return the plan that `to_json` wrote."""
        return cls(tuple(Cut(**cut) for cut in stored["cuts"]), GradeBands.from_json(stored["bands"]))


def advised_stages(probability: Floats, cuts: Sequence[Cut]) -> Objects:
    """Return the stage of each lead, shape (n_leads,): the highest stage whose cut the probability reaches.

    If the target drives no stage, every stage is empty text.

    Examples
    --------
    >>> from leadml.stages.cuts import Cut
    >>> advised_stages(np.array([0.1, 0.2, 0.3]), [Cut("IQL", 0.2, "")]).tolist()
    ['LEAD', 'IQL', 'IQL']
    """
    if not cuts:
        return np.full(len(probability), "", dtype=object)
    names = np.array([LEAD, *(cut.stage for cut in cuts)], dtype=object)
    reached = np.searchsorted(np.array([cut.probability for cut in cuts]), probability, side="right")
    return np.asarray(names[reached])


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
