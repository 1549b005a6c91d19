"""Whether another checkout computes the same numbers as this one, to the bit.

Three projects are trained and scored by both: the bank's leads, the simulated CRM with its three targets, and the
purchases of the online shop. Each checkout brings its own params; the data are made once, by the other one, and shared.
Only the command line is used and the files that it writes, so that names and layouts in Python may differ. Compared are
the trees, every number of the look-up tables, the cuts, each lead's scores and reasons, and each contribution. The
words of reasons may differ on purpose, and so may which columns there are: both are counted and fail nothing. Both
checkouts also simulate a small CRM and make the tables of the shop, whose bytes must be the same. Ends with 1 where any
number differs. It takes about 18 minutes of processor time, of which the bank's leads take less than one.
Run with: python benchmarks/same_numbers.py OTHER [--only bank|crm|cdnow] [--json]
"""

from __future__ import annotations

import argparse
import base64
import binascii
import csv
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Row = tuple[str, ...]

ROOT = Path(__file__).parents[1]
DONE = {0, 3}  # 3: done, and something must be seen to
CRM = ("--leads", "30000", "--months", "30", "--seed", "1")
FEW = ("--leads", "2000", "--months", "18", "--seed", "1")
MAKE_TABLES, LOG = Path("examples/cdnow/make_tables.py"), Path("data/raw/CDNOW_master.txt.gz")
NUMBERS = re.compile(
    r"probability(_low|_high)?|score|stage|grade|fit|engagement|starting_point|reason_\d+_points|everything_else"
)
TEXTS = re.compile(r"reason_\d+")
EIGHT = 8  # bytes of a number


@dataclass(frozen=True)
class Project:
    """What is trained and scored.

    Parameters
    ----------
    name
        What the table calls it.
    params
        Its params, relative to a checkout.
    targets
        What is predicted, one after the other.
    score
        What ``leadml score`` is told beside the target.
    overrides
        Choices that replace those of params.
    """

    name: str
    params: str
    targets: tuple[str, ...]
    score: tuple[str, ...]
    overrides: tuple[str, ...] = ()


PROJECTS = {
    "bank": Project("bank", "params.yaml", ("subscribed",), ("data/raw/bank.csv",)),
    "crm": Project(
        "crm",
        "examples/crm/params.yaml",
        ("sql", "customer", "churned"),
        ("--as-of", "2026-06-29"),
        ("limits.allow_small=true",),
    ),
    "cdnow": Project("cdnow", "examples/cdnow/params.yaml", ("purchase",), ("--as-of", "1998-07-01")),
}


@dataclass(frozen=True)
class Compared:
    """How many values were compared, and how many are not the same.

    Parameters
    ----------
    project, what
        Of which project, and what was compared.
    compared, differing
        Numbers of values.
    fails
        Whether a difference is one of numbers.
    """

    project: str
    what: str
    compared: int
    differing: int
    fails: bool = True


def main() -> None:
    """Run both checkouts, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="folder of the other checkout")
    parser.add_argument("--only", choices=sorted(PROJECTS), help="one project instead of all")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    chosen = parser.parse_args()
    rows: list[Compared] = []
    print(f"{'project':14} {'what':20} {'compared':>10} {'differing':>10}")
    for name, project in PROJECTS.items():
        if chosen.only in {None, name}:
            with tempfile.TemporaryDirectory(prefix="same-numbers-") as folder:
                for row in compare_project(project, chosen.other.resolve(), Path(folder)):
                    rows.append(row)
                    said = "" if row.fails else "  (fails nothing)"
                    print(f"{row.project:14} {row.what:20} {row.compared:10,} {row.differing:10,}{said}", flush=True)
    failed = any(row.differing and row.fails for row in rows)
    print("numbers differ" if failed else "no number differs")
    if chosen.json:
        print(json.dumps({"same": not failed, "rows": [asdict(row) for row in rows]}))
    sys.exit(int(failed))


def compare_project(project: Project, other: Path, folder: Path) -> Iterator[Compared]:
    """Yield what became of one project in this checkout and another, worked in a folder."""
    data = folder / "data"
    yield from make_data(project, other, data, folder)
    for target in project.targets:
        mine, others = (
            train_and_score(project, target, checkout, data, folder / name)
            for name, checkout in (("this", ROOT), ("other", other))
        )
        yield from compare_results(f"{project.name} {target}", mine, others)


def make_data(project: Project, other: Path, data: Path, folder: Path) -> Iterator[Compared]:
    """Make the data that both are given, by the other checkout; yield whether both make the same bytes."""
    if project.name == "bank":
        (data / "raw").mkdir(parents=True)
        shutil.copy(other / "data" / "raw" / "bank.csv", data / "raw")
    elif project.name == "crm":
        simulate(other, folder, str(data), *CRM)
        for name, checkout in (("few", ROOT), ("other few", other)):
            simulate(checkout, folder, name, *FEW)
        yield from compare_folders("crm", "simulator", folder / "few", folder / "other few")
    else:
        for name, checkout in (("tables", ROOT), ("other tables", other)):
            make_tables(checkout, folder / name)
        shutil.copytree(folder / "other tables" / MAKE_TABLES.parent / "data", data)
        yield from compare_folders("cdnow", "make_tables", folder / "tables", folder / "other tables")


def simulate(checkout: Path, folder: Path, *words: str) -> None:
    """Simulate a CRM by a checkout; an older one simulates nothing else, and its command has no second word."""
    is_group = (checkout / "src" / "leadml" / "cli" / "simulating.py").exists()
    run(checkout, folder, "simulate", *(("crm",) if is_group else ()), *words)


def make_tables(checkout: Path, folder: Path) -> None:
    """Run a copy of a checkout's script on a copy of the log: it writes beside itself."""
    for path in (MAKE_TABLES, LOG):
        (folder / path).parent.mkdir(parents=True)
        shutil.copy(checkout / path, folder / path)
    call(checkout, folder, str(folder / MAKE_TABLES))
    for path in (MAKE_TABLES, LOG):
        (folder / path).unlink()


