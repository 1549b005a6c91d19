"""Count the planted leaks that the leak gate stops and the clean leads that it stops by mistake, with default params.

Each seed draws 15 different planted leaks and 20 clean cases: the data set, its rows or fields, the leak, its strength
and the simulated CRM. Known leaks are removed from the real leads first. With several seeds, `same_verdict` is the
share of the fields of all data sets, known leaks included, that stop for every draw of the holdout or for none.
Run with: python benchmarks/leaks.py [--seed N] [--seeds N] [--data DIR] [--json] [--keep] [--recorded]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from leak_cases import KNOWN_LEAKS, READ, ROOT, Case
from leak_clean import REAL_CLEAN, SYNTHETIC_CLEAN, some_fields, some_rows
from leak_dated import READ_DATED, SOURCES
from leak_hindsight import HINDSIGHT_LEAKS
from leak_plants import FLAT_LEAKS, copies_in_holdout, known_leak
from leak_verdicts import same_verdict
from measure import data_folder, finish, options

from leadml.model.leaks import find_leaks
from leadml.params import Params, load_params

NUMBER_PLANTED, NUMBER_CLEAN = 15, 20
MAX_ROWS = 8000
ON_ALL_FIELDS = (known_leak, copies_in_holdout)  # with few fields, copies do not differ from equal leads


@dataclass(frozen=True)
class Result:
    """The most severe finding of the gate on a case.

    Parameters
    ----------
    case
        The case.
    severity
        ``stop``, ``warn`` or ``silent`` (no finding): of the suspect in planted leaks, of any field in clean leads.
    code, evidence
        Code and evidence of the finding; empty where there is none.
    """

    case: Case
    severity: str
    code: str = ""
    evidence: str = ""

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The row of the printed table."""
        return self.case.source, self.case.description, self.severity, self.code


def judge(case: Case, params: Params) -> Result:
    """Return the most severe finding: of the suspect in planted leaks, of any field in clean leads."""
    findings = find_leaks(case.gate_frame, case.fields, params, evidence=case.gate_evidence)
    topics = {field.name: field.subject for field in case.fields}
    counted = [finding for finding in findings if case.suspect in {None, finding.field, topics.get(finding.field)}]
    for severity in ("stop", "warn"):
        for finding in counted:
            if finding.severity == severity:
                return Result(case, severity, finding.code, f"{finding.field} {finding.evidence}")
    return Result(case, "silent")


def data_sets(folder: Path, seed: int) -> tuple[list[tuple[Case, Case]], list[str]]:
    """Return each data set with and without its known leak, if it has one, and why other data sets are left out."""
    found, reasons = [], []
    for source in SOURCES:
        try:
            raw = source(folder, seed)
        except FileNotFoundError as error:
            reasons.append(f"{source.__name__} is left out: no file {Path(error.filename).name} in --data")
            continue
        leak = KNOWN_LEAKS.get(raw.source)
        found.append((raw, raw.without_field(leak) if leak else raw))
    return found, reasons


def planted_cases(sets: list[tuple[Case, Case]], random: np.random.Generator) -> list[Case]:
    """Return 15 cases, each with another leak."""
    cases = []
    leaks = (*FLAT_LEAKS, *HINDSIGHT_LEAKS)
    for at in random.permutation(len(leaks))[:NUMBER_PLANTED]:
        plant = leaks[int(at)]
        possible = [(raw, clean) for raw, clean in sets if _can_be_planted(plant, clean)]
        raw, clean = possible[int(random.integers(len(possible)))]
        base = clean if plant is known_leak else _at_most(clean, random)
        base = base if plant in ON_ALL_FIELDS else _varied(base, random)
        cases.append(plant(base, raw, random))
    return cases


