r"""Read YAML without its surprises.

What enters is the text of a ``params.yaml``; what leaves is plain data and the line of every key.
It refuses duplicate keys, aliases, tags, several documents and files over a megabyte, and knows only ``true`` and
``false`` as booleans, so that ``NO`` stays Norway, ``1.10`` in quotes stays text and ``12:30`` is never 750.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from leadml.errors import ParamsError, inert

LARGEST_TEXT = 1_000_000
DEEPEST = 20
LONGEST_NUMBER = 300
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
DECIMAL = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)([eE][-+]?[0-9]+)?")
WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
STRING_TAG = "tag:yaml.org,2002:str"

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """Plain data and where each key of it stands.

    Parameters
    ----------
    data
        What the text says: dicts, lists, text, numbers, booleans and None.
    lines
        Line, from 1, of each key or list item by its path.
    """

    data: Any
    lines: dict[Path, int] = field(default_factory=dict)


def read_yaml(text: str, *, name: str) -> Document:
    """Return what a YAML text says and where.

    Parameters
    ----------
    text
        The YAML.
    name
        What messages call it, a file's name for example.

    Raises
    ------
    ParamsError
        Where the text is not YAML, or holds what this reader refuses.

    Examples
    --------
    >>> read_yaml("country: NO", name="params.yaml").data
    {'country': 'NO'}
    """
    if len(text) > LARGEST_TEXT:
        msg = f"{name}: must be at most {LARGEST_TEXT:,} characters, got {len(text):,}"
        raise ParamsError(msg)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise _refusal(name, event, f"must be nested at most {DEEPEST} deep")
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
    """A loader that resolves nothing: every scalar arrives as it was written."""

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
    if len(node.value) > LONGEST_NUMBER and INTEGER.fullmatch(node.value):
        raise _refusal(name, node, f"a number must have at most {LONGEST_NUMBER} digits, got {len(node.value):,}")
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
    """Return what an unquoted word means.

    Examples
    --------
    >>> [scalar(word) for word in ("true", "NO", "3", "1e-3", "007", "null")]
    [True, 'NO', 3, 0.001, '007', None]
    """
    if text in WORDS:
        return WORDS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    if INTEGER.fullmatch(text):
        return int(text)
    if DECIMAL.fullmatch(text) and not re.match(r"[-+]?0[0-9]", text):
        return float(text)
    return text
