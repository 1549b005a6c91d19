from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from leadml.leads.check.contract import LABEL
from leadml.leads.check.load import LoadedLeads
from leadml.model.fit.estimator import FitResult
from leadml.model.metrics import rate_interval
from leadml.review.performance.realised import JudgedLeads, realised_performance
from leadml.stages.candidates import candidate_table
from leadml.stages.cut_figures import cut_figures

CUTS = {"MQL": 0.2, "SQL": 0.5}
CHOICES = {"draws": 60, "confidence": 0.9, "seed": 0}
PARTS = ["discrimination", "miscalibration", "global_miscalibration", "local_miscalibration"]


def _leads(size: int, seed: int, *, shift: float = 0.0, slope: float = 1.0) -> JudgedLeads:
    random = np.random.default_rng(seed)
    true = random.normal(-2, 1, size)
    label = (random.random(size) < expit(true)).astype(np.int8)
    return JudgedLeads(np.repeat("2026-01", size), np.round(expit(slope * true + shift), 4), label)


def _figures(leads: JudgedLeads, **choices: int) -> pd.DataFrame:
    return realised_performance(leads, CUTS, **(CHOICES | choices)).set_index(["figure", "stage"])


@pytest.mark.parametrize("seed", range(3))
def test_the_parts_add_up_and_intervals_hold_their_figures(seed: int) -> None:
    """The log loss is uncertainty less discrimination plus both miscalibrations."""
    table = _figures(_leads(700, seed, shift=0.3))
    value = table["value"].xs("", level="stage")
    with_interval = table.dropna()

    assert value["uncertainty"] - value["discrimination"] + value["miscalibration"] == pytest.approx(value["log_loss"])
    parts = value["global_miscalibration"] + value["local_miscalibration"]
    assert parts == pytest.approx(value["miscalibration"])
    assert (with_interval["low"] <= with_interval["value"]).all()
    assert (with_interval["high"] >= with_interval["value"]).all()
    without = set(table.index[table["low"].isna()])
    assert without == {("leads", ""), ("conversions", ""), ("leads", "MQL"), ("leads", "SQL")}


def test_figures_are_those_of_scikit_learn_and_of_the_cuts() -> None:
    """Precision and recall have the intervals that the cuts are shown with."""
    from sklearn import metrics as oracle

    leads = _leads(900, 4)
    table = _figures(leads)
    value = table["value"].xs("", level="stage")
    pairs = {"roc_auc": oracle.roc_auc_score, "log_loss": oracle.log_loss, "brier": oracle.brier_score_loss}
    for name, expected in pairs.items():
        assert value[name] == pytest.approx(expected(leads.label, leads.probability)), name
    assert value["mean_probability"] == pytest.approx(leads.probability.mean())
    assert value[["leads", "conversions", "rate"]].tolist() == [900, leads.label.sum(), leads.label.mean()]
    ends = table.loc[("rate", ""), ["low", "high"]].tolist()
    assert ends == pytest.approx(rate_interval(leads.label.mean(), 900, confidence=0.9))
    for stage, cut in CUTS.items():
        of_cut = cut_figures(candidate_table(leads.probability, leads.label), cut)
        assert table["value"]["leads", stage] == of_cut["leads"]
        for name in ("precision", "recall"):
            expected = [of_cut[f"{name}{end}"] for end in ("", "_low", "_high")]
            assert table.loc[(name, stage), ["value", "low", "high"]].tolist() == pytest.approx(expected)


@pytest.mark.slow
def test_repeated_leads_of_an_account_do_not_narrow_the_intervals() -> None:
    """The values are those of one lead each; without accounts the intervals would be too narrow."""
    once = _leads(400, 5, shift=0.3)
    arrays = [np.repeat(array, 9) for array in (once.period, once.probability, once.label)]
    alone = _figures(once, draws=400)
    as_one, as_nine = (_figures(JudgedLeads(*arrays, cluster), draws=400) for cluster in (
        np.repeat(np.arange(400), 9), None
    ))  # fmt: skip
    width, width_as_one, width_as_nine = (table["high"] - table["low"] for table in (alone, as_one, as_nine))
    for name in ("rate", "roc_auc", "mean_probability", "brier", "log_loss", "uncertainty"):
        assert as_one["value"][name, ""] == pytest.approx(alone["value"][name, ""])
        assert width_as_one[name, ""] == pytest.approx(width[name, ""], rel=0.15)
        assert width_as_nine[name, ""] == pytest.approx(width[name, ""] / 3, rel=0.2)


