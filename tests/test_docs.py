"""The documents: their examples run, their figures are measured, their links lead somewhere."""

from __future__ import annotations

import doctest
import json
import re
import runpy
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
    ROOT / "data" / "README.md",
    ROOT / "models" / "README.md",
]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
DECIMAL = re.compile(r"-?\d+\.\d+")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MOST_LINES = 110
Namespace = dict[str, Any]


class NearNumbers(doctest.OutputChecker):
    """Compare outputs as they are, but decimal fractions to 2% or one unit of the last digit shown.

    Another processor may round a fit in another way.
    """

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        """Return whether an output is as the page shows it."""
        shown, found = DECIMAL.findall(want), DECIMAL.findall(got)
        if len(shown) == len(found):
            near = iter([a if _is_near(a, b) else b for a, b in zip(shown, found, strict=True)])
            got = DECIMAL.sub(lambda _: next(near), got)
        return super().check_output(want, got, optionflags)


def _is_near(shown: str, found: str) -> bool:
    unit = 10.0 ** -len(shown.split(".")[1])
    return abs(float(shown) - float(found)) <= max(1.5 * unit, 0.02 * abs(float(shown)))


@pytest.mark.parametrize(
    ("shown", "found", "is_same"),
    [
        ("ROC AUC 0.748", "ROC AUC 0.749", True),
        ("ROC AUC 0.748", "ROC AUC 0.790", False),
        ("4521 leads, 0.1", "4522 leads, 0.1", False),
        ("points 36.6", "point 36.6", False),
    ],
)
def test_outputs_differ_where_more_than_rounding_differs(shown: str, found: str, *, is_same: bool) -> None:
    """The checker forgives the last digit of a fraction and nothing else."""
    assert NearNumbers().check_output(f"{shown}\n", f"{found}\n", FLAGS) is is_same


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a copy of what a project needs: params without MLflow, the bundled leads, the params of dated leads."""
    folder = tmp_path / "leadml"
    for name in ("data/raw/bank.csv", "examples/crm/params.yaml"):
        (folder / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, folder / name)
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(f"{params}\ntracking: {{enabled: false}}\n", encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def _run(page: Path) -> Namespace:
    """Run the Python blocks of a page in order and return what they leave; outputs must be those that are shown."""
    text = page.read_text(encoding="utf-8")
    namespace: Namespace = {"__name__": "__main__"}
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1))
        if not block[1].startswith(">>>"):
            Path("block.py").write_text("\n" * line + block[1], encoding="utf-8")
            namespace = runpy.run_path("block.py", namespace)
            continue
        examples = doctest.DocTestParser().get_doctest(block[1], namespace, page.name, str(page), line)
        examples.globs = namespace  # what a block leaves is there for the next
        failures: list[str] = []
        doctest.DocTestRunner(NearNumbers(), optionflags=FLAGS).run(examples, out=failures.append, clear_globs=False)
        assert not failures, "".join(failures)
    return namespace


@pytest.mark.slow
def test_the_examples_of_the_readme_run(copy: Path) -> None:
    """The Python of the README runs as it stands, and its table of scored leads is of such a run."""
    page = ROOT / "README.md"
    scored = _run(page)["scored"].set_index("lead_id")
    rows = list(_table(page, "lead_id"))

    assert copy.is_dir()
    assert len(rows) > 1
    for row in rows:
        lead = scored.loc[row["lead_id"]]
        low, high = row["interval"].split(" to ")
        assert [row["stage"], row["grade"]] == [lead["stage"], lead["grade"]]
        for text, value in ((row["probability"], "probability"), (low, "probability_low"), (high, "probability_high")):
            assert float(text.rstrip("%")) == pytest.approx(100 * lead[value], abs=0.06)
        points = [_reason(row[name]) for name in ("reason_1", "reason_2")]
        assert points[0] == (lead["reason_1"], pytest.approx(lead["reason_1_points"]))
        assert points[1] == (lead["reason_2"], pytest.approx(lead["reason_2_points"]))
        rest = 100 * lead["probability"] - lead["starting_point"] - sum(value for _, value in points)
        assert float(row["all else"]) == pytest.approx(rest, abs=0.11)
        assert f"starts at {lead['starting_point']} points" in page.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # of MLflow, about its own classes
def test_the_examples_of_the_library_run(copy: Path) -> None:
    """The Python of docs/api.md runs in order, and the outputs are those that the page shows."""
    namespace = _run(ROOT / "docs" / "api.md")

    assert (copy / "reports" / "subscribed.html").is_file()
    assert set(namespace["leadml"].__all__) <= set(re.findall(r"\w+", (ROOT / "docs" / "api.md").read_text("utf-8")))


def test_the_examples_of_extensions_run(copy: Path) -> None:
    """Each kind of extension of docs/extending.md works as the page shows it, and the lists that it names exist."""
    namespace = _run(ROOT / "docs" / "extending.md")
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    lists = re.findall(r"`(\w+)` in `(leadml/\S+\.py)`", text)

    assert (copy / "scored.jsonl").is_file()
    assert namespace["CHECK"].kinds
    assert [name for name, _ in lists] == ["FEATURES", "Rule", "FORMATS", "CHECKS"]
    for name, file in lists:
        assert re.search(rf"^{name}\b.* = ", (ROOT / "src" / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_readme_is_short_and_its_figures_are_kept_results() -> None:
    """A newcomer reads it to the end, and what it promises in figures is in benchmarks/results."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    plain = " ".join(text.split())
    leaks, truth, gate = _figures("leaks"), _figures("truth"), _figures("gate")
    planted, clean = leaks["seeds"] * leaks["planted"], leaks["seeds"] * leaks["clean"]

    assert len(text.splitlines()) <= MOST_LINES
    assert f"Of {planted} planted leaks {leaks['all_stopped']} were stopped" in plain
    assert f"of {clean} clean data sets {leaks['all_false_stops']}." in plain
    assert f"the calibration error is at most {truth['ece']:.4f}" in plain
    better, worse = (gate[name] or "none" for name in ("better_promoted", "worse_promoted"))
    assert f"that were 2% better {better} did, of 100 that were 2% worse {worse}" in plain


