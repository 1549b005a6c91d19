"""The command line: commands, printed text and exit codes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from leadml.cli import app
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from tests.dated import crm, write_params

COMMANDS = ["init", "check", "simulate", "train", "score", "explain", "report", "status"]
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
    printed = run(command, "--help")

    assert f"leadml {command}" in printed.split("Example:")[1]


def test_help_imports_no_heavy_library() -> None:
    """Help imports none of the libraries that take seconds; benchmarks/door.py measures the time."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "leadml", "--help"], capture_output=True, check=True
    )
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.decode().splitlines()}

    heavy = {"pandas", "numpy", "sklearn", "lightgbm", "mlflow", "pyarrow", "matplotlib", "scipy", "pydantic"}
    assert "typer" in imported
    assert not imported & heavy


def test_scoring_imports_neither_mlflow_nor_matplotlib(params: list[str], bank_file: Path, tmp_path: Path) -> None:
    """It does not import shap either."""
    words = ["score", str(bank_file), "-o", str(tmp_path / "scored.parquet"), *params]
    done = subprocess.run([sys.executable, "-c", IMPORTED, *words], capture_output=True, check=True, text=True)

    assert done.stdout.splitlines()[-1] == "code 0 heavy []"


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
    assert "to put it in use, write 2 into models/converted/champion" in other
    assert "4,521 rows in = 4,521 scored + 0 not scored" in run("score", "leads.csv", "-o", "scored.csv")
    assert "of 100, " in run("explain", "12")
    assert "report: reports/converted.html" in run("report")
    assert Path("reports/converted.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    printed = run("status")
    for text in ("version 1 of 2", "IQL begins at", "the best 50% of leads", "4,521 leads at", "leads.csv"):
        assert text in printed


def test_init_does_not_replace_an_existing_file(tmp_path: Path, bank_file: Path) -> None:
    """A proposal replaces a params.yaml only with --force."""
    out = tmp_path / "params.yaml"
    out.write_text("mine", encoding="utf-8")

    assert "must be a new file, got one that exists" in run("init", bank_file, "--out", out, code=1)
    assert out.read_text(encoding="utf-8") == "mine"
    run("init", bank_file, "--out", out, "--force")
    assert out.read_text(encoding="utf-8").startswith("# What leadml does")


def test_a_check_needs_no_params(tmp_path: Path, bank_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without params.yaml, check uses the roles that init would propose."""
    monkeypatch.chdir(tmp_path)
    printed = run("check", bank_file)

    assert "columns as leadml init would declare them" in printed
    assert printed.rstrip().endswith("ready to train")


def test_a_check_of_too_few_leads_exits_with_1(tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """The exit code says that training would refuse."""
    pd.read_csv(bank_file).head(300).to_csv(tmp_path / "few.csv", index=False)

    assert run("check", tmp_path / "few.csv", *params, code=1).rstrip().endswith("not ready: training would refuse")


def test_refused_rows_give_exit_code_3(tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """The summary names the file with the refused rows."""
    text = bank_file.read_text(encoding="utf-8").replace(",33,services,", ",old,services,", 1)
    (tmp_path / "new.csv").write_text(text, encoding="utf-8")

    printed = run("score", tmp_path / "new.csv", "-o", tmp_path / "scored.csv", *params, code=3)

    assert "4,521 rows in = 4,520 scored + 1 not scored" in printed
    assert f"not scored, with reasons: {tmp_path / 'scored.not_scored.csv'}" in printed


def test_escaped_texts_are_counted(tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """An id that begins like a formula is escaped in CSV, and unchanged with --raw."""
    leads = pd.read_csv(bank_file, dtype=str).head(3)
    leads["id"] = ["=1", "2", "3"]
    leads.to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / "scored.csv"

    assert "1 texts that begin like a formula" in run("score", tmp_path / "new.csv", "-o", out, *params)
    assert pd.read_csv(out, dtype=str)["lead_id"].tolist() == ["'=1", "2", "3"]
    run("score", tmp_path / "new.csv", "-o", out, "--raw", *params)
    assert pd.read_csv(out, dtype=str)["lead_id"].tolist() == ["=1", "2", "3"]


def test_a_bundle_can_be_used_without_params(
    tmp_path: Path, trained_project: tuple[Places, Trained], bank_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle contains everything that scoring, explaining and reporting need."""
    monkeypatch.chdir(tmp_path)
    bundle = shutil.copytree(trained_project[0].registry.path("1"), tmp_path / "elsewhere")

    assert "= 4,521 scored" in run("score", bank_file, "-o", "scored.parquet", "--model", bundle)
    assert "of 100" in run("explain", "12", "--model", bundle, "--file", bank_file)
    assert "flat leads must be given as a file, got none; name it" in run("explain", "12", "--model", bundle, code=1)
    assert "report: reports/subscribed.html" in run("report", "--model", bundle)


def test_unknown_levels_are_counted(tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """The summary counts them by field."""
    leads = pd.read_csv(bank_file).head(10)
    leads["job"] = "astronaut"
    leads.loc[0, "month"] = "smarch"
    leads.to_csv(tmp_path / "new.csv", index=False)
    printed = run("score", tmp_path / "new.csv", "-o", tmp_path / "s.csv", *params)

    assert "values that the model does not know: job of 10 leads, month of 1 lead\n" in printed


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


def test_a_damaged_bundle_is_refused(tmp_path: Path, trained_project: tuple[Places, Trained], bank_file: Path) -> None:
    """A truncated model, which would end the process inside LightGBM, gives one line and exit code 1."""
    bundle = shutil.copytree(trained_project[0].registry.path("1"), tmp_path / "bundle")
    text = (bundle / "booster.txt").read_bytes()
    (bundle / "booster.txt").write_bytes(text[: len(text) // 2])

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "leadml",
            "score",
            str(bank_file),
            "-o",
            str(tmp_path / "s.csv"),
            "--model",
            str(bundle),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert (
        done.stderr == f"leadml: {bundle}: booster.txt is not as it was written; use another version or train again\n"
    )


def test_text_from_files_cannot_control_the_terminal(tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """Escape sequences, markup and line breaks in values are shown, not executed."""
    leads = pd.read_csv(bank_file, dtype=str).head(2)
    leads["job"] = ["\x1b[31mred\x1b[0m\nFAKE LINE [bold]x[/bold]", "chef"]
    leads["age"] = ["30", "\x1b]0;title\x07"]
    leads.to_csv(tmp_path / "new.csv", index=False)

    shown = run("explain", "0", "--file", tmp_path / "new.csv", *params)
    refused = run("explain", "1", "--file", tmp_path / "new.csv", *params, code=1)

    assert "\x1b[31m" not in shown
    assert "[bold]" in shown
    assert "\x1b" not in refused
    assert r"'\x1b]0;title\x07'" in refused


def test_tracking_without_mlflow_is_refused_before_any_work(
    tmp_path: Path, make_project: Callable[..., Places]
) -> None:
    """If MLflow is not installed, the message says how to install it or switch it off, and nothing is trained."""
    project = make_project(tmp_path / "p")
    hidden = "import sys; sys.modules['mlflow'] = None\nfrom leadml.cli import app\napp(['train'])"

    done = subprocess.run([sys.executable, "-c", hidden], cwd=project.root, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert (
        done.stderr
        == "leadml: MLflow is not installed: pip install 'leadml[tracking]', or set tracking.enabled: false\n"
    )


@pytest.fixture(scope="module")
def dated(trained_dated: tuple[Places, Trained]) -> list[str]:
    """Return the options that name the trained project of dated leads and its target."""
    return ["--params", str(trained_dated[0].root / "params.yaml"), "--target", "mql"]


def test_from_a_simulation_to_a_report_of_dated_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dated leads: simulate, check, train, score into a database twice, explain, report and status."""
    monkeypatch.chdir(tmp_path)
    printed = run("simulate", "crm", "--leads", 1200, "--months", 8, "--seed", 3, "--truth-leads", 10)
    assert "activities, " in printed
    assert "not for training: crm/truth" in printed
    assert "must be new or empty" in run("simulate", "crm", code=1)
    choices = crm()
    for table in choices["sources"].values():
        table["path"] = f"crm/{table['path']}"
    choices["output"] = {"database": "sqlite:///out.db"}
    write_params(tmp_path, choices)
    small = ["--set", "model.max_rounds=20"]

    assert "target (--target) must name one of the targets mql, sql, got none" in run("train", code=1)
    checked = run("check", "--target", "mql")
    assert "DT1" in checked
    assert "share of leads that reach the target by their age" in checked
    assert checked.rstrip().endswith("ready to train")
    trained = run("train", "--target", "mql", *small)
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


def test_dated_leads_are_scored_into_files(tmp_path: Path, dated: list[str]) -> None:
    """Both formats have one row per lead and the same batch."""
    for name in ("a.csv", "b.parquet"):
        printed = run("score", "--as-of", "2024-05-30", "-o", tmp_path / name, *dated)
        assert " scored + 0 not scored" in printed
    one, other = pd.read_csv(tmp_path / "a.csv"), pd.read_parquet(tmp_path / "b.parquet")

    assert one["lead_id"].tolist() == other["lead_id"].tolist()
    assert set(one["batch_id"]) == set(other["batch_id"])
    assert len(set(one["batch_id"])) == 1


def test_a_bundle_of_dated_leads_reads_the_tables_of_params(
    tmp_path: Path, trained_dated: tuple[Places, Trained]
) -> None:
    """With --model the tables are those that params.yaml names."""
    project = trained_dated[0]
    words = ["--model", project.registry.path("1"), "--params", project.root / "params.yaml"]
    printed = run("score", "--as-of", "2024-05-30", "-o", tmp_path / "s.csv", *words)
    lead = pd.read_csv(tmp_path / "s.csv")["lead_id"][0]

    assert " scored + 0 not scored" in printed
    assert f"lead {lead}: " in run("explain", lead, "--as-of", "2024-05-30", *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["score", "-o", "s.csv"],
            "as_of (--as-of) must give the date of the scoring of dated leads, got nothing",
        ),
        (
            ["score", "x.csv", "-o", "s.csv", "--as-of", "2024-05-30"],
            "a file and held_out (--held-out) must not be given",
        ),
        (
            ["score", "-o", "s.csv", "--as-of", "30.05.2024"],
            "as_of (--as-of) must be a date or a time in ISO 8601, got '30.05.2024'",
        ),
        (
            ["score", "--as-of", "2024-05-30"],
            "out (--out) must name a file, or output.database an address",
        ),
        (["score", "-o", "s.csv", "--as-of", "2020-05-30"], "there must be leads to score, got none of 2,000"),
        (
            ["explain", "L00000001"],
            "as_of (--as-of) must give the date of the scoring of dated leads, got nothing; write",
        ),
        (["explain", "nobody", "--as-of", "2024-05-30"], "must contain the lead 'nobody', got no such id"),
        (["check", "leads.csv"], "must not be given"),
    ],
)
def test_refusals_of_dated_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dated: list[str], words: list[str], message: str
) -> None:
    """Each is one line that says what to write."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "leads.csv").write_text("lead_id,created_at\n1,2024-01-01\n", encoding="utf-8")
    printed = run(*words, *dated, code=1)

    assert message in " ".join(printed.split())
    assert not (tmp_path / "s.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["score", "{file}", "-o", "s.csv", "--as-of", "2024-05-30"], "as_of (--as-of) must not be given"),
        (["score", "-o", "s.csv"], "flat leads must be given as a file, got none"),
        (["explain", "12", "--as-of", "2024-05-30"], "as_of (--as-of) must not be given"),
    ],
)
def test_refusals_of_flat_leads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params: list[str], bank_file: Path, words: list[str], message: str
) -> None:
    """A date, which flat leads do not use, is refused, and so is a missing file."""
    monkeypatch.chdir(tmp_path)
    printed = run(*(word.format(file=bank_file) for word in words), *params, code=1)

    assert message in " ".join(printed.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--drift", "mixx"], "drift must be one of none, mix, behaviour, base_rate, got 'mixx'; the nearest is 'mix'"),
        (["--leads", "0"], "leads must be a whole number, from 1 to 20,000,000, got 0"),
        (["--months", "0"], "months must be a whole number, from 1 to 120, got 0"),
        (["--seed", "-1"], "seed must be a whole number, 0 or more, got -1"),
    ],
)
def test_wrong_options_of_simulate_are_refused(tmp_path: Path, words: list[str], message: str) -> None:
    """Nothing is written."""
    assert message in " ".join(run("simulate", tmp_path / "new", *words, code=1).split())
    assert not (tmp_path / "new").exists()


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
