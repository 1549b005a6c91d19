"""Without a store nothing is kept, and the reason is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.stores import NOW, no_parts, scored

from leadml.leads.check.activity_plan import DAY
from leadml.publish.keeper import Keeper, NoKeeper
from leadml.stages.ladder import stages_of


def test_nothing_is_kept_and_no_stage_is_known() -> None:
    """The run has its own instant, and stages before are empty texts."""
    keeper: Keeper = NoKeeper("store is null", at=0)
    keeper.add(scored({"x": "MQL"}), no_parts(1))
    keeper.fill(scored=1, not_scored=0, counts=None)
    keeper.complete()

    assert keeper.begin("b1", now=NOW) == NOW
    assert stages_of(keeper.known(["x", "y"]).stage).tolist() == ["", ""]
    assert keeper.not_kept == "store is null"


def test_what_people_record_is_known_without_a_store() -> None:
    """It comes with the leads; of flat leads nothing is known."""
    names = np.array(["sal", "rejected", "rejected"], dtype=object)
    at = np.array([1, 5, 0]) * DAY
    ids = np.array(["x", "y", "z"], dtype=object)
    frame = pd.DataFrame({"lead_id": ids, "occurred_at": at, "recorded_at": at, "outcome": names})
    dated, flat = (NoKeeper("", at=at, recycle_days=90) for at in (94 * DAY, 0))
    dated.note_outcomes([frame])
    flat.note_outcomes([])
    known = dated.known(["x", "y", "z", "new"])

    assert stages_of(known.recorded).tolist() == ["SAL", "LEAD", "LEAD", "LEAD"]
    assert known.nurtured.tolist() == [False, True, False, False]
    assert stages_of(flat.known(["x"]).recorded).tolist() == ["LEAD"]