def train_and_score(project: Project, target: str, checkout: Path, data: Path, folder: Path) -> Path:
    """Train and score one target by one checkout in a folder of its own; return the folder."""
    if not folder.exists():
        folder.mkdir()
        shutil.copy(checkout / project.params, folder / "params.yaml")
        shutil.copytree(data, folder / "data")
    place = folder / target
    place.mkdir()
    overrides = ("tracking.enabled=false", f"output.models={target}/models", *project.overrides)
    choices = ("--target", target, *(word for override in overrides for word in ("--set", override)))
    run(checkout, folder, "train", *choices)
    written = ("-o", f"{target}/scored.csv", "--contributions", f"{target}/contributions.csv")
    run(checkout, folder, "score", *project.score, *written, *choices)
    return place


def run(checkout: Path, folder: Path, *words: str) -> None:
    """Run ``leadml`` of a checkout in a folder; end with its message where it refuses."""
    call(checkout, folder, "-m", "leadml", *words)


def call(checkout: Path, folder: Path, *words: str) -> None:
    """Run Python with a checkout's leadml in a folder; nothing is written into the checkout."""
    own = {"PYTHONPATH": str(checkout / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, env=os.environ | own, capture_output=True, text=True, check=False
    )
    if done.returncode not in DONE:
        sys.exit(f"{checkout}: {' '.join(words)} ended with {done.returncode}\n{done.stderr}")


def compare_results(project: str, mine: Path, others: Path) -> Iterator[Compared]:
    """Yield how two folders with a model, scores and contributions compare."""
    bundles = bundle_of(mine), bundle_of(others)
    boosters = {(bundle / "booster.txt").read_bytes() for bundle in bundles}
    yield Compared(project, "trees", 1, len(boosters) - 1)
    yield compare_tables(project, *(_parsed(bundle / "tables.json") for bundle in bundles))
    yield compare_cuts(project, *(_parsed(bundle / "model.json") for bundle in bundles))
    scores = mine / "scored.csv", others / "scored.csv"
    yield compare_columns(project, "scores", *scores, NUMBERS)
    yield compare_columns(project, "texts", *scores, TEXTS, fails=False)
    names = [{name for name in header(path) if NUMBERS.fullmatch(name)} for path in scores]
    yield Compared(project, "columns of one alone", len(names[0] | names[1]), len(names[0] ^ names[1]), fails=False)
    parts = mine / "contributions.csv", others / "contributions.csv"
    yield compare_columns(project, "contributions", *parts, re.compile("log_odds|points"), keys=("lead_id", "field"))


def bundle_of(folder: Path) -> Path:
    """Return the one bundle below a folder."""
    found = sorted(folder.rglob("booster.txt"))
    if len(found) != 1:
        sys.exit(f"{folder}: must hold one bundle, got {len(found)}")
    return found[0].parent


def compare_folders(project: str, what: str, mine: Path, others: Path) -> Iterator[Compared]:
    """Yield how many files of two folders have other bytes; JSON is told apart, for it holds words."""
    hashes = [
        {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (mine, others)
    ]
    names = {name for some in hashes for name in some}
    words = {name for name in names if name.endswith(".json")}
    for some, fails in ((names - words, True), (words, False)):
        differing = sum(hashes[0].get(name) != hashes[1].get(name) for name in some)
        if some or fails:
            yield Compared(project, what if fails else f"{what}'s account", len(some), differing, fails)


def compare_tables(project: str, mine: object, others: object) -> Compared:
    """Return how the look-up tables compare: place by place, or only which numbers there are where places differ."""
    one, other = ({path: repr(leaf) for path, leaf in leaves(tables)} for tables in (mine, others))
    if one.keys() == other.keys():
        differing = sum(one[path] != other[path] for path in one)
        return Compared(project, "tables", len(one), differing)
    counts = [
        Counter(repr(leaf) for _, leaf in leaves(tables) if type(leaf) in {int, float}) for tables in (mine, others)
    ]
    differing = max((counts[0] - counts[1]).total(), (counts[1] - counts[0]).total())
    return Compared(project, "tables (unordered)", max(some.total() for some in counts), differing)


def leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield every value of a JSON document with the keys that lead to it, in the order of keys.

    Numbers that are packed into base64 are values of their own.
    """
    packed = unpacked(value) if isinstance(value, str) else None
    inner: Mapping[Any, object] | None = value if isinstance(value, dict) else None
    if isinstance(value, list) or packed is not None:
        inner = dict(enumerate(value if isinstance(value, list) else packed or ()))
    if inner is None:
        yield path, value
    else:
        for key in sorted(inner):
            yield from leaves(inner[key], (*path, str(key)))


def unpacked(text: str) -> tuple[float, ...] | None:
    """Return the numbers that a text holds as base64 of eight bytes each, or None.

    Examples
    --------
    >>> unpacked("AAAAAAAA8D8=")
    (1.0,)
    >>> unpacked("category") is None
    True
    """
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    whole = bool(content) and len(content) % EIGHT == 0
    return struct.unpack(f"<{len(content) // EIGHT}d", content) if whole else None


def compare_cuts(project: str, mine: object, others: object) -> Compared:
    """Return how the cuts of two models compare; a target that drives no stage has none."""
    one, other = (dict(_cuts(model)) for model in (mine, others))
    stages = one.keys() | other.keys()
    return Compared(project, "cuts", len(stages), sum(one.get(stage) != other.get(stage) for stage in stages))


def _cuts(value: object) -> Iterator[tuple[str, str]]:
    """Yield stage and probability of each cut, wherever they are."""
    if isinstance(value, dict):
        yield from ((cut["stage"], repr(cut["probability"])) for cut in value.get("cuts", ()))
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _cuts(inner)


def compare_columns(
    project: str,
    what: str,
    mine: Path,
    others: Path,
    columns: re.Pattern[str],
    *,
    keys: tuple[str, ...] = ("lead_id",),
    fails: bool = True,
) -> Compared:
    """Return how the columns that two tables share compare as text, row by row of the same keys.

    Parameters
    ----------
    project, what, fails
        As `Compared` has them.
    mine, others
        CSV files.
    columns
        What the names of the columns match that are compared.
    keys
        The columns that name a row; a row that one table alone has differs as a whole.
    """
    names = [[name for name in header(path) if columns.fullmatch(name)] for path in (mine, others)]
    shared = [name for name in names[0] if name in names[1]]
    if not shared:
        sys.exit(f"{mine} and {others}: must share columns of {what}, got {names[0]} and {names[1]}")
    left = dict(rows_of(mine, keys, shared))
    compared = len(left)
    differing = 0
    for key, row in rows_of(others, keys, shared):
        own = left.pop(key, None)
        compared += own is None
        differing += len(shared) if own is None else sum(a != b for a, b in zip(own, row, strict=True))
    return Compared(project, what, compared * len(shared), differing + len(left) * len(shared), fails)


def header(path: Path) -> Row:
    """Return the names of the columns of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(next(csv.reader(file), ()))


def rows_of(path: Path, keys: tuple[str, ...], columns: list[str]) -> Iterator[tuple[Row, Row]]:
    """Yield the keys and the values of each row of a CSV file."""
    places = {name: at for at, name in enumerate(header(path))}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows, None)
        for row in rows:
            yield tuple(row[places[key]] for key in keys), tuple(row[places[name]] for name in columns)


def _parsed(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
