from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leadml.leads.judge.evidence import Clock, LeakEvidence
from leadml.model.leaks.check import JudgedRows
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.row_order import CHECK, id_ranks, suspect_row_order
from leadml.model.leaks.suspicion import Suspicion
from leadml.params import LeakParams

DAY = 86_400_000_000


def leads(label, *, ids=None):
    """Return leads with labels, and numbered ids where none are given."""
    ids = [f"L{at:05d}" for at in range(len(label))] if ids is None else ids
    return pd.DataFrame({"lead_id": ids, "converted": np.asarray(label, dtype=np.int8)})


def created(instants):
    """Return the clock of leads that came at these instants."""
    return Clock(np.asarray(instants, dtype=np.int64), "created_at", is_limit=False)


def severities(suspicions):
    """Return name and severity of each suspicion."""
    return [(one.field, one.severity) for one in suspicions]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5])
def test_a_random_order_is_passed(seed, rate):
    """Random ids and positions at any base rate, with and without instants."""
    random = np.random.default_rng(seed)
    label = random.random(3000) < rate
    positions = random.permutation(3000)

    assert suspect_row_order(leads(label), positions, None) == []
    assert suspect_row_order(leads(label), positions, created(random.integers(0, 100, 3000) * DAY)) == []


@pytest.mark.slow
@pytest.mark.parametrize("flipped", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("kind", ["numbers", "text", "mixed"])
def test_ids_ordered_by_outcome_are_stopped(flipped, kind):
    """Converters have the later ids, whatever the form of the ids, and with some noise."""
    random = np.random.default_rng(1)
    label = random.random(4000) < 0.2
    known = np.where(random.random(4000) < flipped, ~label, label)
    rank = np.argsort(np.argsort(known + random.random(4000) / 2)) + 1
    template = {"numbers": "{}", "text": "{:06d}-x", "mixed": "lead {}"}[kind]
    (found,) = suspect_row_order(leads(label, ids=[template.format(at) for at in rank]), None, None)

    assert (found.code, found.severity, found.field) == ("LK8", "stop", "lead_id")
    assert "predicts the outcome: the order of the ids has an AUC of" in found.evidence
    assert "name lead_id in leaks.accept" in found.remedy


def test_ids_with_a_prefix_by_outcome_are_stopped():
    """The ids of converters begin with another letter."""
    random = np.random.default_rng(2)
    label = random.random(3000) < 0.2
    ids = [f"{'C' if won else 'L'}-{at}" for won, at in zip(label, random.permutation(3000), strict=True)]

    assert severities(suspect_row_order(leads(label, ids=ids), None, None)) == [("lead_id", "stop")]


@pytest.mark.parametrize("parts", [1, 3, 20])
def test_a_file_of_parts_ordered_by_outcome_is_stopped(parts):
    """Each part has its converters first: neighbouring rows predict the outcome where the position does not."""
    random = np.random.default_rng(3)
    label = random.random(4000) < 0.2
    part = np.sort(random.integers(0, parts, 4000))
    order = np.argsort(np.lexsort((random.random(4000), ~label, part)))
    ids = [f"L{at:05d}" for at in random.permutation(4000)]

    assert severities(suspect_row_order(leads(label, ids=ids), order, None)) == [("order", "stop")]


@pytest.mark.slow
@pytest.mark.parametrize("low", [0.02, 0.1])
def test_a_rate_that_changes_over_time_is_not_stopped(low):
    """Without instants it is a warning; with instants it is passed."""
    random = np.random.default_rng(4)
    time = np.arange(6000) / 6000
    label = random.random(6000) < low + (0.55 - low) * time**2

    (found,) = suspect_row_order(leads(label), None, None)
    assert (found.field, found.severity) == ("lead_id", "warn")
    assert "set data.created_at where leads have dates" in found.evidence
    clock = created((time * 300 * DAY).astype(np.int64))
    assert suspect_row_order(leads(label), np.arange(6000), clock) == []


def test_an_order_by_outcome_within_weeks_is_stopped():
    """The rows of every week have the converters last."""
    random = np.random.default_rng(5)
    label = random.random(5000) < 0.15
    week = np.sort(random.integers(0, 40, 5000))
    order = np.argsort(np.lexsort((random.random(5000), label, week)))
    frame = leads(label, ids=[f"L{at:05d}" for at in random.permutation(5000)])

    assert severities(suspect_row_order(frame, order, created(week * 7 * DAY))) == [("order", "stop")]


@pytest.mark.parametrize("dated", [True, False])
def test_a_lead_with_many_rows_counts_once(dated):
    """Snapshots of one lead are in sequence and often have the same label: that is no order by outcome."""
    random = np.random.default_rng(6)
    label = np.repeat(random.random(1000) < 0.2, 8)
    ids = np.repeat([f"L{at:04d}" for at in range(1000)], 8)
    clock = Clock(np.repeat(random.integers(0, 3, 1000), 8) * 7 * DAY, "as_of", is_limit=True) if dated else None

    assert suspect_row_order(leads(label, ids=ids), np.arange(8000), clock) == []


def test_ids_with_several_prefixes_are_ordered_as_text():
    """Ids are compared as numbers only where nothing else differs."""
    assert id_ranks(pd.Series(["b9", "a10", "a9"])).tolist() == [2, 0, 1]
    assert id_ranks(pd.Series(["30", "4", "5"])).tolist() == [2, 0, 1]


def of_order(severity, auc, *, name="lead_id", what="the order of the ids", within="", drift=""):
    """Return the suspicion with the words that people read."""
    remedy = {
        "stop": "it is a suspected leak: ids and rows must be in an order that existed before the outcome; bring such "
        f"a file, or name {name} in leaks.accept with the reason why it is no leak",
        "warn": "check in which order ids were given and rows were written",
    }[severity]
    evidence = f"predicts the outcome: {what} has an AUC of {auc} by itself{within}{drift}"
    return Suspicion("LK8", severity, evidence, name, remedy)


DRIFT = "; a conversion rate that changes over time can do that, so set data.created_at where leads have dates"
WITHIN = " among leads of the same time"
POSITION = {"name": "order", "what": "the position in the file"}


def two_rates():
    """Return 400 labels: of each 20, 2 converted in the first half and 10 in the second, in pairs and spread."""
    spread = np.array([0, 6, 2, 8, 4, 1, 7, 3, 9, 5])
    parts = [np.repeat(spread < pairs, 2) for pairs in (1, 5) for _ in range(10)]
    return np.concatenate(parts)


def test_the_warning_of_an_order_has_its_auc_and_names_the_drift():
    """Half of the leads has 5 times the rate: of pairs with a converter 5/6 * 9/14 are right, and 45/84 + 17/84 tie."""
    frame, order = leads(two_rates()), np.arange(400)
    auc = 5 / 6 * 9 / 14 + (5 / 6 * 5 / 14 + 1 / 6 * 9 / 14) / 2  # 0.738
    shown = f"{auc:.3f}"

    assert suspect_row_order(frame, None, None) == [of_order("warn", shown, drift=DRIFT)]
    assert suspect_row_order(frame, order, None) == [
        of_order("warn", shown, drift=DRIFT),
        of_order("warn", shown, **POSITION, drift=DRIFT),
    ]
    assert suspect_row_order(frame, order, created(np.zeros(400))) == [
        of_order("warn", shown, within=WITHIN),
        of_order("warn", shown, **POSITION, within=WITHIN),
    ]


def test_another_draw_of_halves_has_another_auc():
    """The draw decides which leads are in which half, also where the leak gate calls the check."""
    label = two_rates()
    frame, outcome = leads(label), Outcome(label.astype(np.int8), np.arange(400), draw=2)
    (first,), (second,) = (suspect_row_order(frame, None, None, draw=draw) for draw in (0, 2))
    order, clock = np.arange(400)[::-1], created(np.zeros(400))
    rows = JudgedRows(frame[:0], frame, outcome, [], LeakEvidence(order=order, clock=clock), LeakParams())

    assert (first.severity, second.severity) == ("warn", "warn")
    assert first.evidence != second.evidence
    assert severities(CHECK.find(rows)) == [("lead_id", "warn"), ("order", "warn")]
    assert CHECK.find(rows) == suspect_row_order(frame, order, clock, draw=2)
    assert CHECK.find(rows) != suspect_row_order(frame, order, clock)


def test_neighbours_in_runs_of_ten_predict_the_outcome():
    """The ten neighbours have 50% to 100% of converters, or 50% to 0%: at 50%, 19 and 20 of 100 leads of a half tie."""
    label = np.tile(np.repeat([1, 0], 10), 20)
    auc = 1 - 0.19 * 0.20 / 2

    assert suspect_row_order(leads(label), None, None) == [of_order("stop", f"{auc:.3f}")]


def test_an_order_within_twenty_periods_is_perfect():
    """In each of twenty periods of twenty leads the converters are last; rows and instants come in any order."""
    random = np.random.default_rng(7)
    instants = np.concatenate([random.permutation(20) + 20 * period for period in range(20)])
    label, rows = np.tile(np.arange(20) >= 16, 20), random.permutation(400)
    frame = leads(label[rows], ids=[f"L{at}" for at in rows])
    found = [of_order("stop", "1.000", within=WITHIN), of_order("stop", "1.000", **POSITION, within=WITHIN)]

    assert suspect_row_order(frame, rows, created(instants[rows] * DAY)) == found


@pytest.mark.parametrize("week", [1, 10, 19])
@pytest.mark.parametrize("size", [20, 18])
def test_weeks_with_different_rates_are_different_periods(week, size):
    """All leads of one week converted and none of the others: that is a rate that changes from week to week."""
    weeks = np.arange(400) // 20
    weeks[20 * week - 20 : 20 * week - 20 + size] = week - 1
    weeks[20 * week - 20 + size : 20 * week] = week

    assert suspect_row_order(leads(weeks == week), np.arange(400), created(weeks * 7 * DAY)) == []


def test_several_rows_of_a_lead_are_one_lead_at_its_first_row():
    """A lead converted if any of its rows did; its place and its instant are those of its first row."""
    random = np.random.default_rng(8)
    names, label = random.permutation(400), np.arange(400) >= 320
    ids = [f"L{at}" for at in names] * 2
    frame = leads(np.r_[np.zeros(400), label], ids=ids)
    order, instants = np.r_[np.arange(400), random.permutation(400)], np.r_[np.zeros(400), random.permutation(400)]

    assert suspect_row_order(frame, order, None) == [of_order("stop", "1.000", **POSITION)]
    assert suspect_row_order(frame, order, created(instants * DAY)) == [
        of_order("stop", "1.000", **POSITION, within=WITHIN)
    ]


@pytest.mark.parametrize(("prefixes", "is_judged"), [(2, True), (50, True), (51, False)])
def test_up_to_fifty_prefixes_are_judged(prefixes, is_judged):
    """Every second prefix has only converters; with 51 prefixes they are names."""
    ids = [f"{chr(97 + prefix // 26)}{chr(97 + prefix % 26)}{at}" for prefix in range(prefixes) for at in range(4)]
    label = np.repeat(np.arange(prefixes) % 2, 4)
    found = suspect_row_order(leads(label, ids=ids), None, None)

    assert found == ([of_order("stop", "1.000", what="the prefix of the ids")] if is_judged else [])


def test_the_prefix_replaces_a_warning_of_the_order_but_not_a_stop():
    """Ids have one suspicion: the first that stops, of their order and of their prefix."""
    label = two_rates()
    by_outcome = [f"{'xy'[int(won)]}{at:03d}" for at, won in enumerate(label)]
    short_runs = [f"{chr(97 + prefix)}{at}" for prefix in range(22) for at in range(6)]
    label_of_runs = np.repeat(np.arange(22) % 2, 6)
    prefix = of_order("stop", "1.000", what="the prefix of the ids")

    assert suspect_row_order(leads(label, ids=by_outcome), None, None) == [of_order("stop", "1.000")]
    assert suspect_row_order(leads(label_of_runs, ids=short_runs), None, None) == [prefix]


@pytest.mark.parametrize(
    ("ids", "ranks"),
    [
        (["L7"], [0]),
        (["L10", "L9", "L100"], [1, 0, 2]),
        (["L10", "M9", "L100"], [0, 2, 1]),
        (["L10x", "L9x"], [0, 1]),
        (["L1-10", "L1-9"], [0, 1]),
        (["L10", "L"], [1, 0]),
        (["100000000000000", "20000000000000"], [1, 0]),  # 15 digits
        (["1000000000000000", "200000000000000"], [0, 1]),  # 16 digits
        (["10", "9", ""], [1, 2, 0]),
        (["lead 30", "lead 4", "lead 5"], [2, 0, 1]),
    ],
)
def test_ids_of_one_prefix_and_up_to_15_digits_are_ranked_as_numbers(ids, ranks):
    """All other ids are ranked as text."""
    assert id_ranks(pd.Series(ids)).tolist() == ranks


def test_equal_ids_are_ranked_in_the_order_of_their_rows():
    """Numbers with other zeros in front are equal, and so are repeated texts."""
    numbers = [f"{'0' * zeros}{digit}" for zeros in range(14) for digit in (7, 3)]
    texts = ["b-x", "a-x"] * 14
    ranks = [rank for at in range(14) for rank in (14 + at, at)]

    assert id_ranks(pd.Series(numbers)).tolist() == ranks
    assert id_ranks(pd.Series(texts)).tolist() == ranks


def test_neighbours_are_compared_with_the_rate_of_their_period():
    """Two periods have runs of ten converters, of which one has longer gaps: both are ranked together."""
    label = np.r_[np.tile(np.repeat([1, 0], [10, 10]), 20), np.tile(np.repeat([1, 0], [10, 20]), 40)]
    clock = created(np.repeat([0, 1], [400, 1200]) * DAY)

    assert suspect_row_order(leads(label), None, clock) == [of_order("stop", "0.978", within=WITHIN)]
