"""Read a strict subset of YAML, and the line of every key.

General YAML turns ``NO`` into false and ``12:30`` into 750. Here only ``true`` and ``false`` are booleans, and a quoted
value is always text. Duplicate keys, aliases, tags, several documents and texts over a megabyte are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from leadml.errors import ParamsError, inert

MAX_CHARACTERS = 1_000_000  # bounds time and memory; a thousand fields on lines of 50 characters are 50,000
MAX_DEPTH = 20  # far above the deepest key of docs/params.md, far below the 1,000 calls at which Python stops
MAX_DIGITS = 300  # a double has numbers of up to 309 digits, so that none of these becomes infinite
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?")
WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
STRING_TAG = "tag:yaml.org,2002:str"

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """Plain data, and the line of each of its keys.

    Parameters
    ----------
    data
        Dicts, lists, text, numbers, booleans and None.
    lines
        Line, from 1, of each key or list item, by its path.
    """

    data: Any
    lines: dict[Path, int] = field(default_factory=dict)


def read_yaml(text: str, *, name: str) -> Document:
    """Return the data of a YAML text, with the line of each key.

    Parameters
    ----------
    text
        The YAML.
    name
        Name of the text in messages, such as that of the file.

    Raises
    ------
    ParamsError
        If the text is not YAML, or holds what this reader refuses.

    Examples
    --------
    >>> read_yaml("country: NO", name="params.yaml").data
    {'country': 'NO'}
    """
    if len(text) > MAX_CHARACTERS:
        msg = f"{name}: must be at most {MAX_CHARACTERS:,} characters, got {len(text):,}"
        raise ParamsError(msg)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise _refusal(name, event, f"must be nested at most {MAX_DEPTH} deep")
            if isinstance(event, yaml.AliasEvent):
                raise _refusal(name, event, "aliases are not read, write the value out")
        root = yaml.compose(text, Loader=_TextLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        msg = f"{name}:{line}: is not YAML: {error.problem or error.context}"
        raise ParamsError(msg) from None
    except yaml.YAMLError as error:
        msg = f"{name}: is not YAML: {' '.join(str(error).split())}"
        raise ParamsError(msg) from None
    lines: dict[Path, int] = {}
    return Document(_plain(root, (), lines, name) if root is not None else {}, lines)


class _TextLoader(yaml.SafeLoader):
    """A loader that converts nothing: every scalar stays the text that was written."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}


def _refusal(name: str, at: Any, message: str) -> ParamsError:
    return ParamsError(f"{name}:{at.start_mark.line + 1}: {message}")


def _plain(node: yaml.Node, path: Path, lines: dict[Path, int], name: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, name)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), lines, name) for index, item in enumerate(node.value)]
    if not isinstance(node, yaml.ScalarNode) or node.tag not in {STRING_TAG, "!"}:
        raise _refusal(name, node, f"tags are not read, got {node.tag}")
    if len(node.value) > MAX_DIGITS and INTEGER.fullmatch(node.value):
        raise _refusal(name, node, f"a number must have at most {MAX_DIGITS} digits, got {len(node.value):,}")
    return node.value if node.style in {"'", '"', "|", ">"} else scalar(node.value)


def _mapping(node: yaml.MappingNode, path: Path, lines: dict[Path, int], name: str) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise _refusal(name, key_node, "a key must be one word")
        key = str(key_node.value)
        if key in plain:
            raise _refusal(name, key_node, f"{inert(key)} is there twice, keep one")
        lines[*path, key] = key_node.start_mark.line + 1
        plain[key] = _plain(value_node, (*path, key), lines, name)
    return plain


def scalar(text: str) -> Any:
    """Return the value of an unquoted word: None, a boolean, a number, or the word itself.

    Examples
    --------
    >>> [scalar(word) for word in ("true", "NO", "3", "1e-3", "007", "null")]
    [True, 'NO', 3, 0.001, '007', None]
    """
    if text in WORDS:
        return WORDS[text]
    if len(text) > MAX_DIGITS:
        return text
    if INTEGER.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text) and not re.match(r"[-+]?0[0-9]", text):
        return float(text)
    return text
