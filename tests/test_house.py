"""The house itself: what documents say is so, and what no module may do."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "src").rglob("*.py"))
NEVER_CALLED = {"eval", "exec", "compile", "__import__"}
NEVER_IMPORTED = {"pickle", "joblib", "cloudpickle", "dill", "shelve", "marshal"}


@pytest.mark.parametrize("name", ["params", "measured", "findings"])
def test_a_page_is_what_it_was_written_from(name: str) -> None:
    """docs/params.md is written from the choices, measured.md from the kept results, findings.md from the catalogue."""
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / f"write_{name}.py", "--check"], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stderr.decode()


def test_the_bundled_leads_are_those_that_are_described() -> None:
    """The hash in data/README.md is that of the file, and every column is described."""
    described = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    content = (ROOT / "data" / "raw" / "bank.csv").read_bytes()

    assert hashlib.sha256(content).hexdigest() in described
    for column in content.decode().splitlines()[0].split(","):
        assert f"\n| {column} |" in described


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_no_module_runs_text_or_loads_code(path: Path) -> None:
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
    """No module is over 350 lines, no body of a function over 60."""
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            assert not body or (body[-1].end_lineno or 0) - body[0].lineno < 60, node.name
    assert len(text.splitlines()) <= 350


def test_only_one_module_computes_columns() -> None:
    """Training and scoring share one encoder: nobody else turns fields into the model's columns."""
    users = [path for path in MODULES if "def encode(" in path.read_text(encoding="utf-8")]

    assert [path.name for path in users] == ["encode.py"]


def test_the_lock_names_hashes_and_no_address() -> None:
    """Every package of the lock has a version and hashes, and no registry is named."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    packages = re.findall(r"^([a-z0-9][a-z0-9._-]*)==\S+", lock, re.MULTILINE)

    assert len(packages) > 50
    assert lock.count("--hash=sha256:") >= len(packages)
    assert not re.search(r"https?:|--(extra-)?index|--find-links", lock)
