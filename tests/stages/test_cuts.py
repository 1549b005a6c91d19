from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm

from leadml.errors import ModelError, ParamsError
from leadml.model.judge.evaluation import evaluate
from leadml.model.metrics import rate_bound
from leadml.params import CapacityRule, FixedRule, PrecisionRule, RecallRule, ShareRule, ValueRule
from leadml.stages.candidates import candidate_table, quantile_of_maximum
from leadml.stages.cuts import Cut, Cuts, read_rules, solve_cuts

LOW, LOWER = FixedRule(rule="fixed", probability=2e-6), FixedRule(rule="fixed", probability=1e-6)
NAMES = "precision, recall, capacity, share, value, expected_value, fixed"
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


@pytest.mark.slow
@given(st.integers(0, 99), SHARES, st.sampled_from(["share", "capacity"]))
def test_share_and_capacity_use_the_lowest_possible_cut(seed, requested, rule_name):
    """The share at the cut is at most the requested one, and the next lower candidate exceeds it."""
    probability, label = _leads(seed)
    capacity = CapacityRule(rule="capacity", leads_per_week=200 * requested, incoming_per_week=200)
    cut = _sql(ShareRule(rule="share", top=requested) if rule_name == "share" else capacity, probability, label)
    table = candidate_table(probability, label)
    assert (probability >= cut).mean() <= requested + 1e-12
    lower = table.loc[table["cut"] < cut, "share"]
    assert lower.empty or lower.min() > requested - 1e-12


@pytest.mark.slow
@given(st.integers(0, 99), st.floats(0.1, 0.6), st.floats(0.5, 0.99))
def test_precision_uses_the_lowest_cut_whose_bound_reaches_the_floor(seed, requested, confidence):
    """Wilson's bound, with the quantile for the best of all cuts, over at least twenty leads."""
    probability, label = _leads(seed)
    rule = PrecisionRule(rule="precision", at_least=requested, confidence=confidence)
    try:
        cut = _sql(rule, probability, label)
    except ModelError:
        cut = np.inf
    table = candidate_table(probability, label)
    z = quantile_of_maximum(confidence, min_leads=20, max_leads=len(label))
    bound = rate_bound(table["conversions"].to_numpy(float), table["leads"].to_numpy(float), z=z)
    allowed = table["cut"][(table["leads"] >= 20) & (bound >= requested)]
    assert cut == allowed.min() or (cut == np.inf and allowed.empty)


@pytest.mark.slow
@given(st.integers(0, 99), st.floats(0.05, 0.9), st.floats(0.5, 0.99))
def test_recall_uses_the_highest_cut_whose_bound_reaches_the_floor(seed, requested, confidence):
    """Wilson's bound of the share of converters reached, computed by definition."""
    probability, label = _leads(seed)
    cut = _sql(RecallRule(rule="recall", at_least=requested, confidence=confidence), probability, label)
    table = candidate_table(probability, label)
    assert cut == table["cut"][_wilson(table["conversions"], label.sum(), confidence) >= requested].max()


@pytest.mark.slow
@given(st.integers(0, 99), st.floats(0.02, 0.5))
def test_value_uses_cost_divided_by_value(seed, ratio):
    """From the cut on, contacts earn more than they cost on these leads."""
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
def test_a_stricter_rule_raises_the_cut(weaker, stronger):
    """Higher precision, lower recall, a smaller share or a higher cost raises the cut; rising cuts are accepted."""
    probability, label = _leads(0)
    lower, higher = _sql(weaker, probability, label), _sql(stronger, probability, label)
    assert lower < higher
    solved = solve_cuts(probability, label, {"iql": LOW, "mql": weaker, "sql": stronger})
    assert [(cut.stage, cut.probability) for cut in solved.cuts] == [("IQL", 2e-6), ("MQL", lower), ("SQL", higher)]
    assert solved.cuts[2].rule == stronger.words
    assert len(solved.candidates) > 400
    assert len(solved.sample_candidates()) <= 500
    assert (solved.sample_candidates()["precision_low"] <= solved.sample_candidates()["precision"]).all()


