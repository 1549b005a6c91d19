"""A version of a model as one value: the model, its stages, its evaluation, and how to read more leads for it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from leadml.model.judge.evaluation import as_rows
from leadml.model.predict.reference import golden_frame, golden_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from leadml.bundle.manifest import TrainingRecord
    from leadml.leads.sources.source import LeadSpec
    from leadml.model.judge.evaluation import Evaluation
    from leadml.model.predict.lead_model import LeadModel
    from leadml.model.predict.reference import FieldProfile
    from leadml.stages.lifecycle import StagePlan

BOOSTER, MODEL, TABLES, EVALUATION = "booster.txt", "model.json", "tables.json", "evaluation.json"
FILES = (BOOSTER, MODEL, TABLES, EVALUATION)


@dataclass(frozen=True, repr=False)
class Bundle:
    """A model and all that is needed to use and to judge it.

    Parameters
    ----------
    target
        Name of what is predicted.
    leads
        How leads are read for it.
    model
        The model.
    stages
        Cuts and grade bands.
    profile
        What the rows it was fitted on look like, by field.
    evaluation
        What it is worth on the holdout.
    candidates
        The candidates that the cuts were chosen from.
    record
        What happened in the training: nothing in it changes a score.
    """

    target: str
    leads: LeadSpec
    model: LeadModel
    stages: StagePlan
    profile: Mapping[str, FieldProfile]
    evaluation: Evaluation
    candidates: pd.DataFrame
    record: TrainingRecord

    def __repr__(self) -> str:
        """Return what the bundle is, in one line."""
        return f"Bundle({self.target!r}, trained {self.record.trained_at}, {len(self.leads.contract.fields)} fields)"

    def texts(self) -> dict[str, str]:
        """Return the files that are the model and its evaluation: the same data and choices make the same bytes."""
        golden = golden_rows(self.profile, self.model.encoder)
        scores = self.model.predict(golden_frame(golden, self.model.encoder)).tolist()
        model = {
            "target": self.target,
            "contract": self.leads.contract.to_json(),
            "as_of": self.leads.settings.to_json(),
            "holdout": asdict(self.leads.holdout),
            "encoder": self.model.encoder.to_json(),
            "linear": self.model.linear.to_json(),
            "calibrator": self.model.calibrator.to_json(),
            "intervals": self.model.intervals.to_json(),
            "stages": self.stages.to_json(),
            "profile": {name: asdict(profile) for name, profile in self.profile.items()},
            "golden": {"rows": golden, "scores": scores},
        }
        evaluation = self.evaluation.to_json() | {"candidates": as_rows(self.candidates)}
        return {
            BOOSTER: self.model.trees.text,
            MODEL: canonical_json(model),
            TABLES: canonical_json(self.model.lookup.to_json()),
            EVALUATION: canonical_json(evaluation),
        }

    @property
    def model_hash(self) -> str:
        """SHA-256 over the trees and ``model.json``: the same for the same data and choices."""
        return model_hash(self.texts())


def canonical_json(plain: object) -> str:
    r"""Return plain data as JSON with one spelling.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": 0.1})
    '{"a":0.1,"b":1}\n'
    """
    return json.dumps(plain, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def model_hash(texts: Mapping[str, str]) -> str:
    """Return the hash of a model's two files."""
    both = hashlib.sha256(texts[BOOSTER].encode())
    both.update(texts[MODEL].encode())
    return both.hexdigest()
