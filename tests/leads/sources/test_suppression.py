"""Lists of suppressed and objecting people are honoured before anything else is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dated import day, small, small_tables, write_params, write_tables
from tests.stores import rows

from leadml.errors import DataError, ParamsError
from leadml.jobs.handoff import hand_off
from leadml.jobs.places import Places
from leadml.jobs.score import score
from leadml.jobs.score_request import ScoreRequest
from leadml.jobs.train import Trained
from leadml.leads.check.instants import shown_instant
from leadml.leads.sources.scored_pairs import ScoredPairs
from leadml.leads.sources.source import training_source
from leadml.leads.sources.suppression import read_suppressed, without_suppressed
from leadml.leads.split import Holdout
from leadml.publish.store.opening import writing_alone
from leadml.publish.store.tables import METADATA

NOW = "2026-01-01T00:00:00+00:00"
TrainedProject = tuple[Places, Trained]


def listed(project: Places, *lists: tuple[str, list[str]]) -> Places:
    """Return a project with lists of people, each a file of ids."""
    choices = project.params.as_written()
    choices["suppression"] = {}
    for name, ids in lists:
        pd.DataFrame({"who": ids}).to_csv(project.root / f"{name}.csv", index=False)
        choices["suppression"][name] = {"path": f"{name}.csv", "lead_id": "who"}
    return replace(project, params=type(project.params).model_validate(choices))


def texts_of(folder: Path) -> str:
    """Return all text of the files that a job wrote."""
    return "".join(path.read_text(encoding="utf-8") for path in sorted(folder.iterdir()) if path.suffix == ".csv")


def score_into(project: Places, trained: Trained, leads: Path, folder: Path) -> None:
    """Score leads into a folder, with all contributions."""
    folder.mkdir(parents=True, exist_ok=True)
    request = ScoreRequest(leads, out=folder / "scored.csv", contributions=folder / "long.csv")
    score(trained.model, request, project=project, now=NOW, progress=lambda _: None)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(st.sets(st.integers(0, 39), min_size=1, max_size=20), st.sets(st.integers(0, 39), max_size=5))
def test_no_suppressed_person_is_in_any_output_or_in_the_store(
    trained_project: TrainedProject, bank_file: Path, first: set[int], faulty: set[int]
) -> None:
    """Scored before or not, with a faulty row or without: neither rows nor refusals nor the store name them."""
    project, trained = trained_project
    leads = pd.read_csv(bank_file, dtype=str, keep_default_na=False).head(40)
    leads["id"] = [f"id-{at}!" for at in range(40)]
    leads.loc[sorted(faulty), "age"] = "old"
    ids = sorted(f"id-{at}!" for at in first)
    lists = ("suppressed", ids[: len(ids) // 2]), ("objecting", ids[len(ids) // 2 :])
    with TemporaryDirectory() as name:
        folder, url = Path(name), f"sqlite:///{name}/leadml.db"
        choices = project.params.as_written()
        params = type(project.params).model_validate({**choices, "store": {"url": url}})
        leads.to_csv(folder / "leads.csv", index=False)
        score_into(replace(project, params=params), trained, folder / "leads.csv", folder / "before")
        without = listed(replace(project, params=params), *lists)
        (folder / "after").mkdir()
        hand_off(without, folder / "after" / "sales.csv", now=NOW, progress=lambda _: None)  # as scored before
        score_into(without, trained, folder / "leads.csv", folder / "after")
        with writing_alone(url, lambda _: None) as store:
            kept = [str(rows(store, table)) for table in METADATA.sorted_tables]
        before, after = (texts_of(folder / part) for part in ("before", "after"))
    after += "".join(kept)

    assert all(lead_id in before for lead_id in ids)
    assert [lead_id for lead_id in ids if lead_id in after] == []
    assert all(f"id-{at}!" in after for at in set(range(40)) - first)


def test_suppressed_people_are_in_no_training_set(make_project: Callable[..., Places], tmp_path: Path) -> None:
    """As if the file had no rows of them."""
    project = make_project(tmp_path)
    everybody = training_source(project, "subscribed", now=NOW).training(progress=lambda _: None).frame
    left = listed(project, ("suppressed", ["0", "17", "no such id"]))
    frame = training_source(left, "subscribed", now=NOW).training(progress=lambda _: None).frame

    assert set(everybody["lead_id"]) - set(frame["lead_id"]) == {"0", "17"}
    assert len(frame) == len(everybody) - 2


def test_of_dated_leads_all_three_tables_are_read_without_them(tmp_path: Path) -> None:
    """Their activities and outcomes are not even those of unknown leads."""
    leads = [(name, 0, 1.0) for name in "abc"]
    acts = [(name, 3, "visit") for name in "abc"]
    write_tables(tmp_path, **small_tables(leads, acts, [(name, 9, "customer") for name in "abc"]))
    project = listed(Places.open(write_params(tmp_path, small()), target="won"), ("suppressed", ["b"]))
    source: Any = training_source(project, "won", now=NOW)
    with source.view(lambda _: None) as view:
        assert view.history.lead_ids.tolist() == ["a", "c"]
        assert view.history.counts["activities"] == view.history.counts["outcomes"] == 2
        assert view.history.counts["activities_of_unknown_leads"] == 0
    with pytest.raises(DataError, match="must contain the lead 'b', got no such id"):
        source.find("b", shown_instant(day(5)), progress=lambda _: None)


def test_suppressed_people_have_no_label(make_project: Callable[..., Places], tmp_path: Path) -> None:
    """Of flat leads and of dated leads: they are in no review of what became of the scores."""
    flat = listed(make_project(tmp_path / "flat"), ("suppressed", ["0", "17"]))
    tables = small_tables([(name, 0, 1.0) for name in "abc"], [], [(name, 50, "customer") for name in "abc"])
    write_tables(tmp_path / "dated", **tables)
    dated = listed(Places.open(write_params(tmp_path / "dated", small()), target="won"), ("suppressed", ["b"]))
    ids = {"flat": ["0", "1", "17"], "dated": ["a", "b", "c"]}
    left = {
        name: training_source(project, project.target, now=NOW).labels(
            ScoredPairs(np.array(ids[name], dtype=object), np.full(3, day(5)), Holdout(0.0, 0), day(90)),
            progress=lambda _: None,
        )["lead_id"].tolist()
        for name, project in (("flat", flat), ("dated", dated))
    }  # fmt: skip

    assert left == {"flat": ["1"], "dated": ["a", "c"]}


def test_a_list_that_cannot_be_read_stops_the_job(make_project: Callable[..., Places], tmp_path: Path) -> None:
    """Whoever is on it would be scored."""
    project = listed(make_project(tmp_path), ("suppressed", ["0"]))
    (tmp_path / "suppressed.csv").write_text("someone\n0\n", encoding="utf-8")
    with pytest.raises(DataError, match="who"):
        read_suppressed(project.root, project.params)
    (tmp_path / "suppressed.csv").unlink()
    with pytest.raises(DataError, match=r"suppressed.csv"):
        training_source(project, "subscribed", now=NOW)


def test_people_are_known_by_the_id_of_their_lead() -> None:
    """Without a column of the id nobody could be left out."""
    with pytest.raises(ParamsError, match="suppression must have a column of the id to know people by, got none"):
        without_suppressed(None, None, frozenset("a"))  # type: ignore[arg-type]
    assert without_suppressed(None, None, frozenset()) is None  # type: ignore[arg-type]
