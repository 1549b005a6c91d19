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
from leadml.model.fit.selection import FitData, directions_of, recency_weight, select_parts
from leadml.model.parts.calibration import log_losses
from leadml.model.parts.encode import Encoder
from leadml.params import ModelParams

FIELDS = tuple(Field(name, "number", "fit") for name in ("old", "new", "noise"))
PARAMS = ModelParams(max_rounds=60, leaves=(8,), leaf_penalties=(5.0,), threads=1, linear_strengths=(0.1,))


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
    )


def _select(leads, params=PARAMS):
    return select_parts(leads, params, lambda _: None)


def _linear_weight(selection):
    return sum(weight for _, weight in selection.linear)


def _recent_weight(selection):
    """Return the weight of all parts in which older rows weigh less."""
    linear = sum(weight for settings, weight in selection.linear if settings.half_life)
    return linear + sum(sum(weights.values()) for settings, weights in selection.trees if settings.half_life)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60), st.floats(0.05, 1))
def test_a_row_weighs_half_of_one_that_is_a_half_life_newer(clock, half_life):
    """The ratio of two weights is a power of one half: the share of rows between them, in half-lives."""
    clock = np.array(clock)
    weight = recency_weight(clock, half_life)
    share = np.array([(clock <= instant).mean() for instant in clock])
    expected = 0.5 ** ((share.max() - share) / half_life)
    assert weight.mean() == pytest.approx(1.0)
    assert weight / weight.max() == pytest.approx(expected)


def test_weights_add_up_to_1_and_the_loss_is_that_of_the_weighted_log_odds():
    """Each candidate has a loss by its name, and the whole has less than the mean of these by their weights."""
    leads = _leads(lambda x, _: x[:, 0] + x[:, 1] * x[:, 2], size=1500)
    selection = _select(leads)
    weights = {str(settings): weight for settings, weight in selection.linear}
    weights |= {str(settings): sum(by_rounds.values()) for settings, by_rounds in selection.trees}

    assert sum(weights.values()) == pytest.approx(1.0)
    assert min(weights.values()) >= 0.0
    assert weights.keys() == selection.losses.keys()
    assert {
        "linear, strength 0.1, reach 3",
        "linear, strength 0.1, reach 8",
        "8 leaves, penalty 5",
    } <= weights.keys()
    assert log_losses(selection.margin, leads.label).mean() == pytest.approx(selection.loss)
    assert selection.loss < sum(weights[name] * selection.losses[name] for name in weights)


def test_trees_weigh_little_where_all_effects_are_linear():
    """With few leads and linear effects the linear part has most of the weight."""
    selection = _select(_leads(lambda x, _: 1.5 * x[:, 0] - x[:, 1], size=1200))
    assert _linear_weight(selection) >= 0.8


def test_trees_have_the_weight_where_fields_interact():
    """Where only the product of two numbers has an effect, the linear part has no weight."""
    selection = _select(_leads(lambda x, _: 2 * x[:, 0] * x[:, 1]))
    assert _linear_weight(selection) == 0
    assert selection.loss < min(loss for name, loss in selection.losses.items() if "linear" in name) - 0.1


@pytest.mark.slow
@pytest.mark.parametrize("dated", [True, False])
def test_half_lives_gain_weight_where_the_newest_leads_matter(dated):
    """Where effects change all the time, parts with a half-life gain weight; without dates none is tried."""
    leads = _leads(
        lambda x, time: 3 * x[:, 0] * np.cos(4 * time) + 3 * x[:, 1] * np.sin(4 * time), dated=dated, size=6000
    )
    weight = _recent_weight(_select(leads))
    assert weight > 0.7 if dated else weight == 0  # two thirds where nothing is known


@pytest.mark.slow
def test_the_shortest_half_life_has_little_weight_where_nothing_changes():
    """Old leads are worth as much as new ones, so that parts of few leads are surely behind."""
    selection = _select(_leads(lambda x, _: x[:, 0] - x[:, 1], dated=True, size=6000))
    shortest = sum(weight for settings, weight in selection.linear if settings.half_life == 0.0625)
    assert shortest < 0.5 * sum(weight for settings, weight in selection.linear if settings.half_life == 0)


