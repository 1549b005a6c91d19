"""Write docs/params.md from the definitions of the params: python docs/write_params.py [--check].

The docstring below a key is its meaning, the type of a key is its range. With --check nothing is written, and a page
that is out of date is an error.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic.fields import FieldInfo

from leadml.params import Params
from leadml.params.cut_rule import CutRule
from leadml.params.rules import RULES
from leadml.params.section import Section, ValueName, keys_of

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCS = Path(__file__).parent
PLACES: dict[type[Section] | None, str] = {}  # the first key that holds a section
PAGE = DOCS / "params.md"
TITLES = {
    "targets": "targets.NAME",
    "suppression": "suppression.NAME",
    "stages.rules.iql": "stages.rules.STAGE",
    "stages.rules.iql.required": "stages.rules.STAGE.TESTS",
}
TOP = """# Keys of params.yaml

`params.yaml` holds every choice of a project, a section for each step. This page lists all sections and keys. It is
written by `python docs/write_params.py` from the definitions of the params, and a test holds that both agree.

**Start from an example.** `leadml init leads.csv` proposes a file for flat leads; [params.yaml](../params.yaml) is one
that is commented. For dated leads, begin with [examples/crm/params.yaml](../examples/crm/params.yaml). Write only what
differs from the defaults.

**Flat or dated leads.** *Flat leads* are one table with a row and a label for each lead: they need `data.path` and
`target`. *Dated leads* are tables of leads, activities and outcomes with times: they need `sources` and `targets`.
Both need `features` and `stages`.

**How to read the tables.**

- *Default* is the value of a key that is not written. `required` means that the key must be written; `null` means that
  it is not set.
- *Range* is what the key allows; both ends belong to it unless it says above or below. Anything else is refused with
  file, line, key and the nearest key that exists.
- *Meaning* says what the key does, in which unit, and when to change it. "See decision 4" leads to the page that says
  why it is so.
- `--set section.key=value` on the command line replaces one value, as in `--set split.seed=1` or
  `--set data.missing="[NA, unknown]"`.

**Words.** A *snapshot* is one lead as it was known at one time (`as_of`). The *training set* is what the model learns
from, the *holdout* what it is evaluated on. *Folds* divide the training set for cross-validation; *out-of-fold*
probabilities are those by models that were not fitted on the lead. The *horizon* is the number of days within which an
outcome counts; a snapshot is *mature* when its horizon has passed. The *cut* of a stage is the probability from which a
lead is in it."""


def shown(value: object) -> str:
    """Return a default as YAML writes it."""
    if isinstance(value, tuple):
        return f"[{', '.join(shown(item) for item in value)}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f'"{value}"' if str(value) in {",", "."} else str(value)


def inner_section(annotation: Any) -> type[Section] | None:
    """Return the section that an annotation is, may be, or holds; None where it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := inner_section(part))), None)


def value_range(annotation: Any, constraints: Sequence[Any] = ()) -> str:
    """Return the values that a key allows, in words: bounds, choices, or what the values are called."""
    while get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        constraints = [*constraints, *(part for one in more for part in _constraints(one))]
    name = next((one.name for one in constraints if isinstance(one, ValueName)), None)
    if name is not None:
        return name
    bounds = {type(one): one for one in constraints}
    if annotation is str:
        return f"text of at least {bounds[MinLen].min_length} characters" if MinLen in bounds else "text"
    if annotation is bool:
        return "true or false"
    return _number_range(annotation, bounds) if annotation in {int, float} else _composed_range(annotation, constraints)


def _constraints(one: Any) -> list[Any]:
    return list(one.metadata) if isinstance(one, FieldInfo) else [one]


def _composed_range(annotation: Any, constraints: Sequence[Any]) -> str:
    parts = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is Literal:
        return f"one of {', '.join(f'`{part}`' for part in parts)}"
    if get_origin(annotation) is dict:
        return f"pairs of {value_range(parts[0])} and {value_range(parts[1])}"
    if get_origin(annotation) is tuple:
        return _list_range(value_range(parts[0]), is_filled=any(isinstance(one, MinLen) for one in constraints))
    return value_range(parts[0], constraints)  # a value that may be null


def _list_range(item: str, *, is_filled: bool) -> str:
    if item.startswith("one of "):
        return f"{'one or more' if is_filled else 'any'} of {item.removeprefix('one of ')}"
    several = "one or more" if is_filled else "list of"
    is_number = item[0].isdigit() or item.startswith("above")
    return f"{several} values, each {item}" if is_number else f"{several} {item}s"


