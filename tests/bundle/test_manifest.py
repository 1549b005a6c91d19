"""The manifest: every part is restored from JSON, and a part that is missing or of another type is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from leadml.bundle.contents import canonical_json
from leadml.bundle.manifest import Manifest, SplitRecord, TrainingRecord
from leadml.leads.judge.findings import Finding
from leadml.leads.judge.maturity import Maturity, ReachedByAge
from leadml.leads.read.files import Dialect
from leadml.leads.sources.training_set import DataFacts
from leadml.leads.split import FoldSize, PartSize
from leadml.stages.cuts import Cut

MATURITY = Maturity(
    observed_until="2024-08-01T00:00:00+00:00",
    horizon=30,
    settling=7,
    mature=90,
    converted=9,
    late=1,
    immature=5,
    usable=80,
    drawn=70,
    leads=60,
    by_age=(ReachedByAge(7, 50, 5), ReachedByAge(30, 40, 8)),
)
LEARN, HELD_OUT = PartSize(8, 4, 1_600_000_000_000_000, 1_700_000_000_000_000), PartSize(2, 1)
MANIFEST = Manifest(
    format=6,
    target="won",
    leadml="0.1.0",
    model_hash="a" * 64,
    cuts=(Cut("MQL", 0.2, "fixed at 0.2"), Cut("SQL", 0.5, "fixed at 0.5")),
    dialect=Dialect(";", "utf-8", ",", ("unknown",)),
    record=TrainingRecord(
        trained_at="2026-01-02T03:04:05+00:00",
        unit="snapshots",
        data=DataFacts("leads.csv", 12, 2, {"activities": 3}, {"form": 2}, MATURITY),
        rows=10,
        conversions=5,
        data_hash="b" * 64,
        params_hash="c" * 64,
        recipe_hash="d" * 64,
        label_hash="",
        excluded={"duration": "known only after the call"},
        accepted_leaks={},
        findings=(
            Finding("RD1", "warn", "there are few leads", "bring more"),
            Finding("LK1", "stop", "x", field="age"),
        ),
        choices={"kind": "additive", "linear_weight": 0.25, "table_numbers": 40},
        is_small=False,
        split=SplitRecord("random", LEARN, HELD_OUT, (FoldSize(LEARN, HELD_OUT),)),
        weakness="",
        accepted_weak="",
        fitted_again=0,
        recalibrated="",
        used_until=0,
    ),
    libraries={"numpy": "2.0.0"},
    machine=("avx2", "fma"),
    files={"model.json": "d" * 64},
)


def _stored() -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(canonical_json(MANIFEST.to_json()))
    return stored


def test_a_manifest_is_restored_from_json() -> None:
    """Every part has its type, and writing it again gives the same bytes."""
    again = Manifest.from_json(_stored())

    assert again == MANIFEST
    assert canonical_json(again.to_json()) == canonical_json(MANIFEST.to_json())
    assert MANIFEST.to_json() == _stored()
    assert isinstance(again.record.data.maturity, Maturity)
    assert [type(value) for value in again.record.choices.values()] == [str, float, int]


def test_parts_that_not_every_model_has_may_be_missing() -> None:
    """Flat leads have no maturity and no counts, and rows without dates no first and no last."""
    stored = _stored()
    stored["record"]["data"] = {"source": "leads.csv", "rows": 12, "merged": 2}
    for part in ("learn", "holdout"):
        stored["record"]["split"][part] = {"rows": 8, "conversions": 4}
    record = Manifest.from_json(stored).record

    assert record.data == DataFacts("leads.csv", 12, 2)
    assert (record.data.by_age, record.split.learn) == ((), PartSize(8, 4))


@pytest.mark.parametrize("key", _stored())
def test_a_missing_part_is_named(key: str) -> None:
    """Each part of a manifest is needed."""
    stored = _stored()
    del stored[key]
    with pytest.raises(ValueError, match=f"^{key}: Field required$"):
        Manifest.from_json(stored)


@pytest.mark.parametrize("key", _stored()["record"])
def test_a_missing_part_of_the_record_is_named(key: str) -> None:
    """By the way to it."""
    stored = _stored()
    del stored["record"][key]
    with pytest.raises(ValueError, match=rf"^record\.{key}: Field required$"):
        Manifest.from_json(stored)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda stored: stored.update(format="six"), "^format: Input should be a valid integer, unable to parse"),
        (lambda stored: stored.update(files=[1]), "^files: Input should be a valid dict"),
        (
            lambda stored: stored["cuts"][1].update(probability="high"),
            r"^cuts\.1\.probability: Input should be a valid",
        ),
        (lambda stored: stored["record"].update(rows=1.5), r"^record\.rows: Input should be a valid integer"),
        (
            lambda stored: stored["record"]["findings"][0].update(code="XX"),
            r"^record\.findings\.0: Value error, a findin",
        ),
        (
            lambda stored: stored["record"]["findings"][0].update(severity="bad"),
            r"\.severity: Input should be 'stop', 'w",
        ),
    ],
)
def test_a_part_of_another_type_is_named(change: Callable[[dict[str, Any]], None], message: str) -> None:
    """The message is one line, for the first fault."""
    stored = _stored()
    change(stored)
    with pytest.raises(ValueError, match=message) as caught:
        Manifest.from_json(stored)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("points_terms", "expected"),
    [
        (0, "Low evidence: there are fewer leads or conversions"),
        (3, "Rule first: there are fewer leads or conversions"),
        (3, "reads nothing else has a weight of 40%"),
    ],
)
def test_a_version_of_few_leads_has_a_stamp(points_terms: int, expected: str) -> None:
    """It says whether the model starts from the points of the team; a version of enough leads has none."""
    choices = {**MANIFEST.record.choices, "points_terms": points_terms, "points_weight": 0.4}
    record = replace(MANIFEST.record, choices=choices)
    assert expected in replace(record, is_small=True).stamp
    assert not record.stamp
