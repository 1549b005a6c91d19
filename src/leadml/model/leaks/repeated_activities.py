"""LK7: activities that are there twice, by what became of the lead.

What enters is how many activities of each lead repeat another; what leaves is a suspicion where those of converters do.
A system that logs everything twice does so for all leads, and that is no leak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.suspicion import Suspicion
from leadml.model.leaks.univariate_auc import power

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 20
ENOUGH = 2
WARNS, APART = 0.65, 0.2
NAME = "activities"
REMEDY = (
    "see whether the activities of leads that converted were copied, and leave the copies out; or name activities in "
    "leaks.accept with the reason why they were not"
)


def suspect_repeats(repeated_activities: pd.DataFrame) -> list[Suspicion]:
    """Return whether the activities of some leads are there twice, and those leads are the ones that converted.

    Parameters
    ----------
    repeats
        As `leadml.model.leaks.Evidence` has it; leads with one activity are left out.
    """
    held = repeated_activities[repeated_activities["rows"] >= ENOUGH]
    won = held["converted"].to_numpy(dtype=np.int8)
    outcome = Outcome(won, np.arange(len(won)))
    if outcome.rarer < FEWEST or not outcome.judgeable:
        return []
    share = (held["repeated"] / held["rows"]).to_numpy(dtype=np.float64)
    told = max(power(outcome, share), power(outcome, -share), key=lambda one: one.auc)
    if told.low < WARNS:
        return []
    means = [float(share[won == converted].mean()) for converted in (1, 0)]
    evidence = (
        f"are there twice by outcome: of leads that converted {means[0]:.0%} of the activities repeat another to the "
        f"letter, of others {means[1]:.0%}"
    )
    return [Suspicion("LK7", "stop" if abs(means[0] - means[1]) >= APART else "warn", evidence, NAME, REMEDY)]
