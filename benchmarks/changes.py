"""How often scoring warns of changed leads: without a change, and with one that was planted.

Data: the bundled leads, the bank's campaigns and a shop's sessions, divided at random 70/30 as in compare.py, and the
first 70% of the campaigns with the last 30%. The model is fitted on the first three quarters of the 70%, and its
profile is of these and of the last quarter, as in a training. Batches are drawn from the 30%, without a lead twice; a
false alarm is a batch in which a finding warns. The last 30% of the campaigns are other leads than those before, so
that their alarms are not false.

Planted in batches of 200 leads: a field is empty, a number is 1000 times as large, a fifth of the leads has a new
level, all leads are of the highest stage (drawn with repetition). A change is found if a finding warns of the field, or
of the stages. Numbers of which more than nine in ten are 0 do not change by a factor and are left out.
Run with: python benchmarks/changes.py [--json] [--keep] [--recorded] [--data DIR] [--draws N]
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from compare_data import READ, DividedData, divided_data
from measure import data_folder, finish, options

from leadml.leads.check.contract import AS_OF
from leadml.model.fit.estimator import fit_model
from leadml.params import load_params
from leadml.params.review import ChangeLimits
from leadml.review.drift.counts import count_leads
from leadml.review.drift.judge import judge_changes
from leadml.review.drift.training import training_profile
from leadml.stages.cuts import solve_cuts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.bundle.profile import Profile
    from leadml.leads.judge.findings import Finding
    from leadml.model.predict.lead_model import LeadModel
    from leadml.stages.cuts import Cut
    from leadml.types import Floats

ROOT = Path(__file__).parents[1]
SIZES = (200, 1_000, 5_000)
FITTED = 0.75  # as the default of split.test_share leaves
PLANTED = 200  # leads: the fewest that are judged
STAGES = {
    "IQL": {"rule": "share", "top": 0.5},
    "MQL": {"rule": "share", "top": 0.2},
    "SQL": {"rule": "share", "top": 0.05},
}
CHANGED = {"number": "a number times 1000", "category": "a new level for a fifth of the leads"}
EMPTY, HIGHEST = "a field is empty", "all leads are SQL"


@dataclass(frozen=True)
class Trained:
    """A model with its profile and cuts, and the other leads as the model reads it."""

    model: LeadModel
    profile: Profile
    cuts: tuple[Cut, ...]
    batch_leads: Floats

    @property
    def names(self) -> list[str]:
        """The fields in order."""
        return [field.name for field in self.model.encoder.fields]

    def probability(self, fields: Floats) -> Floats:
        """Return the probability of some leads."""
        start, log_odds = self.model.contributions(fields)
        return self.model.calibrator.probability(start + log_odds.sum(axis=1))

    def warnings(self, fields: Floats) -> list[Finding]:
        """Return what scoring warns of."""
        probability = self.probability(fields)
        counts = count_leads(self.profile, fields, probability, names=self.names, cuts=self.cuts)
        return [each for each in judge_changes(self.profile, counts, ChangeLimits()) if each.severity == "warn"]


def main() -> None:
    """Draw batches of every data set, plant changes, print how often a finding warns."""
    arguments = options(__doc__ or "", "changes", (ROOT / "params.yaml", *READ), data=data_folder(), draws=200)
    figures: dict[str, Any] = {"data": {}, "found": {}}
    for data in divided_data(arguments.data):
        trained, random = _train(data), np.random.default_rng(0)
        alarms = {f"of_{size}": _alarms(trained, size, arguments.draws, random) for size in SIZES}
        row = {"leads": len(data.learn), "alarms": {size: share for size, share in alarms.items() if share is not None}}
        figures["data"][data.name] = row
        _count_found(trained, random, figures["found"])
        print(data.name, row)
    print(figures["found"])
    finish("changes", figures, arguments)


def _train(data: DividedData) -> Trained:
    """Fit a model with the params of the project, and take the profile of its training."""
    params = load_params(ROOT / "params.yaml")
    rows = int(FITTED * len(data.learn))
    learn, holdout = data.learn[:rows].reset_index(drop=True), data.learn[rows:].reset_index(drop=True)
    fitted = fit_model(learn, data.fields, params, split=data.split(params.split))
    cuts = solve_cuts(fitted.probability, fitted.label, STAGES).cuts
    clock = AS_OF if AS_OF in data.learn else None
    profile = training_profile(fitted, learn, holdout, cuts=cuts, clock=clock)
    return Trained(fitted.model, profile, cuts, fitted.model.encoder.fields_of(data.holdout))


def _alarms(trained: Trained, size: int, draws: int, random: np.random.Generator) -> float | None:
    """Return the share of batches with a warning; None where the holdout is too small for the size."""
    if size > len(trained.batch_leads):
        return None
    batches = (random.choice(len(trained.batch_leads), size, replace=False) for _ in range(draws))
    return float(np.mean([bool(trained.warnings(trained.batch_leads[batch])) for batch in batches]))


def _count_found(trained: Trained, random: np.random.Generator, found: dict[str, dict[str, int]]) -> None:
    """Add to each planted change how often it was planted and found."""
    for name, field, batch in _planted(trained, random):
        codes = {each.code for each in trained.warnings(batch) if each.field == field}
        is_found = "RV1" in codes if name == EMPTY else "RV7" in codes if name == HIGHEST else bool(codes)
        row = found.setdefault(name, {"planted": 0, "found": 0})
        row["planted"] += 1
        row["found"] += is_found


def _planted(trained: Trained, random: np.random.Generator) -> Iterator[tuple[str, str, Floats]]:
    """Yield each planted change: its name, the field, and the batch."""
    encoder, leads = trained.model.encoder, trained.batch_leads
    for index, field in enumerate(encoder.fields):
        batch = leads[random.choice(len(leads), PLANTED, replace=False)]
        is_category = field.kind == "category"
        empty, changed = batch.copy(), batch.copy()
        empty[:, index] = encoder.width(index) - 1 if is_category else np.nan
        yield EMPTY, field.name, empty
        if is_category:
            changed[: PLANTED // 5, index] = encoder.width(index) - 2
            yield CHANGED["category"], field.name, changed
        elif field.kind == "number" and np.mean(batch[:, index] == 0) <= 0.9:  # noqa: PLR2004 - see the docstring
            changed[:, index] *= 1000
            yield CHANGED["number"], field.name, changed
    highest = np.flatnonzero(trained.probability(leads) >= trained.cuts[-1].probability)
    yield HIGHEST, "", leads[random.choice(highest, PLANTED)]


if __name__ == "__main__":
    main()
