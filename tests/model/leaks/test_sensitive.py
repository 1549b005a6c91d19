"""Sensitive attributes: fields that stand for one are named, and others are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadml.leads.check.contract import kept_name
from leadml.leads.check.field import Field
from leadml.model.leaks.sensitive import BETRAYED, MIN_LEADS, judge_sensitive

FIELDS = (Field("title", "category", "fit"), Field("size", "number", "fit"))
ORDER = ["lead_id"]
SIZE = 1200


def leads(attribute: Any, *, told: float, seed: int = 0, rows: int = 1) -> pd.DataFrame:
    """Return leads with an attribute, and a title that has its word with some probability."""
    random = np.random.default_rng(seed)
    attribute = np.asarray(attribute, dtype=object)
    words = np.where(random.random(len(attribute)) < told, attribute, random.permutation(attribute))
    frame = pd.DataFrame({
        "lead_id": [f"L{at:05}" for at in range(len(attribute))],
        "title": [f"as {word}" for word in words],
        "size": random.normal(size=len(attribute)),
        kept_name("Gender"): attribute,
    })  # fmt: skip
    frame["split_key"] = frame["lead_id"]
    return pd.concat([frame] * rows, ignore_index=True)


def halves(size: int = SIZE, *, share: float = 0.5, seed: int = 1) -> list[str]:
    """Return the levels of an attribute of two."""
    return np.where(np.random.default_rng(seed).random(size) < share, "f", "m").tolist()


def test_a_field_that_stands_for_an_attribute_is_named() -> None:
    """The finding warns of the attribute, says how well it is told and by which field, and what law asks."""
    (found,) = judge_sensitive(leads(halves(), told=0.9), FIELDS, ["Gender"], order=ORDER)

    assert (found.code, found.severity, found.field) == ("RD14", "warn", "Gender")
    assert "ROC AUC of 0.9" in found.evidence
    assert "(alone: title 0.9" in found.evidence
    assert "GDPR Article 9" in found.remedy


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.floats(0.0, 0.3))
def test_fields_that_say_little_of_an_attribute_pass(seed: int, told: float) -> None:
    """A title that has the word of the attribute in less than a third of the leads says too little."""
    (found,) = judge_sensitive(leads(halves(seed=seed), told=told, seed=seed), FIELDS, ["Gender"], order=ORDER)
    assert found.severity == "passed"
    assert f"no level is surely above {BETRAYED}" in found.evidence


def test_the_level_that_is_told_best_counts_wherever_it_is() -> None:
    """A rare level may be told though the common ones are not."""
    random = np.random.default_rng(2)
    attribute = random.choice(["a", "b", "c"], SIZE, p=[0.45, 0.4, 0.15])
    frame = leads(attribute, told=0.0)
    frame["size"] = np.where(attribute == "c", 5.0, 0.0) + random.normal(size=SIZE)
    (found,) = judge_sensitive(frame, FIELDS, ["Gender"], order=ORDER)
    assert found.severity == "warn"
    assert "tell 'c' from other leads" in found.evidence
    assert "alone: size" in found.evidence


def test_numbers_are_divided_at_their_median() -> None:
    """An age that a field follows is betrayed, and the finding says from where on."""
    ages = np.random.default_rng(3).integers(20, 70, SIZE)
    frame = leads([str(age) for age in ages], told=0.0)
    frame["size"] = ages + np.random.default_rng(4).normal(0, 5, SIZE)
    (found,) = judge_sensitive(frame, FIELDS, ["Gender"], order=ORDER)
    assert f"tell above {np.median(ages):g} from other leads" in found.evidence


@pytest.mark.parametrize("known", [0, 2 * MIN_LEADS - 1])
def test_too_few_leads_tell_nothing(known: int) -> None:
    """Leads whose attribute is not known count for nothing."""
    attribute = [value if at < known else None for at, value in enumerate(["f", "m"] * (SIZE // 2))]
    (found,) = judge_sensitive(leads(attribute, told=0.9), FIELDS, ["Gender"], order=ORDER)
    assert (found.severity, found.field) == ("not applicable", "Gender")


def test_rows_of_a_lead_count_once_and_their_order_changes_nothing() -> None:
    """Of several rows of a lead the newest is used."""
    once = leads(halves(), told=0.9)
    often = pd.concat([once.assign(as_of=1, title="as x"), once.assign(as_of=2)]).sample(frac=1, random_state=5)
    found = judge_sensitive(often, FIELDS, ["Gender"], order=["lead_id", "as_of"])
    assert found == judge_sensitive(once, FIELDS, ["Gender"], order=ORDER)


def test_nothing_is_judged_where_nothing_is_declared() -> None:
    """There is no finding then, not even one that passed."""
    assert judge_sensitive(leads(halves(), told=0.9), FIELDS, [], order=ORDER) == []
