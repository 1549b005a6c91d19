from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from leadml.errors import ModelError, ParamsError
from leadml.model.metrics import rate_bound
from leadml.params import CapacityRule, FixedRule, PrecisionRule, RecallRule, ShareRule, ValueRule
from leadml.stages.candidates import candidate_table
from leadml.stages.cuts import Cut, quantile_over_all, rule_text, solve_cuts

LOW, LOWER = FixedRule(rule="fixed", probability=2e-6), FixedRule(rule="fixed", probability=1e-6)
SHARES = st.floats(0.02, 0.98)


def _leads(seed, size=1500, digits=6):
    random = np.random.default_rng(seed)
    probability = np.round(expit(random.normal(-1, 1.3, size)), digits).clip(0.001, 0.999)
    return probability, (random.random(size) < probability).astype(np.int8)


def _sql(rule, probability, label):
    return solve_cuts(probability, label, {"iql": LOWER, "mql": LOW, "sql": rule}).cuts[2].probability


def _wilson(won, count, confidence):
    z, rate = norm.ppf(confidence), won / count
    root = np.sqrt(rate * (1 - rate) / count + z**2 / 4 / count**2)
    return np.maximum(0.0, (rate + z**2 / 2 / count - z * root) / (1 + z**2 / count))


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 99), SHARES, st.sampled_from(["share", "capacity"]))
def test_no_more_leads_than_wanted_and_hardly_fewer(seed, wanted, kind):
    """A share or a capacity is kept, and the next lower candidate would break it."""
    probability, label = _leads(seed)
    capacity = CapacityRule(rule="capacity", leads_per_week=200 * wanted, incoming_per_week=200)
    cut = _sql(ShareRule(rule="share", top=wanted) if kind == "share" else capacity, probability, label)
    table = candidate_table(probability, label)
    assert (probability >= cut).mean() <= wanted + 1e-12
    lower = table.loc[table["cut"] < cut, "share"]
    assert lower.empty or lower.min() > wanted - 1e-12


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 99), st.floats(0.1, 0.6), st.floats(0.5, 0.99))
def test_precision_holds_with_its_confidence_and_no_lower_cut_holds_it(seed, wanted, confidence):
    """Wilson's bound for the best of all cuts is reached by twenty leads or more at the cut and by none below."""
    probability, label = _leads(seed)
    rule = PrecisionRule(rule="precision", at_least=wanted, confidence=confidence)
    try:
        cut = _sql(rule, probability, label)
    except ModelError:
        cut = np.inf
    table = candidate_table(probability, label)
    z = quantile_over_all(confidence, fewest=20, most=len(label))
    bound = rate_bound(table["conversions"].to_numpy(float), table["leads"].to_numpy(float), z=z)
    good = table["cut"][(table["leads"] >= 20) & (bound >= wanted)]
    assert cut == good.min() or (cut == np.inf and good.empty)


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 99), st.floats(0.05, 0.9), st.floats(0.5, 0.99))
def test_recall_holds_with_its_confidence_and_no_higher_cut_holds_it(seed, wanted, confidence):
    """Wilson's bound of the converters reached, by hand."""
    probability, label = _leads(seed)
    cut = _sql(RecallRule(rule="recall", at_least=wanted, confidence=confidence), probability, label)
    table = candidate_table(probability, label)
    assert cut == table["cut"][_wilson(table["conversions"], label.sum(), confidence) >= wanted].max()


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 99), st.floats(0.02, 0.5))
def test_value_cuts_at_cost_over_value_and_earns(seed, ratio):
    """From the cut on a contact pays on average, and in total on these leads."""
    probability, label = _leads(seed)
    cut = _sql(ValueRule(rule="value", contact_cost=100 * ratio, won_value=100), probability, label)
    assert cut == pytest.approx(ratio)
    inside = probability >= cut
    assert 100 * label[inside].sum() > 100 * ratio * inside.sum()


@pytest.mark.parametrize(
    ("weaker", "stronger"),
    [
        (ShareRule(rule="share", top=0.5), ShareRule(rule="share", top=0.1)),
        (
            PrecisionRule(rule="precision", at_least=0.3, confidence=0.9),
            PrecisionRule(rule="precision", at_least=0.5, confidence=0.9),
        ),
        (RecallRule(rule="recall", at_least=0.9), RecallRule(rule="recall", at_least=0.5)),
        (
            ValueRule(rule="value", contact_cost=10, won_value=100),
            ValueRule(rule="value", contact_cost=40, won_value=100),
        ),
    ],
)
def test_asking_for_more_certainty_or_fewer_leads_raises_the_cut(weaker, stronger):
    """Rules move their cuts the way that people expect, and rising ones stand together."""
    probability, label = _leads(0)
    lower, higher = _sql(weaker, probability, label), _sql(stronger, probability, label)
    assert lower < higher
    solved = solve_cuts(probability, label, {"iql": LOW, "mql": weaker, "sql": stronger})
    assert [(cut.stage, cut.probability) for cut in solved.cuts] == [("IQL", 2e-6), ("MQL", lower), ("SQL", higher)]
    assert solved.cuts[2].rule == rule_text(stronger)
    assert len(solved.candidates) > 400
    assert len(solved.shown()) <= 200
    assert (solved.shown()["precision_low"] <= solved.shown()["precision"]).all()


