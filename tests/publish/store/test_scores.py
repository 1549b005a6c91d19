"""The stages of leads before a batch, and the rows that a batch adds."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.stores import entry, look_in, rows, scored, write_batch

from leadml.publish.store.batches import begin_batch, fill_batch
from leadml.publish.store.opening import Store
from leadml.publish.store.scores import add_scores, stages_before
from leadml.publish.store.tables import SCORES, STAGE_CHANGES

pytest_plugins = ["tests.postgres"]

ODD_IDS = ["O'Brien", 'quo"ted', "ünï", "%s", ":name", "back\\slash", "new\nline", "日本"]


def test_a_stage_is_the_last_one_before_the_batch(store: Store, tmp_path: Path) -> None:
    """Later batches, and those that are not complete, do not count; a lead that is not known is a LEAD."""
    write_batch(store, tmp_path, "b1", {"x": "IQL", "y": "MQL"})
    write_batch(store, tmp_path, "b2", {"x": "MQL", "y": "MQL"}, file="2.csv")
    first, second = (begin_batch(store, entry(batch_id=name), look_in(tmp_path)) for name in ("b1", "b2"))
    write_batch(store, tmp_path, "b3", {"x": "SQL"}, file="3.csv", until="filled")
    fourth = begin_batch(store, entry(batch_id="b4", file="4.csv"), lambda _: None)
    asked = ["y", "unknown", "x"]

    assert stages_before(store, first, asked).stage.tolist() == ["LEAD", "LEAD", "LEAD"]
    assert stages_before(store, second, asked).stage.tolist() == ["MQL", "LEAD", "IQL"]
    assert stages_before(store, fourth, asked).stage.tolist() == ["MQL", "LEAD", "MQL"]


def test_the_advice_of_another_target_is_not_that_of_this_one(store: Store, tmp_path: Path) -> None:
    """The stage is the last of all, the advice the last of the target."""
    write_batch(store, tmp_path, "b1", {"x": "IQL"})
    write_batch(store, tmp_path, "b2", {"x": "SQL"}, target="customer", file="2.csv")
    state = stages_before(store, begin_batch(store, entry(batch_id="b3"), lambda _: None), ["x"])

    assert (state.stage.tolist(), state.advised.tolist()) == (["SQL"], ["IQL"])


def test_ids_are_kept_whatever_characters_they_have(store: Store, tmp_path: Path) -> None:
    """Quotes, percent signs and line breaks too."""
    write_batch(store, tmp_path, "b1", dict.fromkeys(ODD_IDS, "MQL"))
    state = stages_before(store, begin_batch(store, entry(batch_id="b2"), look_in(tmp_path)), [*ODD_IDS, "other"])

    assert {lead_id for (lead_id,) in rows(store, SCORES, "lead_id")} == set(ODD_IDS)
    assert state.stage.tolist() == ["MQL"] * len(ODD_IDS) + ["LEAD"]


def test_probabilities_are_kept_to_the_bit(store: Store, tmp_path: Path) -> None:
    """So that a score in the store is the score in the file."""
    batch = begin_batch(store, entry(batch_id="b1"), look_in(tmp_path))
    values = [0.1, 1 / 3, 5e-324, 1 - 2**-53]
    frame = scored(dict.fromkeys("abcd", "IQL")).assign(probability=values)
    add_scores(store, batch, frame)
    fill_batch(store, batch, scored=4, not_scored=0)

    assert rows(store, SCORES, "probability") == [(value,) for value in values]


@pytest.mark.parametrize("stage", ["LEAD", ""])
def test_a_lead_that_does_not_move_has_no_change(store: Store, tmp_path: Path, stage: str) -> None:
    """A target that drives no stage says nothing of stages."""
    batch = begin_batch(store, entry(batch_id="b1"), look_in(tmp_path))
    add_scores(store, batch, scored({"x": stage}, [stage]))
    fill_batch(store, batch, scored=1, not_scored=0)

    assert rows(store, STAGE_CHANGES) == []
    assert rows(store, SCORES, "stage") == [(stage,)]


def test_no_rows_are_no_rows(store: Store, tmp_path: Path) -> None:
    """A chunk may have none."""
    batch = begin_batch(store, entry(batch_id="b1"), look_in(tmp_path))
    add_scores(store, batch, scored({}))
    fill_batch(store, batch, scored=0, not_scored=0)

    assert rows(store, SCORES) == []
    assert stages_before(store, batch, []).stage.tolist() == []
