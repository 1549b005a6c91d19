"""Write docs/params.md from the choices themselves: python docs/write_params.py [--check]."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args

from leadml.params import Params
from leadml.params.rules import CapacityRule, FixedRule, PrecisionRule, RecallRule, ShareRule, ValueRule
from leadml.params.section import Section

PAGE = Path(__file__).with_name("params.md")
RULES = (PrecisionRule, RecallRule, CapacityRule, ShareRule, ValueRule, FixedRule)


def shown(value: object) -> str:
    """Return a default as YAML has it."""
    if isinstance(value, tuple):
        return f"[{', '.join(shown(item) for item in value)}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f'"{value}"' if str(value) in {",", "."} else str(value)


def inner(annotation: Any) -> type[Section] | None:
    """Return the section that an annotation is, or may be, or holds by name; None where it holds none."""
    choices = (annotation, *get_args(annotation))
    return next((choice for choice in choices if isinstance(choice, type) and issubclass(choice, Section)), None)


def rows(section: type[Section]) -> list[str]:
    """Return a row a key: name, default, meaning."""
    found = []
    for name, field in section.model_fields.items():
        default = "required" if field.is_required() else f"`{shown(field.default)}`"
        default = "below" if inner(field.annotation) and default != "`null`" else default
        found.append(f"| `{name}` | {default} | {field.description or ''} |")
    return ["| key | default | meaning |", "|---|---|---|", *found]


def parts(section: type[Section], name: str) -> list[str]:
    """Return the parts of a section that are sections themselves."""
    lines = []
    for key, field in section.model_fields.items():
        part = inner(field.annotation)
        if part is not None and name != "stages":
            lines += ["", f"### {name}.{key}", "", (part.__doc__ or "").strip(), "", *rows(part)]
    return lines


def page() -> str:
    """Return the whole page."""
    lines = [
        "# Keys of params.yaml",
        "",
        "Written by `python docs/write_params.py` from the choices themselves. Unknown keys and values out of range",
        "are refused with file, line and the nearest key; `--set section.key=value` replaces one on the command line.",
        "Paths are relative to the file.",
    ]
    for name, field in Params.model_fields.items():
        section = inner(field.annotation)
        if section is None:
            continue
        title = f"{name}.NAME" if name == "targets" else name
        lines += ["", f"## {title}", "", (section.__doc__ or "").strip(), "", *rows(section), *parts(section, name)]
        if name == "stages":
            for rule in RULES:
                (kind,) = get_args(rule.model_fields["rule"].annotation)
                keys = [row for row in rows(rule) if "`rule`" not in row]
                lines += ["", f"### rule: {kind}", "", rule.__doc__.strip(), "", *keys]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            None if PAGE.read_text(encoding="utf-8") == page() else "docs/params.md is stale: run docs/write_params.py"
        )
    PAGE.write_text(page(), encoding="utf-8")
