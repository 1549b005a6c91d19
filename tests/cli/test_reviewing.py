"""The command that reviews the version in use: one line, a page, and a code for those who do not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from leadml.jobs.places import Places

Run = Callable[..., str]


def _words(project: Places, *overrides: str) -> list[str]:
    sets = [word for override in overrides for word in ("--set", override)]
    return ["--params", str(project.root / "params.yaml"), *sets]


@pytest.mark.parametrize(
    ("day", "override", "verdict", "code"),
    [
        ("2025-02-10", "score.reasons=3", "KEEP", 0),
        ("2025-01-11", "score.reasons=3", "INSUFFICIENT EVIDENCE", 0),
        ("2025-02-10", "stages.mql={rule: share, top: 0.15}", "RECUT", 3),
    ],
)
def test_the_code_says_whether_something_is_to_be_done(
    run: Run, scored_stream: Places, day: str, override: str, verdict: str, code: int
) -> None:
    """3 where it is; the verdict is the first line, warnings follow, the page is the last."""
    printed = run("review", "--as-of", day, *_words(scored_stream, override), code=code).splitlines()

    assert printed[0].startswith(f"won version 1 as of {day}T00:00:00+00:00: {verdict}. ")
    assert printed[-1] == f"page: {scored_stream.root / 'reports' / 'won_review.html'}"
    assert all(line.startswith("RV") for line in printed[1:-1])
    assert (len(printed) > 2) == (verdict != "KEEP")


@pytest.mark.parametrize(
    ("drift", "days", "verdict", "code"),
    [("odds", 90, "RECALIBRATE", 3), ("effects", 90, "REFIT", 3), ("mix", 40, "KEEP", 0)],
)
def test_a_drift_of_the_model_ends_with_code_3(
    run: Run, make_scored: Callable[..., Places], tmp_path: Path, drift: str, days: int, verdict: str, code: int
) -> None:
    """The odds of all leads, or the effects of some fields; leads that have changed and convert as was said do not."""
    project = make_scored(tmp_path, days=days, drift=drift, drift_day=20)
    printed = run("review", *_words(project, "review.changes.distribution=0.01"), code=code)

    assert f": {verdict}. " in printed.splitlines()[0]


def test_json_is_one_object(
    run: Run, scored_stream: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alone on stdout; the page is written all the same, and is named on stderr."""
    from leadml.cli.reviewing import review

    page = tmp_path / "june.html"
    review(as_of="2025-02-10", out=page, as_json=True, params=scored_stream.root / "params.yaml")
    printed = capsys.readouterr()
    found = json.loads(printed.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    assert (found["verdict"], found["target"], found["as_of"]) == ("KEEP", "won", "2025-02-10T00:00:00+00:00")
    assert {"estimated", "realised", "beside", "promises", "slices", "findings", "evidence"} <= set(found)
    assert printed.err == f"page: {page}\n"
    assert page.read_text(encoding="utf-8").startswith("<!")
    assert '"verdict": "KEEP"' in run("review", "--as-of", "2025-02-10", "--json", *_words(scored_stream))


def test_what_cannot_be_reviewed_ends_with_code_1(run: Run, scored_stream: Places, flat_version: Path) -> None:
    """A store without scores, a day before the first one, and a day that is none."""
    words = _words(scored_stream)

    assert "the store must have scores of version 1 of won" in run(
        "review", "--params", flat_version / "params.yaml", code=1
    )
    assert "got none up to this day" in run("review", "--as-of", "2024-12-01", *words, code=1)
    assert "must be a date or a time in ISO 8601" in run("review", "--as-of", "june", *words, code=1)
    assert "must end in .html" in run("review", "--as-of", "2025-02-10", "--out", "page.pdf", *words, code=1)


def test_what_a_verdict_asks_for_is_done_or_only_said(
    run: Run, make_scored: Callable[..., Places], tmp_path: Path
) -> None:
    """The code is 0 once it is done; a dry run changes nothing."""
    project = make_scored(tmp_path, days=40)
    words = _words(project, "stages.mql={rule: share, top: 0.15}", "stages.sql={rule: share, top: 0.1}")
    would = run("review", "--act", "--dry-run", *words, code=3)
    assert "won: recut not done: would be: on 2,000 newer leads the cuts move" in would
    done = json.loads(run("review", "--act", "--json", *words).splitlines()[0])
    assert (done["act"]["action"], done["act"]["done"], done["act"]["version"]) == ("recut", True, "1.1")
    assert "won version 1.1" in run("review", *words)


@pytest.mark.parametrize(
    ("words", "match"),
    [(["--act", "--as-of", "2025-02-10"], "must not be given with --act"), (["--dry-run"], "must come with --act")],
)
def test_options_that_do_not_go_together_are_refused(
    run: Run, scored_stream: Places, words: list[str], match: str
) -> None:
    """Before anything is read."""
    assert match in run("review", *words, *_words(scored_stream), code=1)


def test_the_past_is_played(run: Run, make_scored: Callable[..., Places], tmp_path: Path) -> None:
    """A line, a table and a page."""
    project = make_scored(tmp_path, days=40)
    words = _words(project)
    printed = run("replay", "--since", "2025-02", *words)
    assert printed.startswith("won, 450 predictions from 2025-02 to 2025-02, outcomes known by day: log loss ")
    assert all(policy in printed for policy in ("once", "refit", "loop", "oracle"))
    assert (project.root / "reports" / "won_replay.html").is_file()
    assert json.loads(run("replay", "--since", "2025-02", "--json", *words).splitlines()[0])["labels"] == "day"