@pytest.mark.parametrize(("iql", "mql", "sql"), [(0.3, 0.2, 0.4), (0.2, 0.2, 0.4), (0.1, 0.4, 0.4), (0.1, 0.5, 0.4)])
def test_cuts_that_do_not_rise_are_refused(iql, mql, sql):
    """Both cuts, both rules and what to change are said."""
    rules = [FixedRule(rule="fixed", probability=some) for some in (iql, mql, sql)]
    (first, low), (second, high) = (("IQL", iql), ("MQL", mql)) if iql >= mql else (("MQL", mql), ("SQL", sql))
    message = (
        rf"cuts must rise, got {first} at {low:.4f} \(fixed at {low:g}\) and {second} at {high:.4f} "
        rf"\(fixed at {high:g}\); change stages.{first.lower()} or stages.{second.lower()}"
    )
    with pytest.raises(ModelError, match=message):
        solve_cuts(*_leads(0), {"iql": rules[0], "mql": rules[1], "sql": rules[2]})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            PrecisionRule(rule="precision", at_least=0.95),
            r"at least 95% convert, with 90% confidence: the best bound is",
        ),
        (RecallRule(rule="recall", at_least=0.999), r"at least 99.9% of the converters, .*: the best bound is 99.\d%"),
        (
            CapacityRule(rule="capacity", leads_per_week=0.01, incoming_per_week=200),
            r"at most 0.01 of 200 leads a week: the smallest share is 0.06667%",
        ),
        (ShareRule(rule="share", top=0.0004), r"the best 0.04% of leads: the smallest share is 0.06667%"),
        (
            ValueRule(rule="value", contact_cost=1.999, won_value=2),
            r"a contact costs 1.999, a conversion brings 2, so from a probability of 1.000; the highest is 0.\d{3}",
        ),
    ],
)
def test_what_the_data_cannot_support_is_refused(rule, message):
    """The line says which stage, which rule, and how far the data go."""
    with pytest.raises(ModelError, match=rf"^stages.sql: no .*{message}"):
        _sql(rule, *_leads(0))


def test_a_contact_that_never_paid_is_refused():
    """Where nobody above the cut converted there is nothing to earn."""
    probability, label = _leads(0)
    rule = ValueRule(rule="value", contact_cost=50, won_value=100)
    with pytest.raises(ModelError, match=r"no lead is worth its contact .* so from a probability of 0.500"):
        _sql(rule, probability, np.where(probability >= 0.5, 0, label))


def test_the_best_bound_that_is_named_is_one_that_counted():
    """Ten leads that all converted are too few to cut at, so their bound is not held out as the best."""
    probability = np.linspace(0.01, 0.99, 400)
    label = (np.arange(400) >= 390).astype(np.int8)
    z = quantile_over_all(0.9, fewest=20, most=400)
    best = max(rate_bound(np.array([10.0]), np.array([count]), z=z)[0] for count in range(20, 400))
    with pytest.raises(ModelError, match=f"at least 80% convert.*the best bound is {best:.1%}"):
        _sql(PrecisionRule(rule="precision", at_least=0.8), probability, label)


@pytest.mark.parametrize(
    "rule",
    [
        RecallRule(rule="recall", at_least=0.5),
        PrecisionRule(rule="precision", at_least=0.5),
        ValueRule(rule="value", contact_cost=1, won_value=9),
    ],
)
def test_leads_without_a_conversion_support_no_rule_that_needs_one(rule):
    """Without converters the rule is refused in words."""
    probability, label = _leads(0)
    with pytest.raises(ModelError, match=r"^stages.sql: no "):
        _sql(rule, probability, label * 0)


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 500), st.floats(0, 1), st.floats(0.5, 0.999))
def test_a_proportion_s_bound_lies_below_it_and_is_wilson_s(count, rate, confidence):
    """It is the formula by hand, between 0 and the proportion, and rises with the number of leads."""
    won = np.round(rate * count)
    found = rate_bound(np.array([won, 10 * won]), np.array([count, 10.0 * count]), z=float(norm.ppf(confidence)))
    assert found[0] == pytest.approx(_wilson(won, count, confidence), abs=1e-12)
    assert 0 <= found[0] <= won / count + 1e-12
    assert found[1] >= found[0] - 1e-12


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (PrecisionRule(rule="precision", at_least=0.3), "at least 30% convert, with 90% confidence"),
        (
            PrecisionRule(rule="precision", at_least=0.005, confidence=0.995),
            "at least 0.5% convert, with 99.5% confidence",
        ),
        (RecallRule(rule="recall", at_least=0.8), "at least 80% of the converters, with 90% confidence"),
        (CapacityRule(rule="capacity", leads_per_week=40, incoming_per_week=200), "at most 40 of 200 leads a week"),
        (ShareRule(rule="share", top=0.5), "the best 50% of leads"),
        (ShareRule(rule="share", top=0.125), "the best 12.5% of leads"),
        (ShareRule(rule="share", top=0.29), "the best 29% of leads"),
        (ValueRule(rule="value", contact_cost=5, won_value=99.5), "a contact costs 5, a conversion brings 99.5"),
        (FixedRule(rule="fixed", probability=0.25), "fixed at 0.25"),
    ],
)
def test_a_rule_in_words_says_the_numbers_that_were_set(rule, text):
    """Nothing is rounded away."""
    assert rule_text(rule) == text


