"""A proposed params.yaml of dated leads is read back as it was meant."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from leadml.jobs.params_tables_text import TableChoices, TableColumns
from leadml.leads.judge.column_roles import Proposal
from leadml.leads.read.files import Dialect
from leadml.params import normal_name, parse_params

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8).map(
    lambda text: f"x{text}"
)
NAMES = st.lists(TEXT.map(normal_name), min_size=5, max_size=5, unique_by=str.casefold)


@given(NAMES, st.lists(TEXT, min_size=2, max_size=2, unique=True))
def test_any_name_and_word_is_read_back(names: list[str], words: list[str]) -> None:
    """Columns, words of outcomes and kinds of activities may have any characters."""
    lead_id, created, field, kind, when = names
    leads = TableColumns("leads.csv", {"lead_id": (lead_id, "a"), "created_at": (created, "b")})
    events = {"lead_id": (lead_id, "a"), "occurred_at": (when, "b")}
    choices = TableChoices(
        Dialect(";", "utf-8", ",", (words[0],)), leads, TableColumns("a.csv", {**events, "kind": (kind, "c")}),
        TableColumns("o.csv", {**events, "outcome": (kind, "c")}), {words[0]: "customer"}, "sale", "customer", 30, 45,
        (Proposal(field, "fit", "category", "d"),), words, {when: "day_first"},
    )  # fmt: skip
    params = parse_params(choices.text())
    sources = params.sources
    assert (sources.leads.lead_id, sources.leads.created_at) == (lead_id, created)
    assert (sources.activities.kind, sources.outcomes.outcome) == (kind, kind)
    assert sources.outcomes.names == {words[0]: "customer"}
    assert params.features.fit == {field: "category"}
    assert list(params.features.activities.kinds) == words
    assert (params.targets["sale"].outcome, params.targets["sale"].horizon) == ("customer", 30)
    assert (params.data.delimiter, params.data.decimal, params.data.missing) == (";", ",", (words[0],))
    assert params.snapshots.oldest == 45
    assert params.data.date_format == {when: "day_first"}
