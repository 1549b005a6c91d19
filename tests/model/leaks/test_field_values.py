"""Suspicions of values are in the order of the fields, and only of the fields that are judged."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import LeakEvidence
from leadml.model.leaks.check import JudgedRows
from leadml.model.leaks.field_values import CHECK, suspect_fields
from leadml.model.leaks.outcome import Outcome
from leadml.model.leaks.single_field import JudgedField
from leadml.params import LeakParams


def _rows() -> JudgedRows:
    """Return leads of whom two fields, the first and the last, know the outcome."""
    random = np.random.default_rng(0)
    label = (random.random(2000) < 0.3).astype(np.int8)
    frame = pd.DataFrame({"z": label + 0.01 * random.normal(size=2000), "m": random.normal(size=2000)})
    frame = frame.assign(a=label - 0.01 * random.normal(size=2000), converted=label)
    outcome = Outcome(label, np.arange(2000))
    fields = [JudgedField(Field(name, "number", "fit"), frame[name], outcome) for name in "zma"]
    return JudgedRows(frame, frame, outcome, fields, LeakEvidence(), LeakParams())


def test_suspicions_are_in_the_order_of_the_fields() -> None:
    """Not in that of the alphabet or of strength."""
    assert [(one.field, one.code) for one in suspect_fields(_rows())] == [("z", "LK1"), ("a", "LK1")]


def test_a_field_that_is_not_judged_has_no_suspicion() -> None:
    """It is compared with, nothing else."""
    rows = _rows().with_halves(1, suspects={"a"})

    assert [suspicion.field for suspicion in suspect_fields(rows)] == ["a"]


def test_the_check_has_the_codes_that_it_reports() -> None:
    """LK1 to LK5, decided by several draws."""
    assert list(CHECK.kinds) == [f"LK{number}" for number in range(1, 6)]
    assert CHECK.by_halves


def test_suspicions_of_all_fields_together_come_last() -> None:
    """Three fields each add to the others, the last most, and together tell the outcome, which is no field's name."""
    random = np.random.default_rng(3)
    label = (np.arange(1200) % 3 == 0).astype(np.int8)
    frame = pd.DataFrame({name: label * by + random.normal(size=1200) for name, by in (("z", 2.0), ("m", 2.2))})
    frame = frame.assign(a=label * 2.4 + random.normal(size=1200))
    outcome = Outcome(label, np.arange(1200) // 2)
    fields = [JudgedField(Field(name, "number", "fit"), frame[name], outcome) for name in "zma"]
    rows = JudgedRows(frame, frame, outcome, fields, LeakEvidence(), LeakParams(own=0.99))

    assert [(one.code, one.field, one.severity) for one in suspect_fields(rows)] == [
        ("LK3", "z", "warn"), ("LK3", "m", "warn"), ("LK3", "a", "warn"), ("LK3", "together", "stop"),
    ]  # fmt: skip