def test_the_sample_of_candidates_is_densest_at_the_highest_cuts():
    """Ranks from the highest cut grow by a factor, the lowest is there too, and the bounds are Wilson's at 95%."""
    solved = solve_cuts(*_leads(0), {"sql": LOW})
    for sample, max_rows in ((solved.sample_candidates(), 500), (solved.sample_candidates(max_rows=5), 5)):
        ranks = np.unique(np.geomspace(1, len(solved.candidates), max_rows).astype(int))
        whole = solved.candidates.iloc[len(solved.candidates) - ranks[::-1]].reset_index(drop=True)
        assert list(sample.columns) == [*whole.columns, "precision_low", "precision_high"]
        pd.testing.assert_frame_equal(sample[whole.columns], whole)
        leads, won = whole["leads"], whole["conversions"]
        np.testing.assert_allclose(sample["precision_low"], _wilson(won, leads, 0.975), atol=1e-12)
        np.testing.assert_allclose(1 - sample["precision_high"], _wilson(leads - won, leads, 0.975), atol=1e-12)


def test_cuts_show_themselves():
    """In one line, and in a notebook as a table of stages without numbers of rows."""
    solved = solve_cuts(*_leads(0), {"mql": LOW, "sql": FixedRule(rule="fixed", probability=0.25)})
    assert repr(solved) == "<cuts: MQL from 0.0000 (fixed at 2e-06), SQL from 0.2500 (fixed at 0.25)>"
    assert repr(Cuts((), solved.candidates, solved.table)) == "<cuts: none>"
    assert len(solved) == 2
    assert "<td>SQL</td>" in solved._repr_html_()
    assert "<th>0</th>" not in solved._repr_html_()


@pytest.mark.parametrize(("iql", "mql", "sql"), [(0.3, 0.2, 0.4), (0.2, 0.2, 0.4), (0.1, 0.4, 0.4), (0.1, 0.5, 0.4)])
def test_cuts_that_do_not_rise_are_refused(iql, mql, sql):
    """The message names both cuts, both rules and the keys to change."""
    rules = [FixedRule(rule="fixed", probability=some) for some in (iql, mql, sql)]
    (first, low), (second, high) = (("IQL", iql), ("MQL", mql)) if iql >= mql else (("MQL", mql), ("SQL", sql))
    message = (
        rf"^cuts must rise, got {first} at {low:.4f} \(fixed at {low:g}\) and {second} at {high:.4f} "
        rf"\(fixed at {high:g}\); change stages.{first.lower()} or stages.{second.lower()}, or "
        r"set stages.crossing to raise or lower$"
    )
    with pytest.raises(ModelError, match=message):
        solve_cuts(*_leads(0), {"iql": rules[0], "mql": rules[1], "sql": rules[2]})


@pytest.mark.parametrize(("crossing", "expected"), [("raise", [0.3, 0.3, 0.4]), ("lower", [0.2, 0.2, 0.4])])
def test_cuts_that_cross_are_resolved_as_asked(crossing, expected):
    """The cut that is moved says so; those that do not cross stay as they are."""
    rules = {stage: FixedRule(rule="fixed", probability=at) for stage, at in (("iql", 0.3), ("mql", 0.2), ("sql", 0.4))}
    solved = solve_cuts(*_leads(0), rules, crossing=crossing)
    remarks = [cut.remark for cut in solved.cuts]

    assert [cut.probability for cut in solved.cuts] == expected
    moved = {
        "raise": ["", "moved from 0.2000 to the cut of IQL", ""],
        "lower": ["moved from 0.3000 to the cut of MQL", "", ""],
    }
    assert [remark.split(", because")[0] for remark in remarks] == moved[crossing]
    assert solved.table["remark"].tolist() == remarks


def test_all_cuts_above_one_another_are_moved_at_once():
    """Three that fall become one."""
    rules = {stage: FixedRule(rule="fixed", probability=at) for stage, at in (("iql", 0.4), ("mql", 0.3), ("sql", 0.2))}
    for crossing, at in (("raise", 0.4), ("lower", 0.2)):
        assert set(dict(solve_cuts(*_leads(0), rules, crossing=crossing)).values()) == {at}


