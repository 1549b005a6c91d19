"""What became of leads that sales were given: counts that add up, rates by hand, the hand-off that a verdict is of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.model.metrics import rate_interval
from leadml.stages.acceptance import acceptance_table, followed_up, rejection_table

HANDOFFS = ["lead_id", "handoff", "at", "batch"]
CHANGES = ["lead_id", "batch", "recorded", "rejected_at"]
OUTCOMES = ["lead_id", "recorded_at", "outcome", "reason", "owner", "origin", "hours_to_contact"]
DAYS = [f"2026-01-{day:02d}T00:00:00+00:00" for day in range(1, 31)]


def _follow(handoffs: list[tuple], changes: list[tuple] = (), outcomes: list[tuple] = ()) -> pd.DataFrame:  # type: ignore[assignment,type-arg]
    tables = zip((handoffs, changes, outcomes), (HANDOFFS, CHANGES, OUTCOMES), strict=True)
    handed, changed, told = (pd.DataFrame(list(rows), columns=columns) for rows, columns in tables)
    known_at = pd.Series([DAYS[batch] for batch in changed["batch"]], dtype=object)  # a batch is written each day
    return followed_up(handed, changed.assign(known_at=known_at), told)


def test_a_verdict_is_that_of_the_last_hand_off_before_it() -> None:
    """A first hand-off that a second one replaced before a verdict does not count, one with a verdict does."""
    found = _follow(
        [("a", 1, DAYS[0], 1), ("a", 2, DAYS[5], 3), ("b", 1, DAYS[0], 1), ("b", 2, DAYS[5], 3), ("c", 1, DAYS[0], 1)],
        [("a", 4, "SAL", None), ("b", 2, "", DAYS[1]), ("b", 3, "", DAYS[1])],
    )

    assert found[["lead_id", "handoff", "verdict"]].to_numpy().tolist() == [
        ["a", 2, "accepted"],
        ["b", 1, "rejected"],
        ["b", 2, "open"],
        ["c", 1, "open"],
    ]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ([("a", 1, "SAL", None), ("a", 3, "SAL", None)], "open"),  # accepted before, and not anew
        ([("a", 3, "MQL", None)], "open"),
        ([("a", 3, "CUSTOMER", None)], "accepted"),
        ([("a", 1, "", DAYS[0]), ("a", 3, "", DAYS[2])], "rejected"),
        ([("a", 1, "", DAYS[0]), ("a", 3, "", DAYS[0])], "open"),
        ([("a", 3, "SAL", None), ("a", 4, "", DAYS[3])], "accepted"),  # the first word counts
    ],
)
def test_a_verdict_is_a_change_of_what_is_recorded(changes: list[tuple[object, ...]], verdict: str) -> None:
    """To SAL or above, or to rejected, after the hand-off."""
    assert _follow([("a", 1, DAYS[1], 2)], changes)["verdict"].tolist() == [verdict]


def test_groups_add_up_and_rates_are_those_of_hand() -> None:
    """The interval is Wilson's; a lead without an owner is in a group of its own; hours are medians."""
    found = _follow(
        [(lead, 1, DAYS[0], 1) for lead in "abcd"],
        [("a", 2, "SAL", None), ("b", 2, "SQL", None), ("c", 2, "", DAYS[1])],
        [
            ("a", DAYS[1], "sal", None, "ann", "fair", 2.0),
            ("b", DAYS[1], "sql", None, "bo", "fair", 9.0),
            ("c", DAYS[1], "rejected", "no budget", "ann", "web", 4.0),
            ("c", DAYS[2], "sal", "came back", None, None, 7.0),  # the first verdict, contact and reason count
        ],
    )
    table = acceptance_table(found).set_index(["by", "name"])

    assert table.loc[("all", ""), ["handed_over", "accepted", "rejected", "open"]].tolist() == [4, 2, 1, 1]
    low, high = rate_interval(2 / 3, 3, confidence=0.9)
    figures = ["acceptance", "acceptance_low", "acceptance_high", "contacted", "hours_to_contact"]
    assert table.loc[("all", ""), figures].tolist() == pytest.approx([2 / 3, low, high, 3, 4.0])
    for by, names in (("owner", ["ann", "bo", "not told"]), ("source", ["fair", "not told", "web"])):
        part = table.loc[by]
        assert part.index.tolist() == names
        counts = ["handed_over", "accepted", "rejected", "open"]
        assert part[counts].sum().tolist() == table.loc[("all", ""), counts].tolist()
    assert np.isnan(table.loc[("owner", "not told"), "acceptance"])
    assert rejection_table(found).to_numpy().tolist() == [["no budget", 1]]


def test_what_sales_said_before_a_hand_off_is_not_of_it() -> None:
    """At the instant of the hand-off it is."""
    handed = [("a", 1, DAYS[1], 1), ("a", 2, DAYS[5], 3)]
    told = [("a", DAYS[0], "sal", None, "zoe", None, 1.0), ("a", DAYS[5], "sal", None, "ann", None, 2.0)]
    found = _follow(handed, [("a", 2, "", DAYS[2]), ("a", 4, "SAL", None)], told)

    assert found["owner"].fillna("").tolist() == ["", "ann"]
    assert found["hours_to_contact"].tolist()[1] == 2.0


def test_what_sales_say_again_of_a_second_hand_off_is_a_verdict() -> None:
    """Though nothing that is recorded changes: the lead was accepted before."""
    handed = [("a", 1, DAYS[0], 1), ("a", 2, DAYS[5], 5)]
    told = [("a", DAYS[1], "sal", None, "ann", None, 2.0), ("a", DAYS[7], "sal", None, "bo", None, 3.0)]
    found = _follow(handed, [("a", 1, "", None), ("a", 2, "SAL", None), ("a", 8, "SAL", None)], told)

    assert found[["verdict", "owner"]].to_numpy().tolist() == [["accepted", "ann"], ["accepted", "bo"]]
