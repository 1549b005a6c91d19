"""What tests of bundles share: a bundle of the bundled leads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tests.frames import split_of

from leadml.bundle.contents import Bundle
from leadml.bundle.manifest import SplitRecord, TrainingRecord
from leadml.leads.check.contract import Contract
from leadml.leads.check.load import LoadedLeads
from leadml.leads.judge.findings import Finding
from leadml.leads.read.files import Dialect
from leadml.leads.sources.settings import SingleSnapshot
from leadml.leads.sources.source import LeadSpec
from leadml.leads.sources.training_set import DataFacts
from leadml.leads.split import FoldSize, Holdout, PartSize
from leadml.model.fit.estimator import fit_model
from leadml.model.judge.evaluation import evaluate
from leadml.model.judge.null_interval import Reference
from leadml.model.parts.calibration import Calibrator
from leadml.model.parts.intervals import Intervals
from leadml.model.predict.lead_model import LeadModel
from leadml.params import Params
from leadml.review.drift.training import training_profile
from leadml.stages.cuts import Cut
from leadml.stages.grades import GradeBands
from leadml.stages.plan import StagePlan


@pytest.fixture(scope="session")
def bundle(bank_leads: LoadedLeads, bank_contract: Contract, quick_params: Params) -> Bundle:
    """Return a bundle of 600 of the bundled leads whose model has both parts."""
    frame = bank_leads.frame.sample(600, random_state=0).reset_index(drop=True)
    split = split_of(frame, quick_params.split)
    result = fit_model(frame, bank_contract.fields, quick_params, split=split)
    fitted, cuts = result.model, (Cut("MQL", 0.2, "fixed at 0.2"),)
    return Bundle(
        target="subscribed",
        leads=LeadSpec(
            contract=replace(bank_contract, label=None),
            settings=SingleSnapshot(),
            dialect=Dialect(";", "utf-8", ",", ("unknown", "n/a")),
            holdout=Holdout(0.25, 3, 1_700_000_000_000_000),
        ),
        model=LeadModel.of(
            fitted.encoder,
            fitted.linear,
            fitted.trees,
            calibrator=Calibrator(0.9, 0.1),
            intervals=Intervals(0.7, 0.9),
        ),
        stages=StagePlan(cuts, GradeBands((-1.0, 0.0, 2.5), ())),
        profile=training_profile(result, frame, frame.head(200), cuts=cuts, clock=None, slices=["poutcome"]),
        evaluation=evaluate([0, 1, 0, 1], [0.1, 0.4, 0.3, 0.2], cuts={"MQL": 0.2, "SQL": 0.9}, draws=50),
        reference=Reference.of(np.linspace(-2, 1, 12), np.array([0, 0, 1] * 4, np.int8), {"age": np.arange(12.0) % 5}),
        candidates=pd.DataFrame({"cut": [0.1, 0.2], "precision": [0.5, 1.0]}),
        record=_record("2026-01-02T03:04:05+00:00"),
    )


def _record(trained_at: str) -> TrainingRecord:
    """Return what happened in a training, with a value for every part."""
    sizes = [PartSize(rows, rows // 2, 1_600_000_000_000_000, 1_700_000_000_000_000) for rows in (8, 2)]
    return TrainingRecord(
        trained_at=trained_at,
        unit="leads",
        data=DataFacts("bank.csv", rows=12, merged=2, counts={"activities": 3}),
        rows=10,
        conversions=5,
        data_hash="a" * 64,
        params_hash="b" * 64,
        recipe_hash="d" * 64,
        label_hash="",
        excluded={"duration": "known only after the call"},
        accepted_leaks={"age": "known before the call"},
        findings=(Finding("RD1", "warn", "", "there are few leads", "add more"),),
        choices={"kind": "additive", "linear_weight": 0.25, "table_numbers": 40},
        is_small=True,
        split=SplitRecord("random", *sizes, folds=(FoldSize(*sizes),)),
        weakness="",
        accepted_weak="",
        fitted_again=0,
        recalibrated="",
        used_until=0,
    )
