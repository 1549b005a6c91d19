"""Train first versions that are worth nothing, and count those that are put in use without a person's word.

- `random`: the bundled leads, whose outcomes are drawn at random, 20 times.
- `no_linear`: leads whose log-odds are a sum of 8 numbers, about 1,110 to learn from and 10,000 others that judge, with
  a model without a linear part (`model.linear_strengths: []`), 20 times: it is worse than logistic regression.
- `not_said`: of those that are not put in use, how many scores are given all the same.

Run with: python benchmarks/weak.py [--json] [--keep] [--recorded] [--runs N]
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml
from measure import ROOT, finish, options

from leadml import LeadmlError, open_project
from leadml.simulator.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from leadml.jobs.project import Project

LEADS, TEST_SHARE, RATE = 11_111, 0.9, 0.125
BANK = (ROOT / "params.yaml", ROOT / "data" / "raw" / "bank.csv")
SHARES = [f"stages.{stage}={{rule: share, top: {top}}}" for stage, top in (("mql", 0.2), ("sql", 0.1))]


def main() -> None:
    """Train, count, print a table."""
    chosen = options(__doc__ or "", "weak", BANK, runs=20)
    kinds: dict[str, Callable[[Path, int], Project]] = {"random": at_random, "no_linear": without_linear}
    figures: dict[str, Any] = {"runs": chosen.runs, "champions": 0, "not_said": 0}
    for name, make in kinds.items():
        reasons = []
        for seed in range(chosen.runs):
            with TemporaryDirectory() as folder:
                project = make(Path(folder), seed)
                trained = project.train()
                used = trained.champion is not None
                scored = used or not _refuses(project)
                figures["champions"] += used
                figures["not_said"] += scored and not used
                reasons.append("put in use" if used else trained.model.bundle.record.weakness)
        figures[name] = pd.Series(reasons).value_counts().to_dict()
        print(f"{name}: {figures[name]}", flush=True)
    print(f"champions {figures['champions']}")
    finish("weak", figures, chosen)


def _refuses(project: Project) -> bool:
    """Return whether a project refuses to score, and says how a person may decide otherwise."""
    try:
        project.score(project.places.data, out=project.places.root / "scored.csv")
    except LeadmlError as error:
        return "--accept-weak" in str(error)
    return False


def at_random(folder: Path, seed: int) -> Project:
    """Return a project of the bundled leads with outcomes that nothing predicts."""
    (folder / "data" / "raw").mkdir(parents=True)
    leads = pd.read_csv(BANK[1], dtype=str)
    leads["y"] = np.where(np.random.default_rng(seed).random(len(leads)) < RATE, "yes", "no")
    leads.to_csv(folder / "data" / "raw" / "bank.csv", index=False)
    shutil.copy(BANK[0], folder)
    return open_project(folder, overrides=["tracking.enabled=false", *SHARES])


def without_linear(folder: Path, seed: int) -> Project:
    """Return a project of leads with a linear truth, and of a model without a linear part."""
    leads = Stream().before(LEADS, seed=seed)
    fields = [name for name in leads if name.startswith("field_")]
    random, size = np.random.default_rng(seed), np.linspace(0.8, 0.1, len(fields))
    log_odds = -2.3 + leads[fields].to_numpy() @ size
    leads["converted"] = (random.random(LEADS) < 1 / (1 + np.exp(-log_odds))).astype(int)
    leads[["lead_id", *fields, "converted"]].to_csv(folder / "leads.csv", index=False)
    params = {
        "data": {"path": "leads.csv", "lead_id": "lead_id"},
        "target": {"name": "won", "column": "converted", "positive": ["1"], "negative": ["0"]},
        "features": {"fit": dict.fromkeys(fields, "number")},
        "stages": {stage: {"rule": "share", "top": top} for stage, top in (("iql", 0.5), ("mql", 0.2), ("sql", 0.1))},
        "split": {"test_share": TEST_SHARE},
        "model": {"linear_strengths": []},
        "tracking": {"enabled": False},
        "limits": {"allow_small": True},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return open_project(folder)


if __name__ == "__main__":
    main()
