"""What a review reads comes back as scoring wrote it, and reviews come back in the order in which they were made."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stores import NOW, silent, write_batch

from leadml.leads.check.instants import from_shown, shown_instant
from leadml.publish.store.lead import forget_lead
from leadml.publish.store.opening import Store, writing_alone
from leadml.publish.store.reviews import (
    KeptScores,
    StoredReview,
    add_review,
    first_draws,
    kept_scores,
    stored_reviews,
)
from leadml.stages.exploring import Marks

pytest_plugins = ["tests.postgres"]

LATER = "2026-02-01T00:00:00+00:00"
DAYS = [f"2026-01-{day:02}T00:00:00+00:00" for day in range(1, 10)]
REVIEW = StoredReview(NOW, "sql", "1", "m", DAYS[3], "keep", {"leads": 1200, "by_period": [0.125, None, "2026-01"]})
NUMBER = count()
BATCHES = st.lists(
    st.tuples(
        st.sampled_from(["sql", "demo"]),
        st.sampled_from(["m", "n"]),
        st.sampled_from(["added", "filled", "complete"]),
        st.sampled_from([None, *DAYS[:4]]),
    ),
    max_size=5,
)


def _kept(store: Store, target: str = "sql", model_hash: str = "m", *, until: str = LATER) -> KeptScores:
    return kept_scores(store, target, model_hash, until=until)


def _rows(kept: KeptScores) -> list[tuple[Any, ...]]:
    return sorted(kept.rows.itertuples(index=False, name=None))


@pytest.mark.slow
@settings(max_examples=20)
@given(BATCHES, st.sampled_from([*DAYS[:4], NOW]))
def test_a_review_reads_the_complete_batches_of_one_version_up_to_an_instant(
    tmp_path_factory, batches: list[tuple[str, str, str, str | None]], until: str
) -> None:
    """Whatever else the store holds: other targets, other versions, batches that are not complete, later ones."""
    folder, expected = tmp_path_factory.mktemp("reviews"), []
    with writing_alone(f"sqlite:///{folder / 'leadml.db'}", silent) as store:
        for target, model_hash, state, as_of in batches:
            name = f"b{next(NUMBER)}"
            changed = {"target": target, "model_hash": model_hash, "as_of": as_of, "file": f"{name}.csv"}
            write_batch(store, folder, name, {"x": "MQL"}, until=state, **changed)
            if (target, model_hash, state) == ("sql", "m", "complete") and (as_of or NOW) <= until:
                expected.append((name, from_shown(as_of or NOW)))
        kept = _kept(store, until=until)

    assert [(batch.batch_id, from_shown(batch.at)) for batch in kept.batches] == expected
    assert kept.rows["at"].tolist() == [at for _, at in expected]


def test_scores_come_back_batch_by_batch_as_they_were_added(store: Store, tmp_path: Path) -> None:
    """With the parts of those that have some, the instant of their batch, and its counts."""
    first = {"as_of": DAYS[4], "parts": [b"\x10\xe0", None, b"\x00\x7f"], "counts": '{"leads":3}'}
    write_batch(store, tmp_path, "b1", {"x": "MQL", "y": "SQL", "é": ""}, **first)
    write_batch(store, tmp_path, "b2", {"x": "LEAD"}, file="2.csv", parts=[b""])
    kept = _kept(store)
    at = [from_shown(DAYS[4])] * 3 + [from_shown(NOW)]

    assert kept.rows["at"].tolist() == at
    assert _rows(kept) == sorted(
        [
            ("x", 0.25, b"\x10\xe0", at[0]),
            ("y", 0.5, None, at[0]),
            ("é", 0.75, b"\x00\x7f", at[0]),
            ("x", 0.5, b"", at[3]),
        ]
    )
    assert {type(part) for part in kept.rows["parts"]} == {bytes, type(None)}
    assert kept.counts == ['{"leads":3}', None]
    assert [batch.batch_id for batch in kept.batches] == ["b1", "b2"]


def test_batches_of_others_and_unfinished_batches_are_left_out(store: Store, tmp_path: Path) -> None:
    """Those of another target, of another version, and one whose file is not in place."""
    for name, changed in (("own", {}), ("demo", {"target": "demo"}), ("n", {"model_hash": "n"})):
        write_batch(store, tmp_path, name, {"x": "MQL"}, file=f"{name}.csv", **changed)
    write_batch(store, tmp_path, "late", {"x": "MQL"}, file="late.csv", until="filled")

    assert [batch.batch_id for batch in _kept(store).batches] == ["own"]
    assert [batch.batch_id for batch in _kept(store, "demo").batches] == ["demo"]
    assert [batch.batch_id for batch in _kept(store, model_hash="n").batches] == ["n"]


def test_the_rows_have_the_same_types_whether_there_are_many_or_none(store: Store, tmp_path: Path) -> None:
    """Of no batch, of a batch without leads, and of several leads."""
    nothing = _kept(store).rows
    write_batch(store, tmp_path, "b1", {})
    empty = _kept(store).rows
    write_batch(store, tmp_path, "b2", {f"L{at}": "MQL" for at in range(7)}, file="2.csv")
    many = _kept(store).rows

    assert (len(nothing), len(empty), len(many)) == (0, 0, 7)
    assert sorted(many["lead_id"]) == [f"L{at}" for at in range(7)]
    assert nothing.dtypes.to_dict() == empty.dtypes.to_dict() == many.dtypes.to_dict()
    assert {name: str(kind) for name, kind in many.dtypes.items()} == {
        "lead_id": "object", "probability": "float64", "parts": "object", "at": "int64",
    }  # fmt: skip


def test_the_instant_itself_is_not_too_late(store: Store, tmp_path: Path) -> None:
    """A batch of flat leads is as of its run, one of dated leads as of its snapshots, whenever it was scored."""
    write_batch(store, tmp_path, "flat", {"x": "MQL"})
    write_batch(store, tmp_path, "dated", {"x": "MQL"}, now=LATER, as_of=DAYS[2], file="2.csv")
    before = [shown_instant(from_shown(at) - 1) for at in (NOW, DAYS[2])]
    found = [
        [batch.batch_id for batch in _kept(store, until=at).batches] for at in (NOW, before[0], DAYS[2], before[1])
    ]

    assert found == [["flat", "dated"], ["dated"], ["dated"], []]


def test_nothing_is_left_of_a_lead_that_is_forgotten(store: Store, tmp_path: Path) -> None:
    """Neither its score nor its parts; the other leads stay."""
    write_batch(store, tmp_path, "b1", {"x": "MQL", "y": "SQL"}, parts=[b"\x01", b"\x02"])
    forget_lead(store, "x", now=LATER)

    assert _rows(_kept(store)) == [("y", 2 / 3, b"\x02", from_shown(NOW))]


def test_a_review_comes_back_as_it_was_made(store: Store) -> None:
    """Those of the target, in the order in which they were made, whatever instant they judge."""
    earlier = replace(REVIEW, as_of=DAYS[1], verdict="refit", details={})
    other = replace(REVIEW, target="demo", at=LATER)
    for review in (REVIEW, other, earlier):
        add_review(store, review)

    assert stored_reviews(store, "sql") == [REVIEW, earlier]
    assert stored_reviews(store, "demo") == [other]
    assert stored_reviews(store, "unknown") == []


def test_a_review_of_the_same_version_as_of_the_same_instant_replaces_the_one_before(store: Store) -> None:
    """Even if the version has another name; one of another version, instant or target stays."""
    others = [replace(REVIEW, model_hash="n"), replace(REVIEW, as_of=DAYS[5]), replace(REVIEW, target="demo")]
    for review in (REVIEW, *others):
        add_review(store, review)
    again = replace(REVIEW, at=LATER, version="7", verdict="recut", details={"leads": 1300})
    add_review(store, again)

    assert stored_reviews(store, "sql") == [*others[:2], again]
    assert stored_reviews(store, "demo") == others[2:]


def test_reviews_are_of_plain_types(store: Store) -> None:
    """A frame can be made of them, and what JSON cannot store is refused before anything is removed."""
    add_review(store, REVIEW)
    with pytest.raises(TypeError, match="not JSON serializable"):
        add_review(store, replace(REVIEW, details={"at": pd.Timestamp(NOW)}))

    assert pd.DataFrame(stored_reviews(store, "sql"))["verdict"].tolist() == ["keep"]


def marks(*explored: int | None) -> Marks:
    """Return which leads are marked with a chance of a quarter; None for leads at or above the cut."""
    marked = np.array([*explored, None], dtype=object)[:-1]
    return Marks(np.where(marked == None, None, 0.25), marked)  # noqa: E711 - of each element


def test_the_first_draw_of_a_lead_ends_where_it_is_at_or_above_the_cut(store: Store, tmp_path: Path) -> None:
    """Whatever version scored it; batches that explore nothing and those of other targets say nothing."""
    nights: list[tuple[dict[str, str], dict[str, Any]]] = [
        ({"x": "MQL", "y": "MQL"}, {}),
        ({"x": "LEAD", "y": "LEAD", "z": "MQL"}, {"marks": marks(0, 1, None)}),
        ({"x": "MQL", "y": "LEAD", "z": "LEAD"}, {"target": "demo", "marks": marks(None, 0, 1)}),
        ({"x": "MQL"}, {}),
        ({"x": "MQL", "y": "LEAD", "z": "LEAD"}, {"model_hash": "n", "marks": marks(None, 1, 0)}),
        ({"x": "LEAD", "z": "MQL"}, {"marks": marks(1, None)}),
    ]
    for number, (stages, changed) in enumerate(nights):
        write_batch(store, tmp_path, f"b{number}", stages, as_of=DAYS[number], file=f"{number}.csv", **changed)
    at = [float(from_shown(day)) for day in DAYS]
    found = first_draws(store, "sql", until=LATER).set_index("lead_id").sort_index()
    assert found["at"].tolist() == [at[1], at[1], at[4]]
    assert found["ended"].fillna(0).tolist() == [at[4], 0, at[5]]
    assert found["explored"].tolist() == [0, 1, 0]
    assert set(found["propensity"]) == {0.25}
    assert first_draws(store, "sql", until=DAYS[4]).set_index("lead_id")["ended"].fillna(0).to_dict() == {
        "x": at[4], "y": 0, "z": 0
    }  # fmt: skip
    assert first_draws(store, "sql", until=DAYS[0]).empty


def test_kept_scores_say_on_demand_who_was_marked(store: Store, tmp_path: Path) -> None:
    """NaN for leads that were not drawn from."""
    write_batch(store, tmp_path, "b1", {"x": "LEAD", "y": "LEAD", "z": "MQL"}, marks=marks(0, 1, None))
    write_batch(store, tmp_path, "b2", {"x": "LEAD"}, file="2.csv")
    kept = kept_scores(store, "sql", "m", until=LATER, marks=True).rows
    assert kept["explored"].fillna(-1).tolist() == [0, 1, -1, -1]
    assert "explored" not in _kept(store).rows
