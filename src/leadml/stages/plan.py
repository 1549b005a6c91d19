"""The stage plan of a version: its cuts, and the bands by which each lead gets a grade from its points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.stages.cuts import Cut
from leadml.stages.grades import GradeBands
from leadml.stages.ladder import LEAD

if TYPE_CHECKING:
    from leadml.types import Floats, Objects


@dataclass(frozen=True)
class StagePlan:
    """The cuts of the stages and the bounds of the grades of one model.

    Parameters
    ----------
    cuts
        One cut per advised stage, rising.
    bands
        The bounds of the grades.
    drop
        The cut below which leads are dropped, or None.
    """

    cuts: tuple[Cut, ...]
    bands: GradeBands
    drop: Cut | None = None

    def advised(self, probability: Floats) -> Objects:
        """Return the stage that the cuts advise for each probability, shape (n_leads,); ``LEAD`` below all of them."""
        names = np.array([LEAD, *(cut.stage for cut in self.cuts)], dtype=object)
        bounds = np.array([cut.probability for cut in self.cuts])
        return np.asarray(names[np.searchsorted(bounds, probability, side="right")])

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        drop = None if self.drop is None else self.drop.to_json()
        return {"cuts": [cut.to_json() for cut in self.cuts], "bands": self.bands.to_json(), "drop": drop}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> StagePlan:
        """Return the plan that `to_json` wrote."""
        drop = None if stored["drop"] is None else Cut(**stored["drop"])
        return cls(tuple(Cut(**cut) for cut in stored["cuts"]), GradeBands.from_json(stored["bands"]), drop)
