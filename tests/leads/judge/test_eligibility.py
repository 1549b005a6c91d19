"""Why a lead is not in the population: each reason that scoring knows of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.dated import day, instants, open_view, small, small_tables, write_tables

from leadml.leads.asof.snapshots import scoring_snapshots
from leadml.leads.judge.eligibility import why_not_eligible

LEADS = [("late", 30, 1.0), ("lost", 0, 1.0), ("new", 19, 1.0), ("open", 1, 1.0), ("won", 0, 1.0)]
OUTCOMES = [("lost", 5, "lost"), ("won", 4, "customer"), ("won", 9, "evangelist"), ("won", 15, "churned")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "choices", "expected"),
    [
        (
            {"outcome": "mql"},
            {},
            {
                "late": "it was created on 2024-01-31",
                "lost": "it was lost since 2024-01-06",
                "won": "it had reached customer on 2024-01-05",
            },
        ),
        (
            {"outcome": "churned", "population": "customers"},
            {},
            {
                "new": "it was not a customer yet",
                "lost": "it was not a customer yet",
                "won": "it had reached churned on 2024-01-16",
            },
        ),
        (
            {"outcome": "customer", "population": "customers", "again": True},
            {},
            {"open": "it was not a customer yet", "won": "it was churned since 2024-01-16"},
        ),
        (
            {"outcome": "mql"},
            {"snapshots": {"oldest": 10}},
            {"open": "it was created on 2024-01-02, more than 10 days before (snapshots.oldest)"},
        ),
        (
            {"outcome": "mql"},
            {"snapshots": {"every": "once"}},
            {"open": "it was known on 2024-01-02, more than a day before (snapshots.every: once)"},
        ),
    ],
)
def test_each_reason_is_given(
    tmp_path: Path, target: dict[str, Any], choices: dict[str, Any], expected: dict[str, str]
) -> None:
    """Each lead with a reason is indeed not scored."""
    write_tables(tmp_path, **small_tables(LEADS, [], OUTCOMES))
    made = small(targets={"won": {"horizon": 30, **target}}, **choices)
    with open_view(tmp_path, made) as view:
        ids = view.history.lead_ids.tolist()
        scored = {lead for frame in scoring_snapshots(view, day(20)) for lead in frame["lead_id"]}
        found = {lead: why_not_eligible(view, ids.index(lead), day(20)) for lead in expected}

    assert found == expected
    assert not scored & set(expected)


def test_a_lead_that_was_not_recorded_yet_is_not_known(tmp_path: Path) -> None:
    """The reason names the day from which it is known."""
    tables = small_tables(LEADS[1:3], [], OUTCOMES[:1])
    tables["leads"]["written"] = instants([day(25), day(19)])
    write_tables(tmp_path, **tables)
    choices = small(targets={"won": {"outcome": "mql", "horizon": 30}})
    choices["sources"]["leads"]["recorded_at"] = "written"
    with open_view(tmp_path, choices) as view:
        assert why_not_eligible(view, 0, day(20)) == "it was not recorded before 2024-01-26"
