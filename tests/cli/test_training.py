"""Commands that prepare and train: what they print, write and refuse."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import typer

from leadml.cli import training
from leadml.jobs.places import Places
from leadml.params import load_params

Run = Callable[..., str]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["leads.csv", "data/leads.parquet"])
def test_init_names_the_file_relative_to_the_params(
    run: Run, tmp_path: Path, bank_file: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """So that the project can be moved; the last line says what to do next."""
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(exist_ok=True)
    leads = pd.read_csv(bank_file).head(1500)
    leads.to_csv(name, index=False) if name.endswith(".csv") else leads.to_parquet(name, index=False)
    Path("project").mkdir()
    printed = run("init", name, "--out", "project/params.yaml")

    assert load_params(Path("project/params.yaml")).data.path == f"../{name}"
    assert printed.split()[:4] == ["columns", "column", "role", "why"]
    assert "duration   excluded" in printed
    option = "--params project/params.yaml"
    last = f"wrote project/params.yaml: read it, correct it, then run leadml check {option} and leadml train {option}\n"
    assert printed.endswith(last)


def test_a_person_at_the_terminal_is_asked(run: Run, tmp_path: Path) -> None:
    """With the choices numbered, until nothing is open; the same file follows as by the options."""
    verdict = ["ab"[at % 3 > 1] for at in range(1200)]
    leads = pd.DataFrame({"id": range(1200), "visits": [at % 7 for at in range(1200)], "verdict": verdict})
    leads.to_csv(tmp_path / "leads.csv", index=False)
    command = [sys.executable, "-m", "leadml", "init", "leads.csv", "-o", "asked.yaml"]
    person, machine = pty.openpty()
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=machine, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as asked:
        os.write(person, b"2\n2\n")
        printed = asked.communicate(timeout=120)[0].decode()
    os.close(machine)
    os.close(person)
    assert asked.returncode == 0, printed
    assert "  1  visits\n  2  verdict\n" in printed
    assert "  1  a\n  2  b\n" in printed
    arguments = ("init", tmp_path / "leads.csv", "-o", tmp_path / "given.yaml", "--label", "verdict", "--positive", "b")
    run(*arguments)
    assert (tmp_path / "asked.yaml").read_bytes() == (tmp_path / "given.yaml").read_bytes()


def test_init_asks_what_nobody_can_know_and_takes_the_answer(run: Run, tmp_path: Path) -> None:
    """The option of the message answers it; what was guessed is named."""
    visits = [at % 7 for at in range(1200)]
    rows = [(f"L{at}", f"2024-{1 + at // 100:02}-01", n, "abc"[at % 3 if n > 2 else 2]) for at, n in enumerate(visits)]
    leads = pd.DataFrame(rows, columns=["Lead No.", "date", "Visits", "verdict"])
    leads.to_csv(tmp_path / "leads.csv", index=False)
    arguments = ("init", tmp_path / "leads.csv", "-o", tmp_path / "p.yaml")
    asked = run(*arguments, code=1)
    assert "columns with few values: Visits, verdict; name the one that does: leadml init FILE --label COLUMN" in asked
    assert "which values of 'verdict' mean converted: 'a', 'b', 'c'" in run(*arguments, "--label", "verdict", code=1)
    printed = run(*arguments, "--label", "verdict", "--positive", "a", "--open", "b", "--target", "deal")
    assert "note: these were guessed, look at them in" in printed
    params = load_params(tmp_path / "p.yaml")
    assert (params.target.positive, params.target.negative, params.target.open) == (("a",), ("c",), ("b",))
    assert (params.target.name, params.data.lead_id, params.data.created_at) == ("deal", "Lead No.", "date")


@pytest.mark.slow
def test_a_command_is_a_function_that_exits_with_the_code_of_a_refusal(
    tmp_path: Path, bank_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Called from Python it prints the same lines."""
    with pytest.raises(typer.Exit) as caught:
        training.init([bank_file], out=tmp_path / "params.txt")
    assert caught.value.exit_code == 1
    assert capsys.readouterr().err == f"leadml: {tmp_path}/params.txt: must end in .yaml or .yml, got 'params.txt'\n"
    training.init([bank_file], out=tmp_path / "params.yaml")
    assert (tmp_path / "params.yaml").is_file()


@pytest.mark.slow
def test_init_does_not_replace_an_existing_file(run: Run, tmp_path: Path, bank_file: Path) -> None:
    """A proposal replaces a params.yaml only with --force."""
    out = tmp_path / "params.yaml"
    out.write_text("mine", encoding="utf-8")

    assert "must be a new file, got one that exists" in run("init", bank_file, "--out", out, code=1)
    assert out.read_text(encoding="utf-8") == "mine"
    run("init", bank_file, "--out", out, "--force")
    assert out.read_text(encoding="utf-8").startswith("# What leadml does")


