"""The command line: commands, printed text and exit codes."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from leadml.cli import app
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from tests.dated import crm, write_params

COMMANDS = [
    "init", "check", "simulate", "simulate crm", "simulate stream", "train", "score", "explain", "report", "status",
]  # fmt: skip
IMPORTED = """
import sys
from leadml.cli import app
try:
    app(sys.argv[1:])
except SystemExit as done:
    heavy = {"mlflow", "shap", "matplotlib", "lightgbm", "sklearn"} & set(sys.modules)
    print("code", done.code, "heavy", sorted(heavy))
"""


def run(*words: object, code: int = 0) -> str:
    """Run the command line and return what it prints, after its exit code was checked."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


@pytest.fixture(scope="module")
def params(trained_project: tuple[Places, Trained]) -> list[str]:
    """Return the options that name the trained project."""
    return ["--params", str(trained_project[0].root / "params.yaml")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    """The help of a command shows how to call it."""
    printed = run(*command.split(), "--help")

    assert f"leadml {command}" in re.split("Examples?:", printed)[1]


@pytest.mark.slow
def test_help_imports_no_heavy_library() -> None:
    """Help imports none of the libraries that take seconds; benchmarks/door.py measures the time."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "leadml", "--help"], capture_output=True, check=True
    )
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.decode().splitlines()}

    heavy = {"pandas", "numpy", "sklearn", "lightgbm", "mlflow", "pyarrow", "matplotlib", "scipy", "pydantic"}
    assert "typer" in imported
    assert not imported & heavy


@pytest.mark.slow
def test_scoring_imports_neither_mlflow_nor_matplotlib(params: list[str], bank_file: Path, tmp_path: Path) -> None:
    """It does not import shap either."""
    words = ["score", str(bank_file), "-o", str(tmp_path / "scored.parquet"), *params]
    done = subprocess.run([sys.executable, "-c", IMPORTED, *words], capture_output=True, check=True, text=True)

    assert done.stdout.splitlines()[-1] == "code 0 heavy []"


@pytest.mark.slow
def test_from_a_file_to_a_report(tmp_path: Path, bank_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flat leads: init, train, score, explain, report and status."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(bank_file, "leads.csv")
    small = ["--set", "model.max_rounds=40", "--set", "evaluation.draws=50", "--set", "tracking.enabled=false"]

    assert "wrote params.yaml" in run("init", "leads.csv")
    trained = run("train", *small)
    assert trained.startswith("The model ")
    assert "note: The leads have no date" in trained
    assert "version 1 (new; in use)" in trained
    assert "(the same as before; in use)" in run("train", *small)
    other = run("train", *small, "--set", "split.seed=1")
    assert "version 2 (new; version 1 stays in use)" in other
    assert "leadml promote 2 --ungated --reason" in other
    assert "4,521 rows in = 4,521 scored + 0 not scored" in run("score", "leads.csv", "-o", "scored.csv")
    assert "of 100, " in run("explain", "12")
    assert "report: reports/converted.html" in run("report")
    assert Path("reports/converted.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    printed = run("status")
    for text in ("version 1 of 2", "IQL begins at", "the best 50% of leads", "4,521 leads at", "leads.csv"):
        assert text in printed


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ["status", "--params", "nowhere.yaml"],
            1,
            "leadml: nowhere.yaml: there is no such file; make one with leadml init",
        ),
        (["explain"], 2, "Missing argument"),
        (["conquer"], 2, "No such command"),
        (["report", "-o", "r.pdf"], 1, "leadml: r.pdf: must end in .html, got 'r.pdf'"),
        (["init", "x.csv", "-o", "x.csv"], 1, "leadml: x.csv: must end in .yaml or .yml, got 'x.csv'"),
        (["check", "x.csv", "--params", "nowhere.yaml"], 1, "leadml: nowhere.yaml: there is no such file"),
        (
            ["score", "nowhere.csv", "-o", "x.csv", "--model", "nowhere"],
            1,
            "leadml: nowhere: must be the folder of a target or of a version, got none of this name",
        ),
    ],
)
def test_exit_codes_of_refusals_and_wrong_usage(words: list[str], code: int, message: str) -> None:
    """A refusal is one line with code 1, wrong usage has code 2, and neither shows a traceback."""
    printed = run(*words, code=code)

    assert message in " ".join(printed.split())
    assert "Traceback" not in printed


@pytest.mark.slow
def test_from_a_simulation_to_a_report_of_dated_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dated leads: simulate, check, train, score into a database twice, explain, report and status."""
    monkeypatch.chdir(tmp_path)
    printed = run("simulate", "crm", "crm", "--leads", 1200, "--months", 8, "--seed", 3, "--truth-leads", 10)
    assert "activities, " in printed
    assert "not for training: crm/truth" in printed
    assert "must be new or empty" in run("simulate", "crm", "crm", code=1)
    choices = crm()
    for table in choices["sources"].values():
        table["path"] = f"crm/{table['path']}"
    choices["output"] = {"database": "sqlite:///out.db"}
    write_params(tmp_path, choices)
    small = ["--set", "model.max_rounds=20"]

    assert "target (--target) must name one of the targets mql, sql, got none" in run("train", code=1)
    checked = run("check", "--target", "mql", "--verbose")
    assert "DT1" in checked
    assert "share of leads that reach the target by their age" in checked
    assert checked.rstrip().endswith("ready to train")
    trained = run("train", "--target", "mql", *small, "--accept-weak", "few leads of a test")
    assert "snapshots of the holdout" in trained
    assert "version 1 (new; in use)" in trained
    assert "note: The leads have no date" not in trained
    summaries = [run("score", "--as-of", "2024-06-03", "--target", "mql") for _ in range(2)]
    assert "not in the population at 2024-06-03T00:00:00+00:00" in summaries[0]
    assert "scores: table scored" in summaries[0]
    assert summaries[0] == summaries[1]
    with closing(sqlite3.connect("out.db")) as connection:
        rows = pd.read_sql("SELECT * FROM scored", connection)
    assert len(rows) == rows["lead_id"].nunique() > 100
    lead = rows["lead_id"][0]
    explained = run("explain", lead, "--as-of", "2024-06-03", "--target", "mql")
    assert explained.startswith("mql by version 1, as of 2024-06-03T00:00:00+00:00\n")
    assert f"lead {lead}: {rows['score'][0]:.1f} of 100" in explained
    assert "report: reports/mql.html" in run("report", "--target", "mql")
    page = Path("reports/mql.html").read_text(encoding="utf-8")
    assert "How long conversions take" in page
    assert f"{len(rows):,}" in page
    assert "version 1 of 1" in run("status", "--target", "mql")
    every = run("status")
    for text in ("version 1 of 1", "none yet: leadml train --target sql"):
        assert text in every


@pytest.mark.slow
def test_a_terminal_that_cannot_show_a_character_gets_its_code(tmp_path: Path, bank_file: Path) -> None:
    """A command whose output has another encoding than its texts prints them all the same."""
    leads = pd.read_csv(bank_file).rename(columns={"job": "Tätigkeit"}).head(1500)
    leads.to_csv(tmp_path / "leads.csv", index=False)
    words = [sys.executable, "-m", "leadml", "check", "leads.csv"]
    done = subprocess.run(
        words, cwd=tmp_path, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr
    assert done.stdout.isascii()
    assert done.returncode in {0, 1}


def test_a_key_that_params_had_once_is_passed_over_with_one_line(params: list[str]) -> None:
    """The line names it and what leadml does in its place; nothing of the code is shown."""
    printed = run("status", *params, "--set", "model.bases=[linear]")
    lines = [line for line in printed.splitlines() if "bases" in line]

    assert len(lines) == 1
    assert lines[0].startswith("leadml: bases is no key of params any more: trees and linear parts are fitted alone")
