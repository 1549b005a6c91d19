"""Where the rows of a scoring go, and which destinations are refused before anything is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadml.errors import LeadmlError
from leadml.jobs.score_request import Destination, ScoreRequest, file_choices
from leadml.params import load_params
from leadml.publish.sink import FileChoices

ROOT = Path(__file__).parents[2]


def destination(
    out: str | None, contributions: str | None = None, database: tuple[str, str] | None = None
) -> Destination:
    """Return a destination of paths."""
    paths = (None if path is None else Path(path) for path in (out, contributions))
    return Destination(*paths, database, FileChoices())


def test_a_request_is_of_all_leads_by_default() -> None:
    """Neither the holdout nor open leads alone."""
    request = ScoreRequest()
    assert (request.held_out, request.only_open, request.raw) == (False, False, False)


def test_files_are_written_as_params_say() -> None:
    """For machines too, and without params for an English spreadsheet."""
    params = load_params(ROOT / "params.yaml", ["output.delimiter=;", "output.decimal=,"])

    assert file_choices(params) == FileChoices(raw=False, delimiter=";", decimal=",")
    assert file_choices(params, raw=True).raw
    assert file_choices(None) == FileChoices(raw=False, delimiter=",", decimal=".")


def test_refused_rows_lie_beside_the_scores() -> None:
    """And for a table in the working folder, under its name."""
    assert destination("a/s.parquet").not_scored == Path("a/s.not_scored.csv")
    assert destination(None, database=("sqlite:///x.db", "sales.scored")).not_scored == Path(
        "sales.scored.not_scored.csv"
    )
    assert destination("a/s.csv").name == "a/s.csv"
    assert destination(None, database=("sqlite:///x.db", "scored")).name == "table scored"


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (destination(None), r"out \(--out\) must name a file, or output.database an address, got neither"),
        (destination("leads.csv"), "leads.csv: must not be the file of the leads or in their folder"),
        (destination("folder/s.csv"), "folder/s.csv: must not be the file of the leads or in their folder"),
        (destination("s.csv", "s.csv"), "s.csv: must differ from the other files that are written"),
        (destination("s.csv", "s.not_scored.csv"), "s.not_scored.csv: must differ from the other files"),
        (destination("s.txt"), "must end in"),
    ],
)
def test_a_destination_that_would_lose_something_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: Destination, message: str
) -> None:
    """Leads are never overwritten, and two tables never go into one file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(LeadmlError, match=message):
        chosen.check([tmp_path / "leads.csv", tmp_path / "folder"])
    destination("s.csv", "c.csv").check([tmp_path / "leads.csv", tmp_path / "folder"])
