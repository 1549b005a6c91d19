from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binom

from leadml.model.judge.calibration_line import CalibrationLine
from leadml.review.performance.estimated import ASSUMPTION, ScoredLeads, estimated_performance

CUTS = {"MQL": 0.2, "SQL": 0.5}
EXACT = CalibrationLine(0.0, 1.0, np.zeros((2, 2)), 1.0)
UNSURE = replace(EXACT, covariance=np.diag([0.02, 0.01]))
CHOICES = {"draws": 300, "confidence": 0.9, "seed": 0}


def _probability(size: int, seed: int) -> np.ndarray:
    return np.round(expit(np.random.default_rng(seed).normal(-2, 1, size)), 3)


def _estimate(probability: np.ndarray, line: CalibrationLine = EXACT, **choices: int) -> pd.DataFrame:
    """Return value and interval by figure and stage."""
    leads = ScoredLeads(np.repeat("2026-01", len(probability)), probability)
    return estimated_performance(leads, CUTS, {"2026-01": line}, **(CHOICES | choices)).set_index(["figure", "stage"])


def test_the_counts_of_a_cut_partition_the_leads() -> None:
    """A higher cut lets in fewer leads and expects fewer conversions, and at a higher rate."""
    value = _estimate(_probability(500, 0))["value"]
    for stage in CUTS:
        of_cut = value.xs(stage, level="stage")
        assert of_cut[["true_positives", "false_positives"]].sum() == pytest.approx(of_cut["leads"])
        assert of_cut[["true_positives", "false_negatives"]].sum() == pytest.approx(value["conversions", ""])
        assert of_cut.filter(regex="true|false").sum() == pytest.approx(500)
    for figure in ("leads", "true_positives", "recall"):
        assert value[figure, "SQL"] < value[figure, "MQL"]
    assert value["precision", "SQL"] > value["precision", "MQL"]


def test_expected_figures_are_sums_over_probabilities() -> None:
    """By hand, of four leads; a lead at the cut is in."""
    value = _estimate(np.array([0.5, 0.2, 0.1, 0.4]))["value"]

    assert value["leads", ""] == 4
    assert value["conversions", ""] == pytest.approx(1.2)
    assert value["rate", ""] == pytest.approx(0.3)
    assert value["leads", "MQL"] == 3
    assert value["true_positives", "MQL"] == pytest.approx(1.1)
    assert value["precision", "MQL"] == pytest.approx(1.1 / 3)
    assert value["recall", "MQL"] == pytest.approx(1.1 / 1.2)
    assert value["true_negatives", "SQL"] == pytest.approx(0.6 + 0.8 + 0.9)
    right = 0.5 * (0.6 + 0.8 + 0.9) + 0.4 * (0.8 + 0.9) + 0.2 * 0.9
    wrong = 0.1 * (0.8 + 0.6 + 0.5) + 0.2 * (0.6 + 0.5) + 0.4 * 0.5
    assert value["roc_auc", ""] == pytest.approx(right / (right + wrong))


def test_the_interval_of_conversions_is_that_of_the_binomial_distribution() -> None:
    """Where the calibration is known exactly, and all leads have one probability."""
    estimate = _estimate(np.full(400, 0.25), draws=4000).loc[("conversions", "")]

    assert estimate["value"] == pytest.approx(100)
    assert [estimate["low"], estimate["high"]] == pytest.approx(binom(400, 0.25).ppf([0.05, 0.95]), abs=1)


def test_a_reference_that_says_less_widens_every_interval() -> None:
    """The values are the same; leads at or above a cut are counted, not estimated."""
    probability = _probability(3000, 1)
    sure, unsure = _estimate(probability), _estimate(probability, UNSURE)
    width, wider = (table["high"] - table["low"] for table in (sure, unsure))
    counted = sure.index.get_level_values("figure") == "leads"

    pd.testing.assert_series_equal(sure["value"], unsure["value"])
    assert (width[counted] == 0).all()
    assert (wider[counted] == 0).all()
    assert (wider[~counted] > width[~counted]).all()


