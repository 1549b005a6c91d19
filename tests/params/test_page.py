"""docs/params.md and the definitions it is written from: every key has a meaning, a range and its written name."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.dated import crm

from leadml.errors import ParamsError
from leadml.params import Params, parse_params
from leadml.params.cut_rule import CutRule
from leadml.params.section import Section, keys_of
from leadml.publish.run_content import run_params

DOCS = Path(__file__).parents[2] / "docs"
WRITER = runpy.run_path(str(DOCS / "write_params.py"))
SHORTEST_MEANING = 40


def _sections(section: type[Section], name: str, found: dict[str, type[Section]]) -> dict[str, type[Section]]:
    """Return a section and all sections in it, by the first name of each."""
    found[name] = section
    for key, field in keys_of(section).items():
        part = WRITER["inner_section"](field.annotation)
        if part is not None and not issubclass(part, CutRule) and part not in found.values():
            _sections(part, f"{name}.{key}".removeprefix("params."), found)
    return found


SECTIONS = {name: section for name, section in _sections(Params, "params", {}).items() if name != "params"}
SECTIONS |= {f"stages.{rule.__name__}": rule for rule in WRITER["RULES"].values()}
KEYS = {
    f"{name}.{key}": field
    for name, section in SECTIONS.items()
    for key, field in keys_of(section).items()
    if key != "rule"  # it names the rule that the page describes under a heading of its own
}


def _owner(key: str) -> str:
    """Return the section that defines a key: sources share the keys of where a table is."""
    name, _, last = key.rpartition(".")
    classes = [one for one in SECTIONS[name].__mro__ if issubclass(one, Section)]
    attributes = {field.alias or attribute: attribute for attribute, field in SECTIONS[name].model_fields.items()}
    owner = next(one for one in classes if attributes[last] in one.__annotations__)
    return f"{owner.__name__}.{last}"


def test_all_sections_are_documented() -> None:
    """The tests below see every section, the nested ones and the rules too."""
    assert {"data", "sources.leads", "features.read_out", "baselines.points", "stages.PrecisionRule"} <= set(SECTIONS)
    assert len(KEYS) > 100
    for section in SECTIONS.values():
        assert len(section.__doc__ or "") >= SHORTEST_MEANING or section.__name__ == "FixedRule"


@pytest.mark.parametrize("key", KEYS)
def test_the_meaning_of_a_key_is_a_sentence(key: str) -> None:
    """A key has a meaning of 40 characters or more, which begins with a capital letter and ends with a full stop."""
    meaning = " ".join((KEYS[key].description or "").split())

    assert len(meaning) >= SHORTEST_MEANING
    assert meaning[0].isupper()
    assert meaning.endswith(".")


def test_no_two_keys_have_the_same_meaning() -> None:
    """A meaning is not copied from another key; the sources inherit some keys and count once."""
    meanings: dict[str, set[str]] = {}
    for key, field in KEYS.items():
        meanings.setdefault(" ".join((field.description or "").split()), set()).add(_owner(key))

    assert {meaning: owners for meaning, owners in meanings.items() if len(owners) > 1} == {}


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("split.test_share", "0.01 to 0.9"),
        ("split.seed", "0 to 2,147,483,647"),
        ("model.min_leads_per_leaf", "1 to 1,000,000,000"),
        ("model.learning_rate", "above 0, up to 1"),
        ("model.leaf_penalties", "one or more values, each 0 or more"),
        ("model.leaves", "one or more values, each 2 to 64"),
        ("model.linear_strengths", "list of values, each above 0"),
        ("model.directions", "pairs of field name and one of `rises`, `falls`"),
        ("calibration.interval", "above 0 and below 1"),
        ("leaks.accept", "pairs of field name and text of at least 10 characters"),
        ("data.lead_id", "column name"),
        ("data.missing", "list of texts"),
        ("data.decimal", "one of `.`, `,`"),
        ("tracking.enabled", "true or false"),
        ("baselines.points.points", "any number"),
        ("targets.drives", "any of `iql`, `mql`, `sql`"),
        ("stages.ShareRule.top", "above 0 and below 1"),
    ],
)
def test_the_range_of_a_key_follows_from_its_type(key: str, expected: str) -> None:
    """Bounds, choices, lists and names of columns are put into words."""
    assert WRITER["value_range"](KEYS[key].annotation, KEYS[key].metadata) == expected


def test_every_row_of_the_page_has_four_cells_and_every_link_a_heading() -> None:
    """No meaning breaks its table, and links within the page lead somewhere."""
    lines = WRITER["page"]().splitlines()
    anchors = {WRITER["anchor"](line.lstrip("# ")) for line in lines if line.startswith("#")}
    rows = [line for line in lines if line.startswith("| `")]

    assert len(rows) == len(KEYS)
    assert {row.count(" | ") for row in rows} == {3}
    assert not [link for line in lines for link in WRITER["re"].findall(r"\(#([^)]*)\)", line) if link not in anchors]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("features.read_out.email=1", "features.read_out.email: input should be a valid string, got 1"),
        ("features.read_out.emial=mail", "features.read_out.emial is not a key of leadml; the nearest is 'email'"),
        ("features.readout={}", "features.readout is not a key of leadml; the nearest is 'read.out'"),
        ("features.derived={}", "features.derived is not a key of leadml$"),
        ("leaks.twins=1", "leaks.twins: input should be less than 1, got 1"),
        ("leaks.twin=0.5", "leaks.twin is not a key of leadml; the nearest is 'twin.'"),
        ("leaks.overlap=0.5", "leaks.overlap is not a key of leadml$"),
    ],
)
def test_a_key_is_known_by_its_written_name_only(override: str, message: str) -> None:
    """Faults name the key as params.yaml writes it, and the name of its attribute is no key."""
    text = str(crm())
    with pytest.raises(ParamsError, match=rf"^override {override.partition('=')[0]}: {message}"):
        parse_params(text, overrides=[override])


def test_a_fault_below_a_key_with_another_attribute_has_its_line() -> None:
    """The line is that of features.read_out.email and not that of the section."""
    text = "features:\n  fit: {age: number}\n  read_out:\n    title: job\n    email: [1]\n"
    with pytest.raises(ParamsError, match=r"(?m)^params.yaml:5: features.read_out.email: input should be a valid"):
        parse_params(text)


def test_keys_are_recorded_by_their_written_names() -> None:
    """Hashes of params and the params of an MLflow run have the names of params.yaml."""
    params = parse_params(str(crm()), overrides=["leaks.twins=0.05"])
    written = params.as_written()
    logged = run_params(params, SimpleNamespace(record=SimpleNamespace(choices={})))

    assert (params.features.derived.email, params.leaks.overlap) == ("email", 0.05)
    assert (written["features"]["read_out"]["email"], written["leaks"]["twins"]) == ("email", 0.05)
    assert Params.model_validate(written) == params
    assert (logged["features.read_out.email"], logged["leaks.twins"]) == ("email", "0.05")
    assert not {"features.derived.email", "leaks.overlap"} & set(logged)


def test_params_are_recorded_in_one_way_only() -> None:
    """No module writes params under the names of attributes, which pydantic would do by itself."""
    modules = (DOCS.parent / "src" / "leadml").rglob("*.py")

    assert [path.name for path in modules if "params.model_dump(" in path.read_text(encoding="utf-8")] == []
