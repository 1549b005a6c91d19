"""Commands that simulate leads: what they write, print and refuse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from leadml.cli import simulating
from leadml.simulator.stream import Stream

Run = Callable[..., str]


def test_a_crm_counts_the_rows_that_it_writes(run: Run, tmp_path: Path) -> None:
    """And says which of them are not for training."""
    printed = run("simulate", "crm", tmp_path / "crm", "--leads", 40, "--months", 2, "--truth-leads", 40, "--no-spam")
    counts = {name: len(pd.read_parquet(tmp_path / "crm" / name)) for name in ("leads.parquet", "truth")}

    assert printed.startswith(f"{counts['leads.parquet']:,} rows of leads, ")
    assert f"true probabilities of {counts['truth']:,} snapshots, not for training: " in printed


def test_a_simulation_ends_before_today(run: Run, tmp_path: Path) -> None:
    """Scoring would refuse rows of the future; the message says how many months there may be."""
    today = datetime.now(UTC)
    most = 12 * (today.year - simulating.SIMULATED_FROM) + today.month - 1
    printed = " ".join(run("simulate", "crm", tmp_path / "new", "--months", most + 1, code=1).split())

    assert f"months must end before today, got {most + 1} from January 2024; give {most} or fewer" in printed
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--drift", "mixx"], "drift must be one of none, mix, behaviour, base_rate, got 'mixx'; the nearest is 'mix'"),
        (["--leads", "0"], "leads must be a whole number, from 1 to 20,000,000, got 0"),
        (["--months", "0"], "months must be a whole number, from 1 to 120, got 0"),
        (["--seed", "-1"], "seed must be a whole number, 0 or more, got -1"),
    ],
)
def test_wrong_options_of_a_crm_are_refused(run: Run, tmp_path: Path, words: list[str], message: str) -> None:
    """Nothing is written."""
    assert message in " ".join(run("simulate", "crm", tmp_path / "new", *words, code=1).split())
    assert not (tmp_path / "new").exists()


def test_simulated_machines_are_told(run: Run, tmp_path: Path) -> None:
    """Their acts lie in a folder that no training reads."""
    printed = run("simulate", "crm", tmp_path / "crm", "--leads", 60, "--months", 2, "--mail", "--scanners", 0.5)
    assert "acts of machines, not for training:" in printed
    assert list((tmp_path / "crm" / "machines").glob("*.parquet"))


@pytest.mark.parametrize("name", ["leads.csv", "leads.parquet"])
def test_a_stream_is_written_as_it_is_computed(run: Run, tmp_path: Path, name: str) -> None:
    """Every option is one of the stream."""
    words = ["--days", 4, "--leads-a-day", 7, "--fields", 3, "--rate", 0.4, "--seed", 5, "--level-noise", 0.25]
    printed = run("simulate", "stream", tmp_path / name, *words, "--drift", "odds", "--drift-day", 2)
    read = pd.read_csv if name.endswith(".csv") else pd.read_parquet
    expected = Stream(0.4, 3, 7, "odds", 2, 0.25).days(4, seed=5)

    assert printed == f"28 leads: {tmp_path / name}\n"
    frame = read(tmp_path / name)
    assert frame["true_probability"].tolist() == pytest.approx(expected["probability"].tolist(), rel=1e-15)
    assert frame["created_at"].unique().tolist() == ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--drift", "odd"], "drift must be one of none, odds, mix, effects, got 'odd'; the nearest is 'odds'"),
        (["--days", "0"], "days must be a whole number, from 1 to 3,660, got 0"),
        (["--before", "0"], "leads must be a whole number, from 1 to 20,000,000, got 0"),
        (["--seed", "-1"], "seed must be a whole number, 0 or more, got -1"),
        (["--before", "1", "--seed", "-1"], "seed must be a whole number, 0 or more, got -1"),
        (["--model", "nowhere"], "nowhere: must be the folder of a target or of a version, got none of this name"),
    ],
)
def test_wrong_options_of_a_stream_are_refused(run: Run, tmp_path: Path, words: list[str], message: str) -> None:
    """Nothing is written."""
    assert message in " ".join(run("simulate", "stream", tmp_path / "new.csv", *words, code=1).split())
    assert not (tmp_path / "new.csv").exists()


@pytest.mark.slow
def test_a_version_is_trained_on_the_time_before_and_scores_the_stream(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/commands.md shows it: its scores do not know the drift that the true probabilities show."""
    monkeypatch.chdir(tmp_path)
    run("simulate", "stream", "past.csv", "--before", 6000)
    run("init", "past.csv")
    run("train", "--set", "tracking.enabled=false", "--set", "model.max_rounds=40", "--set", "evaluation.draws=50")
    words = ["--days", 60, "--drift", "odds", "--drift-day", 30]
    run("simulate", "stream", "now.csv", *words, "--model", "models/converted")
    run("score", "now.csv", "-o", "scored.csv", "--raw")
    leads, scored = (pd.read_csv(name).set_index("lead_id") for name in ("now.csv", "scored.csv"))
    rises = leads.groupby(leads["created_at"] >= "2024-01-31")[["true_probability", "score_probability"]].mean()

    assert leads.columns[-2:].tolist() == ["converted", "score_probability"]
    assert (leads["score_probability"] - scored["probability"]).abs().max() == 0
    assert rises.loc[True, "true_probability"] > 1.3 * rises.loc[False, "true_probability"]
    assert rises.loc[True, "score_probability"] < 1.1 * rises.loc[False, "score_probability"]


def test_the_form_without_a_command_says_how_a_crm_is_written_now(run: Run, tmp_path: Path) -> None:
    """It is wrong usage, and nothing is written."""
    for words in ([tmp_path / "crm"], [tmp_path / "crm", "--leads", 40]):
        printed = " ".join(run("simulate", *words, code=2).replace("│", " ").split())
        assert "simulate must be followed by crm or stream, got '" in printed
        assert "write leadml simulate crm FOLDER" in printed
    assert not (tmp_path / "crm").exists()