def test_a_cut_is_plain_data():
    """It comes back from what it wrote."""
    cut = Cut("MQL", 0.25, "fixed at 0.25")
    assert Cut(**cut.to_json()) == cut


@pytest.mark.parametrize(("size", "looks"), [(1000, 1), (4000, 1), (600, 20)])
def test_a_promised_precision_is_kept_as_often_as_was_said(size, looks):
    """Over many draws of true probabilities, the leads at or above the cut convert as promised in 80% of them.

    Leads that are looked at often, with one outcome for all looks, are promised no more than leads seen once.
    """
    rule = PrecisionRule(rule="precision", at_least=0.4, confidence=0.8)
    kept, believed = [], []
    for seed in range(150):
        random = np.random.default_rng(seed)
        groups = np.repeat(np.arange(size), random.integers(1, looks + 1, size))
        lead = random.normal(-2, 1.2, size)
        label = (random.random(size) < expit(lead)).astype(np.int8)[groups]
        true = expit(lead)[groups]
        seen = true + random.normal(0, 1e-4, len(true))
        for found, known in ((kept, groups), (believed, None)):
            try:
                cut = solve_cuts(seen, label, {"iql": LOWER, "mql": LOW, "sql": rule}, groups=known).cuts[2]
            except ModelError:
                continue
            found.append(true[seen >= cut.probability].mean() >= 0.4)
    assert len(kept) > 30
    assert np.mean(kept) >= 0.8
    assert looks == 1 or np.mean(believed) < 0.75


@pytest.mark.parametrize("top", [0.0004, 0.002, 0.01])
def test_a_small_share_of_many_leads_is_met(top):
    """Of fifty thousand leads the best few are let in, not the best one."""
    probability, label = _leads(0, 50_000, digits=12)
    cut = _sql(ShareRule(rule="share", top=top), probability, label)
    assert (probability >= cut).sum() == int(top * 50_000)


def test_rules_may_be_plain_mappings():
    """A mapping is the rule that params.yaml would make of it, and some stages may be left out."""
    probability, label = _leads(0)
    rule = {"rule": "share", "top": 0.1}

    found = solve_cuts(probability.tolist(), label.tolist(), {"sql": rule})

    assert [cut.stage for cut in found.cuts] == ["SQL"]
    assert found["sql"] == _sql(ShareRule(**rule), probability, label)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"sqll": {"rule": "share", "top": 0.1}}, r"rules must be of the stages iql, mql and sql, got 'sqll'.*'sql'"),
        ({"sql": {"rule": "share", "top": 3}}, r"sql\.share\.top: input should be less than 1, got '3'"),
        ({"sql": {"rule": "best"}}, r"sql: input tag 'best' found using 'rule' does not match"),
    ],
)
def test_a_rule_that_cannot_be_read_is_named(rules, message):
    """The message names the stage and the key."""
    with pytest.raises(ParamsError, match=message):
        solve_cuts(*_leads(0), rules)


@pytest.mark.parametrize(
    ("probability", "label", "message"),
    [
        ([0.1, 0.2], [1], r"must be of one shape \(n_rows,\), got \(2,\) and \(1,\)"),
        ([0.1, 1.2], [1, 0], "every probability must lie between 0 and 1"),
        ([0.1, float("nan")], [1, 0], "every probability must lie between 0 and 1"),
        ([0.1, 0.2], [1, 2], "every label must be 0 or 1"),
    ],
)
def test_arrays_that_are_no_probabilities_and_outcomes_are_refused(probability, label, message):
    """Before anything is solved."""
    with pytest.raises(ModelError, match=message):
        solve_cuts(probability, label, {"sql": {"rule": "share", "top": 0.1}})
