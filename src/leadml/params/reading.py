"""Read ``params.yaml``.

What enters is the file and the overrides of the command line; what leaves is checked choices.
Every refusal says file, line, key and the nearest key that exists, all of them at once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import ValidationError

from leadml.errors import ParamsError, inert, nearest
from leadml.params.project import Params
from leadml.params.strict_yaml import Document, read_yaml, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RULES = ("precision", "recall", "capacity", "share", "value", "fixed")
KEY = re.compile(r"[a-z]\w*(?:\.\w+)*")
RULE_TAG = 2  # pydantic names the kind of a rule in the third place


def load_params(path: Path, overrides: Sequence[str] = ()) -> Params:
    """Return the choices of a project.

    Parameters
    ----------
    path
        A ``params.yaml``.
    overrides
        ``section.key=value``, each replacing one value of the file.

    Raises
    ------
    ParamsError
        One line a fault, with file, line, key and the nearest key that exists.
    """
    if not path.is_file():
        msg = f"{path}: there is no such file; make one with leadml init FILE, or name one with --params"
        raise ParamsError(msg)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path}: must be UTF-8, got byte 0x{error.object[error.start]:02x} at {error.start}"
        raise ParamsError(msg) from None
    return parse_params(text, name=str(path), overrides=overrides)


def parse_params(text: str, *, name: str = "params.yaml", overrides: Sequence[str] = ()) -> Params:
    """Return the choices that a YAML text and its overrides make; see `load_params`."""
    document = read_yaml(text, name=name)
    if not isinstance(document.data, dict):
        msg = f"{name}:1: must hold sections, got {type(document.data).__name__}"
        raise ParamsError(msg)
    for override in overrides:
        _set(document.data, override)
    try:
        return Params.model_validate(document.data)
    except ValidationError as error:
        changed = [override.partition("=")[0].strip() for override in overrides]
        lines = [_line(fault, document, name, changed) for fault in error.errors(include_url=False)]
        raise ParamsError("\n".join(dict.fromkeys(lines))) from None


def _set(data: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    *sections, last = key.strip().split(".", maxsplit=2)
    if not equals or not sections or not last:
        msg = f"--set must be section.key=value, got '{inert(key)}{equals}{value and '…'}'"
        raise ParamsError(msg)
    at = data
    for section in sections:
        below = at.setdefault(section, {})
        if not isinstance(below, dict):
            msg = f"--set {inert(key)}: {inert(section)} holds one value and no keys"
            raise ParamsError(msg)
        at = below
    nested = value.startswith(("[", "{"))
    parsed = read_yaml(value, name=f"--set {inert(key)}").data if nested else scalar(value)
    at[last] = parsed


def _line(fault: Any, document: Document, name: str, changed: Sequence[str]) -> str:
    path = tuple(part for at, part in enumerate(fault["loc"]) if (fault["loc"][0], at) != ("stages", RULE_TAG))
    key = ".".join(str(part) for part in path) or "params"
    message = fault["msg"].removeprefix("Value error, ")
    named = _named(message, path) if fault["type"] == "value_error" else path
    told = ".".join(str(part) for part in named) or "params"
    where = next(
        (
            f"--set {inert(text)}"
            for text in changed
            if f"{told}.".startswith(f"{text}.") or f"{text}.".startswith(f"{told}.")
        ),
        None,
    )
    if where is None:
        known = (named[:length] for length in range(len(named), -1, -1) if named[:length] in document.lines)
        where = f"{name}:{document.lines.get(next(known, ()), 1)}"
    if fault["type"] == "extra_forbidden":
        return f"{where}: {inert(key)} is not a key of leadml{nearest(str(path[-1]), _siblings(path))}"
    if fault["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        got = inert(repr(fault["input"].get("rule")))
        return f"{where}: {inert(key)}: rule must be one of {', '.join(RULES)}, got {got}"
    if fault["type"] == "missing":
        return f"{where}: {key} must be there; add it"
    message = message[:1].lower() + message[1:]
    got = "" if isinstance(fault["input"], dict) or "got" in message else f", got {inert(repr(fault['input']))}"
    return f"{where}: {message}{got}" if named and not path else f"{where}: {inert(key)}: {message}{got}"


def _named(message: str, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the first key below a path that a message names, whole or from there on; else the path itself."""
    here = _siblings((*path, "")) if path else []
    for word in KEY.findall(message):
        parts = tuple(word.split("."))
        if parts[0] in here:
            return (*path, *parts)
        if not path and len(parts) > 1 and parts[0] in Params.model_fields:
            return parts
    return path


def _siblings(path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that could stand where the last of a path stands."""
    sections: list[Any] = [Params]
    named = False
    for part in path[:-1]:
        if named or isinstance(part, int):  # the name of one of several, or a place in a list
            named = False
            continue
        annotations = [section.model_fields[part].annotation for section in sections if part in section.model_fields]
        sections = [section for annotation in annotations for section in _sections(annotation)]
        named = any(get_origin(annotation) is dict for annotation in annotations) and bool(sections)
    return sorted({key for section in sections for key in section.model_fields})


def _sections(annotation: Any) -> list[Any]:
    """Return the sections that an annotation is, may be, or holds."""
    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [section for inner in get_args(annotation) for section in _sections(inner)]
