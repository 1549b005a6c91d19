"""Collect the advice of the package from its source: texts that say what to do, and name a key, an option or a command.

Advice is a clause of a text, outside docstrings and help texts, that begins with a verb such as "set" and names a key
of params.yaml, an option, a command of leadml or something to install. It is found again in what a command prints by
its words, with anything in place of the values that are filled in.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import typer
from measure import ROOT

from leadml.cli import app
from leadml.params import Params
from leadml.params.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCE = ROOT / "src" / "leadml"
VALUE = "\N{REPLACEMENT CHARACTER}"  # in the place of a value that is filled in
VERB_WORDS = """
    add bring change check choose correct declare exclude give keep let lower make mend move name pass raise read rename
    replace restore review run save score see set solve spell take train update upgrade use write
"""
HELP = frozenset({"Option", "Argument", "command", "callback", "Typer"})  # calls whose texts describe the commands
REACH = 90  # characters between a verb and what it names, within one clause


@dataclass(frozen=True)
class Message:
    """A text of the source that gives advice.

    Parameters
    ----------
    place
        Module and line.
    text
        The text, with `VALUE` for what is filled in.
    """

    place: str
    text: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """What finds the text in a line of output whose blanks are single; a finding has its remedy within a line."""
        words = " ".join(self.text.split()).removesuffix(".")
        return re.compile(".*?".join(map(re.escape, words.split(VALUE))).replace(r"\ ", " "), re.IGNORECASE)


def messages(source: Path = SOURCE) -> list[Message]:
    """Return every text of a package that gives advice, each once."""
    advice = _advice()
    found: dict[str, Message] = {}
    for file in sorted(source.rglob("*.py")):
        for line, text in _texts(ast.parse(file.read_text(encoding="utf-8"))):
            if advice.search(" ".join(text.split())):
                found.setdefault(text, Message(f"{file.relative_to(source).as_posix()}:{line}", text))
    return list(found.values())


def _advice() -> re.Pattern[str]:
    command = rf"leadml (?:{'|'.join(_commands())})\b(?! does not)"
    reference = rf"(?:--[a-z]|{command}|pip install|(?:{_sections_of_params()})\.[a-z_]+)"
    verb = rf"(?:{'|'.join(VERB_WORDS.split())})\b[^;]{{0,{REACH}}}?{reference}"
    begins = r"(?:^|[;:,.(] |\b(?:or|and|then) )\(?"
    return re.compile(rf"{begins}(?:{verb}|{command}|pip install)", re.IGNORECASE)


def _commands() -> list[str]:
    """Return the names of the commands of leadml."""
    group: Any = typer.main.get_command(app)
    return list(group.commands)


def _sections_of_params() -> str:
    return "|".join(name for name, field in Params.model_fields.items() if list(_sections(field.annotation)))


def _sections(annotation: object) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in get_args(annotation):
        yield from _sections(part)


def _texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module that are neither docstrings nor help, with their lines."""
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):  # a docstring, of a module or of an attribute
            passed.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            passed |= {id(part) for part in node.values}
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            passed |= {id(part) for part in ast.walk(node)} if name in HELP else set()
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else VALUE for part in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, re.sub(r"\{\w*\}", VALUE, node.value)


if __name__ == "__main__":
    for message in messages():
        print(message.place, "|", message.text)
