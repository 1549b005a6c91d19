"""Without a store nothing is kept, and the reason is said."""

from __future__ import annotations

from tests.stores import NOW, scored

from leadml.publish.keeper import Keeper, NoKeeper


def test_nothing_is_kept_and_no_stage_is_known() -> None:
    """The run has its own instant, and stages before are empty texts."""
    keeper: Keeper = NoKeeper("store is null")
    keeper.add(scored({"x": "MQL"}))
    keeper.fill(scored=1, not_scored=0)
    keeper.complete()

    assert keeper.begin("b1", now=NOW) == NOW
    assert keeper.stages_before(["x", "y"]).tolist() == ["", ""]
    assert keeper.not_kept == "store is null"