@pytest.mark.slow
def test_the_figures_of_a_period_do_not_depend_on_the_others() -> None:
    """Periods are sorted, and the same seed gives the same intervals."""
    leads = _leads(800, 6)
    period = np.random.default_rng(0).choice(np.array([202602, 202601]), 800)
    both = JudgedLeads(period, leads.probability, leads.label)
    table = realised_performance(both, CUTS, **CHOICES)
    alone = realised_performance(both.at(period == 202601), CUTS, **CHOICES)
    other = realised_performance(both.at(period == 202601), CUTS, **(CHOICES | {"seed": 1}))

    pd.testing.assert_frame_equal(alone, table[table["period"] == 202601])
    pd.testing.assert_frame_equal(realised_performance(both, CUTS, **CHOICES), table)
    assert table["period"].unique().tolist() == [202601, 202602]
    assert other["value"][:10].equals(alone["value"][:10])
    assert not other["low"].equals(alone["low"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shift", "slope", "zero"),
    [
        (0.0, 1.0, ["miscalibration", "global_miscalibration", "local_miscalibration"]),
        (0.5, 1.0, ["local_miscalibration"]),
        (-0.8, 0.6, ["global_miscalibration"]),
    ],
)
def test_a_part_that_is_not_there_may_be_zero_and_one_that_is_there_is_not(
    shift: float, slope: float, zero: list[str]
) -> None:
    """In nine of ten samples of 3,000 leads, though no sample has a miscalibration of exactly 0."""
    random = np.random.default_rng(7)
    true = random.normal(-2, 1, 200_000)
    if slope < 1:  # the level is right in the mean
        shift -= np.log(expit(slope * true + shift).mean() / expit(true).mean()) / 0.9
    tables = [_figures(_leads(3000, seed, shift=shift, slope=slope), draws=80) for seed in range(20)]
    for name in ("miscalibration", "global_miscalibration", "local_miscalibration"):
        holds_zero = np.mean([table["low"][name, ""] == 0 for table in tables])
        assert (holds_zero >= 0.85) if name in zero else (holds_zero <= 0.25), name
        assert min(table["value"][name, ""] for table in tables) > 0


@pytest.mark.slow
def test_the_intervals_hold_the_true_parts() -> None:
    """In nine of ten samples within chance, of probabilities that are wrong in level and slope."""
    large = _figures(_leads(400_000, 8, shift=0.0, slope=0.7), draws=2)["value"]
    tables = [_figures(_leads(2000, 10 + seed, shift=0.0, slope=0.7), draws=80) for seed in range(40)]
    for name in ("log_loss", "uncertainty", "brier", *PARTS):
        held = np.mean([table["low"][name, ""] <= large[name, ""] <= table["high"][name, ""] for table in tables])
        assert held > 0.75, name


def test_what_chance_makes_of_perfect_probabilities_is_said() -> None:
    """The local miscalibration of perfect probabilities is what it is by chance, and not near 0."""
    table = _figures(_leads(2000, 9))
    by_chance = table.loc[("local_miscalibration_by_chance", "")]

    assert by_chance["low"] <= table["value"]["local_miscalibration", ""] <= by_chance["high"]
    assert 0.002 < by_chance["value"] < 0.02
    assert table["value"]["global_miscalibration_by_chance", ""] == pytest.approx(1 / 2 / 2000, rel=0.5)


def test_few_accounts_and_few_conversions_have_no_bootstrap_interval() -> None:
    """Nineteen accounts are too much alike when they are drawn; rates still have Wilson's interval."""
    leads = _leads(190, 10)
    few = JudgedLeads(leads.period, leads.probability, leads.label, np.arange(190) % 19)
    table, enough = _figures(few), _figures(JudgedLeads(*[*vars(few).values()][:3], np.arange(190) % 20))

    assert table.loc[("log_loss", ""), ["low", "high"]].isna().all()
    assert enough.loc[("log_loss", ""), ["low", "high"]].notna().all()
    assert table.loc[("rate", ""), ["low", "high"]].notna().all()


def test_a_lead_at_a_cut_is_above_it() -> None:
    """Whatever the digits of its probability are."""
    leads = _leads(50, 11)
    table = realised_performance(leads, {"SQL": float(leads.probability.max())}, **CHOICES)

    assert table.loc[(table["figure"] == "leads") & (table["stage"] == "SQL"), "value"].tolist() == [1.0]


def test_periods_without_conversions_or_without_leads_above_a_cut_are_said() -> None:
    """What is not defined is NaN; an empty set of leads gives an empty table."""
    quiet = _figures(JudgedLeads(np.repeat("2026-01", 40), np.linspace(0.01, 0.3, 40), np.zeros(40, dtype=np.int8)))
    empty = JudgedLeads(np.array([]), np.array([]), np.array([], dtype=np.int8))

    assert (
        quiet.loc[[("roc_auc", ""), ("recall", "MQL"), ("recall", "SQL"), ("precision", "SQL")], "value"].isna().all()
    )
    assert quiet["value"]["precision", "MQL"] == quiet["value"]["leads", "SQL"] == 0
    assert quiet["value"]["uncertainty", ""] == quiet["value"]["discrimination", ""] == 0
    assert quiet["value"]["global_miscalibration", ""] == quiet["value"]["log_loss", ""]
    assert len(realised_performance(empty, CUTS, **CHOICES)) == 0


def test_the_bank_s_leads_have_parts_of_a_plausible_size(bank_leads: LoadedLeads, bank_fitted: FitResult) -> None:
    """On the leads that the model was fitted on: more discrimination than miscalibration, and each lead counted."""
    frame = bank_leads.frame
    period = np.where(np.arange(len(frame)) % 2, "odd", "even")
    leads = JudgedLeads(period, bank_fitted.model.predict(frame), frame[LABEL].to_numpy(dtype=np.int8))
    table = realised_performance(leads, CUTS, **CHOICES)
    value = table[table["stage"] == ""].pivot_table(index="period", columns="figure", values="value")

    assert value["leads"].sum() == 4521
    assert value["conversions"].sum() == 521
    assert (value["discrimination"] > 3 * value["miscalibration"]).all()
