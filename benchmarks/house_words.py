"""Private words: names that a newcomer must be told, where a word that everybody knows would do.

What enters is the folder of a checkout; what leaves is every place of such a word.
Python files are read by syntax: names, strings (those of docstrings and the parts of f-strings too), comments, and the
names of files and packages. README.md and docs are read as text, Python files in docs as Python. A word counts wherever
it stands between anything but letters and digits, so that an underscore ends it; names are divided at capitals too.
"""

from __future__ import annotations

import ast
import json
import re
import tokenize
from io import StringIO
from typing import TYPE_CHECKING, Any

from house_code import PACKAGE, SRC, Place, read_modules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from house_code import Module

WORDS = (
    "soil",
    "growth",
    "growths",
    "twins",
    "lacking",
    "looked",
    "kept aside",
    "read_out",
    "scratch",
    "material",
)
GAP = r"[\s_]+"
WORD = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(WORDS).replace(' ', GAP)})(?![A-Za-z0-9])", re.IGNORECASE)
CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# (a) The page that says how names of today were called before has to write those of before.
NAMES_PAGES = "docs/decisions/*-names.md"
# (b) What others called their package is not ours to change. None has such a name now.
PACKAGES: frozenset[str] = frozenset()
# (b) Nor are words of the leads themselves: "Head of Growth" is a title of people in marketing.
DATA = {f"{SRC}/{PACKAGE}/leads/check/derived_columns.py": "growth"}
# (c) Results that were kept are not written anew for a name: who reads one looks its keys up as they are.
RESULTS = "benchmarks/results/*.json"
# (d) Keys of params.yaml are written in files of users. Only what writes the key itself is put aside, not what is
# called after it: the dotted key in a text, an alias of a choice, the key of a dictionary or of YAML, and in
# docs/params.md the cell that names the key.
KEYS = ("features.read_out", "leaks.twins")
LAST = frozenset(key.split(".")[-1] for key in KEYS)
ALIASES = {"alias", "validation_alias", "serialization_alias"}
DOTTED = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, KEYS))})(?!\w)")
YAML_KEY = re.compile(rf"(?:^|[{{,])[ \t]*(?:{'|'.join(sorted(LAST))}):", re.MULTILINE)
KEY_CELL = re.compile(rf"^\| *`(?:{'|'.join(sorted(LAST))})` *\|", re.MULTILINE)
BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
PARAMS_PAGE = "docs/params.md"
REQUIREMENT = re.compile(r"[A-Za-z0-9._-]*")


def private_words(checkout: Path) -> dict[str, list[Place]]:
    """Return the places of each word, in the order of `WORDS`."""
    found: dict[str, list[Place]] = {word: [] for word in WORDS}
    for place in sorted(_places(checkout), key=lambda place: (place.path, place.line)):
        if DATA.get(place.path) != place.what:
            found[place.what].append(place)
    return found


def _places(checkout: Path) -> Iterator[Place]:
    kept = frozenset(_result_keys(checkout))
    for folder in (f"{SRC}/{PACKAGE}", "tests"):
        modules = read_modules(checkout, folder)
        yield from _in_paths(modules, folder)
        for module in modules:
            yield from _in_module(module, kept)
    for module in read_modules(checkout, "docs"):
        yield from _in_module(module, kept)
    aside = set(checkout.glob(NAMES_PAGES))
    for page in (checkout / "README.md", *sorted((checkout / "docs").rglob("*.md"))):
        if page.is_file() and page not in aside:
            path = page.relative_to(checkout).as_posix()
            yield from _in_text(path, 1, _without_keys(page.read_text(encoding="utf-8"), path))


def _in_paths(modules: Iterable[Module], folder: str) -> Iterator[Place]:
    """Yield the words in the names of files, and in those of packages once each."""
    packages: set[str] = set()
    for module in modules:
        *above, name = module.path.removesuffix(".py").removeprefix(f"{folder}/").split("/")
        yield from _in_text(module.path, 1, name)
        for depth, package in enumerate(above, start=1):
            path = "/".join([folder, *above[:depth]])
            yield from _in_text(path, 1, package if path not in packages else "")
            packages.add(path)


def _in_module(module: Module, kept: frozenset[str]) -> Iterator[Place]:
    """Yield the words in the names, strings and comments of a Python file."""
    nodes = list(ast.walk(module.tree))
    keys = set(_keys_written(nodes))
    for node in nodes:
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and node not in keys:
                yield from _in_text(module.path, node.lineno, _of_string(node.value, kept))
            continue
        for name in _names(node):
            yield from _in_text(module.path, getattr(node, "lineno", 1), CAPITAL.sub("_", name))
    for line, comment in _comments(module.text):
        yield from _in_text(module.path, line, DOTTED.sub(_blank, comment))


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node writes; of a constant this would be its kind."""
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (one for one in value if isinstance(one, str))


def _keys_written(nodes: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """Yield the strings that write a key of params: aliases of choices, and keys of dictionaries."""
    for node in nodes:
        written: list[ast.expr | None] = []
        if isinstance(node, ast.keyword) and node.arg in ALIASES:
            written = [node.value]
        elif isinstance(node, ast.Dict):
            written = node.keys
        elif isinstance(node, ast.Subscript):
            written = [node.slice]
        yield from (key for key in written if isinstance(key, ast.Constant) and key.value in LAST)


def _of_string(text: str, kept: frozenset[str]) -> str:
    """Return what of a string may hold private words."""
    package = REQUIREMENT.match(text)
    if text in kept or (package is not None and package[0] in PACKAGES):
        return ""
    return YAML_KEY.sub(_blank, DOTTED.sub(_blank, text))


def _without_keys(text: str, path: str) -> str:
    """Return a page without the keys of params that it writes."""
    text = BLOCK.sub(lambda block: YAML_KEY.sub(_blank, block[0]), DOTTED.sub(_blank, text))
    return KEY_CELL.sub(_blank, text) if path == PARAMS_PAGE else text


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield comments with the line of each; those on lines that follow one another are one."""
    block: list[str] = []
    last = 0
    for token in tokenize.generate_tokens(StringIO(text).readline) if "#" in text else ():
        if token.type == tokenize.COMMENT:
            if block and token.start[0] != last + 1:
                yield last - len(block) + 1, "\n".join(block)
                block = []
            block.append(token.string.lstrip("#"))
            last = token.start[0]
    if block:
        yield last - len(block) + 1, "\n".join(block)


def _in_text(path: str, line: int, text: str) -> Iterator[Place]:
    """Yield the words of a text that begins at a line."""
    for found in WORD.finditer(text):
        word = found[0].lower()
        word = word if word in WORDS else " ".join(re.split(GAP, word))
        yield Place(path, line + text.count("\n", 0, found.start()), word)


def _result_keys(checkout: Path) -> Iterator[str]:
    """Yield every key of the kept results."""
    left: list[Any] = [json.loads(path.read_text(encoding="utf-8")) for path in checkout.glob(RESULTS)]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield from value
        left += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
