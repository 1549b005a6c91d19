"""Whether tables fit together: the same leads, the same end, words that mean something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.dated import day, open_view, small, small_tables, write_tables

from leadml.leads.asof.coverage import Coverage
from leadml.leads.check.activity_plan import DAY
from leadml.leads.judge.consistency import check_scoring_tables, judge_consistency, rows_by_kind, silence
from leadml.leads.judge.findings import Finding

VISITS = [("a", number, "visit") for number in range(100)]
WON = [("a", number, "customer") for number in range(100)]


def judged(
    folder: Path, visits: list[Any] = VISITS, won: list[Any] = WON, until: float = 99, **sources: Any
) -> dict[str, Finding]:
    """Return the findings of one lead with these activities and outcomes, by code and what they are about."""
    write_tables(folder, **small_tables([("a", 0, 1.0)], visits, won))
    choices = small()
    choices["sources"]["outcomes"] |= sources
    with open_view(folder, choices) as view:
        found = judge_consistency(view, observed_until=day(until))
    return {finding.code: finding for finding in reversed(found)}


def test_tables_that_fit_together_pass(tmp_path: Path) -> None:
    """Same leads, same end, known words; half of the kinds named are never seen, which is said."""
    found = judged(tmp_path, [*VISITS, *(("a", number, "demo") for number in range(9))])

    assert {code: finding.severity for code, finding in found.items()} == dict.fromkeys(
        ["DT4", "DT5", "DT6", "DT7"], "passed"
    )
    assert str(found["DT5"]) == (
        "DT5 labels are taken as known until 2024-04-09; records go on, activities to 2024-04-09 and outcomes to "
        "2024-04-09"
    )
    assert str(found["DT6"]) == "DT6 outcomes are customer 100"
    assert str(found["DT7"]) == "DT7 0% of the activities are of kinds that features.activities.kinds does not name"


@pytest.mark.parametrize(("unknown", "severity"), [(1, "passed"), (2, "warn"), (99, "warn"), (100, "stop")])
def test_rows_of_unknown_leads_are_said_with_an_id_of_each_side(tmp_path: Path, unknown: int, severity: str) -> None:
    """More than one in a hundred is a warning; where no row is of a known lead, nothing was read."""
    found = judged(tmp_path, [("A ", number, "visit") if number < unknown else VISITS[number] for number in range(100)])

    assert found["DT4"].severity == severity
    assert f"{unknown} of 100 activities are of leads that the table of leads does not have" in str(found["DT4"])
    assert (": 'A ', where it has 'a'; see that ids are spelled alike" in str(found["DT4"])) == (unknown > 1)


def test_an_end_beyond_the_outcomes_is_stopped(tmp_path: Path) -> None:
    """Labels of the time after them would all be negative."""
    found = judged(tmp_path, until=130)["DT5"]

    assert found.severity == "stop"
    assert "outcomes end on 2024-04-09, 31 days before, where 7 a week are usual, so that labels would be" in str(found)
    assert "set sources.observed_until to the day of the export" in str(found)
    assert judged(tmp_path, until=110)["DT5"].severity == "passed"


def test_a_table_that_ends_before_the_other_is_a_warning(tmp_path: Path) -> None:
    """Outcomes that are older than activities, and activities that are older than outcomes."""
    assert judged(tmp_path, [("a", number, "visit") for number in range(200)])["DT5"].severity == "warn"
    found = judged(tmp_path, VISITS[:50])["DT5"]

    assert found.severity == "warn"
    assert "activities end on 2024-02-19, 50 days before" in str(found)


def test_a_row_that_stands_alone_is_a_warning(tmp_path: Path) -> None:
    """A date of next year is said, and does not move the end."""
    found = judged(tmp_path, [*VISITS, *VISITS, *VISITS, ("a", 500, "visit")])["DT5"]

    assert found.severity == "warn"
    assert "activities to 2024-04-10" in str(found)
    assert "rows that stand alone after a long silence: 1 of activities; see whether their dates" in str(found)


def test_a_target_that_never_comes_is_stopped_and_the_outcomes_are_named(tmp_path: Path) -> None:
    """A typo in sources.outcomes.names is seen at once."""
    won = [("a", number, "Closed Won") for number in range(100)]
    found = judged(tmp_path, won=won, names={"Closed Won": "custommer"})["DT6"]

    assert found.severity == "stop"
    assert "outcomes are custommer 100; none is customer, which won predicts; see that sources.outcomes" in str(found)


def test_words_of_one_s_own_are_a_warning(tmp_path: Path) -> None:
    """They close nothing: leads that are lost by such a word stay open."""
    won = [*WON, *(("a", number, "Closed") for number in range(5))]
    found = judged(tmp_path, won=won, names={"Closed": "closed_lost"})["DT6"]

    assert found.severity == "warn"
    assert "customer 100, closed_lost 5; 'closed_lost' are words of your own, after which a lead stays" in str(found)


def test_kinds_are_said_that_never_occur_or_are_not_named(tmp_path: Path) -> None:
    """A kind of the params that the table spells otherwise, and a table most of whose kinds have no name."""
    found = judged(tmp_path)["DT7"]
    assert (found.severity, "names kinds that never occur: 'demo'; see how" in str(found)) == ("warn", True)

    visits = [*VISITS, ("a", 3, "demo"), *(("a", number / 2, "VISIT") for number in range(190))]
    found = judged(tmp_path, visits)["DT7"]
    assert (found.severity, "65% of the activities are of kinds" in str(found)) == ("warn", True)


def test_scores_are_doubted_where_tables_do_not_fit(tmp_path: Path) -> None:
    """Ids of another spelling, activities that ended long ago, and kinds that are spelled otherwise now."""
    write_tables(tmp_path, **small_tables([("a", 0, 1.0)], VISITS, [("A", 3, "lost")]))
    with open_view(tmp_path, small()) as view:
        learned = rows_by_kind(view)
        fine = check_scoring_tables(view, learned, as_of=day(101))
        late = check_scoring_tables(view, {"visit": 95, "demo": 5}, as_of=day(140))

    assert learned == {"visit": 100, "demo": 0}
    others = "none of 1 outcomes is of a lead in the table of leads: they name 'A', where it has 'a'"
    assert fine == [others]
    assert late == [
        others,
        "activities end on 2024-04-09, 41 days before, where 7 a week are usual, so that leads look idle",
        "no activity is of a kind that the model learned from: 'demo'",
    ]


def test_a_table_without_rows_is_not_silent() -> None:
    """Nothing is usual of nothing."""
    assert silence(None, day(5)) == ""
    assert silence(Coverage.of(np.arange(99) * DAY), 200 * DAY).startswith("end on 1970-04-09, 102 days before")
