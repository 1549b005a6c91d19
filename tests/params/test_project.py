"""All choices of a project: which contradict each other, and what follows from them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.dated import crm, small

from leadml.params.project import Params

RULE = {"rule": "share", "top": 0.5}
FLAT: dict[str, Any] = {
    "data": {"path": "leads.csv"},
    "target": {"name": "won", "column": "y", "positive": ["yes"], "negative": ["no"]},
    "features": {"fit": {"age": "number"}},
    "stages": dict.fromkeys(("iql", "mql", "sql"), RULE),
}


def _flat(**changed: Any) -> Params:
    return Params.model_validate({**FLAT, **changed})


def _dated(**changed: Any) -> Params:
    return Params.model_validate(small(**changed))


@pytest.mark.parametrize("choices", [FLAT, small(), crm()])
def test_choices_are_read_as_they_are_written(choices: dict[str, Any]) -> None:
    """Written again under the names of params.yaml they are the same choices."""
    params = Params.model_validate(choices)
    written = params.as_written()

    assert Params.model_validate(written) == params
    assert written["leaks"]["twins"] == params.leaks.overlap
    assert written["features"]["read_out"] == params.features.derived.model_dump(mode="json")
    assert set(choices) <= set(written)


def test_choices_cannot_be_changed_once_read() -> None:
    """Neither a section nor a key of it."""
    params = _flat()
    for section, key in ((params, "data"), (params.split, "seed")):
        with pytest.raises(ValidationError, match="Instance is frozen"):
            setattr(section, key, None)


@pytest.mark.parametrize("missing", ["path", "target"])
def test_flat_leads_need_a_file_and_a_target(missing: str) -> None:
    """Parts of neither kind are not enough."""
    choices = {name: part for name, part in FLAT.items() if name != missing}
    message = "flat leads need data.path and target; dated leads need sources and targets"
    with pytest.raises(ValidationError, match=message):
        Params.model_validate({**choices, "data": {} if missing == "path" else FLAT["data"]})
    with pytest.raises(ValidationError, match=message):
        _dated(targets={})


@pytest.mark.parametrize("part", ["data", "target"])
def test_leads_are_flat_or_dated(part: str) -> None:
    """A part of the other kind would have no use."""
    message = r"leads must be flat \(data.path and target\) or dated \(sources and targets\), got parts of both"
    with pytest.raises(ValidationError, match=message):
        _dated(**{part: FLAT[part]})


def test_activities_are_counted_only_where_there_is_a_table_of_them() -> None:
    """Flat leads have none."""
    features = {"activities": {"kinds": {"visit": "visits"}}}
    with pytest.raises(
        ValidationError, match=r"features\.activities\.kinds must have sources\.activities to count, go"
    ):
        _flat(features=features)
    choices = small()
    del choices["sources"]["activities"]
    with pytest.raises(
        ValidationError, match=r"features\.activities\.kinds must have sources\.activities to count, go"
    ):
        Params.model_validate(choices)


def test_the_only_target_drives_all_stages_and_several_say_which() -> None:
    """If one of several targets has drives, the others drive no stage."""
    assert _flat().target_names == _dated().target_names == ("won",)
    assert _flat().drives("won") == _dated().drives("won") == ("iql", "mql", "sql")
    two = Params.model_validate(crm())
    assert (two.target_names, two.drives("mql"), two.drives("sql")) == (("mql", "sql"), ("iql", "mql", "sql"), ())


def test_several_targets_of_which_none_drives_the_stages_are_refused() -> None:
    """The section stages would have no use; [] says that this is wanted."""
    choices = crm()
    del choices["targets"]["mql"]["drives"]
    with pytest.raises(ValidationError, match=r"one of several targets must drive the stages; write drives: \[iql"):
        Params.model_validate(choices)
    choices["targets"]["sql"]["drives"] = []
    assert Params.model_validate(choices).drives("mql") == ()


def test_a_stage_is_driven_by_one_target() -> None:
    """Two targets must not solve the same cut."""
    choices = crm()
    choices["targets"] = {name: {**some, "drives": ["mql"]} for name, some in choices["targets"].items()}
    message = r"targets\.mql\.drives must hold no stage that another target drives, got mql in both"
    with pytest.raises(ValidationError, match=message):
        Params.model_validate(choices)


def test_an_outcome_of_the_projects_own_may_be_a_target() -> None:
    """Words of sources.outcomes.names may name an outcome that leadml does not have."""
    choices = small(targets={"again": {"outcome": "repeat purchase", "horizon": 90, "again": True}})
    with pytest.raises(ValidationError, match=r"churned or a word of sources\.outcomes\.names, got 'repeat purchase'"):
        Params.model_validate(choices)
    choices["sources"]["outcomes"]["names"] = {2: "repeat purchase", True: "customer"}

    assert Params.model_validate(choices).sources.outcomes.names == {"2": "repeat purchase", "true": "customer"}


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"outcome": "custmer"}, r"targets\.won\.outcome must be mql, .*, got 'custmer'; the nearest is 'customer'"),
        ({"outcome": "churned"}, r"targets\.won: churned is reached by customers; set population: customers"),
        (
            {"outcome": "sql", "population": "customers"},
            r"targets\.won: customers have reached sql already; set popula",
        ),
    ],
)
def test_a_population_must_be_able_to_reach_the_outcome(target: dict[str, Any], message: str) -> None:
    """Customers may churn, become evangelists, or reach an earlier outcome again."""
    for good in ({"outcome": "churned"}, {"outcome": "evangelist"}, {"outcome": "customer", "again": True}):
        assert _dated(targets={"won": {**good, "horizon": 30, "population": "customers"}}).target_names == ("won",)
    with pytest.raises(ValidationError, match=message):
        _dated(targets={"won": {**target, "horizon": 30}})


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": {"path": "x", "lead_id": "age"}}, r"data\.lead_id is 'age', so 'age' must not be a feature too"),
        ({"data": {"path": "x", "created_at": " age "}}, r"data\.created_at is ' age ', so ' age ' must not be a fea"),
        ({"target": {**FLAT["target"], "column": "age"}}, r"target\.column is 'age', so 'age' must not be a feature"),
        (
            {"features": {"fit": {"a": "number"}, "read_out": {"title": " y"}}},
            "is 'y', so no feature must be derived fro",
        ),
        ({"data": {"path": "x", "lead_id": "y"}}, r"target\.column must be a column of its own, got 'y'"),
        ({"data": {"path": "x", "created_at": "y"}}, r"target\.column must be a column of its own, got 'y'"),
        (
            {"baselines": {"points": [{"field": "ag", "points": 1, "at_least": 2}]}},
            r"baselines\.points must use fields of features, got 'ag'; the nearest is 'age'",
        ),
    ],
)
def test_a_column_of_flat_leads_has_one_role(changed: dict[str, Any], message: str) -> None:
    """Names are compared without space around them."""
    with pytest.raises(ValidationError, match=message):
        _flat(**changed)


@pytest.mark.parametrize("column", ["created_at", "occurred_at"])
def test_the_order_of_dates_is_declared_of_columns_of_times(column: str) -> None:
    """A name that is no such column is a mistake, for which the nearest one is named."""
    assert _dated(data={"date_format": {column: "day_first"}}).data.date_format == {column: "day_first"}
    message = rf"data\.date_format must name columns of times, got '{column}s'; the nearest is '{column}'"
    with pytest.raises(ValidationError, match=message):
        _dated(data={"date_format": {f"{column}s": "day_first"}})
    with pytest.raises(ValidationError, match=r"data\.date_format must name columns of times, got 'lead_id'"):
        _flat(data={"path": "x", "date_format": {"lead_id": "day_first"}})


@pytest.mark.parametrize("role", ["lead_id", "created_at", "recorded_at", "valid_from", "account"])
def test_a_column_of_dated_leads_has_one_role(role: str) -> None:
    """The message names the key of the role."""
    choices = small()
    choices["sources"]["leads"][role] = "size"
    with pytest.raises(
        ValidationError, match=rf"sources\.leads\.{role} is 'size', so 'size' must not be a feature too"
    ):
        Params.model_validate(choices)


@pytest.mark.parametrize("name", ["lead", "recorded_at", "valid_from", "as_of", "mature_at", "split_key", "converted"])
def test_names_that_leadml_uses_itself_are_refused(name: str) -> None:
    """A feature of such a name would replace a column of leadml."""
    for written in (name, f" {name} "):
        for group in ("fit", "engagement"):
            with pytest.raises(
                ValidationError, match=f"a feature must not be called '{name}', which leadml uses itsel"
            ):
                _flat(features={group: {written: "number"}})


def test_a_kind_of_activity_must_not_be_called_starting_point() -> None:
    """Reasons call the start of every score so."""
    message = "a feature must not be called 'starting point', which leadml uses itself; rename it"
    with pytest.raises(ValidationError, match=message):
        _dated(features={"activities": {"kinds": {"starting point": "starts"}}})
