"""A version of a model as one value: the model, its stages, its evaluation, and how leads are read for it."""

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
    from leadml.bundle.profile import Profile
    from leadml.leads.sources.source import LeadSpec
    from leadml.model.judge.evaluation import Evaluation
    from leadml.model.judge.null_interval import Reference
    from leadml.model.predict.lead_model import LeadModel
    from leadml.stages.plan import StagePlan

BOOSTER, MODEL, EVALUATION = "booster.txt", "model.json", "evaluation.json"
FILES = (BOOSTER, MODEL, EVALUATION)


@dataclass(frozen=True, repr=False, eq=False)
class Bundle:
    """A model with everything that is needed to use it and to assess it.

    Parameters
    ----------
    target
        Name of the target.
    leads
        How leads are read for the model.
    model
        The model.
    stages
        Cuts and grade bands.
    profile
        Counts of the leads of the training, to compare later leads with.
    evaluation
        The evaluation on the holdout.
    reference
        What the evaluation says of the errors of the probabilities, which reviews compare later ones with.
    candidates
        A sample of the candidates that the cuts were chosen from.
    record
        The record of the training; nothing in it changes a score.
    """

    target: str
    leads: LeadSpec
    model: LeadModel
    stages: StagePlan
    profile: Profile
    evaluation: Evaluation
    reference: Reference
    candidates: pd.DataFrame
    record: TrainingRecord

    def __repr__(self) -> str:
        """Return target, date and number of fields in one line."""
        return f"Bundle({self.target!r}, trained {self.record.trained_at}, {len(self.leads.contract.fields)} fields)"

    def texts(self) -> dict[str, str]:
        """Return the text of each file by name; the same data and choices give the same bytes."""
        golden = golden_rows(self.profile.bins, self.model.encoder)
        scores = self.model.predict(golden_frame(golden, self.model.encoder)).tolist()
        model = {
            "target": self.target,
            "contract": self.leads.contract.to_json(),
            "as_of": self.leads.settings.to_json(),
            "holdout": asdict(self.leads.holdout),
            **self.model.to_json(),
            "stages": self.stages.to_json(),
            "profile": self.profile.to_json(),
            "golden": {"rows": golden, "scores": scores},
            "reference": self.reference.to_json(),
        }
        evaluation = self.evaluation.to_json() | {"candidates": as_rows(self.candidates)}
        return {
            BOOSTER: self.model.trees.text,
            MODEL: canonical_json(model),
            EVALUATION: canonical_json(evaluation),
        }

    @property
    def model_hash(self) -> str:
        """SHA-256 of the trees and ``model.json``; the same data and choices give the same hash."""
        return model_hash(self.texts())


def canonical_json(value: object) -> str:
    r"""Return a value as JSON in canonical form: sorted keys, no spaces, one newline at the end.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": 0.1})
    '{"a":0.1,"b":1}\n'
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def model_hash(texts: Mapping[str, str]) -> str:
    """Return the hash of the two files of a model."""
    digest = hashlib.sha256(texts[BOOSTER].encode())
    digest.update(texts[MODEL].encode())
    return digest.hexdigest()