def test_leads_are_dropped_below_a_cut_of_its_own():
    """It is no stage, and may lie above the cut of one."""
    probability, label = _leads(0)
    solved = solve_cuts(probability, label, {"mql": LOW, "drop": {"lose_at_most": 0.1, "confidence": 0.8}})
    lost = label[probability < solved.drop.probability].sum() / label.sum()

    assert list(solved) == ["MQL"]
    assert 0 < lost <= 0.1
    assert solved.table["stage"].tolist() == ["MQL", "DROP"]
    assert solved.table["recall"].iloc[1] == pytest.approx(1 - lost)
    with pytest.raises(ParamsError, match=r"^drop.lose_at_most must be set, got nothing; add it"):
        read_rules({"drop": {}})
    with pytest.raises(ModelError, match=r"^stages.drop: no cut gives at most 0.01% of the converters are dropped"):
        solve_cuts(probability, label, {"drop": {"lose_at_most": 0.0001}})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            PrecisionRule(rule="precision", at_least=0.95),
            r"at least 95% convert, with 90% confidence: the highest lower bound is",
        ),
        (
            RecallRule(rule="recall", at_least=0.999),
            r"at least 99.9% of the converters, .*: the highest lower bound is 99.\d%",
        ),
        (
            ValueRule(rule="value", contact_cost=1.999, won_value=2),
            (
                r"a contact costs 1.999, a conversion brings 2: contacts pay from a probability of 1.000 on, and the "
                r"highest is 0.\d{3}; lower contact_cost or raise won_value"
            ),
        ),
    ],
)
def test_a_rule_that_no_cut_meets_is_refused(rule, message):
    """The message names the stage, the rule and the limit of the data."""
    with pytest.raises(ModelError, match=rf"^stages.sql: no .*{message}"):
        _sql(rule, *_leads(0))


def test_a_value_rule_is_refused_if_no_cut_earns():
    """If nobody above the cut converted, contacts only cost."""
    probability, label = _leads(0)
    rule = ValueRule(rule="value", contact_cost=50, won_value=100)
    with pytest.raises(ModelError, match=r"no cut earns more than it costs .* from a probability of 0.500"):
        _sql(rule, probability, np.where(probability >= 0.5, 0, label))


def test_the_bound_in_the_message_is_of_an_allowed_cut():
    """Ten leads are too few for a cut, even if all converted, so their bound is not named."""
    probability = np.linspace(0.01, 0.99, 400)
    label = (np.arange(400) >= 390).astype(np.int8)
    z = quantile_of_maximum(0.9, min_leads=20, max_leads=400)
    best = max(rate_bound(np.array([10.0]), np.array([count]), z=z)[0] for count in range(20, 400))
    with pytest.raises(ModelError, match=f"at least 80% convert.*the highest lower bound is {best:.1%}"):
        _sql(PrecisionRule(rule="precision", at_least=0.8), probability, label)


@pytest.mark.parametrize(
    "rule",
    [
        RecallRule(rule="recall", at_least=0.5),
        PrecisionRule(rule="precision", at_least=0.5),
        ValueRule(rule="value", contact_cost=1, won_value=9),
    ],
)
def test_rules_are_refused_without_conversions(rule):
    """Recall, precision and value need conversions."""
    probability, label = _leads(0)
    with pytest.raises(ModelError, match=r"^stages.sql: no "):
        _sql(rule, probability, label * 0)


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0.5, 0.999))
def test_the_bound_of_a_rate_is_wilson_s_lower_bound(count, rate, confidence):
    """It equals the formula, lies between 0 and the rate, and rises with the number of leads."""
    won = np.round(rate * count)
    bound = rate_bound(np.array([won, 10 * won]), np.array([count, 10.0 * count]), z=float(norm.ppf(confidence)))
    assert bound[0] == pytest.approx(_wilson(won, count, confidence), abs=1e-12)
    assert 0 <= bound[0] <= won / count + 1e-12
    assert bound[1] >= bound[0] - 1e-12


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
def test_the_text_of_a_rule_has_its_numbers(rule, text):
    """The numbers are not rounded."""
    assert rule.words == text