def _number_range(number: type, bounds: dict[type, Any]) -> str:
    low = f"{bounds[Ge].ge:,}" if Ge in bounds else f"above {bounds[Gt].gt:,}" if Gt in bounds else ""
    high = f"{bounds[Le].le:,}" if Le in bounds else ""
    if Lt in bounds:
        high = f"{bounds[Lt].lt - 1:,}" if number is int else f"below {bounds[Lt].lt:,}"
    if not high:
        return low if Gt in bounds else f"{low} or more" if low else "any number"
    joint = " and " if high.startswith("below") else ", up to " if Gt in bounds else " to "
    return f"{low}{joint}{high}"


def linked(text: str) -> str:
    """Return a text on one line, with a link to each decision page that it names."""

    def link(found: re.Match[str]) -> str:
        (page,) = (DOCS / "decisions").glob(f"{int(found[1]):04}-*.md")
        return f"[{found[0]}](decisions/{page.name})"

    return re.sub(r"decision (\d+)", link, " ".join(text.split()))


def paragraphs(section: type[Section]) -> list[str]:
    """Return the paragraphs of a section's docstring, each on one line."""
    return [linked(text) for text in re.split(r"\n\s*\n", section.__doc__ or "")]


def key_rows(section: type[Section], name: str) -> list[str]:
    """Return the table of a section's keys: key, default, range, meaning."""
    rows = ["| key | default | range | meaning |", "|---|---|---|---|"]
    for key, field in keys_of(section).items():
        if key == "rule":  # the heading says it
            continue
        default = "required" if field.is_required() else f"`{shown(field.default)}`"
        if inner_section(field.annotation) is None:
            allowed = value_range(field.annotation, field.metadata)
        else:
            allowed = _link(field.annotation, f"{name}.{key}")
            default = "its defaults" if isinstance(field.default, Section) else default
        rows.append(f"| `{key}` | {default} | {allowed} | {linked(field.description or '')} |")
    return rows


def _link(annotation: Any, name: str) -> str:
    """Return a link to the section that a key holds; a section that several keys hold is shown at the first of them."""
    part = inner_section(annotation)
    if part is not None and issubclass(part, CutRule):
        return "one of the rules"
    title = TITLES.get(PLACES.setdefault(part, name), PLACES[part])
    return f"{'list of ' if get_origin(annotation) is tuple else ''}[{title}](#{anchor(title)})"


def anchor(title: str) -> str:
    """Return the anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-")


def rule_choice() -> list[str]:
    """Return the table that says when to use which rule."""
    rows = ["", "### Which rule to use", "", "| rule | the cut | when to use it |", "|---|---|---|"]
    for name, rule in RULES.items():
        cut, use, *_ = paragraphs(rule)
        rows.append(f"| [`{name}`](#rule-{name}) | {cut} | {use} |")
    return rows


def section_lines(section: type[Section], name: str) -> list[str]:
    """Return a section: heading, what it is for, its keys, and the sections in it."""
    title = TITLES.get(name, name)
    lines = ["", f"{'###' if '.' in name else '##'} {title}", ""]
    lines += [line for text in paragraphs(section) for line in (text, "")] + key_rows(section, name)
    if name == "stages":
        lines += rule_choice()
        for rule_name, rule in RULES.items():
            cut, _, *notes = paragraphs(rule)
            lines += ["", f"### rule: {rule_name}", "", " ".join([cut, *notes]), "", *key_rows(rule, name)]
    for key, field in keys_of(section).items():
        part = inner_section(field.annotation)
        if part is not None and PLACES.get(part) == f"{name}.{key}":
            lines += section_lines(part, f"{name}.{key}")
    return lines


def page() -> str:
    """Return the whole page."""
    sections = {name: inner_section(field.annotation) for name, field in keys_of(Params).items()}
    found = {name: section for name, section in sections.items() if section is not None}
    titles = {name: TITLES.get(name, name) for name in found}
    lines = [TOP, "", "| section | what it is for |", "|---|---|"]
    lines += [f"| [{titles[name]}](#{anchor(titles[name])}) | {paragraphs(found[name])[0]} |" for name in found]
    lines += [line for name, section in found.items() for line in section_lines(section, name)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        fresh = PAGE.read_text(encoding="utf-8") == page()
        sys.exit(None if fresh else "docs/params.md is out of date: run python docs/write_params.py")
    PAGE.write_text(page(), encoding="utf-8")
