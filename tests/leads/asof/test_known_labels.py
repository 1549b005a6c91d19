"""The labels of scored leads: those of a training, once they are due, and never another afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dated import crm, dated_leads, day, instants, open_view, small, small_tables, write_params, write_tables

from leadml.jobs.places import Places
from leadml.leads.asof.known_labels import known_labels
from leadml.leads.check.activity_plan import DAY
from leadml.leads.sources.training_set import TrainingSet

LEADS = [("a", 0, 1.0), ("b", 1, 2.0), ("c", 40, 3.0)]
WON = {"outcome": "customer", "horizon": 30, "settling": 7}
UNTIL = day(300)
OUTCOME = st.tuples(
    st.sampled_from("abc"), st.integers(0, 120), st.sampled_from(["customer", "lost"]), st.integers(0, 60)
)


def _tables(outcomes: list[tuple[str, float, str, float]]) -> dict[str, pd.DataFrame]:
    """Return tables with outcomes that are recorded some days after they occur: (id, occurred, outcome, delay)."""
    made = small_tables(LEADS, [], [row[:3] for row in outcomes])
    made["outcomes"]["recorded_at"] = instants([day(occurred + delay) for _, occurred, _, delay in outcomes])
    return made


def _known(
    folder: Path, pairs: list[tuple[str, float]], *, until: int = UNTIL, target: dict[str, Any] = WON, block: int = 2
) -> list[tuple[str, float, int]]:
    """Return the labels of pairs of id and day: (id, day, label)."""
    choices = small(targets={"won": target})
    choices["sources"]["outcomes"]["recorded_at"] = "recorded_at"
    ids, as_of = np.array([lead for lead, _ in pairs], dtype=object), np.array([day(at) for _, at in pairs])
    with open_view(folder, choices, block_leads=block) as view:
        found = known_labels(view, ids, as_of.astype(np.int64), observed_until=until)
    days = (found["as_of"] - day(0)) / DAY
    return list(zip(found["lead_id"], days, found["converted"], strict=True))


@pytest.fixture(scope="module")
def trained(simulated_crm: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], TrainingSet]:
    """Return a folder, the choices of its params, and the training set of the simulated leads."""
    sources = {name: {**some, "path": str(simulated_crm / some["path"])} for name, some in crm()["sources"].items()}
    folder, choices = tmp_path_factory.mktemp("known"), crm(sources=sources)
    source = dated_leads(Places.open(write_params(folder, choices), target="mql"))
    return folder, choices, source.training(progress=lambda _: None)


def test_the_labels_are_those_of_the_training(trained: tuple[Path, dict[str, Any], TrainingSet]) -> None:
    """Of every snapshot that a training has, in its order and with its group, whatever the size of blocks."""
    folder, choices, training = trained
    names = ["lead_id", "as_of", "split_key", "converted"]
    expected = training.frame[names].sort_values(["lead_id", "as_of"], ignore_index=True)
    mixed = expected.sample(frac=1, random_state=0)
    for block in (300, 10_000):
        with open_view(folder, choices, target="mql", block_leads=block) as view:
            found = known_labels(view, mixed["lead_id"].to_numpy(), mixed["as_of"].to_numpy(), observed_until=UNTIL)
        assert (found["converted"].dtype, found["as_of"].dtype) == (np.int8, np.int64)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert expected["converted"].sum() > 100


@pytest.mark.slow
@settings(max_examples=15)
@given(st.lists(OUTCOME, max_size=6), st.integers(20, 140))
def test_a_label_that_is_due_never_changes(tmp_path_factory, outcomes: list[Any], until: int) -> None:
    """Later outcomes leave it as it is; they only take it away where the lead had reached the target before."""
    folder = tmp_path_factory.mktemp("due")
    pairs = [(lead, at) for lead in "abc" for at in (41, 50, 80)]
    write_tables(folder / "then", **_tables([row for row in outcomes if row[1] + row[3] <= until]))
    write_tables(folder / "now", **_tables(outcomes))
    reached = {
        (lead, at) for lead, at in pairs for row in outcomes if row[0] == lead and row[2] == "customer" and row[1] < at
    }
    then, now, later = (
        _known(folder / name, pairs, until=day(end)) for name, end in (("then", until), ("now", until), ("now", 300))
    )

    assert {row[:2] for row in now} == {pair for pair in pairs if pair[1] + 37 <= until} - reached
    assert [row for row in then if row[:2] not in reached] == now
    assert [row for row in later if row[:2] in {own[:2] for own in now}] == now


def test_a_pair_has_a_label_from_the_end_of_its_settling_on(tmp_path: Path) -> None:
    """Not a microsecond earlier, though its outcome is known long before."""
    write_tables(tmp_path, **_tables([("a", 10, "customer", 0)]))
    pairs = [("a", 5), ("b", 6)]

    assert _known(tmp_path, pairs, until=day(42) - 1) == []
    assert _known(tmp_path, pairs, until=day(42)) == [("a", 5, 1)]
    assert _known(tmp_path, pairs, until=day(43)) == [("a", 5, 1), ("b", 6, 0)]


def test_only_what_is_recorded_in_time_converts(tmp_path: Path) -> None:
    """Recorded after the settling, or reached after the horizon, it does not."""
    write_tables(
        tmp_path, **_tables([("a", 30, "customer", 12), ("b", 30, "customer", 12.5), ("c", 80, "customer", 0)])
    )

    assert _known(tmp_path, [("a", 5), ("b", 5), ("c", 50), ("c", 51)]) == [
        ("a", 5, 1), ("b", 5, 0), ("c", 50, 0), ("c", 51, 1)
    ]  # fmt: skip


def test_unknown_leads_are_left_out_and_repeated_pairs_give_one_row(tmp_path: Path) -> None:
    """Ids before, between and after those that there are, and no pair at all."""
    write_tables(tmp_path, **_tables([("a", 10, "customer", 0)]))
    unknown = [("", 5), ("aa", 5), ("z", 5)]

    assert _known(tmp_path, [*unknown, ("b", 9), ("a", 5), ("b", 9), ("a", 7), *unknown]) == [
        ("a", 5, 1), ("a", 7, 1), ("b", 9, 0)
    ]  # fmt: skip
    assert _known(tmp_path, unknown) == _known(tmp_path, []) == []


@pytest.mark.parametrize(("again", "expected"), [(False, [("b", 20, 0)]), (True, [("a", 20, 1), ("b", 20, 0)])])
def test_a_lead_that_had_reached_the_target_has_no_label(
    tmp_path: Path, *, again: bool, expected: list[tuple[str, float, int]]
) -> None:
    """Though nobody had recorded it when the lead was scored; unless the target can be reached again."""
    write_tables(tmp_path, **_tables([("a", 10, "customer", 15), ("a", 40, "customer", 0)]))
    target = {**WON, "again": again}

    assert _known(tmp_path, [("a", 20), ("b", 20)], target=target) == expected


def test_an_earlier_end_of_observation_leaves_out_labels_and_changes_none(
    trained: tuple[Path, dict[str, Any], TrainingSet],
) -> None:
    """Those that are not due by then are left out."""
    folder, choices, training = trained
    pairs, target = training.frame, training.settings.target
    end = int(np.median(pairs["as_of"])) + target.maturity
    with open_view(folder, choices, target="mql") as view:
        found = known_labels(view, pairs["lead_id"].to_numpy(), pairs["as_of"].to_numpy(), observed_until=end)
    due = pairs[pairs["as_of"] + target.maturity <= end]

    assert 0 < len(due) < len(pairs)
    assert found["converted"].tolist() == due["converted"].tolist()