def test_a_cut_is_restored_from_json():
    """The restored cut is equal."""
    cut = Cut("MQL", 0.25, "fixed at 0.25")
    assert Cut(**cut.to_json()) == cut


@pytest.mark.slow
@pytest.mark.parametrize(("size", "max_snapshots"), [(1000, 1), (4000, 1), (600, 20)])
def test_the_precision_rule_holds_with_its_confidence(size, max_snapshots):
    """Over many draws, the true rate at or above the cut reaches the floor in at least 80% of them.

    With many snapshots of each lead it holds only if their groups are declared.
    """
    rule = PrecisionRule(rule="precision", at_least=0.4, confidence=0.8)
    with_groups, without_groups = [], []
    for seed in range(150):
        random = np.random.default_rng(seed)
        groups = np.repeat(np.arange(size), random.integers(1, max_snapshots + 1, size))
        lead = random.normal(-2, 1.2, size)
        label = (random.random(size) < expit(lead)).astype(np.int8)[groups]
        true = expit(lead)[groups]
        estimated = true + random.normal(0, 1e-4, len(true))
        for holds, declared in ((with_groups, groups), (without_groups, None)):
            try:
                cut = solve_cuts(estimated, label, {"iql": LOWER, "mql": LOW, "sql": rule}, groups=declared).cuts[2]
            except ModelError:
                continue
            holds.append(true[estimated >= cut.probability].mean() >= 0.4)
    assert len(with_groups) > 30
    assert np.mean(with_groups) >= 0.8
    assert max_snapshots == 1 or np.mean(without_groups) < 0.75


@pytest.mark.parametrize("top", [0.0004, 0.002, 0.01])
def test_a_small_share_of_many_leads_is_met(top):
    """Of fifty thousand leads the exact number of leads is above the cut."""
    probability, label = _leads(0, 50_000, digits=12)
    cut = _sql(ShareRule(rule="share", top=top), probability, label)
    assert (probability >= cut).sum() == int(top * 50_000)


def test_rules_may_be_plain_mappings():
    """A mapping gives the same rule as params.yaml, and some stages may be left out."""
    probability, label = _leads(0)
    rule = {"rule": "share", "top": 0.1}

    solved = solve_cuts(probability.tolist(), label.tolist(), {"sql": rule})

    assert [cut.stage for cut in solved.cuts] == ["SQL"]
    assert solved["sql"] == _sql(ShareRule(**rule), probability, label)
    assert dict(solved) == {"SQL": solved["sql"]}
    assert evaluate(label, probability, cuts=solved, draws=50).stages["cut"].unique().tolist() == [solved["SQL"]]


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            {"sqll": {"rule": "share", "top": 0.1}},
            "rules must be of the stages iql, mql and sql, or of drop, got 'sqll'; the nearest is 'sql'",
        ),
        (
            {"lead": {"rule": "share", "top": 0.1}},
            "rules must be of the stages iql, mql and sql, or of drop, got 'lead'",
        ),
        ({"sql": {"rule": "share", "top": 3}}, "sql.top: input should be less than 1, got '3'"),
        (
            {"mql": {"rule": "recall", "at_least": 0.5, "confidence": "Value"}},
            "mql.confidence: input should be a valid number, unable to parse string as a number, got 'Value'",
        ),
        ({"sql": {"rule": "best"}}, f"sql: rule must be one of {NAMES}, got 'best'"),
        ({"sql": {"top": 0.1}}, f"sql: rule must be one of {NAMES}, got 'None'"),
        ({"sql": {"rule": "share"}}, "sql.top must be set, got nothing; add it"),
        ({"sql": {"rule": "share", "top": 0.1, "x": 1}}, "sql.x: a rule share has no such key"),
        (
            {"sql": {"rule": "capacity", "leads_per_week": 2, "incoming_per_week": 1}},
            "sql: leads_per_week must be below incoming_per_week, got 2 of 1; with so much capacity no cut is needed",
        ),
        ({"sql": 0.3}, 'sql must be a rule such as {"rule": "share", "top": 0.2}, got \'0.3\''),
        ([0.3], 'rules must be a mapping such as {"mql": {"rule": "share", "top": 0.2}}, got list'),
    ],
)
def test_a_rule_that_is_not_valid_is_refused(rules, message):
    """The message names the stage and the key."""
    with pytest.raises(ParamsError) as refused:
        solve_cuts(*_leads(0), rules)
    assert str(refused.value) == message