@pytest.mark.parametrize("container", ["leadml", "leadml.leads", "leadml.model"])
def test_the_tree_of_packages_is_complete_and_in_order(container: str) -> None:
    """CONTRIBUTING.md draws every package, those that may import others above them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next(one["layers"] for one in config["contracts"] if one.get("containers") == [container])
    folder = ROOT / "src" / Path(*container.split("."))
    levels = [{name for name in re.split(r"\W+", layer) if (folder / name).is_dir()} for layer in layers]
    drawn: dict[str, list[str]] = {"leadml": []}
    for indent, name in re.findall(r"^( {2,4})([a-z]+)/ ", text, re.MULTILINE):
        above = "leadml" if len(indent) == len("  ") else f"leadml.{drawn['leadml'][-1]}"
        drawn.setdefault(above, []).append(name)

    for level in filter(None, levels):
        assert {drawn[container].pop(0) for _ in level} == level
    assert not drawn[container]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link within the project names a file, and a heading of it where it names one."""
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not heading or heading in _anchors(target), link


def _anchors(page: Path) -> set[str]:
    """Return the names that GitHub gives the headings of a page."""
    headings = HEADING.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _figures(name: str) -> dict[str, Any]:
    kept = (ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8")
    return dict(json.loads(kept)["figures"])


def _table(page: Path, first: str) -> Iterator[dict[str, str]]:
    """Yield the rows of the table whose first column has a name."""
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    columns = next(_cells(line) for line in lines if line.startswith(f"| {first} |"))
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield dict(zip(columns, _cells(line), strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _reason(cell: str) -> tuple[str, float]:
    words, points = cell.rsplit(": ", 1)
    return words, float(points)
