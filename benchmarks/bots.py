"""Judge whether acts of machines are recognised, and whether the model is as good as without them.

A CRM with mails is simulated three times with machines that do 5, 20 and 50% of the opens and clicks, and a tenth of
the page visits, and once without them. The people and what becomes of them are the same each time. The simulator shares
no code with the rules: delays are log-normal, a third of the scanners name no agent and wait for more than a minute,
and one person in fifty opens a mail within ten seconds.

- `found`: share of the acts of machines that are recognised; `humans_lost`: share of the acts of people that are taken
  for those of machines.
- `precision_gap`: how far the true precision of the leads of the holdout at the MQL cut is from that of the run without
  machines, as a fraction of it. `gap_without_rules` is the same if no rule is declared.

Run with: python benchmarks/bots.py [--leads N] [--months M] [--seed S] [--json] [--keep] [--recorded]
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from measure import finish, options
from truth import EXAMPLE, NOW

from leadml.leads.asof.machines import DELIVERY, MACHINE_REASON
from leadml.leads.check.contract import AS_OF, LEAD_ID, Contract
from leadml.leads.sources.dated import DatedLeads
from leadml.leads.sources.settings import AsOfSettings
from leadml.model.fit.estimator import fit_model
from leadml.params import Params, load_params
from leadml.simulator.scenario import Scenario
from leadml.simulator.write import simulate
from leadml.stages.cuts import solve_cuts

if TYPE_CHECKING:
    from argparse import Namespace

TARGET = "sql"
SHARES = (0.05, 0.2, 0.5)
BOTS = 0.1
RULES = {"delivered": ["email_delivered"], "mail": ["email_open", "email_click"]}
COLUMNS = {"message": "message_id", "agent": "agent"}


def main() -> None:
    """Simulate, train and compare."""
    chosen = options(__doc__ or "", "bots", (EXAMPLE,), leads=12_000, months=18, seed=0)
    with TemporaryDirectory() as name:
        clean = true_precision(simulated(Path(name) / "clean", chosen, scanners=0.0), with_rules=True)
    print(f"without machines: true precision at the MQL cut {clean:.4f}")
    shares = {}
    for share in SHARES:
        with TemporaryDirectory() as name:
            root = simulated(Path(name) / "run", chosen, scanners=share)
            found, lost = recognised(root)
            precision = {rules: true_precision(root, with_rules=rules) for rules in (True, False)}
        gaps = {rules: abs(value - clean) / clean for rules, value in precision.items()}
        figures = {"found": found, "humans_lost": lost, "precision_gap": gaps[True], "gap_without_rules": gaps[False]}
        shares[f"{share:.0%}"] = figures
        print(f"{share:.0%} by machines:", {name: round(value, 4) for name, value in figures.items()})
    worst = {"found": min(one["found"] for one in shares.values())}
    worst |= {name: max(one[name] for one in shares.values()) for name in ("humans_lost", "precision_gap")}
    finish("bots", {**worst, "shares": shares, "precision_without_machines": clean}, chosen)


def simulated(root: Path, chosen: Namespace, *, scanners: float) -> Path:
    """Write a simulated CRM with mails, and return its folder."""
    bots = BOTS if scanners else 0.0
    scenario = Scenario(truth_leads=chosen.leads, mail=True, scanners=scanners, bots=bots)
    simulate(root / "data", leads=chosen.leads, months=chosen.months, seed=chosen.seed, scenario=scenario)
    return root


def source_of(root: Path, *, with_rules: bool) -> DatedLeads:
    """Return the leads of a folder, by the params of the example, with the rules for machines or without them."""
    written: dict[str, Any] = load_params(EXAMPLE).as_written()
    written = {name: written[name] for name in ("data", "sources", "targets", "features", "stages")}
    if with_rules:
        written["sources"]["activities"] |= COLUMNS
        written["features"]["activities"]["machines"] = RULES
    params = Params.model_validate(written)
    return DatedLeads(root, params, Contract.from_params(params), AsOfSettings.from_params(params, TARGET), NOW)


def recognised(root: Path) -> tuple[float, float]:
    """Return the share of the acts of machines that are recognised, and of those of people that are lost."""
    machines = pd.read_parquet(root / "data" / "machines")
    instants = machines["occurred_at"].astype("int64").to_numpy()
    true = Counter(zip(machines["lead_id"], instants.tolist(), machines["kind"], strict=True))
    found: Counter[Any] = Counter()
    acts = 0
    with source_of(root, with_rules=True).view(lambda _: None) as view:
        names = np.array([*(kind for kind, _ in view.plan.kinds), "other"], dtype=object)
        for block in view.history.blocks():
            table = block.activities.to_pandas()
            table = table[table[MACHINE_REASON] != DELIVERY]
            acts += len(table)
            table = table[table[MACHINE_REASON] >= 0]
            ids = view.history.lead_ids[table["lead"].to_numpy()]
            found.update(zip(ids, table["occurred_at"].tolist(), names[table["kind"].to_numpy()], strict=True))
    right = sum(min(count, true[act]) for act, count in found.items())
    return right / true.total(), (found.total() - right) / (acts - true.total())


def true_precision(root: Path, *, with_rules: bool) -> float:
    """Return the mean true probability of the snapshots of the holdout that are at or above the MQL cut."""
    source = source_of(root, with_rules=with_rules)
    training = source.training(progress=lambda _: None)
    parts = training.parts()
    fitted = fit_model(parts.learn, training.contract.fields, source.params, split=training.split)
    rules = {"mql": source.params.stages.mql}
    cut = solve_cuts(fitted.probability, fitted.label, rules, groups=fitted.clusters)["MQL"]
    truth = pd.read_parquet(root / "data" / "truth")
    truth = truth[truth["target"] == TARGET].assign(**{AS_OF: truth[AS_OF].astype("int64")})
    holdout = parts.holdout.merge(truth[[LEAD_ID, AS_OF, "probability"]], on=[LEAD_ID, AS_OF])
    return float(holdout["probability"][fitted.model.predict(holdout) >= cut].mean())


if __name__ == "__main__":
    main()
