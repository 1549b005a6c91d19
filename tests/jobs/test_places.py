"""Places: paths of params are relative to the file, and a target must be named if there are several."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dated import crm, small, write_params

from leadml.errors import ParamsError
from leadml.jobs.places import Places


def test_paths_are_relative_to_the_folder_of_params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder does not matter."""
    path = write_params(tmp_path / "project", small())
    monkeypatch.chdir(tmp_path)
    places = Places.open(path)

    assert places.data is None
    assert places.sources == [path.parent / f"{name}.parquet" for name in ("leads", "activities", "outcomes")]
    assert places.registry.folder == path.parent / "models" / "won"
    assert places.reports == path.parent / "reports"
    assert places.tracking_store.parent == path.parent
    assert places.store_url == f"sqlite:///{path.parent.resolve() / 'leadml.db'}"


def test_a_database_is_named_by_params(tmp_path: Path) -> None:
    """Without one there is no table to write scores to."""
    path = write_params(tmp_path, small())

    assert Places.open(path).database is None
    url, table = Places.open(path, ["output.database=sqlite:///out.db", "output.table=scores"]).database
    assert (url.endswith("out.db"), table) == (True, "scores")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (None, r"target \(--target\) must name one of the targets mql, sql, got none"),
        ("sqll", r"target \(--target\) must be one of mql, sql, got 'sqll'; the nearest is 'sql'"),
    ],
)
def test_the_target_must_be_declared(tmp_path: Path, target: str | None, message: str) -> None:
    """With several targets one must be named."""
    with pytest.raises(ParamsError, match=message):
        Places.open(write_params(tmp_path, crm()), target=target)
