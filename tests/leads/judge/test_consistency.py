"""Whether tables fit together: the same leads, the same end, and known outcomes and kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.dated import day, open_view, small, small_tables, write_tables

from leadml.leads.asof.coverage import Coverage
from leadml.leads.check.activity_plan import DAY
from leadml.leads.judge.consistency import check_scoring_tables, describe_gap, judge_consistency, rows_by_kind
from leadml.leads.judge.findings import Finding

VISITS = [("a", number, "visit") for number in range(100)]
WON = [("a", number, "customer") for number in range(100)]


def judged(
    folder: Path, visits: list[Any] = VISITS, won: list[Any] = WON, until: float = 99, **sources: Any
) -> dict[str, Finding]:
    """Return the findings about one lead with these activities and outcomes, by code."""
    write_tables(folder, **small_tables([("a", 0, 1.0)], visits, won))
    choices = small()
    choices["sources"]["outcomes"] |= sources
    with open_view(folder, choices) as view:
        found = judge_consistency(view, observed_until=day(until))
    return {finding.code: finding for finding in reversed(found)}


def test_tables_that_fit_together_pass(tmp_path: Path) -> None:
    """The tables have the same leads, the same end, and only known outcomes and kinds."""
    found = judged(tmp_path, [*VISITS, *(("a", number, "demo") for number in range(9))])

    assert {code: finding.severity for code, finding in found.items()} == dict.fromkeys(
        ["DT4", "DT5", "DT6", "DT7"], "passed"
    ) | {"DT8": "not applicable"}
    assert str(found["DT5"]) == (
        "DT5 labels are taken as known until 2024-04-09; activities end on 2024-04-09 and outcomes end on 2024-04-09"
    )
    assert str(found["DT6"]) == "DT6 outcomes are customer 100"
    assert str(found["DT7"]) == "DT7 0% of the activities are of kinds that features.activities.kinds does not name"


@pytest.mark.slow
@pytest.mark.parametrize(("unknown", "severity"), [(1, "passed"), (2, "warn"), (99, "warn"), (100, "stop")])
def test_rows_of_unknown_leads_are_reported_with_an_id_of_each_table(
    tmp_path: Path, unknown: int, severity: str
) -> None:
    """More than one in a hundred is a warning; where no row is of a known lead, training stops."""
    found = judged(tmp_path, [("A ", number, "visit") if number < unknown else VISITS[number] for number in range(100)])

    assert found["DT4"].severity == severity
    assert f"{unknown} of 100 activities are of leads that the table of leads does not have" in str(found["DT4"])
    ids = ", such as 'A ', while it has ids such as 'a'; see that ids are spelled alike"
    assert (ids in str(found["DT4"])) == (unknown > 1)


def test_training_stops_where_outcomes_end_long_before_the_end_of_observation(tmp_path: Path) -> None:
    """All labels of the time after the last outcome would be negative."""
    found = judged(tmp_path, until=130)["DT5"]

    assert found.severity == "stop"
    gap = "outcomes end on 2024-04-09, 31 days before 2024-05-10, though 7 a week are usual, so labels would be wrong"
    assert gap in str(found)
    assert found.remedy == "bring the outcomes since, or set sources.observed_until to 2024-04-09, where they end"
    assert judged(tmp_path, until=110)["DT5"].severity == "passed"


def test_a_table_that_ends_before_the_other_is_a_warning(tmp_path: Path) -> None:
    """Outcomes that end before activities, and activities that end before outcomes."""
    found = judged(tmp_path, [("a", number, "visit") for number in range(200)])["DT5"]
    assert (found.severity, "sources.observed_until" in found.remedy) == ("warn", False)
    found = judged(tmp_path, VISITS[:50])["DT5"]

    assert found.severity == "warn"
    assert "activities end on 2024-02-19, 50 days before 2024-04-09" in str(found)


def test_a_row_after_a_long_gap_is_a_warning(tmp_path: Path) -> None:
    """A date of next year is reported, and does not move the end."""
    found = judged(tmp_path, [*VISITS, *VISITS, *VISITS, ("a", 500, "visit")])["DT5"]

    assert found.severity == "warn"
    assert "activities end on 2024-04-10" in str(found)
    assert "a few rows follow after a long gap: 1 of activities; see whether the dates of these rows" in str(found)


def test_training_stops_where_no_outcome_is_the_target_and_the_outcomes_are_named(tmp_path: Path) -> None:
    """So a typo in sources.outcomes.names is found at once."""
    won = [("a", number, "Closed Won") for number in range(100)]
    found = judged(tmp_path, won=won, names={"Closed Won": "custommer"})["DT6"]

    assert found.severity == "stop"
    assert "outcomes are custommer 100; none is customer, which won predicts; see that sources.outcomes" in str(found)


def test_outcomes_that_only_the_project_names_are_a_warning(tmp_path: Path) -> None:
    """They close no lead, so leads that were lost with such an outcome stay open."""
    won = [*WON, *(("a", number, "Closed") for number in range(5))]
    found = judged(tmp_path, won=won, names={"Closed": "closed_lost"})["DT6"]

    assert found.severity == "warn"
    assert "customer 100, closed_lost 5; 'closed_lost' are outcomes of your own, which close no lead;" in str(found)


def test_kinds_that_never_occur_or_are_not_named_are_a_warning(tmp_path: Path) -> None:
    """A kind that the table spells otherwise than params, and a table most of whose kinds params do not name."""
    found = judged(tmp_path)["DT7"]
    assert (found.severity, "names kinds that never occur: 'demo'; see how" in str(found)) == ("warn", True)

    visits = [*VISITS, ("a", 3, "demo"), *(("a", number / 2, "VISIT") for number in range(190))]
    found = judged(tmp_path, visits)["DT7"]
    assert (found.severity, "65% of the activities are of kinds" in str(found)) == ("warn", True)


def test_there_are_doubts_about_scores_where_tables_do_not_fit(tmp_path: Path) -> None:
    """Ids are spelled otherwise, activities ended long ago, or a kind of the training does not occur."""
    write_tables(tmp_path, **small_tables([("a", 0, 1.0)], VISITS, [("A", 3, "lost")]))
    with open_view(tmp_path, small()) as view:
        trained_rows = rows_by_kind(view)
        early = check_scoring_tables(view, trained_rows, as_of=day(101))
        late = check_scoring_tables(view, {"visit": 95, "demo": 5}, as_of=day(140))
        rare = check_scoring_tables(view, {"visit": 96, "demo": 4}, as_of=day(101))

    assert trained_rows == {"visit": 100, "demo": 0}
    ids = "all 1 outcomes are of leads that the table of leads does not have, such as 'A', while it has ids such as 'a'"
    gap = "end on 2024-04-09, 41 days before 2024-05-20, though 7 a week are usual"
    assert early == rare == [ids]  # one kind in 25 is absent from a hundred activities in 1.7% of batches by chance
    assert late == [
        ids,
        f"activities {gap}, so active leads may look inactive",
        "there are no activities of kinds that the model was trained on: 'demo'",
    ]


def test_a_table_without_rows_has_no_gap() -> None:
    """A gap is measured by the usual number of rows, and there are none."""
    assert describe_gap(None, day(5)) == ""
    gap = describe_gap(Coverage.of(np.arange(99) * DAY), 200 * DAY)
    assert gap.startswith("end on 1970-04-09, 102 days before 1970-07-20")