@pytest.mark.slow
def test_a_check_needs_no_params(run: Run, tmp_path: Path, bank_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without params.yaml, check uses the roles that init would propose."""
    monkeypatch.chdir(tmp_path)
    printed = run("check", bank_file)

    assert "columns as leadml init would declare them" in printed
    assert f"note: write params.yaml with leadml init {bank_file}, and set there what is said above\n" in printed
    assert printed.rstrip().endswith("ready to train")


def test_a_check_shows_the_worst_first_and_counts_the_rest(
    run: Run, tmp_path: Path, bank_file: Path, params: list[str]
) -> None:
    """What stops a training comes before what warns; what passed is shown where it is asked for."""
    pd.read_csv(bank_file).head(300).assign(loan="no").to_csv(tmp_path / "few.csv", index=False)
    short, whole = (run("check", tmp_path / "few.csv", *params, *more, code=1) for more in ([], ["--verbose"]))
    found = re.findall(r"^([A-Z]{2}\d+) +(stop|warn|passed|not applicable) ", short, re.MULTILINE)
    everything = re.findall(r"^([A-Z]{2}\d+) +(stop|warn|passed|not applicable) ", whole, re.MULTILINE)

    assert [severity for _, severity in found] == ["stop"] * 2 + ["warn"] * 4
    assert {code for code, _ in found} >= {"RD1", "RD2", "RD4", "RD6", "RD13"}
    order = ["stop", "warn", "not applicable", "passed"]
    assert [severity for _, severity in everything] == sorted((s for _, s in everything), key=order.index)
    counts = Counter(severity for _, severity in everything)
    hidden = f"not shown: {counts['not applicable']} not applicable, {counts['passed']} passed"
    assert f"{hidden}; leadml check --verbose shows all" in short
    assert "not shown" not in whole


def test_a_check_without_warnings_says_so(run: Run, tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """In one line, and not by a table without rows."""
    names = {"housing": "owns", "loan": "owes"}  # not about credit by name
    dated = pd.read_csv(bank_file).rename(columns=names)
    dated["came"] = pd.date_range("2023-01-01", periods=len(dated), freq="3h").astype(str)
    dated.to_csv(tmp_path / "dated.csv", index=False)
    fit = {names.get(name, name): kind for name, kind in load_params(Path(params[1])).features.fit.items()}
    choices = ("data.created_at=came", "data.timezone=UTC", f"features.fit={json.dumps(fit)}", "baselines.points=[]")
    printed = run("check", tmp_path / "dated.csv", *params, *(f"--set={choice}" for choice in choices))

    assert "no finding stops a training or warns of it" in printed
    assert "severity" not in printed


def test_a_check_without_params_takes_overrides(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They replace what init would propose."""
    monkeypatch.chdir(tmp_path)
    rows = [f"A{at},{'no' if at % 3 else 'yes'},{at * 7 % 10}" for at in range(200)]
    Path("leads.csv").write_text("\n".join(["id,won,visits", *rows]), encoding="utf-8")

    run("check", "leads.csv", code=1)
    assert run("check", "leads.csv", "--set", "limits.allow_small=true").rstrip().endswith("ready to train")


def test_an_advice_about_another_version_is_one_that_can_be_followed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version that is weak is told as such, although another is in use."""
    monkeypatch.chdir(tmp_path)
    rows = [f"A{at},{'no' if at % 3 else 'yes'},{at * 7919 % 101}" for at in range(300)]
    Path("leads.csv").write_text("\n".join(["id,won,visits", *rows]), encoding="utf-8")
    small = ["limits.allow_small=true", "tracking.enabled=false", "model.max_rounds=25", "evaluation.draws=50"]
    quick = [word for choice in small for word in ("--set", choice)]
    run("init", "leads.csv")
    run("train", *quick, "--accept-weak", "a test")
    printed = run("train", *quick, "--set", "split.seed=1")

    assert "version 1 stays in use" in printed
    assert '--accept-weak "REASON"' in printed
    assert "leadml promote" not in printed
    accepted = run("train", *quick, "--set", "split.seed=1", "--accept-weak", "a test")
    assert 'leadml promote 3 --ungated --reason "REASON"' in accepted


def test_a_check_of_too_few_leads_exits_with_1(run: Run, tmp_path: Path, bank_file: Path, params: list[str]) -> None:
    """The exit code says that training would refuse."""
    pd.read_csv(bank_file).head(300).to_csv(tmp_path / "few.csv", index=False)

    assert run("check", tmp_path / "few.csv", *params, code=1).rstrip().endswith("not ready: training would refuse")


def test_tracking_without_mlflow_is_refused_before_any_work(
    run: Run, tmp_path: Path, make_project: Callable[..., Places]
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


def test_a_weak_version_exits_with_3_and_says_what_to_do(
    run: Run, tmp_path: Path, make_project: Callable[..., Places], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason that a person gives puts it in use."""
    project = make_project(tmp_path / "p")
    path = next((project.root / "data" / "raw").iterdir())
    leads = pd.read_csv(path)
    leads = leads.assign(y=leads["y"].sample(frac=1, random_state=3).to_numpy())
    leads.loc[:19, "y"] = "pending"
    leads.to_csv(path, index=False)
    monkeypatch.chdir(project.root)
    quick = [
        "--set",
        "target.open=[Pending]",
        "--set",
        "model.max_rounds=25",
        "--set",
        "evaluation.draws=50",
        "--set",
        "tracking.enabled=false",
    ]
    rules = ["--set", "stages.mql={rule: share, top: 0.2}", "--set", "stages.sql={rule: share, top: 0.1}"]
    printed = run("train", *quick, *rules, code=3)

    assert "note: leads left out of the training: 20 open\n" in printed
    assert "not in use" in printed
    assert "the version is weak: it " in printed
    assert '--accept-weak "REASON"' in printed
    assert "in use)" in run("train", *quick, *rules, "--accept-weak", "to see it work")
