"""Rules that hold for the whole project."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "src").rglob("*.py"))
NEVER_CALLED = {"eval", "exec", "compile", "__import__"}
NEVER_IMPORTED = {"pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["params", "measured", "findings"])
def test_generated_pages_are_up_to_date(name: str) -> None:
    """docs/params.md equals the choices, measured.md the stored results, findings.md the catalogue."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / f"write_{name}.py", "--check"], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()


def test_the_bundled_leads_are_described() -> None:
    """data/README.md has the hash of the file and a description of every column."""
    described = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    content = (ROOT / "data" / "raw" / "bank.csv").read_bytes()

    assert hashlib.sha256(content).hexdigest() in described
    for column in content.decode().splitlines()[0].split(","):
        assert f"\n| {column} |" in described


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_no_module_executes_text_or_loads_code(path: Path) -> None:
    """No pickle, no eval, no unsafe YAML, no shell."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    attributes = {
        f"{ast.unparse(node.value)}.{node.attr}" for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }
    keywords = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}

    assert not names & NEVER_CALLED
    assert not imported & NEVER_IMPORTED
    assert not attributes & {"yaml.load", "os.system", "lgb.Booster.model_from_string"}
    assert "shell" not in keywords


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_modules_and_functions_stay_small(path: Path) -> None:
    """No module has over 350 lines, and no body of a function over 60."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            assert not body or (body[-1].end_lineno or 0) - body[0].lineno < 60, node.name
    assert len(text.splitlines()) <= 350


@pytest.mark.slow
def test_the_house_is_as_it_was_left() -> None:
    """One path for all leads, no circles, no private words, tests of each module, no longer modules or functions."""
    words = [sys.executable, str(ROOT / "benchmarks" / "house.py"), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    counted = json.loads(done.stdout.splitlines()[-1])

    assert counted["forks"] <= 6
    assert counted["cycles"] == counted["private_words"] == counted["untested_modules"] == 0
    assert counted["constants_without_reason"] == counted["tables_without_reason"] == 0
    assert counted["public_examples"] >= 0.6
    assert counted["longest_function"] <= 46
    assert counted["longest_module"] <= 350


def test_only_one_module_computes_columns() -> None:
    """Training and scoring share one encoder, so that they cannot differ."""
    users = [path for path in MODULES if "def encode(" in path.read_text(encoding="utf-8")]

    assert [path.name for path in users] == ["encode.py"]


def _pins(lock: str) -> set[tuple[str, str]]:
    """Return name and version of every package of a lock."""
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-lowest"])
def test_a_lock_has_hashes_and_no_address(name: str) -> None:
    """Every package of a lock has a version and hashes, and no registry is named."""
    lock, pins = (ROOT / f"{name}.lock").read_text(encoding="utf-8"), _pins(f"{name}.lock")

    assert len(pins) > 50
    assert lock.count("--hash=sha256:") >= len(pins)
    assert not re.search(r"https?:|--(extra-)?index|--find-links", lock)


def test_tests_run_with_the_versions_of_make_run() -> None:
    """The lock for tests has every package of the lock that `make run` installs, in the same version, and more."""
    assert _pins("requirements.lock") < _pins("requirements-dev.lock")


def test_the_lowest_lock_has_the_lower_bounds_of_pyproject() -> None:
    """Each dependency with a lower bound is locked at this bound, so that the bounds are tested."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [entry for entries in project["optional-dependencies"].values() for entry in entries]
    bounds = [re.match(r"([a-z0-9-]+).*?>=([0-9.]+)", entry) for entry in project["dependencies"] + extras]
    expected = {(bound[1], Version(bound[2])) for bound in bounds if bound}

    assert len(expected) > 15
    assert expected <= {(name, Version(version)) for name, version in _pins("requirements-lowest.lock")}
