"""Versions of the cuts beside those of a model: saved cuts replace those that the version was trained with.

A version never changes. Its saved cuts lie in a folder beside it, one file each, and the newest count. Each file names
the model for which it was made, and cuts of another model are refused.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from leadml.bundle.contents import canonical_json
from leadml.errors import BundleError, inert
from leadml.stages.cuts import Cut
from leadml.stages.ladder import ADVISED

if TYPE_CHECKING:
    from pathlib import Path

    from leadml.stages.plan import StagePlan

FORMAT = 1  # rises by 1 when files change


@dataclass(frozen=True)
class SavedCuts:
    """Cuts that were saved for a model.

    Parameters
    ----------
    number
        1, 2, ...: the version of the cuts.
    cuts
        One cut per advised stage, rising.
    drop
        The cut below which leads are dropped, or None.
    saved_at
        The instant in ISO 8601.
    """

    number: int
    cuts: tuple[Cut, ...]
    drop: Cut | None
    saved_at: str

    def applied_to(self, plan: StagePlan) -> StagePlan:
        """Return a stage plan with these cuts."""
        return replace(plan, cuts=self.cuts, drop=self.drop)


def saved_folder(version: Path) -> Path:
    """Return the folder of the saved cuts of a version, by the folder of the version."""
    return version.with_name(f"{version.name}.cuts")


def saved_text(saved: SavedCuts, model_hash: str) -> str:
    """Return the text of a file of saved cuts."""
    cuts = [cut.to_json() for cut in saved.cuts]
    drop = None if saved.drop is None else saved.drop.to_json()
    return canonical_json(
        {"format": FORMAT, "model_hash": model_hash, "cuts": cuts, "drop": drop, "saved_at": saved.saved_at}
    )


def newest_saved(version: Path, model_hash: str) -> SavedCuts | None:
    """Return the newest saved cuts of a version, or None.

    Raises
    ------
    BundleError
        If the file cannot be read, or its cuts are of another model.
    """
    files = [path for path in saved_folder(version).glob("*.json") if path.stem.isdigit()]
    if not files:
        return None
    path = max(files, key=lambda file: int(file.stem))
    try:
        stored: dict[str, Any] = json.loads(path.read_bytes())
        saved = _checked(int(path.stem), stored)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: must hold saved cuts, got {inert(repr(error))}; remove it, or save the cuts again"
        raise BundleError(msg) from None
    if stored["format"] != FORMAT or stored["model_hash"] != model_hash:
        msg = f"{path}: must hold cuts of this version of the model, got those of another; remove it"
        raise BundleError(msg)
    return saved


def _checked(number: int, stored: dict[str, Any]) -> SavedCuts:
    """Return saved cuts from plain data; refuse stages that do not exist and cuts that do not rise."""
    cuts = tuple(Cut(**cut) for cut in stored["cuts"])
    drop = None if stored["drop"] is None else Cut(**stored["drop"])
    probabilities = [float(cut.probability) for cut in cuts]
    if not all(0 < each < 1 for each in [*probabilities, *([drop.probability] if drop else [])]):
        raise ValueError(probabilities)
    if probabilities != sorted(probabilities) or [cut.stage for cut in cuts] != [
        stage for stage in ADVISED if stage in {cut.stage for cut in cuts}
    ]:
        raise ValueError(probabilities)
    return SavedCuts(number, cuts, drop, str(stored["saved_at"]))
