"""Judge whether each rule of the cuts keeps its promise, by the true probabilities of simulated leads.

A model is fitted with default params on one simulated CRM. Then 300 other CRMs are simulated, each with a seed of
its own; their snapshots get the probabilities of the model, and each rule solves a cut from these and from the outcomes
that were drawn. Whether the promise is kept is judged by the true probabilities of the snapshots, never by the draws:

- `precision`, `recall`, `drop` (each with confidence 0.9): the true precision or recall of the leads that the cut
  admits, or the true share of conversions that it drops, is as promised. A set counts only if the leads that are
  admitted or dropped are at least half of those at the best cut by the true probabilities. A refusal is broken where
  that best cut has 200 leads or more.
- `capacity`, `share`: the share of the snapshots of all sets together that the cut lets in lies in the interval that
  was told with it.
- `value`: the cut earns 98% or more of what the best cut by the true probabilities would earn.

`spread_of_share` is how much more a share varies between the sets than its interval tells; 1 is as told.

A promise is kept in 85% of the sets or more, if the rule also refuses each of 20 sets that cannot support it: too few
leads, outcomes or conversions, or none that is worth a contact. The counts of each hundred sets show how far chance
moves them: if a promise is kept in 90% of all, 84 or fewer of a hundred keep it once in 25 draws.
Run with: python benchmarks/cuts.py [--sets N] [--json] [--keep] [--recorded]
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from measure import finish, options
from truth import EXAMPLE, prepare, simulated

from leadml.errors import ModelError
from leadml.leads.check.contract import AS_OF, LABEL, LEAD_ID, SPLIT_KEY
from leadml.model.fit.estimator import fit_model
from leadml.stages.candidates import candidate_table
from leadml.stages.cut_figures import cut_figures
from leadml.stages.cuts import solve_cuts

if TYPE_CHECKING:
    from collections.abc import Callable

    from leadml.model.predict.lead_model import LeadModel
    from leadml.stages.cuts import Cuts
    from leadml.types import Floats, Labels, Objects

TARGET = "sql"
FITTED = {"leads": 12_000, "months": 18, "seed": 0}
FRESH = {"leads": 5_000, "months": 12}
FIRST_SEED = 1000
TOO_SMALL = 20  # sets that cannot support a rule
CONFIDENCE, FLOOR, RECALL, LOSS, TOP = 0.9, 0.1, 0.8, 0.05, 0.1
COST, VALUE = 1.0, 20.0
CAPACITY = {"leads_per_week": 30, "incoming_per_week": 200}
HUNDRED = 100
Z = 1.645  # half the width of a 90% interval, in standard errors
NEEDED, EARNED, HALF, ENOUGH = 0.85, 0.98, 0.5, 200
RULES: dict[str, dict[str, Any]] = {
    "precision": {"rule": "precision", "at_least": FLOOR, "confidence": CONFIDENCE},
    "recall": {"rule": "recall", "at_least": RECALL, "confidence": CONFIDENCE},
    "drop": {"lose_at_most": LOSS, "confidence": CONFIDENCE},
    "capacity": {"rule": "capacity", **CAPACITY},
    "share": {"rule": "share", "top": TOP},
    "value": {"rule": "value", "contact_cost": COST, "won_value": VALUE},
}


@dataclass(frozen=True)
class Leads:
    """The snapshots of one set; arrays of shape (n_snapshots,)."""

    probability: Floats
    true: Floats
    label: Labels
    account: Objects

    def solve(self, name: str) -> Cuts:
        """Return the cut of a rule."""
        stage = "drop" if name == "drop" else "mql"
        return solve_cuts(self.probability, self.label, {stage: RULES[name]}, groups=self.account)


@dataclass(frozen=True)
class Curve:
    """All cuts of a set, highest first, with the number of leads that each lets in and their true conversions."""

    cut: Floats
    leads: Floats
    won: Floats

    @classmethod
    def of(cls, leads: Leads) -> Curve:
        """Return the cuts of a set."""
        order = np.argsort(-leads.probability, kind="stable")
        ranked = leads.probability[order]
        last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        return cls(ranked[last], last + 1.0, np.cumsum(leads.true[order])[last])

    def at(self, cut: float) -> tuple[float, float]:
        """Return leads and true conversions at or above a cut."""
        place = int(np.searchsorted(-self.cut, -cut, side="right")) - 1
        return (float(self.leads[place]), float(self.won[place])) if place >= 0 else (0.0, 0.0)

    @property
    def all(self) -> tuple[float, float]:
        """All leads and their true conversions."""
        return float(self.leads[-1]), float(self.won[-1])


def main() -> None:
    """Solve all rules on all sets, and print how often each promise is kept."""
    chosen = options(__doc__ or "", "cuts", (EXAMPLE,), sets=300)
    model = fitted()
    sets = [fresh(model, FIRST_SEED + number) for number in range(chosen.sets)]
    everything = np.concatenate([leads.probability for leads in sets])
    everything.sort()
    rules: dict[str, dict[str, Any]] = {}
    for name in RULES:
        verdicts = [judge(name, leads, everything) for leads in sets]
        kept = sum(verdict == "kept" for verdict in verdicts)
        refused = sum(refuses(name, leads) for leads in unsupported(name, sets[:TOO_SMALL]))
        is_kept = kept >= NEEDED * len(sets) and refused == TOO_SMALL
        counts = {verdict: verdicts.count(verdict) for verdict in sorted(set(verdicts))}
        hundreds = [verdicts[at : at + HUNDRED].count("kept") for at in range(0, len(sets), HUNDRED)]
        rules[name] = {"sets": len(sets), "kept": kept, "refused_unsupported": refused, "promise": is_kept} | counts
        rules[name]["kept_by_hundred"] = hundreds
        print(f"{name}: {counts}, kept by hundred {hundreds}; {refused} of {TOO_SMALL} unsupported sets refused")
    kept = sum(rule["promise"] for rule in rules.values())
    result = {
        "promises": len(rules),
        "kept": kept,
        "rules": rules,
        "spread_of_share": spread_of_share(sets, everything),
    }
    finish("cuts", result, chosen)


def fitted() -> LeadModel:
    """Return a model of a simulated CRM, fitted with default params."""
    with TemporaryDirectory() as name:
        truth = simulated(Path(name), **FITTED)
        prepared = prepare(Path(name), TARGET, truth)
        fields, split = prepared.training.contract.fields, prepared.training.split
        return fit_model(prepared.learn, fields, prepared.params, split=split).model


def fresh(model: LeadModel, seed: int) -> Leads:
    """Return the snapshots of a CRM that the model has not seen."""
    with TemporaryDirectory() as name:
        truth = simulated(Path(name), **FRESH, seed=seed)
        frame = prepare(Path(name), TARGET, truth).training.frame
    true = truth.loc[truth["target"] == TARGET, [LEAD_ID, AS_OF, "probability"]]
    frame = frame.merge(true, on=[LEAD_ID, AS_OF])
    columns = (frame[name].to_numpy() for name in ("probability", LABEL, SPLIT_KEY))
    return Leads(model.predict(frame), *columns)


def judge(name: str, leads: Leads, everything: Floats) -> str:
    """Return whether a rule keeps its promise on a set: kept, broken, or too few leads."""
    curve = Curve.of(leads)
    best = BEST[name](curve) if name in BEST else 0.0
    try:
        solved = leads.solve(name)
    except ModelError:
        return "refused though the best cut has enough leads" if best >= ENOUGH else "refused"
    row = solved.table.iloc[0]
    if name in {"capacity", "share"}:
        share = 1 - np.searchsorted(everything, row["probability"], side="left") / len(everything)
        return "kept" if row["share_low"] <= share <= row["share_high"] else "broken"
    admitted, won = curve.at(row["probability"])
    total, total_won = curve.all
    if name == "value":
        most = float((curve.won * VALUE - curve.leads * COST).max())
        return "kept" if won * VALUE - admitted * COST >= EARNED * most else "broken"
    is_kept = {
        "precision": won >= FLOOR * admitted,
        "recall": won >= RECALL * total_won,
        "drop": won >= (1 - LOSS) * total_won,
    }[name]
    counted = total - admitted if name == "drop" else admitted
    if not is_kept:
        return "broken"
    return "kept" if counted >= HALF * best else "too few leads"


def spread_of_share(sets: list[Leads], everything: Floats) -> float:
    """Return the standard deviation between sets of the share above one cut, divided by what its intervals tell."""
    cut = float(everything[round((1 - TOP) * len(everything))])
    shares, told = [], []
    for leads in sets:
        figures = cut_figures(candidate_table(leads.probability, leads.label, groups=leads.account), cut)
        shares.append(figures["share"])
        told.append((figures["share_high"] - figures["share_low"]) / 2 / Z)
    return float(np.std(shares) / np.mean(told))


def best_precision(curve: Curve) -> float:
    """Return how many leads the lowest cut admits at which the true precision is as promised."""
    good = curve.leads[curve.won >= FLOOR * curve.leads]
    return float(good.max(initial=0.0))


def best_recall(curve: Curve) -> float:
    """Return how many leads the highest cut admits at which the true recall is as promised."""
    return float(curve.leads[curve.won >= RECALL * curve.won[-1]].min())


def best_drop(curve: Curve) -> float:
    """Return how many leads the highest cut drops at which the true loss is as promised."""
    return float(curve.leads[-1] - curve.leads[curve.won >= (1 - LOSS) * curve.won[-1]].min())


BEST: dict[str, Callable[[Curve], float]] = {
    "precision": best_precision,
    "recall": best_recall,
    "drop": best_drop,
}


def unsupported(name: str, sets: list[Leads]) -> list[Leads]:
    """Return sets that cannot support a rule, each made of one of the given sets."""
    made = []
    for leads in sets:
        accounts = pd.unique(leads.account)
        few = np.isin(leads.account, accounts[: 8 if name in {"precision", "recall", "drop"} else 15])
        if name == "value":  # none is worth a contact
            few = leads.probability < COST / VALUE
        made.append(Leads(leads.probability[few], leads.true[few], leads.label[few], leads.account[few]))
    return made


def refuses(name: str, leads: Leads) -> bool:
    """Return whether a rule is refused on a set."""
    try:
        leads.solve(name)
    except ModelError:
        return True
    return False


if __name__ == "__main__":
    main()
