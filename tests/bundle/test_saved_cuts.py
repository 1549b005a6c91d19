"""Saved cuts lie beside a version and replace its own; those of another model and damaged ones are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leadml.bundle.saved_cuts import SavedCuts, newest_saved, saved_folder, saved_text
from leadml.errors import BundleError
from leadml.stages.cuts import Cut
from leadml.stages.grades import GradeBands
from leadml.stages.plan import StagePlan

CUTS = (Cut("IQL", 0.1, "a"), Cut("SQL", 0.5, "b", "a remark"))
SAVED = SavedCuts(2, CUTS, Cut("DROP", 0.05, "c"), "2026-01-01T00:00:00+00:00")


def save(version: Path, text: str, number: int = 2) -> None:
    """Write a file of saved cuts beside a version."""
    saved_folder(version).mkdir(exist_ok=True)
    (saved_folder(version) / f"{number}.json").write_text(text, encoding="utf-8")


def test_the_newest_saved_cuts_count(tmp_path: Path) -> None:
    """By their number, not by their text; without any there are none."""
    version = tmp_path / "7"
    assert newest_saved(version, "m") is None
    for number in (9, 10, 2):
        save(version, saved_text(SAVED, "m"), number)
    (saved_folder(version) / "notes.json").write_text("{}", encoding="utf-8")
    found = newest_saved(version, "m")

    assert found == SavedCuts(10, SAVED.cuts, SAVED.drop, SAVED.saved_at)
    assert saved_folder(version).name == "7.cuts"
    plan = found.applied_to(StagePlan((), GradeBands((), ())))
    assert (plan.cuts, plan.drop) == (SAVED.cuts, SAVED.drop)


@pytest.mark.parametrize(
    "change",
    [
        {"cuts": [{"stage": "SQL", "probability": 1.5, "rule": "r"}]},
        {
            "cuts": [
                {"stage": "SQL", "probability": 0.5, "rule": "r"},
                {"stage": "IQL", "probability": 0.6, "rule": "r"},
            ]
        },
        {
            "cuts": [
                {"stage": "IQL", "probability": 0.5, "rule": "r"},
                {"stage": "SQL", "probability": 0.4, "rule": "r"},
            ]
        },
        {"cuts": [{"stage": "HOT", "probability": 0.5, "rule": "r"}]},
        {"drop": {"stage": "DROP", "probability": 0.0, "rule": "r"}},
        {"cuts": [1]},
    ],
)
def test_damaged_cuts_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    """Whatever is wrong with them, in one sentence."""
    save(tmp_path / "1", json.dumps({**json.loads(saved_text(SAVED, "m")), **change}))
    with pytest.raises(BundleError, match=r"2\.json: must hold saved cuts, got .*; remove it, or save the cuts again"):
        newest_saved(tmp_path / "1", "m")


def test_cuts_of_another_model_are_refused(tmp_path: Path) -> None:
    """They were solved on other probabilities; a file that is no JSON is refused too."""
    save(tmp_path / "1", saved_text(SAVED, "other"))
    with pytest.raises(BundleError, match="must hold cuts of this version of the model, got those of another"):
        newest_saved(tmp_path / "1", "m")
    save(tmp_path / "1", "no JSON", 3)
    with pytest.raises(BundleError, match=r"3\.json: must hold saved cuts"):
        newest_saved(tmp_path / "1", "m")
