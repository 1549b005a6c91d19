"""How many small faults in the code the tests find, in the parts where a fault costs most.

mutmut changes one expression of a function at a time (a comparison, a number, an argument, a word), and the tests that
reach the function run on each change: those that are not marked slow, so what only a server, a simulated CRM or a model
of the bundled leads shows is not found. A change that fails none survives. Each survivor is listed with the reason why
it may live, from `mutation_reasons.toml`. Functions with decorators, properties among them, and what stands outside of
functions are not changed. A test that takes too long counts as one that fails.
Run with: python benchmarks/mutation.py [--only PART] [--workers N] [--json] [--keep]
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from contextlib import chdir
from pathlib import Path
from typing import Any

import pandas as pd
from measure import ROOT, finish, options

REASONS = Path(__file__).with_name("mutation_reasons.toml")
PACKAGE = Path("src", "leadml")
PARTS = {
    "split": ("leads/split.py",),
    "leak gate": ("model/leaks/*.py",),
    "cuts": ("stages/cuts.py", "stages/candidates.py", "params/cut_rule.py", "params/rules.py"),
    "maturity": ("leads/judge/maturity.py",),
    "sinks": tuple(
        f"publish/{name}.py"
        for name in ("sink", "sinks", "table_file", "csv_file", "delta_table", "database", "files", "column_values")
    ),
    "bundle loading": ("bundle/storage.py", "bundle/manifest.py", "bundle/contents.py"),
}
TESTS = (
    "tests/bundle",
    "tests/leads/judge/test_maturity.py",
    "tests/leads/test_split.py",
    "tests/model/leaks",
    "tests/params/test_cut_rule.py",
    "tests/params/test_expected_value.py",
    "tests/params/test_rules.py",
    "tests/publish",
    "tests/stages",
)
COPIED = ("src", "tests", "data", "examples", "conftest.py", "params.yaml", "pyproject.toml")
BESIDE = COPIED[2:-1]  # what tests read; mutmut takes the others along by itself
SECONDS = 4  # mutmut waits 15 times these and what the tests of a change take, before they count as not ending
CHOICE = ("-m", "not slow")
QUIET = ("-p", "no:unraisableexception")  # which collects garbage twice at the end of every run
# Exit codes that mutmut keeps. Of pytest: 0 all passed, 1 a test failed, 3 pytest itself did, 5 no test was found; of
# mutmut: 33 no test reaches the function, 36 a test took too long, as did one that ended with 24 (SIGXCPU), 152 or 255.
# Below 0 are signals: the change made Python crash.
FOUND, NOT_ENDED, NOT_FOUND = {1, 3}, {24, -24, 36, 152, 255}, {0, 5, 33}


def main() -> None:
    """Change the code, run the tests on each change, print the counts and the survivors."""
    files = (REASONS, ROOT / "params.yaml", *(path for each in TESTS for path in _files(ROOT / each)))
    chosen = options(__doc__ or "", "mutation", files, only="", workers=os.cpu_count() or 1)
    parts = {name: patterns for name, patterns in PARTS.items() if chosen.only in {"", name}}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        prepare(place, [str(PACKAGE / pattern) for patterns in parts.values() for pattern in patterns])
        codes = run(place, chosen.workers)
        rows = [row for part, patterns in parts.items() for row in changes(place, part, patterns, codes)]
    figures = summary(rows, tomllib.loads(REASONS.read_text(encoding="utf-8"))["survivors"])
    print(pd.DataFrame(figures["parts"]).to_string(index=False))
    for survivor in figures["survivors"]:
        print("{where}\n  - {before}\n  + {after}\n  {reason}".format_map(survivor))
    finish("mutation", figures, chosen)


def prepare(place: Path, patterns: list[str]) -> None:
    """Copy what the tests need to a folder, and write which files shall be changed."""
    for name in COPIED:
        source, target = ROOT / name, place / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        else:
            shutil.copy(source, target)
    lists = {
        "source_paths": ["src"],
        "only_mutate": patterns,
        "also_copy": list(BESIDE),
        "pytest_add_cli_args_test_selection": list(TESTS),
        "pytest_add_cli_args": [*QUIET, *CHOICE],
    }
    lines = [f"{key} =\n" + "".join(f"    {value}\n" for value in values) for key, values in lists.items()]
    one = f"process_isolation = forkserver\ntimeout_constant = {SECONDS}\n"  # LightGBM's threads survive no fork
    (place / "setup.cfg").write_text(f"[mutmut]\n{one}{''.join(lines)}", encoding="utf-8")


def run(place: Path, workers: int) -> dict[str, int | None]:
    """Run the tests on all changes, and return the exit code of each change by its name."""
    mutmut = Path(sys.executable).with_name("mutmut")
    known = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}  # else the tests are compiled anew for each change
    subprocess.run([mutmut, "run", "--max-children", str(workers)], cwd=place, env=known, check=True)
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((place / "mutants").rglob("*.meta"))]
    return {name: code for each in kept for name, code in each["exit_code_by_key"].items()}


def changes(place: Path, part: str, patterns: tuple[str, ...], codes: dict[str, int | None]) -> list[dict[str, Any]]:
    """Return a row for each change of the files of a part: where it is, the lines before and after, and its code."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    files = sorted(path for pattern in patterns for path in (place / PACKAGE).glob(pattern))
    rows = []
    with chdir(place):
        for path in files:
            inside = path.relative_to(place / PACKAGE)
            module = ".".join(("leadml", *inside.with_suffix("").parts))
            for name in (name for name in codes if name.rpartition(".")[0] == module):
                row = {"part": part, "where": f"{inside.as_posix()} {_function(name)}", "code": codes[name]}
                diff = [] if _is_found(codes[name]) else get_diff_for_mutant(name).splitlines()
                for key, sign in (("before", "-"), ("after", "+")):
                    lines = [line[1:].strip() for line in diff if line.startswith(sign) and line[:3] != 3 * sign]
                    row[key] = " ".join(lines)
                rows.append(row)
    return rows


