"""Tell how many activities are acts of machines, by which rule, and which rules had nothing to judge by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leadml.leads.asof.machines import MACHINE_REASON, REASONS
from leadml.leads.judge.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from leadml.leads.asof.view import AsOfView
    from leadml.params import MachineParams

NOT_SET = "features.activities.machines is not set, so that all acts count as those of people"
MANY = 0.5  # a warning only: where machines do half of the acts, those that no rule knows matter too


def judge_machines(view: AsOfView) -> Finding:
    """Return how many acts are a machine's, and what could not be judged (DT8)."""
    machines = view.plan.machines
    if machines is None:
        remedy = "declare it where a column tells mails, deliveries or agents"
        return Finding("DT8", "not applicable", NOT_SET, remedy)
    counts = np.zeros(len(REASONS) + 1, dtype=np.int64)
    for block in view.history.blocks():
        counts += np.bincount(block.activities[MACHINE_REASON].to_numpy() + 1, minlength=len(counts))
    by_reason = dict(zip(("people", *REASONS), counts.tolist(), strict=True))
    acts = int(counts.sum()) - by_reason.pop("delivery")
    people = by_reason.pop("people")
    found = acts - people
    shown = ", ".join(f"{name} {number:,}" for name, number in by_reason.items())
    evidence = f"{found:,} of {acts:,} acts are by machines and count in no field ({shown})"
    if missing := "; ".join(_not_judged(view.plan.tells, machines)):
        evidence += f"; not judged: {missing}"
    if found > MANY * acts:
        return Finding("DT8", "warn", evidence, "look whether the rules of features.activities.machines fit your data")
    return Finding("DT8", "passed", evidence)


def _not_judged(tells: Collection[str], machines: MachineParams) -> Iterator[str]:
    """Yield the rules that the data or the params leave without what they need."""
    if "agent" not in tells:
        yield "agents, because sources.activities.agent names no column"
    if machines.addresses and "address" not in tells:
        yield "addresses, because sources.activities.address names no column"
    if not machines.mail:
        yield "acts on mails, because machines.mail names no kind"
    elif "message" not in tells:
        yield "the time of delivery, because sources.activities.message names no column"
    elif not machines.delivered:
        yield "the time of delivery, because machines.delivered names no kind"
    if machines.hours is None:
        yield "activity without a pause, because machines.hours is null"
