"""Commands that use a model: score, explain, report and status."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import typer

from leadml.cli import using
from leadml.jobs.places import Places
from leadml.jobs.train import Trained

Run = Callable[..., str]


def test_a_command_that_leaves_rows_out_exits_with_3(
    tmp_path: Path, bank_file: Path, params: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Called from Python too; without such rows it returns."""
    leads = pd.read_csv(bank_file).head(3).astype(object)
    leads.to_csv(tmp_path / "good.csv", index=False)
    leads.loc[1, "age"] = "old"
    leads.to_csv(tmp_path / "bad.csv", index=False)

    using.score(tmp_path / "good.csv", tmp_path / "s.csv", params=Path(params[1]))
    assert capsys.readouterr().out.startswith("3 rows in = 3 scored + 0 not scored\n")
    with pytest.raises(typer.Exit) as caught:
        using.score(tmp_path / "bad.csv", tmp_path / "s.csv", params=Path(params[1]))
    assert caught.value.exit_code == 3
    assert "3 rows in = 2 scored + 1 not scored" in capsys.readouterr().out


def test_the_instant_of_a_scoring_can_be_given(run: Run, tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """So that other machines write the same bytes; leads that were scored before keep their instant."""
    pd.read_csv(bank_file).tail(3).to_csv(tmp_path / "new.csv", index=False)
    arguments = ("score", tmp_path / "new.csv", "-o", tmp_path / "s.csv", *params, "--scored-at")
    run(*arguments, "2026-01-31 08:00")
    first = (tmp_path / "s.csv").read_bytes()
    run(*arguments, "2026-01-31T09:00:00+01:00")
    assert (tmp_path / "s.csv").read_bytes() == first
    assert set(pd.read_csv(tmp_path / "s.csv")["scored_at"]) == {"2026-01-31T08:00:00+00:00"}
    assert "--scored-at must be a date or a time in ISO 8601, got 'soon'" in run(*arguments, "soon", code=1)


def test_open_leads_are_scored_alone(run: Run, tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """By the values that params name; without any the option is refused."""
    leads = pd.read_csv(bank_file).head(6)
    leads.loc[:1, "y"] = "pending"
    leads.to_csv(tmp_path / "new.csv", index=False)
    arguments = ("score", tmp_path / "new.csv", "--open", "-o", tmp_path / "s.csv", *params)
    printed = run(*arguments, "--set", "target.open=[Pending]")
    assert printed.startswith("2 rows in (4 left out: their outcome is known) = 2 scored + 0 not scored\n")
    assert "target.open or target.wait_days of params.yaml, got neither" in run(*arguments, code=1)


@pytest.mark.slow
def test_an_explanation_shows_the_lead_and_its_version(run: Run, bank_file: Path, params: list[str]) -> None:
    """By default of the file that params name."""
    printed = run("explain", "12", *params)

    assert printed.startswith("subscribed by version 1\nlead 12: ")
    assert run("explain", "12", "--file", bank_file, *params) == printed


@pytest.mark.slow
def test_a_report_is_written_where_it_is_asked_for(run: Run, tmp_path: Path, params: list[str]) -> None:
    """And nowhere else if its name is no page."""
    assert run("report", "-o", tmp_path / "r.html", *params) == f"report: {tmp_path / 'r.html'}\n"
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "r.pdf: must end in .html, got 'r.pdf'" in run("report", "-o", tmp_path / "r.pdf", *params, code=1)


def test_the_status_of_a_target_is_one_table(run: Run, params: list[str]) -> None:
    """A target that params do not declare is refused."""
    assert run("status", *params).count("status") == run("status", "--target", "subscribed", *params).count("status")
    assert "version 1 of 1" in run("status", *params)
    assert "got 'other'" in run("status", "--target", "other", *params, code=1)


@pytest.mark.slow
def test_refused_rows_give_exit_code_3(run: Run, tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """The summary names the file with the refused rows."""
    text = bank_file.read_text(encoding="utf-8").replace(",33,services,", ",old,services,", 1)
    (tmp_path / "new.csv").write_text(text, encoding="utf-8")

    printed = run("score", tmp_path / "new.csv", "-o", tmp_path / "scored.csv", *params, code=3)

    assert "4,521 rows in = 4,520 scored + 1 not scored" in printed
    assert f"not scored, with reasons: {tmp_path / 'scored.not_scored.csv'}" in printed


@pytest.mark.slow
def test_escaped_texts_are_counted(run: Run, tmp_path: Path, bank_file: Path, params: list[str]) -> None:
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
    run: Run, tmp_path: Path, trained_project: tuple[Places, Trained], bank_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle contains everything that scoring, explaining and reporting need."""
    monkeypatch.chdir(tmp_path)
    bundle = shutil.copytree(trained_project[0].registry.path("1"), tmp_path / "elsewhere")

    assert "= 4,521 scored" in run("score", bank_file, "-o", "scored.parquet", "--model", bundle)
    assert "of 100" in run("explain", "12", "--model", bundle, "--file", bank_file)
    assert "flat leads must be given as a file, got none; name it" in run("explain", "12", "--model", bundle, code=1)
    assert "report: reports/subscribed.html" in run("report", "--model", bundle)


def test_changed_leads_give_exit_code_3_and_a_line_that_names_the_field(
    run: Run, tmp_path: Path, bank_file: Path, params: list[str]
) -> None:
    """Leads like those of the training give 0; too few are said to be not compared."""
    leads = pd.read_csv(bank_file, dtype=str).head(200)
    out = ["-o", tmp_path / "s.csv", *params]
    leads.assign(balance="").to_csv(tmp_path / "empty.csv", index=False)
    leads.head(19).to_csv(tmp_path / "few.csv", index=False)

    printed = run("score", tmp_path / "empty.csv", *out, code=3)
    assert "= 200 scored + 0 not scored" in printed
    lines = [line for line in printed.splitlines() if "warning" in line]
    assert len(lines) == 1
    assert lines[0].startswith("warning: RV1 balance is empty in all 200 leads; in the training in 0 of 3,453; see ")
    assert "warning" not in run("score", bank_file, *out, "--held-out")
    few = run("score", tmp_path / "few.csv", *out)
    assert "not compared with the training: there are 19 leads, and fewer than 200 are not judged; score more" in few


def test_unknown_levels_are_counted(run: Run, tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """The summary counts them by field."""
    leads = pd.read_csv(bank_file).head(10)
    leads["job"] = "astronaut"
    leads.loc[0, "month"] = "smarch"
    leads.to_csv(tmp_path / "new.csv", index=False)
    printed = run("score", tmp_path / "new.csv", "-o", tmp_path / "s.csv", *params)

    assert "values that the model does not know: job of 10 leads, month of 1 lead\n" in printed


def test_a_damaged_bundle_is_refused(
    run: Run, tmp_path: Path, trained_project: tuple[Places, Trained], bank_file: Path
) -> None:
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


def test_text_from_files_cannot_control_the_terminal(
    run: Run, tmp_path: Path, bank_file: Path, params: list[str]
) -> None:
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


@pytest.fixture(scope="module")
def dated(trained_dated: tuple[Places, Trained]) -> list[str]:
    """Return the options that name the trained project of dated leads and its target."""
    return ["--params", str(trained_dated[0].root / "params.yaml"), "--target", "mql"]


@pytest.mark.slow
def test_dated_leads_are_scored_into_files(run: Run, tmp_path: Path, dated: list[str]) -> None:
    """Both formats have one row per lead and the same batch."""
    for name in ("a.csv", "b.parquet"):
        printed = run("score", "--as-of", "2024-05-30", "-o", tmp_path / name, *dated)
        assert " scored + 0 not scored" in printed
    one, other = pd.read_csv(tmp_path / "a.csv"), pd.read_parquet(tmp_path / "b.parquet")

    assert one["lead_id"].tolist() == other["lead_id"].tolist()
    assert set(one["batch_id"]) == set(other["batch_id"])
    assert len(set(one["batch_id"])) == 1


def test_a_bundle_of_dated_leads_reads_the_tables_of_params(
    run: Run, tmp_path: Path, trained_dated: tuple[Places, Trained]
) -> None:
    """With --model the tables are those that params.yaml names."""
    project = trained_dated[0]
    words = ["--model", project.registry.path("1"), "--params", project.root / "params.yaml"]
    printed = run("score", "--as-of", "2024-05-30", "-o", tmp_path / "s.csv", *words)
    lead = pd.read_csv(tmp_path / "s.csv")["lead_id"][0]

    assert " scored + 0 not scored" in printed
    assert f"lead {lead}: " in run("explain", lead, "--as-of", "2024-05-30", *words)


@pytest.mark.slow
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
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dated: list[str], words: list[str], message: str
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
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    params: list[str],
    bank_file: Path,
    words: list[str],
    message: str,
) -> None:
    """A date, which flat leads do not use, is refused, and so is a missing file."""
    monkeypatch.chdir(tmp_path)
    printed = run(*(word.format(file=bank_file) for word in words), *params, code=1)

    assert message in " ".join(printed.split())
