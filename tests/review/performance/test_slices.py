from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from leadml.bundle.profile import NO_PROFILE, Profile, SliceCounts
from leadml.leads.check.contract import LABEL
from leadml.leads.check.load import LoadedLeads
from leadml.model.fit.estimator import FitResult
from leadml.model.predict.reference import FieldBins
from leadml.review.performance.ranking import roc_auc_interval
from leadml.review.performance.realised import JudgedLeads
from leadml.review.performance.slices import DIFFERS, NOT_SHOWN, TOO_FEW, holm, slice_table


def _leads(size: int, seed: int, *, cluster: np.ndarray | None = None) -> JudgedLeads:
    random = np.random.default_rng(seed)
    probability = expit(random.normal(-2, 1, size))
    label = (random.random(size) < probability).astype(np.int8)
    return JudgedLeads(np.repeat("2026-01", size), probability, label, cluster)


def _table(
    leads: JudgedLeads, attributes: dict[str, object], *, min_slice: int = 200, profile: Profile = NO_PROFILE
) -> pd.DataFrame:
    return slice_table(leads, pd.DataFrame(attributes), profile, min_slice=min_slice, confidence=0.9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_s_p_values_keep_the_order_and_are_never_smaller(p_values: list[float]) -> None:
    """The smallest counts as often as there are tests; none is above 1."""
    alone = np.array(p_values)
    together = holm(alone)

    assert (together >= alone).all()
    assert together.max() <= 1
    assert together.min() == pytest.approx(min(1.0, alone.min() * len(alone)))
    assert (np.diff(together[np.argsort(alone, kind="stable")]) >= 0).all()


def test_holm_by_hand() -> None:
    """The example of four tests, of which two are below 0.05 in the end."""
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_the_levels_of_an_attribute_partition_the_leads() -> None:
    """Missing values are a level of their own; the largest level is first, of equal ones the first by name."""
    region = np.array(["north"] * 400 + ["south"] * 300 + [None] * 300, dtype=object)
    table = _table(_leads(1000, 0), {"region": region, "size": np.repeat([1.0, 2.0], [250, 750])})

    assert table[["attribute", "level", "leads"]].to_numpy().tolist() == [
        ["region", "north", 400],
        ["region", "missing", 300],
        ["region", "south", 300],
        ["size", "2.0", 750],
        ["size", "1.0", 250],
    ]
    assert table.groupby("attribute")["share"].sum().tolist() == pytest.approx([1.0, 1.0])
    conversions = table.groupby("attribute")["conversions"].sum()
    assert conversions["region"] == conversions["size"] > 0


def test_figures_of_a_level_are_those_of_its_leads() -> None:
    """The calibration error is the rate less the mean probability, and its interval is symmetric."""
    leads = _leads(900, 1)
    is_a = np.random.default_rng(0).random(900) < 0.6
    row = _table(leads, {"kind": np.where(is_a, "a", "b")}).set_index("level").loc["a"]
    said, label = leads.probability[is_a], leads.label[is_a]
    auc = roc_auc_interval(label, said, np.arange(len(label)), confidence=0.9)

    assert row["rate"] == pytest.approx(label.mean())
    assert row["mean_probability"] == pytest.approx(said.mean())
    assert row["calibration_error"] == pytest.approx(label.mean() - said.mean())
    middle = (row["calibration_error_low"] + row["calibration_error_high"]) / 2
    assert middle == pytest.approx(row["calibration_error"])
    assert row[["roc_auc", "roc_auc_low", "roc_auc_high"]].tolist() == pytest.approx(auc)
    assert row["rate_low"] < row["rate"] < row["rate_high"]


def test_a_level_with_few_leads_has_a_count_and_no_figure() -> None:
    """The floor itself is enough."""
    table = _table(_leads(399, 2), {"kind": np.repeat(["many", "few"], [200, 199])}).set_index("level")

    assert table["verdict"].to_dict() == {"many": NOT_SHOWN, "few": TOO_FEW}
    assert table.loc["few", "leads"] == 199
    assert table.loc["few"].drop(["attribute", "leads", "share", "verdict"]).isna().all()
    assert table.loc["many"].drop(["training_share", "training_rate"]).notna().all()


def test_without_attributes_there_is_no_row() -> None:
    """The columns are there."""
    table = slice_table(_leads(10, 3), pd.DataFrame(index=range(10)), NO_PROFILE, min_slice=1, confidence=0.9)

    assert len(table) == 0
    assert table.columns[-1] == "verdict"


def test_a_level_without_conversions_is_as_uncertain_as_was_said() -> None:
    """Of 200 leads with a probability of 0.01 none converts once in seven times: that is no difference."""
    none = JudgedLeads(np.repeat("2026-01", 200), np.full(200, 0.01), np.zeros(200, dtype=np.int8))
    row = _table(none, {"kind": np.repeat("a", 200)}).iloc[0]

    assert row["verdict"] == NOT_SHOWN
    assert row["p_value"] == pytest.approx(0.155, abs=0.01)


@pytest.mark.parametrize(("accounts", "verdict"), [(500, DIFFERS), (10, NOT_SHOWN)])
def test_leads_of_one_account_count_as_one(accounts: int, verdict: str) -> None:
    """Where 40% of the leads convert and 25% were said, ten accounts do not prove a difference."""
    account = np.repeat(np.arange(accounts), 500 // accounts)
    label = (account % 5 < 2).astype(np.int8)
    leads = JudgedLeads(np.repeat("2026-01", 500), np.full(500, 0.25), label, account)

    assert _table(leads, {"kind": np.repeat("a", 500)})["verdict"].tolist() == [verdict]


@pytest.mark.slow
def test_no_level_is_called_different_by_chance_more_often_than_promised() -> None:
    """Of 100 tables with eight levels whose probabilities are perfect, at most one in ten, within chance."""
    kind = np.arange(2400) % 8
    wrong = [(_table(_leads(2400, seed), {"kind": kind})["verdict"] == DIFFERS).any() for seed in range(100)]

    assert 0.02 <= np.mean(wrong) <= 0.18


def test_the_bank_s_jobs_are_counted_and_no_job_surely_differs(bank_leads: LoadedLeads, bank_fitted: FitResult) -> None:
    """On the leads that the model was fitted on, which has the field."""
    frame = bank_leads.frame
    label = frame[LABEL].to_numpy(dtype=np.int8)
    leads = JudgedLeads(np.repeat("all", len(frame)), bank_fitted.model.predict(frame), label)
    table = slice_table(leads, frame[["job", "marital"]], NO_PROFILE, min_slice=200, confidence=0.9)

    assert table.groupby("attribute")["leads"].sum().tolist() == [4521, 4521]
    assert set(table["verdict"]) == {NOT_SHOWN, TOO_FEW}
    assert (table["verdict"] == TOO_FEW).tolist() == (table["leads"] < 200).tolist()


def test_levels_stand_beside_those_of_the_training() -> None:
    """Their share and rate of it; a level or an attribute that the training did not count has none."""
    bins = {"region": FieldBins("category", levels=("north", "south")), "city": FieldBins("category", levels=("Oslo",))}
    counts = SliceCounts(rows=(60, 20, 15, 5), conversions=(6, 10, 3, 0))
    region = np.array(["north"] * 400 + ["west"] * 300 + [None] * 300, dtype=object)
    profile = replace(NO_PROFILE, bins=bins, slices={"region": counts})
    table = _table(_leads(1000, 0), {"region": region, "city": np.repeat("Oslo", 1000)}, profile=profile)

    assert table[["level", "training_share", "training_rate"]].fillna(-1).to_numpy().tolist() == [
        ["north", 0.6, 0.1], ["missing", 0.05, 0.0], ["west", -1, -1], ["Oslo", -1, -1]
    ]  # fmt: skip


def test_numbers_are_split_by_the_ranges_of_the_training() -> None:
    """Rising, those without leads left out; a boolean has no and yes."""
    bins = {"size": FieldBins("number", (1.0, 5.0, 9.0)), "asked": FieldBins("boolean")}
    slices = {
        "size": SliceCounts((1, 39, 40, 10, 10), (0, 39, 20, 1, 5)),
        "asked": SliceCounts((50, 50, 0), (5, 10, 0)),
    }
    size = np.repeat([7.0, 3.0, np.nan, 5.0, 20.0], 200)
    profile = replace(NO_PROFILE, bins=bins, slices=slices)
    table = _table(_leads(1000, 0), {"size": size, "asked": np.tile([0.0, 1.0], 500)}, profile=profile)

    assert table[["level", "leads", "training_share", "training_rate"]].to_numpy().tolist() == [
        ["1 to 5", 400, 0.39, 1.0],
        ["5 to 9", 200, 0.4, 0.5],
        ["above 9", 200, 0.1, 0.1],
        ["missing", 200, 0.1, 0.5],
        ["no", 500, 0.5, 0.1],
        ["yes", 500, 0.5, 0.2],
    ]


def test_texts_of_a_field_that_was_a_number_are_missing() -> None:
    """It may be declared as another kind since the training; texts of numbers are numbers."""
    profile = replace(NO_PROFILE, bins={"size": FieldBins("number", (1.0, 5.0, 9.0))})
    size = np.array(["3", "many", None, "20"] * 100, dtype=object)

    assert _table(_leads(400, 0), {"size": size}, profile=profile)[["level", "leads"]].to_numpy().tolist() == [
        ["1 to 5", 100], ["above 9", 100], ["missing", 200]
    ]  # fmt: skip
