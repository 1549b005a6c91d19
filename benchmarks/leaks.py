"""Whether the gate stops planted leaks and lets clean leads pass, with default params.

Each seed draws 15 planted leaks, each of another kind, and 20 clean sets of leads; which data set, which rows or
columns of it, which kind and which strength are the seed's, and so is the CRM that is simulated. The known leaks are
taken out of the real leads first.
Run with: python benchmarks/leaks.py [--seed N] [--seeds N] [--data DIR] [--json] [--keep] [--recorded]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from leak_cases import KNOWN_LEAKS, READ, ROOT, Case
from leak_clean import MADE_CLEAN, REAL_CLEAN, some_columns, some_rows
from leak_dated import READ_DATED, SOURCES
from leak_hindsight import HINDSIGHT
from leak_plants import PLANTS, copies_aside, known_leak
from measure import data_folder, finish, options

from leadml.model.leaks import find_leaks
from leadml.params import Params, load_params

NUMBER_PLANTED, NUMBER_CLEAN = 15, 20
MOST_ROWS = 8000
WHOLE = (known_leak, copies_aside)  # few columns cannot tell copies from leads that are alike


@dataclass(frozen=True)
class Verdict:
    """What the gate said of a case.

    Parameters
    ----------
    case
        What was judged.
    outcome
        ``stop``, ``warn`` or ``silent``: for a planted leak, of the suspect alone.
    code, evidence
        Of the finding; empty where there is none.
    """

    case: Case
    outcome: str
    code: str = ""
    evidence: str = ""

    @property
    def row(self) -> tuple[str, str, str, str]:
        """What a table shows."""
        return self.case.source, self.case.what, self.outcome, self.code


def judge(case: Case, params: Params) -> Verdict:
    """Return what the gate says: of the suspect in planted leads, of any field in clean ones."""
    found = find_leaks(case.frame, case.fields, params, evidence=case.evidence)
    topics = {field.name: field.subject for field in case.fields}
    mine = [finding for finding in found if case.suspect in {None, finding.field, topics.get(finding.field)}]
    for outcome in ("stop", "warn"):
        for finding in mine:
            if finding.severity == outcome:
                return Verdict(case, outcome, finding.code, f"{finding.field} {finding.evidence}")
    return Verdict(case, "silent")


def leaked_and_clean(folder: Path, seed: int) -> tuple[list[tuple[Case, Case]], list[str]]:
    """Return each data set with and without its known leak, if it has one, and why others are left out."""
    found, reasons = [], []
    for source in SOURCES:
        try:
            raw = source(folder, seed)
        except FileNotFoundError as error:
            reasons.append(f"{source.__name__} is left out: no file {Path(error.filename).name} in --data")
            continue
        leak = KNOWN_LEAKS.get(raw.source)
        found.append((raw, raw.without(leak) if leak else raw))
    return found, reasons


def planted_cases(sets: list[tuple[Case, Case]], random: np.random.Generator) -> list[Case]:
    """Return 15 cases with a leak each, of 15 kinds."""
    cases = []
    plants = (*PLANTS, *HINDSIGHT)
    for kind in random.permutation(len(plants))[:NUMBER_PLANTED]:
        plant = plants[int(kind)]
        able = [(raw, clean) for raw, clean in sets if _can_hold(plant, clean)]
        raw, clean = able[int(random.integers(len(able)))]
        base = clean if plant is known_leak else _at_most(clean, random)
        base = base if plant in WHOLE else _varied(base, random)
        cases.append(plant(base, raw, random))
    return cases


def clean_cases(sets: list[tuple[Case, Case]], random: np.random.Generator) -> list[Case]:
    """Return 20 cases without a leak: half of real leads, half made up."""
    cases = []
    for number in range(NUMBER_CLEAN):
        _, clean = sets[int(random.integers(len(sets)))]
        if number % 2:
            cases.append(MADE_CLEAN[(number // 2) % len(MADE_CLEAN)](random))
        else:
            cases.append(REAL_CLEAN[(number // 2) % len(REAL_CLEAN)](_at_most(clean, random), random))
    return cases


def run(seed: int, sets: list[tuple[Case, Case]], params: Params) -> tuple[list[Verdict], list[Verdict]]:
    """Return the verdicts of a seed: of planted leaks, and of clean leads."""
    planted = [judge(case, params) for case in planted_cases(sets, np.random.default_rng([seed, 0]))]
    clean = [judge(case, params) for case in clean_cases(sets, np.random.default_rng([seed, 1]))]
    return planted, clean


def figures_of(planted: list[Verdict], clean: list[Verdict]) -> dict[str, int]:
    """Return the counts of a seed."""
    return {
        "planted": len(planted),
        "stopped": sum(verdict.outcome == "stop" for verdict in planted),
        "silent": sum(verdict.outcome == "silent" for verdict in planted),
        "clean": len(clean),
        "false_stops": sum(verdict.outcome == "stop" for verdict in clean),
    }


def main() -> None:
    """Judge, print tables and keep the result."""
    files = (ROOT / "params.yaml", *READ, *READ_DATED)
    chosen = options(__doc__ or "", "leaks", files, data=data_folder(), seed=0, seeds=1)
    params = _default_params()
    by_seed = {}
    for seed in range(chosen.seed, chosen.seed + chosen.seeds):
        sets, reasons = leaked_and_clean(chosen.data, seed)
        if seed == chosen.seed:
            print("\n".join(reasons), file=sys.stderr)
        planted, clean = run(seed, sets, params)
        by_seed[seed] = figures_of(planted, clean)
        for what, verdicts in (("planted", planted), ("clean", clean)):
            table = pd.DataFrame([verdict.row for verdict in verdicts], columns=["leads", what, "outcome", "code"])
            if chosen.seeds == 1:
                print(f"\n{table.to_string(index=False)}")
            missed = "stop" if what == "clean" else "warn silent"
            for verdict in verdicts:
                if verdict.outcome in missed:
                    print(f"seed {seed}, {what}: {verdict.case.source}, {verdict.case.what}: {verdict.evidence}")
        print(f"seed {seed}: {by_seed[seed]}", flush=True)
    figures: dict[str, object] = dict(by_seed[chosen.seed])
    if chosen.seeds > 1:
        figures |= {
            "seeds": chosen.seeds,
            "least_stopped": min(one["stopped"] for one in by_seed.values()),
            "most_silent": max(one["silent"] for one in by_seed.values()),
            "most_false_stops": max(one["false_stops"] for one in by_seed.values()),
            "all_stopped": sum(one["stopped"] for one in by_seed.values()),
            "all_false_stops": sum(one["false_stops"] for one in by_seed.values()),
        }
    finish("leaks", figures | {"seed": chosen.seed}, chosen)


def _can_hold(plant: object, clean: Case) -> bool:
    """Return whether a leak can be planted: known ones where they are known, those of hindsight in dated leads."""
    if plant is known_leak:
        return clean.source in KNOWN_LEAKS
    return clean.past is not None or plant not in HINDSIGHT


def _at_most(case: Case, random: np.random.Generator) -> Case:
    if len(case.frame) <= MOST_ROWS:
        return case
    return case.rows(np.sort(random.permutation(len(case.frame))[:MOST_ROWS]), f"{MOST_ROWS:,} rows")


def _varied(case: Case, random: np.random.Generator) -> Case:
    """Return a case as it is, or part of its rows, or part of its columns."""
    how = int(random.integers(3))
    return case if how == 0 else (some_rows, some_columns)[how - 1](case, random)


def _default_params() -> Params:
    written = load_params(ROOT / "params.yaml")
    return Params(data=written.data, target=written.target, features=written.features, stages=written.stages)


if __name__ == "__main__":
    main()
