"""Write docs/params.md from the choices themselves: python docs/write_params.py [--check]."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from leadml.params import Params
from leadml.params.rules import CapacityRule, FixedRule, PrecisionRule, RecallRule, ShareRule, ValueRule

if TYPE_CHECKING:
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


def rows(section: type[Section]) -> list[str]:
    """Return a row a key: name, default, meaning."""
    found = []
    for name, field in section.model_fields.items():
        default = "required" if field.is_required() else f"`{shown(field.default)}`"
        found.append(f"| `{name}` | {default} | {field.description or ''} |")
    return ["| key | default | meaning |", "|---|---|---|", *found]


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
        annotation: Any = field.annotation
        lines += ["", f"## {name}", "", annotation.__doc__.strip(), "", *rows(annotation)]
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