def summary(rows: list[dict[str, Any]], reasons: list[dict[str, str]]) -> dict[str, Any]:
    """Return the shares of changes that were found, in all and by part, and those that were not, with their reasons."""
    found_in = {part: [_is_found(row["code"]) for row in rows if row["part"] == part] for part in PARTS}
    table = [
        {"part": part, "changes": len(found), "found": sum(found), "share": sum(found) / len(found)}
        for part, found in found_in.items()
        if found
    ]
    total, found = (sum(row[key] for row in table) for key in ("changes", "found"))
    survivors = [
        {key: row[key] for key in ("where", "before", "after")} | {"reason": _reason(row, reasons)}
        for row in rows
        if not _is_found(row["code"])
    ]
    ended = sum(row["code"] in NOT_ENDED for row in rows)
    return {"killed": found / total, "mutants": total, "not_ended": ended, "parts": table, "survivors": survivors}


def _is_found(code: int | None) -> bool:
    """Return whether a test failed, or did not end.

    Raises
    ------
    ValueError
        Where mutmut ended before it judged a change, or a test ended in an unknown way.
    """
    if code is None or (code >= 0 and code not in FOUND | NOT_ENDED | NOT_FOUND):
        msg = f"each change must be judged, got one that ended with {code}"
        raise ValueError(msg)
    return code not in NOT_FOUND


def _reason(row: dict[str, Any], reasons: list[dict[str, str]]) -> str:
    """Return the first reason for the function of a change whose text is in its lines; empty where there is none."""
    lines = row["before"] + "\n" + row["after"]
    return next((each["reason"] for each in reasons if each["where"] == row["where"] and each["text"] in lines), "")


def _function(name: str) -> str:
    """Return the function of mutmut's name of a change, with its class."""
    mangled = name.rpartition(".")[2].rpartition("__mutmut_")[0]
    return ".".join(mangled[2:].split("ǁ")) if mangled.startswith("xǁ") else mangled[2:]


def _files(path: Path) -> list[Path]:
    """Return the files of Python at a path: itself, or those in it."""
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


if __name__ == "__main__":
    main()
