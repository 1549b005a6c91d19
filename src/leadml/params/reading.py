"""Read and check ``params.yaml``, with the overrides of the command line.

All faults are reported at once, a line for each: file, line, key, and the nearest key that exists. A key is named as it
is written, also where the attribute of its section has another name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import ValidationError

from leadml.errors import ParamsError, inert, nearest
from leadml.params.project import Params
from leadml.params.rules import RULES
from leadml.params.section import keys_of
from leadml.params.strict_yaml import Document, read_yaml, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

KEY = re.compile(r"[a-z]\w*(?:\.\w+)*")
RULE_TAG = 2  # pydantic puts the name of the rule into the third place of a path


def load_params(path: Path, overrides: Sequence[str] = ()) -> Params:
    """Return the choices of a project.

    Parameters
    ----------
    path
        A ``params.yaml``.
    overrides
        Texts ``section.key=value``, each of which replaces one value of the file; of two for one key the last counts.

    Raises
    ------
    ParamsError
        If the file does not exist or has faults; a line for each fault.
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
    """Return the choices of a YAML text and of overrides; see `load_params`. Messages call the text ``name``."""
    document = read_yaml(text, name=name)
    if not isinstance(document.data, dict):
        msg = f"{name}:1: must hold sections, got {type(document.data).__name__}"
        raise ParamsError(msg)
    for override in overrides:
        _set(document.data, override)
    try:
        return Params.model_validate(document.data)
    except ValidationError as error:
        overridden = [override.partition("=")[0].strip() for override in overrides]
        lines = [_message(fault, document, name, overridden) for fault in error.errors(include_url=False)]
        raise ParamsError("\n".join(dict.fromkeys(lines))) from None


def _set(data: dict[str, Any], override: str) -> None:
    """Replace the value that an override names."""
    key, equals, value = override.partition("=")
    *sections, last = key.strip().split(".", maxsplit=2)
    if not equals or not last or not (sections or scalar(value) is None):
        msg = f"an override (--set) must be section.key=value, got '{inert(key)}{equals}{value and '…'}'"
        raise ParamsError(msg)
    mapping = data
    for section in sections:
        inner = mapping.setdefault(section, {})
        if not isinstance(inner, dict):
            msg = f"override {inert(key)}: {inert(section)} holds one value and no keys"
            raise ParamsError(msg)
        mapping = inner
    is_nested = value.startswith(("[", "{"))
    parsed = read_yaml(value, name=f"override {inert(key)}").data if is_nested else scalar(value)
    mapping[last] = parsed


def _message(fault: Any, document: Document, name: str, overridden: Sequence[str]) -> str:
    """Return a fault of pydantic as one line: where, which key, what must hold and what was got."""
    path = tuple(part for at, part in enumerate(fault["loc"]) if (fault["loc"][0], at) != ("stages", RULE_TAG))
    key = ".".join(str(part) for part in path) or "params"
    message = fault["msg"].removeprefix("Value error, ")
    named = _named_key(message, path) if fault["type"] == "value_error" else path
    where = _override_of(named, overridden) or f"{name}:{_line_of(named, document)}"
    if fault["type"] == "extra_forbidden":
        return f"{where}: {inert(key)} is not a key of leadml{nearest(str(path[-1]), _known_keys(path))}"
    if fault["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        got = inert(repr(fault["input"].get("rule")))
        return f"{where}: {inert(key)}: rule must be one of {', '.join(RULES)}, got {got}"
    if fault["type"] == "missing":
        return f"{where}: {key} must be set, got nothing; add it"
    if fault["type"] in {"model_attributes_type", "model_type", "dict_type"}:
        return f"{where}: {inert(key)} must hold keys, got {inert(repr(fault['input']))}; see docs/params.md"
    message = message[:1].lower() + message[1:]
    got = "" if isinstance(fault["input"], dict) or "got" in message else f", got {inert(repr(fault['input']))}"
    return f"{where}: {message}{got}" if named and not path else f"{where}: {inert(key)}: {message}{got}"


def _override_of(path: tuple[str | int, ...], overridden: Sequence[str]) -> str | None:
    """Return the override that set a key, a part of it, or a section around it; None where none did."""
    key = ".".join(str(part) for part in path) or "params"
    found = (one for one in overridden if f"{key}.".startswith(f"{one}.") or f"{one}.".startswith(f"{key}."))
    override = next(found, None)
    return None if override is None else f"override {inert(override)}"


def _line_of(path: tuple[str | int, ...], document: Document) -> int:
    """Return the line of a key, or of the innermost section around it that the file has."""
    written = (path[:length] for length in range(len(path), -1, -1) if path[:length] in document.lines)
    return document.lines.get(next(written, ()), 1)


def _named_key(message: str, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the first key that a message names, in full or relative to a path; the path itself where it names none."""
    keys = _known_keys((*path, "")) if path else []
    for word in KEY.findall(message):
        parts = tuple(word.split("."))
        if parts[0] in keys:
            return (*path, *parts)
        if not path and len(parts) > 1 and parts[0] in keys_of(Params):
            return parts
    return path


def _known_keys(path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that are known in the section in which a path ends."""
    sections: list[Any] = [Params]
    is_name = False
    for part in path[:-1]:
        if is_name or isinstance(part, int):  # the name of a target, or a place in a list
            is_name = False
            continue
        known = [keys_of(section) for section in sections]
        annotations = [keys[str(part)].annotation for keys in known if part in keys]
        sections = [section for annotation in annotations for section in _sections(annotation)]
        is_name = any(get_origin(annotation) is dict for annotation in annotations) and bool(sections)
    return sorted({key for section in sections for key in keys_of(section)})


def _sections(annotation: Any) -> list[Any]:
    """Return the sections that an annotation is, may be, or holds."""
    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [section for inner in get_args(annotation) for section in _sections(inner)]
