from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadml.errors import ParamsError
from leadml.params import RULES
from leadml.params.reading import load_params, parse_params

SMALL = """data:
  path: leads.csv
target:
  name: won
  column: y
  positive: [yes]
  negative: [no]
features:
  fit:
    age: number
    country: category
stages:
  iql: {rule: share, top: 0.5}
  mql: {rule: capacity, leads_per_week: 40, incoming_per_week: 200}
  sql: {rule: precision, at_least: 0.3}
"""


def test_the_projects_own_choices_are_read(bank_params):
    """The bundled params.yaml is read, and --set overrides it."""
    assert bank_params.data.lead_id == "id"
    assert bank_params.target.positive == ("yes",)
    assert bank_params.features.fit["age"] == "number"
    assert not bank_params.tracking.enabled


@pytest.mark.parametrize(
    ("override", "section", "key", "value"),
    [
        ("split.folds=3", "split", "folds", 3),
        ("model.field_share=0.5", "model", "field_share", 0.5),
        ("limits.allow_small=true", "limits", "allow_small", True),
        ("data.lead_id=id", "data", "lead_id", "id"),
        ("data.lead_id=null", "data", "lead_id", None),
        ("data.lead_id=", "data", "lead_id", None),
        ("data.missing=[NA, 0, false]", "data", "missing", ("NA", "0", "false")),
        ("data.delimiter=;", "data", "delimiter", ";"),
        ("data.path=a=b.csv", "data", "path", "a=b.csv"),
        ("model.leaf_penalties=[5, 50]", "model", "leaf_penalties", (5.0, 50.0)),
        ("features.fit={size: number}", "features", "fit", {"size": "number"}),
        ("features.engagement.visits.per.day=number", "features", "engagement", {"visits.per.day": "number"}),
    ],
)
def test_an_override_replaces_one_value(override, section, key, value):
    """--set replaces the value of one key and leaves the others as they are."""
    params = parse_params(SMALL, overrides=[override])
    assert getattr(getattr(params, section), key) == value
    assert params.target == parse_params(SMALL).target


def test_the_last_of_two_overrides_wins():
    """Overrides are applied from left to right."""
    assert parse_params(SMALL, overrides=["split.seed=1", "split.seed=2"]).split.seed == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  path: leads.csv", "  pth: leads.csv", "p.yaml:2: data.pth is not a key of leadml; the nearest is 'path'"),
        ("data:", "dta:", "p.yaml:1: dta is not a key of leadml; the nearest is 'data'"),
        ("top: 0.5", "tpo: 0.5", "p.yaml:13: stages.iql.tpo is not a key of leadml; the nearest is 'top'"),
        (
            "  path: leads.csv",
            "  encoding: utf-8",
            "p.yaml:1: flat leads need data.path and target; dated leads need sources and targets",
        ),
        (
            "age: number",
            "age: nubmer",
            "p.yaml:10: features.fit.age: input should be 'number', 'category' or 'boolean'",
        ),
        ("age: number", "share: nubmer", "p.yaml:10: features.fit.share: input should be 'number', 'category' or"),
        ("age: number", "value: nubmer", "p.yaml:10: features.fit.value: input should be 'number', 'category' or"),
        ("name: won", "name: Won!", "p.yaml:4: target.name: string should match pattern"),
        ("positive: [yes]", "positive: []", "p.yaml:6: target.positive: tuple should have at least 1 item"),
        ("positive: [yes]", "positive: yes", "p.yaml:6: target.positive: input should be a valid tuple, got 'yes'"),
        ("positive: [yes]", "positive: [1.10]", "target.positive.0: input should be a valid string, got 1.1"),
        (
            "positive: [yes]",
            "positive: [no]",
            "p.yaml:6: target: a label value must be in one of positive, negative and open, got 'no' twice",
        ),
        (
            "rule: share",
            "rule: shar",
            f"p.yaml:13: stages.iql: rule must be one of {', '.join(RULES)}, got 'shar'",
        ),
        ("top: 0.5", "top: 1.5", "p.yaml:13: stages.iql.top: input should be less than 1, got 1.5"),
        ("top: 0.5", "top: .nan", "p.yaml:13: stages.iql.top: input should be a valid number"),
        ("column: y", "column: age", "p.yaml:5: target.column is 'age', so 'age' must not be a feature too"),
        (
            "    age: number\n    country: category\n",
            "    {}\n",
            "a field must be in fit, engagement, features.read_out or activities.kinds, got none; add one",
        ),
        ("stages:", "  excluded: {age: no}\nstages:", "a field must be in one group, got 'age' in two"),
        ("stages:", "leaks:\nstages:", "p.yaml:12: leaks must hold keys, got None"),
        ("    country: category", "    age: number", "p.yaml:11: age is there twice, keep one"),
    ],
)
def test_a_wrong_choice_is_refused_with_its_line_and_key(old, new, message):
    """The message names file, line and key, says what must hold, and names the nearest key."""
    assert old in SMALL
    with pytest.raises(ParamsError, match=re.escape(message)):
        parse_params(SMALL.replace(old, new), name="p.yaml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("folds=3", "an override (--set) must be section.key=value, got 'folds=…'"),
        ("=null", "an override (--set) must be section.key=value, got '=…'"),
        ("split.folds", "an override (--set) must be section.key=value, got 'split.folds'"),
        ("split.=3", "an override (--set) must be section.key=value, got 'split.=…'"),
        ("data.path.x=1", "override data.path.x: path holds one value and no keys"),
        ("split.fold=3", "override split.fold: split.fold is not a key of leadml; the nearest is 'folds'"),
        ("split.folds=many", "override split.folds: split.folds: input should be a valid integer"),
        ("split.folds=1", "override split.folds: split.folds: input should be greater than or equal to 2, got 1"),
        ("split.seed=-1", "override split.seed: split.seed: input should be greater than or equal to 0, got -1"),
        ("split.test_share=1e-17", "override split.test_share: split.test_share: input should be greater than"),
        ("leaks.alone=1e999", "override leaks.alone: leaks.alone: input should be a finite number, got inf"),
        ("leaks.alone=nan", "override leaks.alone: leaks.alone: input should be a finite number, got 'nan'"),
        ("leaks.accept={age: short}", "override leaks.accept: leaks.accept.age: string should have at least 10"),
        ("target.positive=[yes", "override target.positive:1: is not YAML: expected ',' or ']'"),
        (
            "data.delimiter=::",
            "override data.delimiter: data.delimiter: must be one character and no quote or line end, got '::'",
        ),
        ("data.decimal='", "override data.decimal: data.decimal: input should be '.' or ','"),
        ("data.timezone=Mars/Phobos", "data.timezone: must be a time zone, got 'Mars/Phobos'"),
        ("data.timezone=localtime", "data.timezone: must be a time zone, got 'localtime'"),
        ("features.read_out.evidence=[y]", "target.column is 'y', so no feature must be derived from it"),
        ('features.read_out={country: " y "}', "target.column is 'y', so no feature must be derived from it"),
        ('features.engagement={" y ": number}', "target.column is 'y', so 'y' must not be a feature too"),
        ('features.engagement={" split_key": number}', "a feature must not be called 'split_key'"),
        (
            "stages.sql={rule: precision, atleast: 0.3}",
            "stages.sql.atleast is not a key of leadml; the nearest is 'at_",
        ),
        (
            "stages.sql={top: 0.3}",
            f"stages.sql: rule must be one of {', '.join(RULES)}, got None",
        ),
        (
            "stages.sql={rule: capacity, leads_per_week: 500, incoming_per_week: 200}",
            "leads_per_week must be below incoming_per_week, got 500 of 200; with so much capacity no cut is needed",
        ),
        (
            "stages.sql={rule: value, contact_cost: 10, won_value: 5}",
            "contact_cost must be below won_value, got 10 and 5",
        ),
        (
            "baselines.points=[{field: age, points: 1}]",
            "baselines.points.0: a rule must have either any_of, or at_least",
        ),
        ("baselines.points=[{feld: age, points: 1}]", "baselines.points.0.feld is not a key of leadml; the nearest is"),
        (
            "baselines.points=[{field: ag, points: 1, at_least: 2}]",
            "fields of features, got 'ag'; the nearest is 'age'",
        ),
        ("baselines.points=[{field: zzz, points: 1, at_least: 2}]", "must use fields of features, got 'zzz'"),
        ("score.a\x1b[31m=1", "score.a\\x1b[31m is not a key of leadml"),
    ],
)
def test_a_wrong_override_is_refused_by_its_own_name(override, message):
    """The message names --set and the key, not a line of the file."""
    with pytest.raises(ParamsError, match=re.escape(message)):
        parse_params(SMALL, overrides=[override])


