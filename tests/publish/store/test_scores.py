"""What a batch knows of its leads, and the rows that it stores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.stores import entry, look_in, no_parts, rows, scored, write_batch

from leadml.leads.check.instants import instant
from leadml.publish.store.batch import StoredBatch
from leadml.publish.store.batches import batch_place, begin_batch, fill_batch
from leadml.publish.store.opening import Store
from leadml.publish.store.scores import BatchScores
from leadml.publish.store.tables import SCORES, STAGE_CHANGES
from leadml.stages.ladder import stages_of

pytest_plugins = ["tests.postgres"]

ODD_IDS = ["O'Brien", 'quo"ted', "ünï", "%s", ":name", "back\\slash", "new\nline", "日本"]
DAYS = [f"2026-01-{day:02}T00:00:00+00:00" for day in range(1, 31)]


def scores_of(store: Store, batch: StoredBatch) -> BatchScores:
    """Return the scores of a batch, none yet."""
    return BatchScores(store, batch, batch_place(store, batch), recycle_days=90)


def stages_before(store: Store, batch: StoredBatch, lead_ids: Sequence[str]) -> list[str]:
    """Return the stages of leads before a batch."""
    return list(stages_of(scores_of(store, batch).known(lead_ids).stage))


def fill(store: Store, batch: StoredBatch, frame: pd.DataFrame) -> None:
    """Store the rows of a batch."""
    scores = scores_of(store, batch)
    scores.known(frame["lead_id"].tolist())
    scores.add(frame, no_parts(len(frame)))
    fill_batch(store, batch, scores, scored=len(frame), not_scored=0)


def outcomes(*found: tuple[str, str, str]) -> pd.DataFrame:
    """Return outcomes that were recorded when they occurred: lead, instant, name."""
    at = np.array([instant(when, timezone=None) for _, when, _ in found], dtype=np.int64)
    ids, names = [lead for lead, _, _ in found], [name for _, _, name in found]
    return pd.DataFrame({"lead_id": ids, "occurred_at": at, "recorded_at": at, "outcome": names})


def write_day(store: Store, folder: Path, day: int, advice: dict[str, str], *known: tuple[str, str, str]) -> None:
    """Write a batch of dated leads as of a day, with the outcomes that are known by then; advice becomes the stage."""
    batch = begin_batch(store, entry(batch_id=f"b{day}", as_of=DAYS[day], file=f"{day}.csv"), look_in(folder))
    scores = scores_of(store, batch)
    scores.note_outcomes([outcomes(*known)])
    recorded = stages_of(scores.known(list(advice)).recorded)
    frame = scored(advice)
    above = [stage if stage != "LEAD" else own for stage, own in zip(recorded, advice.values(), strict=True)]
    source = ["recorded" if stage != "LEAD" else "advised" for stage in recorded]
    scores.add(frame.assign(stage=above, stage_source=source), no_parts(len(frame)))
    fill_batch(store, batch, scores, scored=len(frame), not_scored=0)
    (folder / f"{day}.csv").write_text(f"b{day}", encoding="utf-8")


def test_a_stage_is_the_last_one_before_the_batch(store: Store, tmp_path: Path) -> None:
    """Later batches, and those that are not complete, do not count; a lead that is not known is a LEAD."""
    write_batch(store, tmp_path, "b1", {"x": "IQL", "y": "MQL"})
    write_batch(store, tmp_path, "b2", {"x": "MQL", "y": "MQL"}, file="2.csv")
    first, second = (begin_batch(store, entry(batch_id=name), look_in(tmp_path)) for name in ("b1", "b2"))
    write_batch(store, tmp_path, "b3", {"x": "SQL"}, file="3.csv", until="filled")
    fourth = begin_batch(store, entry(batch_id="b4", file="4.csv"), lambda _: None)
    asked = ["y", "unknown", "x"]

    assert stages_before(store, first, asked) == ["LEAD", "LEAD", "LEAD"]
    assert stages_before(store, second, asked) == ["MQL", "LEAD", "IQL"]
    assert stages_before(store, fourth, asked) == ["MQL", "LEAD", "MQL"]


def test_the_advice_of_each_target_is_remembered(store: Store, tmp_path: Path) -> None:
    """The stage is the last of all; the advice of others is the highest of theirs."""
    write_batch(store, tmp_path, "b1", {"x": "IQL"})
    write_batch(store, tmp_path, "b2", {"x": "SQL"}, target="customer", file="2.csv")
    write_batch(store, tmp_path, "b3", {"x": "MQL"}, target="demo", file="3.csv")
    batch = begin_batch(store, entry(batch_id="b4", file="4.csv"), look_in(tmp_path))
    known = scores_of(store, batch).known(["x", "y"])

    assert [stages_of(part).tolist() for part in (known.stage, known.advised, known.others)] == [
        ["MQL", "LEAD"], ["IQL", "LEAD"], ["SQL", "LEAD"]
    ]  # fmt: skip


def test_outcomes_are_changes_at_the_time_at_which_they_occurred(store: Store, tmp_path: Path) -> None:
    """Each once, also of a lead that is not scored."""
    first = ("x", DAYS[2], "mql"), ("x", DAYS[3], "sql"), ("gone", DAYS[1], "customer")
    write_day(store, tmp_path, 5, {"x": "IQL"}, *first)
    write_day(store, tmp_path, 6, {"x": "IQL"}, *first, ("x", DAYS[5], "opportunity"))
    write_day(store, tmp_path, 7, {"x": "IQL"}, *first, ("x", DAYS[5], "opportunity"))

    assert rows(store, STAGE_CHANGES, "lead_id", "at", "stage", "stage_source", "advised", "recorded") == [
        ("gone", DAYS[1], "CUSTOMER", "recorded", "LEAD", "CUSTOMER"),
        ("x", DAYS[2], "MQL", "recorded", "LEAD", "MQL"),
        ("x", DAYS[3], "SQL", "recorded", "LEAD", "SQL"),
        ("x", DAYS[5], "SQL", "recorded", "IQL", "SQL"),
        ("x", DAYS[5], "OPPORTUNITY", "recorded", "IQL", "OPPORTUNITY"),
    ]


def test_a_closing_outcome_ends_the_advice_of_all_targets(store: Store, tmp_path: Path) -> None:
    """A rejected lead is nurtured, a lost one is a LEAD again; what was recorded before counts no more."""
    write_batch(store, tmp_path, "b1", {"x": "SQL", "y": "SQL"}, target="other", file="1.csv", as_of=DAYS[1])
    write_day(store, tmp_path, 5, {"z": "LEAD"}, ("x", DAYS[2], "rejected"), ("y", DAYS[3], "lost"))
    batch = begin_batch(store, entry(batch_id="b9", as_of=DAYS[9]), look_in(tmp_path))
    known = scores_of(store, batch).known(["x", "y"])

    assert [stages_of(part).tolist() for part in (known.stage, known.advised, known.others)] == [
        ["IQL", "LEAD"], ["LEAD", "LEAD"], ["LEAD", "LEAD"]
    ]  # fmt: skip


def test_scoring_the_past_changes_no_stage(store: Store, tmp_path: Path) -> None:
    """The scores are kept, the history is not written again after the present."""
    write_day(store, tmp_path, 9, {"x": "MQL"})
    write_day(store, tmp_path, 4, {"x": "SQL"}, ("x", DAYS[2], "sal"))

    assert rows(store, STAGE_CHANGES, "batch", "stage") == [(1, "MQL")]
    assert rows(store, SCORES, "batch", "stage") == [(1, "MQL"), (2, "SAL")]


def test_ids_are_kept_whatever_characters_they_have(store: Store, tmp_path: Path) -> None:
    """Quotes, percent signs and line breaks too."""
    write_batch(store, tmp_path, "b1", dict.fromkeys(ODD_IDS, "MQL"))
    batch = begin_batch(store, entry(batch_id="b2"), look_in(tmp_path))

    assert {lead_id for (lead_id,) in rows(store, SCORES, "lead_id")} == set(ODD_IDS)
    assert stages_before(store, batch, [*ODD_IDS, "other"]) == ["MQL"] * len(ODD_IDS) + ["LEAD"]


def test_probabilities_are_kept_to_the_bit(store: Store, tmp_path: Path) -> None:
    """So that a score in the store is the score in the file."""
    values = [0.1, 1 / 3, 5e-324, 1 - 2**-53]
    batch = begin_batch(store, entry(batch_id="b1"), look_in(tmp_path))
    fill(store, batch, scored(dict.fromkeys("abcd", "IQL")).assign(probability=values))

    assert rows(store, SCORES, "probability") == [(value,) for value in values]


@pytest.mark.parametrize("stage", ["LEAD", ""])
def test_a_lead_that_does_not_move_has_no_change(store: Store, tmp_path: Path, stage: str) -> None:
    """A target that drives no stage says nothing of stages."""
    fill(store, begin_batch(store, entry(batch_id="b1"), look_in(tmp_path)), scored({"x": stage}, [stage]))

    assert rows(store, STAGE_CHANGES) == []
    assert rows(store, SCORES, "stage") == [(stage,)]


def test_no_rows_are_no_rows(store: Store, tmp_path: Path) -> None:
    """A chunk may have none."""
    batch = begin_batch(store, entry(batch_id="b1"), look_in(tmp_path))
    fill(store, batch, scored({}))

    assert rows(store, SCORES) == []
    assert stages_before(store, batch, []) == []