def clean_cases(sets: list[tuple[Case, Case]], random: np.random.Generator) -> list[Case]:
    """Return 20 cases without a leak: half of real leads, half synthetic."""
    cases = []
    for number in range(NUMBER_CLEAN):
        _, clean = sets[int(random.integers(len(sets)))]
        if number % 2:
            cases.append(SYNTHETIC_CLEAN[(number // 2) % len(SYNTHETIC_CLEAN)](random))
        else:
            cases.append(REAL_CLEAN[(number // 2) % len(REAL_CLEAN)](_at_most(clean, random), random))
    return cases


def run(seed: int, sets: list[tuple[Case, Case]], params: Params) -> tuple[list[Result], list[Result]]:
    """Return the results of a seed: of planted leaks, and of clean leads."""
    planted = [judge(case, params) for case in planted_cases(sets, np.random.default_rng([seed, 0]))]
    clean = [judge(case, params) for case in clean_cases(sets, np.random.default_rng([seed, 1]))]
    return planted, clean


def figures_of(planted: list[Result], clean: list[Result]) -> dict[str, int]:
    """Return the counts of a seed."""
    return {
        "planted": len(planted),
        "stopped": sum(result.severity == "stop" for result in planted),
        "silent": sum(result.severity == "silent" for result in planted),
        "clean": len(clean),
        "false_stops": sum(result.severity == "stop" for result in clean),
    }


def main() -> None:
    """Judge all cases, print tables and keep the counts."""
    files = (ROOT / "params.yaml", *READ, *READ_DATED)
    chosen = options(__doc__ or "", "leaks", files, data=data_folder(), seed=0, seeds=1)
    params = default_params()
    by_seed = {}
    for seed in range(chosen.seed, chosen.seed + chosen.seeds):
        sets, reasons = data_sets(chosen.data, seed)
        if seed == chosen.seed:
            print("\n".join(reasons), file=sys.stderr)
        planted, clean = run(seed, sets, params)
        by_seed[seed] = figures_of(planted, clean)
        for what, results in (("planted", planted), ("clean", clean)):
            table = pd.DataFrame([result.row for result in results], columns=["leads", what, "severity", "code"])
            if chosen.seeds == 1:
                print(f"\n{table.to_string(index=False)}")
            wrong = {"stop"} if what == "clean" else {"warn", "silent"}
            for result in results:
                if result.severity in wrong:
                    print(f"seed {seed}, {what}: {result.case.source}, {result.case.description}: {result.evidence}")
        print(f"seed {seed}: {by_seed[seed]}", flush=True)
    figures: dict[str, object] = dict(by_seed[chosen.seed])
    if chosen.seeds > 1:
        steady, unsteady = same_verdict(_raw(chosen.data), params, seeds=chosen.seeds)
        print(*unsteady, f"same verdict for all seeds: {steady:.1%} of the fields", sep="\n", flush=True)
        figures |= {
            "seeds": chosen.seeds,
            "same_verdict": round(steady, 4),
            "least_stopped": min(one["stopped"] for one in by_seed.values()),
            "most_silent": max(one["silent"] for one in by_seed.values()),
            "most_false_stops": max(one["false_stops"] for one in by_seed.values()),
            "all_stopped": sum(one["stopped"] for one in by_seed.values()),
            "all_false_stops": sum(one["false_stops"] for one in by_seed.values()),
        }
    finish("leaks", figures | {"seed": chosen.seed}, chosen)


def _can_be_planted(plant: object, clean: Case) -> bool:
    """Return whether a case can have a leak: a known leak in its own data set, hindsight in dated leads only."""
    if plant is known_leak:
        return clean.source in KNOWN_LEAKS
    return clean.tables is not None or plant not in HINDSIGHT_LEAKS


def _at_most(case: Case, random: np.random.Generator) -> Case:
    if len(case.frame) <= MAX_ROWS:
        return case
    return case.with_rows(np.sort(random.permutation(len(case.frame))[:MAX_ROWS]), f"{MAX_ROWS:,} rows")


def _varied(case: Case, random: np.random.Generator) -> Case:
    """Return the whole case, some of its rows or some of its fields."""
    choice = int(random.integers(3))
    return case if choice == 0 else (some_rows, some_fields)[choice - 1](case, random)


def _raw(folder: Path) -> list[Case]:
    """Return the data sets of the first seed, with their known leaks."""
    return [raw for raw, _ in data_sets(folder, 0)[0]]


def default_params() -> Params:
    """Return the choices of the repository's params.yaml for data, target, features and stages, all else by default."""
    written = load_params(ROOT / "params.yaml")
    return Params(data=written.data, target=written.target, features=written.features, stages=written.stages)


if __name__ == "__main__":
    main()
