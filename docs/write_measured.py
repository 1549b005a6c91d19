"""Write docs/measured.md from the kept results of the benchmarks: python docs/write_measured.py [--check].

The page marks each result that is older than the code, the script or the data that it speaks of, as they were when the
page was written. With --check the page is compared without these marks: else every change of the code would make the
page stale, and its test fail, though no figure has changed. Whoever needs the marks of today writes the page anew, or
asks the benchmark with --recorded. That a result holds no hash depends on the result alone, and is compared.
"""

from __future__ import annotations

import ast
import inspect
import json
import math
import re
import string
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "benchmarks"))

from measure import RESULTS, SCRIPTS, age, data_folder  # noqa: E402 - found by the line above
from measured_layouts import LAYOUTS, NAMES, Grid, Layout, Rows  # noqa: E402 - with it

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAGE = Path(__file__).with_name("measured.md")
OLDER = "- **Older than what it speaks of**"
UNHASHED = "- **Made before results held a hash of the code**: it may be older than the code that it speaks of."
SHOWN = 12  # characters of a hash
HEAD = """\
# What was measured

Written by `python docs/write_measured.py` from `benchmarks/results`; a test checks that the figures are those that were
kept. `python benchmarks/NAME.py --recorded` prints a kept result and says what has changed since it was made; without
`--recorded` it measures. `make proof` measures everything anew, which takes hours, and writes this page. A mark says
which result was older than the code, the script or the data when the page was written.

DIR is a folder with the data sets that are named, PYTHON the interpreter of an environment with `benchmarks/peers.txt`
installed. Log loss and calibration error: smaller is better; ROC AUC: larger is better.
"""


class Cells(string.Formatter):
    """Format strings with one form more: ``.3s`` of a number is three significant digits, written out."""

    def format_field(self, value: Any, spec: str) -> str:
        """Return one value as a cell has it."""
        if isinstance(value, str) or not spec.endswith("s"):
            return str(super().format_field(value, spec))
        digits = int(spec[1:-1])
        rounded = float(f"{value:.{digits}g}")
        decimals = digits - 1 - math.floor(math.log10(abs(rounded))) if rounded else 0
        return f"{rounded:,.{max(decimals, 0)}f}"


def cell(template: str, figures: Any, keys: Sequence[object] = ()) -> str:
    """Return a cell, or what NAMES has for it; nothing where its figures were not measured."""
    named, listed = (figures, keys) if isinstance(figures, dict) else ({}, (*keys, figures))
    try:
        return name_of(Cells().vformat(template, listed, named))
    except (KeyError, IndexError):
        return ""


def name_of(text: str) -> str:
    """Return a key of the figures as a reader has it, a split with its seed too."""
    base, _, seed = text.rpartition("_")
    return f"{NAMES[base]}, seed {seed}" if base in NAMES and seed.isdigit() else NAMES.get(text, text)