def test_a_fault_of_another_key_is_not_reported_as_one_of_an_override():
    """A fault of the file has its own line, though the name of an override begins with the same letters."""
    text = SMALL.replace("    age: number\n", "    age_group: nubmer\n")
    with pytest.raises(ParamsError, match=r"^params.yaml:10: features.fit.age_group: "):
        parse_params(text, overrides=["features.fit.age=number"])


@pytest.mark.parametrize("name", ["lead_id", "created_at", "converted"])
def test_a_feature_cannot_take_the_name_of_a_role(name):
    """A feature with the name of a column of leadml would replace that column."""
    with pytest.raises(ParamsError, match=f"'{name}'"):
        parse_params(SMALL.replace("age: number", f"{name}: number"))


def test_every_fault_is_one_line_and_all_are_shown():
    """Three faults are three lines, each once."""
    with pytest.raises(ParamsError, match=r"target.name must be set, got nothing; add it") as caught:
        parse_params(SMALL.replace("  name: won\n", ""), overrides=["split.fold=3", "split.seed=-1"])
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("text", ["just words", "- a\n- b\n"])
def test_a_file_that_holds_no_sections_is_refused(text):
    """A list or a word is not a mapping of sections."""
    with pytest.raises(ParamsError, match=r"params.yaml:1: must hold sections, got (str|list)"):
        parse_params(text)


def test_a_file_that_does_not_exist_or_is_no_text_is_refused(tmp_path: Path):
    """The message says what to do, or which byte is wrong and where."""
    with pytest.raises(ParamsError, match=r"none.yaml: there is no such file; make one with leadml init"):
        load_params(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"data: caf\xe9")
    with pytest.raises(ParamsError, match=r"latin.yaml: must be UTF-8, got byte 0xe9 at 9"):
        load_params(tmp_path / "latin.yaml")
    (tmp_path / "good.yaml").write_text(SMALL, encoding="utf-8")
    assert load_params(tmp_path / "good.yaml") == parse_params(SMALL)


@pytest.mark.parametrize(
    ("written", "read"), [("[1]", "1"), ("[true]", "true"), ("['1.10']", "1.10"), ("[007]", "007")]
)
def test_a_label_value_is_text_as_it_is_written(written, read):
    """Whole numbers and booleans become the text that a file holds."""
    assert parse_params(SMALL, overrides=[f"target.positive={written}"]).target.positive == (read,)