def test_a_rule_of_a_model_is_read_as_it_is_and_stages_in_any_case():
    """The stages of the result are upper case, in the order in which they were given."""
    rules = {"Mql": LOW, "IQL": {"rule": "share", "top": 0.2}}

    assert list(read_rules(rules).items()) == [("MQL", LOW), ("IQL", ShareRule(rule="share", top=0.2))]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (None, "mql: columns must have 'deal', which the rule names, got none"),
        ({"deals": [1, 2]}, "mql: columns must have 'deal', which the rule names, got none; the nearest is 'deals'"),
        ({"deal": [1, 2, 3]}, "columns['deal'] must have the shape (2,), got (3,)"),
        ({"deal": [[1, 2]]}, "columns['deal'] must have the shape (2,), got (1, 2)"),
    ],
)
def test_a_column_that_a_rule_names_must_be_given_with_one_number_of_each_row(columns, message):
    """The message names the stage and the nearest column, or both shapes."""
    rule = {"rule": "expected_value", "amount": "deal", "contact_cost": 1}
    with pytest.raises((ModelError, ParamsError)) as refused:
        solve_cuts([0.5, 0.25], [1, 0], {"iql": LOW, "mql": rule}, columns=columns)
    assert str(refused.value) == message


def test_the_columns_of_several_rules_are_read():
    """Each rule chooses by its own field, and whole numbers and texts of numbers are numbers."""
    deal, seats = ({"rule": "expected_value", "amount": name, "contact_cost": 1} for name in ("deal", "seats"))
    columns = {"deal": [1, 4, 5], "seats": ["9", "0", "0"], "other": ["x", "y", "z"]}
    solved = solve_cuts([0.5, 0.375, 0.25], [1, 0, 0], {"sql": seats, "mql": deal}, columns=columns)

    assert dict(solved) == {"MQL": 0.25, "SQL": 0.5}


def test_groups_are_counted_as_accounts():
    """The candidates are those of the table with these groups."""
    probability, label = _leads(0, 60)
    groups = np.arange(60) // 3
    solved = solve_cuts(probability, label, {"sql": LOW}, groups=groups.tolist())

    pd.testing.assert_frame_equal(solved.candidates, candidate_table(probability, label, groups=groups))
    assert solved.candidates["accounts"].iloc[0] == 20


@pytest.mark.parametrize(
    ("probability", "label", "message"),
    [
        ([0.1, 0.2], [1], "^probability must have one value for each of the 1 rows, got 2$"),
        ([0.1, 1.2], [1, 0], r"^probability must be probabilities in \[0, 1\], got 1\.2"),
        ([0.1, float("nan")], [1, 0], "^probability must have no missing value, got 1"),
        ([0.1, 0.2], [1, 2], "^label must hold 0 and 1 or booleans, got 2"),
        (["0.1", "0.2"], [1, 0], "^probability must hold numbers, got string"),
        ([[0.1], [0.2, 0.3]], [1, 0], "^probability must have one value for each row, got rows of different lengths"),
    ],
)
def test_arrays_that_are_not_probabilities_and_labels_are_refused(probability, label, message):
    """Shapes and values are checked before a rule is solved."""
    with pytest.raises(ModelError, match=message):
        solve_cuts(probability, label, {"sql": {"rule": "share", "top": 0.1}})