def test_progress_names_each_candidate():
    """Trees are tried from the fewest leaves on, each number once; with dates with each half-life."""
    leads, steps = _leads(lambda x, _: x[:, 0], size=400, dated=True), []
    params = PARAMS.model_copy(update={"leaves": (4, 2, 4), "half_lives": (0.0, 0.5), "max_rounds": 10})
    select_parts(leads, params, steps.append)
    names = [f"{count} leaves, penalty 5{half_life}" for count in (2, 4) for half_life in ("", ", half-life 0.5")]
    assert steps == ["cross-validating the linear part", *[f"cross-validating trees: {name}" for name in names]]


@pytest.mark.slow
def test_a_candidate_that_is_given_twice_changes_no_sum():
    """A family of candidates shares its prior, so that more of one kind are not more weight for that kind."""
    leads = _leads(lambda x, _: x[:, 0] / 2 + x[:, 1] * x[:, 2] / 3, size=1000)
    once = _select(leads)
    twice = _select(leads, PARAMS.model_copy(update={"linear_strengths": (0.1, 0.1)}))
    assert _linear_weight(twice) == pytest.approx(_linear_weight(once), abs=0.01)


@pytest.mark.slow
def test_very_many_candidates_still_have_weights():
    """Where each has less than the least weight, none is left out for that."""
    leads = replace(_leads(lambda x, _: 0.0 * x[:, 0], size=60, dated=True), folds=[(np.arange(40), np.arange(40, 60))])
    half_lives = tuple(np.linspace(0.5, 1.0, 300).tolist())
    selection = _select(leads, PARAMS.model_copy(update={"half_lives": half_lives, "max_rounds": 10}))
    assert _linear_weight(selection) + sum(sum(by.values()) for _, by in selection.trees) == pytest.approx(1.0)


@pytest.mark.slow
def test_rows_of_one_group_add_no_certainty():
    """With ten rows of each group the weights are more even than with as many rows that are independent."""
    random = np.random.default_rng(0)
    leads = _leads(lambda x, _: x[:, 0] - x[:, 1], size=600)
    repeat = np.repeat(np.arange(600), 10)
    more = replace(leads, fields=leads.fields[repeat] + random.normal(0, 0.01, (6000, 3)), label=leads.label[repeat])
    groups = repeat % 5
    more = replace(
        more, folds=[(np.flatnonzero(groups != number), np.flatnonzero(groups == number)) for number in range(5)]
    )
    clustered, independent = _select(replace(more, cluster=repeat)), _select(more)
    assert _linear_weight(independent) > _linear_weight(clustered) + 0.01


def test_rounds_grow_with_the_rows_but_not_with_further_rows_of_the_same_leads():
    """Five folds are fitted on four fifths of the rows, folds in time on half of them."""
    leads = _leads(lambda x, _: x[:, 0])
    assert leads.refit_factor == pytest.approx(1.25)
    assert _leads(lambda x, _: x[:, 0], dated=True).refit_factor == pytest.approx(2.0)
    few = replace(leads, folds=[(np.arange(20), np.arange(20, 3000))])
    assert few.refit_factor == 150.0
    assert replace(few, cluster=np.arange(3000) // 3).refit_factor == 1.0


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
        selection = _select(leads)
        rows = leads.evaluation_rows
        probability = expit(selection.margin[rows])
        assert (selection.intercept_shift == 0) == dated
        if not dated:
            assert probability.sum() == pytest.approx(leads.label[rows].sum(), abs=1e-6)
            assert selection.intercept_shift > 0


def test_the_parts_differ_only_where_they_say_different_things():
    """Where fields are constant all parts give the rate of a fold; where fields interact they do not."""
    leads = _leads(lambda x, _: 2 * x[:, 0] * x[:, 1], size=1000)
    constant = replace(leads, fields=np.full((1000, 3), 4.0))
    assert _select(constant).between == pytest.approx(0.0, abs=1e-6)
    assert _select(leads).between > 0.001
