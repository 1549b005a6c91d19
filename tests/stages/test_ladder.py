"""Stages have one order, as names and as ranks."""

from __future__ import annotations

import numpy as np

from leadml.stages.ladder import ADVISED, NONE, NURTURE, STAGES, ranks_of, stages_of


def test_ranks_and_names_are_the_same_thing() -> None:
    """Each way back gives what one began with; what is no stage has none."""
    names = [*STAGES, ""]
    assert stages_of(ranks_of(names)).tolist() == names
    assert ranks_of(names).tolist() == [*range(len(STAGES)), NONE]
    assert ranks_of(["hot", None]).tolist() == [NONE, NONE]
    assert ranks_of([]).dtype == np.int8


def test_what_is_advised_rises_in_the_order_of_all_stages() -> None:
    """And a rejected lead is nurtured as the lowest of them."""
    assert [STAGES.index(stage) for stage in ADVISED] == sorted(STAGES.index(stage) for stage in ADVISED)
    assert STAGES[NURTURE] == ADVISED[0]
