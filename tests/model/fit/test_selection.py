"""How the parts of a model are selected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from leadml.errors import ModelError
from leadml.leads.check.field import Field
from leadml.model.fit.selection import FitData, directions_of, mean_log_loss, recency_weight, select_parts
from leadml.model.parts.calibration import log_losses
from leadml.model.parts.encode import Encoder
from leadml.params import ModelParams

FIELDS = tuple(Field(name, "number", "fit") for name in ("old", "new", "noise"))
PARAMS = ModelParams(
    max_rounds=60, patience=20, learning_rate=0.1, boosters=1, leaf_penalties=(5.0,), threads=1, linear_strengths=(0.1,)
)


def _leads(margin_of, *, size=3000, seed=0, dated=False):
    """Return leads with three numbers, whose log-odds are a function of the numbers and the time."""
    random = np.random.default_rng(seed)
    fields, time = random.normal(size=(size, 3)), np.arange(size)
    label = (random.random(size) < expit(margin_of(fields, time / size))).astype(np.int8)
    block = time * 6 // size
    if dated:
        folds = [(np.flatnonzero(block < number), np.flatnonzero(block == number)) for number in range(1, 6)]
    else:
        folds = [(np.flatnonzero(time % 5 != number), np.flatnonzero(time % 5 == number)) for number in range(5)]
    return FitData(
        Encoder(FIELDS, ((),) * 3),
        fields,
        label,
        time if dated else None,
        (0, 0, 0),
        folds,
        np.tile(time % 2 == 0, (5, 1)),
    )


def _weights(selection):
    trees = {str(result.settings): weight for result, weight in selection.tree_parts}
    return {"linear": selection.linear_parts[0][1]} | trees


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60), st.floats(0.05, 1))
def test_a_row_weighs_half_of_one_that_is_a_half_life_newer(clock, half_life):
    """The ratio of two weights is a power of one half: the share of rows between them, in half-lives."""
    clock = np.array(clock)
    weight = recency_weight(clock, half_life)
    share = np.array([(clock <= instant).mean() for instant in clock])
    expected = 0.5 ** ((share.max() - share) / half_life)
    assert weight.mean() == pytest.approx(1.0)
    assert weight / weight.max() == pytest.approx(expected)


def test_trees_on_nothing_weigh_little_where_all_effects_are_linear():
    """With few leads and linear effects the linear part has most of the weight."""
    selection = select_parts(_leads(lambda x, _: 1.5 * x[:, 0] - x[:, 1], size=1200), PARAMS, lambda _: None)
    assert _weights(selection)["8 leaves, penalty 5"] <= 0.2
    assert selection.loss <= min(result.loss for result in selection.tree_candidates) + 1e-9


def test_trees_have_the_weight_where_fields_interact():
    """Where only the product of two numbers has an effect, the linear part has no weight of its own."""
    selection = select_parts(_leads(lambda x, _: 2 * x[:, 0] * x[:, 1]), PARAMS, lambda _: None)
    assert _weights(selection)["linear"] <= 0.1
    label = _leads(lambda x, _: 2 * x[:, 0] * x[:, 1]).label
    assert selection.loss < mean_log_loss(selection.linear_parts[0][0].margin, label) - 0.1


@pytest.mark.slow
@pytest.mark.parametrize("dated", [True, False])
def test_a_half_life_is_chosen_where_the_newest_leads_matter(dated):
    """Where the effect of a field changes its sign with time, a half-life is chosen; without dates none is tried."""
    leads = _leads(lambda x, time: 2 * np.where(time[:, None] < 0.5, x, -x)[:, 0], dated=dated)
    selection = select_parts(leads, PARAMS, lambda _: None)
    assert (selection.linear_parts[0][0].half_life > 0) == dated


@pytest.mark.slow
def test_no_half_life_is_chosen_where_nothing_changes():
    """Old leads are worth as much as new ones, so all have equal weights."""
    leads = _leads(lambda x, _: x[:, 0] / 2, dated=True)
    assert select_parts(leads, PARAMS, lambda _: None).linear_parts[1][0].half_life == 0


@pytest.mark.slow
def test_the_budget_ends_the_search_and_progress_names_each_candidate():
    """With hardly any budget only the simplest trees are tried; else all are, from the simplest on."""
    leads, steps = _leads(lambda x, _: x[:, 0]), []
    little = PARAMS.model_copy(update={"budget": 1e-9, "leaves": (4, 2)})
    first = select_parts(leads, little, steps.append).tree_candidates
    assert [str(result.settings) for result in first] == ["2 leaves, penalty 5"]
    assert steps == ["choosing the linear part", "choosing trees: 2 leaves, penalty 5"]
    enough = PARAMS.model_copy(update={"leaves": (4, 2), "leaf_penalties": (5.0, 50.0), "bases": ("linear",)})
    expected = [f"{leaves} leaves, penalty {penalty}, on the linear part" for leaves in (2, 4) for penalty in (50, 5)]
    every = select_parts(leads, enough, lambda _: None).tree_candidates
    assert [str(result.settings) for result in every] == expected


@pytest.mark.slow
def test_the_simplest_trees_within_one_standard_error_of_the_best_are_chosen():
    """Where fields interact, trees with more leaves are clearly better; where they do not, the fewest are chosen."""
    both = PARAMS.model_copy(update={"leaves": (2, 8), "bases": ("none",)})
    for interact, leaves in ((True, 8), (False, 2)):
        leads = _leads(lambda x, _, interact=interact: 2 * x[:, 0] * np.sign(x[:, 1]) if interact else x[:, 0])
        selection = select_parts(leads, both, lambda _: None)
        [(result, _)] = selection.tree_parts
        assert result.settings.leaves == leaves
        best = min(selection.tree_candidates, key=lambda candidate: candidate.loss)
        gaps = log_losses(result.margin, leads.label) - log_losses(best.margin, leads.label)
        assert gaps.mean() <= gaps.std() / np.sqrt(len(gaps))


def test_the_refit_factor_is_the_ratio_of_all_rows_to_those_of_a_fold():
    """Five folds are fitted on four fifths of the rows, folds in time on half of them on average."""
    leads = _leads(lambda x, _: x[:, 0])
    assert leads.refit_factor == pytest.approx(1.25)
    assert _leads(lambda x, _: x[:, 0], dated=True).refit_factor == pytest.approx(2.0)
    assert replace(leads, folds=[(np.arange(2000), np.arange(2000, 3000))]).refit_factor == 1.5


def test_directions_are_in_the_order_of_the_fields():
    """Rising is 1, falling is -1, no direction is 0."""
    assert directions_of(FIELDS, {"new": "falls", "old": "rises"}) == (1, -1, 0)


@pytest.mark.parametrize(
    ("name", "message"),
    [("job", "got 'job', which is a category$"), ("nwe", "got 'nwe', which is no field; the nearest is 'new'$")],
)
def test_a_direction_of_a_category_or_an_unknown_field_is_refused(name, message):
    """A category has no order, and a name that is no field is a typing error."""
    with pytest.raises(ModelError, match=f"^model.directions must name numbers and booleans, {message}"):
        directions_of((*FIELDS, Field("job", "category", "fit")), {name: "rises"})


@pytest.mark.slow
def test_the_intercept_is_shifted_until_probabilities_add_up_to_the_conversions_unless_leads_have_dates():
    """Without dates the out-of-fold probabilities add up to the conversions; with dates nothing is shifted."""
    for dated in (False, True):
        leads = _leads(lambda x, _: 2 * x[:, 0] * x[:, 1] - 3, dated=dated)
        selection = select_parts(leads, PARAMS, lambda _: None)
        rows = leads.evaluation_rows
        probability = expit(selection.margin[rows])
        assert (selection.intercept_shift == 0) == dated
        if not dated:
            assert probability.sum() == pytest.approx(leads.label[rows].sum(), abs=1e-6)
            assert selection.intercept_shift > 0