def test_accounts_that_convert_together_widen_the_interval_by_the_root_of_the_design_effect() -> None:
    """Of conversions, whose number varies twice as much where the effect is four."""
    probability = _probability(2000, 2)
    alone, together = (_estimate(probability, replace(EXACT, design_effect=effect)) for effect in (1.0, 4.0))
    width, wider = (table["high"] - table["low"] for table in (alone, together))

    assert wider["conversions", ""] == pytest.approx(2 * width["conversions", ""], rel=0.01)
    assert wider["precision", "SQL"] > 1.5 * width["precision", "SQL"]


def test_however_uncertain_a_share_is_it_stays_between_0_and_1() -> None:
    """A few good leads of accounts that convert together; counts stay above 0."""
    table = _estimate(np.repeat([0.05, 0.9], [20, 5]), replace(EXACT, design_effect=9.0))
    shares = table.loc[["rate", "roc_auc", "precision", "recall"]]

    assert shares.loc[("precision", "SQL"), ["low", "high"]].tolist() == [0.0, 1.0]
    assert shares["high"].max() <= 1
    assert table["low"].min() >= 0


def test_the_level_of_the_reference_corrects_the_probabilities() -> None:
    """Probabilities that were too high on the reference are taken to be too high still."""
    probability = _probability(1000, 3)
    value = _estimate(probability, replace(EXACT, level=-0.5, slope=0.9))["value"]

    assert value["conversions", ""] == pytest.approx(expit(-0.5 + 0.9 * np.log(probability / (1 - probability))).sum())


@pytest.mark.slow
def test_the_interval_holds_nine_of_ten_realised_figures() -> None:
    """Over references of 2,000 leads and periods of 800, of probabilities that are wrong by a level and a slope."""
    random, held = np.random.default_rng(4), []
    for _ in range(150):
        true, reference = (expit(random.normal(-2, 1, size)) for size in (800, 2000))
        wrong, said = (expit(0.3 + 0.8 * np.log(each / (1 - each))) for each in (true, reference))
        line = CalibrationLine.of((random.random(2000) < reference).astype(np.int8), said)
        label = random.random(800) < true
        table = _estimate(wrong, line, draws=100)
        for figure, stage, realised in (
            ("rate", "", label.mean()),
            ("precision", "MQL", label[wrong >= 0.2].mean()),
            ("recall", "MQL", label[wrong >= 0.2].sum() / label.sum()),
        ):
            held.append(table["low"][figure, stage] <= realised <= table["high"][figure, stage])
    coverage = np.reshape(held, (150, 3)).mean(axis=0)

    assert ((coverage > 0.84) & (coverage < 0.96)).all()


def test_the_figures_of_a_period_do_not_depend_on_the_others() -> None:
    """Nor on the order of the leads; periods are sorted, and each row says what it rests on."""
    probability = _probability(600, 5)
    period = np.random.default_rng(0).choice(np.array(["2026-02", "2026-01"]), 600)
    order = np.random.default_rng(1).permutation(600)
    lines = {"2026-01": UNSURE, "2026-02": replace(UNSURE, level=1.0)}
    table = estimated_performance(ScoredLeads(period, probability), CUTS, lines, **CHOICES)
    shuffled = estimated_performance(ScoredLeads(period[order], probability[order]), CUTS, lines, **CHOICES)
    first = period == "2026-01"
    alone = estimated_performance(ScoredLeads(period[first], probability[first]), CUTS, lines, **CHOICES)

    pd.testing.assert_frame_equal(shuffled, table)
    pd.testing.assert_frame_equal(alone, table[table["period"] == "2026-01"])
    assert table["period"].unique().tolist() == ["2026-01", "2026-02"]
    assert set(table["assumes"]) == {ASSUMPTION}
    assert len(table) == 2 * (4 + 2 * 7)
    rates = table.loc[table["figure"] == "rate", "value"].tolist()
    assert rates[1] > 1.5 * rates[0]  # each by its own line


def test_a_cut_above_all_leads_has_no_precision() -> None:
    """And no lead at all gives an empty table."""
    table = _estimate(np.array([0.1, 0.3]))
    empty = estimated_performance(ScoredLeads(np.array([]), np.array([])), CUTS, {}, **CHOICES)

    assert table.loc[("precision", "SQL"), ["value", "low", "high"]].isna().all()
    assert table["value"]["recall", "SQL"] == 0
    assert table["value"]["leads", "SQL"] == 0
    assert (len(empty), empty.columns[-1]) == (0, "assumes")