def found(figures: Any, path: Sequence[str], keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield what a path leads to, with the keys that ``*`` stands for."""
    if not path:
        yield keys, figures
        return
    inside = dict(enumerate(figures)) if isinstance(figures, list) else figures
    for key in inside if path[0] == "*" else [path[0]]:
        yield from found(inside[key], path[1:], (*keys, str(key)) if path[0] == "*" else keys)


def cells_of(table: Grid | Rows, figures: Any) -> list[list[str]]:
    """Return the cells of a table, titles first."""
    if isinstance(table, Grid):
        return [[cell(text, figures) for text in row] for row in (table.head, *table.rows)]
    rows = list(found(figures, table.path.split(".")))
    further = list(dict.fromkeys(key for _, row in rows for key in row)) if table.each else []
    lines = [[*table.columns, *map(name_of, further)]]
    for keys, row in rows:
        own = [cell(text, row, keys) for text in table.columns.values()]
        lines.append([*own, *(cell(table.each, row[key]) if key in row else "" for key in further)])
    return lines


def table_of(lines: list[list[str]]) -> list[str]:
    """Return a table in Markdown: without rows and columns that hold nothing, numbers to the right."""
    body = [line for line in lines[1:] if any(line[1:])]
    kept = [at for at in range(len(lines[0])) if any(line[at] for line in body)]
    rule = ["---:" if all(re.match(r"[-+]?\d|$", line[at]) for line in body) else "---" for at in kept]
    titles, *others = ([line[at] for at in kept] for line in (lines[0], *body))
    return [f"| {' | '.join(line)} |" for line in (titles, rule, *others)]


def command(name: str, layout: Layout, made: Mapping[str, Any] | None) -> str:
    """Return the command that makes a result, with all its arguments where the result holds them."""
    if made is None:
        return f"python benchmarks/{name}.py {layout.words}".strip()
    given = {option: value for option, value in made["arguments"].items() if value is not False}
    words = [f"--{option}" if value is True else f"--{option} {value}" for option, value in given.items()]
    return " ".join(["python", f"benchmarks/{name}.py", *words])


def facts(name: str, layout: Layout, kept: Mapping[str, Any]) -> list[str]:
    """Return what a result was made with, a line each."""
    made, machine = kept.get("made_with"), kept["machine"]
    system = f"{machine['system']} {machine['processor']}"
    system += f" with {machine['cores']} cores" if "cores" in machine else ""
    libraries = ", ".join(f"{library} {number}" for library, number in kept["libraries"].items())
    lines = [
        f"- Command: `{command(name, layout, made)}`",
        f"- Data: {layout.data}.",
        f"- Measured with: Python {machine['python']} on {system}; {libraries}.",
    ]
    if made is None:
        return [*lines, UNHASHED]
    files = [f"`{file}` {(value or 'absent')[:SHOWN]}" for file, value in made["data"].items()]
    lines += [f"- Files, by hash: {', '.join(files)}."] if files else []
    lines += [f"- Code, by hash: leadml {made['code'][:SHOWN]}, script {made['script'][:SHOWN]}."]
    changed = age(name, kept, data_folder()).changed
    return [*lines, f"{OLDER}: {'; '.join(changed)}."] if changed else lines


def section(name: str, layout: Layout) -> list[str]:
    """Return the section of one result."""
    kept = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    script = ast.parse((SCRIPTS / f"{name}.py").read_text(encoding="utf-8"))
    said = (ast.get_docstring(script) or "").split("\n\n")[0].replace("``", "`")
    figures = layout.shaped(kept["figures"])
    lines = ["", f"## {layout.title}", "", said, "", *facts(name, layout, kept)]
    for table in layout.tables:
        lines += ["", *table_of(cells_of(table, figures))]
    for note in (layout.notes, "" if "made_with" in kept else layout.earlier):
        lines += ["", inspect.cleandoc(note).format(**figures)] if note else []
    if layout.picture:
        file, shown = layout.picture
        lines += ["", f"![{shown}](../benchmarks/results/{file})"]
    return lines


def page() -> str:
    """Return the whole page."""
    kept = {path.stem for path in RESULTS.glob("*.json")}
    if unknown := sorted(kept - set(LAYOUTS)):
        sys.exit(f"benchmarks/results/{unknown[0]}.json has no layout: describe it in docs/measured_layouts.py")
    lines = [line for name, layout in LAYOUTS.items() if name in kept for line in section(name, layout)]
    return HEAD + "\n".join(lines) + "\n"


def without_marks(text: str) -> list[str]:
    """Return the lines of a page but its marks of age."""
    return [line for line in text.splitlines() if not line.startswith(OLDER)]


if __name__ == "__main__":
    if "--check" in sys.argv:
        written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        fresh = without_marks(written) == without_marks(page())
        sys.exit(None if fresh else "docs/measured.md is stale: run docs/write_measured.py")
    PAGE.write_text(page(), encoding="utf-8")
