"""What the parts of a model are chosen by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from leadml.errors import ModelError
from leadml.leads.check.field import Field
from leadml.model.fit.selection import FitData, directions_of, log_loss, recency, select_parts
from leadml.model.parts.calibration import losses
from leadml.model.parts.encode import Encoder
from leadml.params import ModelParams

FIELDS = tuple(Field(name, "number", "fit") for name in ("old", "new", "noise"))
CHOICES = ModelParams(
    max_rounds=60, patience=20, learning_rate=0.1, boosters=1, leaf_penalties=(5.0,), threads=1, linear_strengths=(0.1,)
)


def _leads(margin_of, *, size=3000, seed=0, dated=False):
    """Return leads of three numbers whose chance follows a function of the numbers and the time."""
    random = np.random.default_rng(seed)
    fields, time = random.normal(size=(size, 3)), np.arange(size)
    label = (random.random(size) < expit(margin_of(fields, time / size))).astype(np.int8)
    part = time * 6 // size
    if dated:
        folds = [(np.flatnonzero(part < at), np.flatnonzero(part == at)) for at in range(1, 6)]
    else:
        folds = [(np.flatnonzero(time % 5 != at), np.flatnonzero(time % 5 == at)) for at in range(5)]
    return FitData(
        Encoder(FIELDS, ((),) * 3),
        fields,
        label,
        time if dated else None,
        (0, 0, 0),
        folds,
        np.tile(time % 2 == 0, (5, 1)),
    )


def _weights(choice):
    return {"line": choice.lines[0][1]} | {str(growth.kind): weight for growth, weight in choice.growths}


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60), st.floats(0.05, 1))
def test_a_lead_counts_half_of_one_that_is_a_half_life_newer(clock, half_life):
    """The ratio of two weights is a power of one half: the share of leads between them, in half-lives."""
    clock = np.array(clock)
    weight = recency(clock, half_life)
    share = np.array([(clock <= instant).mean() for instant in clock])
    expected = 0.5 ** ((share.max() - share) / half_life)
    assert weight.mean() == pytest.approx(1.0)
    assert weight / weight.max() == pytest.approx(expected)


def test_a_line_is_taken_where_lines_are_the_truth():
    """With few leads and straight effects trees that stand alone weigh little."""
    choice = select_parts(_leads(lambda x, _: 1.5 * x[:, 0] - x[:, 1], size=1200), CHOICES, lambda _: None)
    assert _weights(choice)["8 leaves, penalty 5"] <= 0.2
    assert choice.loss <= min(growth.loss for growth in choice.tried) + 1e-9


def test_trees_are_taken_where_fields_interact():
    """Where only the product of two numbers counts, the linear part has no weight of its own."""
    choice = select_parts(_leads(lambda x, _: 2 * x[:, 0] * x[:, 1]), CHOICES, lambda _: None)
    assert _weights(choice)["line"] <= 0.1
    assert choice.loss < log_loss(choice.lines[0][0].margin, _leads(lambda x, _: 2 * x[:, 0] * x[:, 1]).label) - 0.1


@pytest.mark.parametrize("dated", [True, False])
def test_a_half_life_is_chosen_where_the_newest_leads_matter(dated):
    """Where a field's effect turns with time, a short half-life wins; without dates none is tried."""
    leads = _leads(lambda x, at: 2 * np.where(at[:, None] < 0.5, x, -x)[:, 0], dated=dated)
    choice = select_parts(leads, CHOICES, lambda _: None)
    assert (choice.lines[0][0].half_life > 0) == dated


def test_no_half_life_is_chosen_where_nothing_changes():
    """Old leads are worth as much as new ones, so all are used."""
    leads = _leads(lambda x, _: x[:, 0] / 2, dated=True)
    assert select_parts(leads, CHOICES, lambda _: None).lines[1][0].half_life == 0


def test_the_budget_ends_the_search_and_what_was_tried_is_told():
    """With hardly any budget only the first kind of trees is tried; progress names each."""
    leads, heard = _leads(lambda x, _: x[:, 0]), []
    few = CHOICES.model_copy(update={"budget": 1e-9, "leaves": (4, 2)})
    assert [str(growth.kind) for growth in select_parts(leads, few, heard.append).tried] == ["2 leaves, penalty 5"]
    assert heard == ["choosing the linear part", "choosing trees: 2 leaves, penalty 5"]
    all_kinds = CHOICES.model_copy(update={"leaves": (4, 2), "leaf_penalties": (5.0, 50.0), "bases": ("linear",)})
    kinds = [f"{leaves} leaves, penalty {penalty}, on the linear part" for leaves in (2, 4) for penalty in (50, 5)]
    assert [str(growth.kind) for growth in select_parts(leads, all_kinds, lambda _: None).tried] == kinds


def test_the_plainest_trees_are_taken_that_lose_no_more_than_the_best_by_a_standard_error():
    """Where fields combine, more leaves are surely better and taken; where they do not, the fewest are."""
    both = CHOICES.model_copy(update={"leaves": (2, 8), "bases": ("none",)})
    for combine, leaves in ((True, 8), (False, 2)):
        leads = _leads(lambda x, _, combine=combine: 2 * x[:, 0] * np.sign(x[:, 1]) if combine else x[:, 0])
        choice = select_parts(leads, both, lambda _: None)
        [(growth, _)] = choice.growths
        assert growth.kind.leaves == leaves
        best = min(choice.tried, key=lambda one: one.loss)
        gaps = losses(growth.margin, leads.label) - losses(best.margin, leads.label)
        assert gaps.mean() <= gaps.std() / np.sqrt(len(gaps))


def test_rounds_grow_with_the_leads():
    """Folds see four fifths of the leads, so all leads bear a quarter more rounds; folds in time see half."""
    leads = _leads(lambda x, _: x[:, 0])
    assert leads.growth == pytest.approx(1.25)
    assert _leads(lambda x, _: x[:, 0], dated=True).growth == pytest.approx(2.0)
    assert replace(leads, folds=[(np.arange(2000), np.arange(2000, 3000))]).growth == 1.5


def test_directions_are_told_by_field():
    """Rising is 1, falling -1, anything else 0."""
    assert directions_of(FIELDS, {"new": "falls", "old": "rises"}) == (1, -1, 0)


@pytest.mark.parametrize(
    ("name", "message"),
    [("job", "got 'job', which is a category$"), ("nwe", "got 'nwe', which is no field; the nearest is 'new'$")],
)
def test_a_direction_of_no_number_is_refused(name, message):
    """A category has no order, and a name that is no field is a slip."""
    with pytest.raises(ModelError, match=f"^model.directions must name numbers and booleans, {message}"):
        directions_of((*FIELDS, Field("job", "category", "fit")), {name: "rises"})


def test_log_odds_are_lifted_until_probabilities_add_up_but_not_by_time():
    """Leads kept from the parts convert as often as is said; with dates nothing is added to what the parts say."""
    for dated in (False, True):
        leads = _leads(lambda x, _: 2 * x[:, 0] * x[:, 1] - 3, dated=dated)
        choice = select_parts(leads, CHOICES, lambda _: None)
        rows = leads.judged
        said = expit(choice.margin[rows])
        assert (choice.lift == 0) == dated
        if not dated:
            assert said.sum() == pytest.approx(leads.label[rows].sum(), abs=1e-6)
            assert choice.lift > 0
