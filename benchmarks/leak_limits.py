"""What other values of the limits of the leak gate do: how many planted leaks stop, and how many clean leads.

Each number of `leadml.model.leaks` is changed alone, to 0.7 and to 1.4 times its value; the cases are those of
`leaks.py`, cut to 3,000 rows. A limit whose changes change nothing could have another value.
Run with: python benchmarks/leak_limits.py [--only NAME] [--seed N] [--seeds N] [--data DIR] [--json] [--keep]
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import leaks
import numpy as np
import pandas as pd
from leak_cases import READ, ROOT
from leak_dated import READ_DATED
from measure import data_folder, finish, options

import leadml.model.leaks as gate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from leak_cases import Case

    from leadml.params import Params

FACTORS = (0.7, 1.4)
MAX_ROWS = 3000
Number = int | float


def main() -> None:
    """Judge all cases with each limit changed, and print what changes."""
    files = (ROOT / "params.yaml", *READ, *READ_DATED)
    chosen = options(__doc__ or "", "leak_limits", files, data=data_folder(), only="", seed=0, seeds=1)
    params = leaks.default_params()
    cases = [case for seed in range(chosen.seed, chosen.seed + chosen.seeds) for case in _cases(chosen.data, seed)]
    rows = [{"limit": "as it is", "value": "", **_counts(cases, params)}]
    print(rows[0], flush=True)
    for (owner, name), value in limits().items():
        limit = f"{owner.__name__.rpartition('.')[2]}.{name}"
        if chosen.only in {"", name, limit}:
            for other in (_scaled(value, factor) for factor in FACTORS):
                with changed(owner, name, other):
                    rows.append({"limit": limit, "value": f"{value:g} to {other:g}", **_counts(cases, params)})
                print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    finish("leak_limits", {"rows": table.to_dict("records")}, chosen)


def limits() -> dict[tuple[ModuleType, str], Number]:
    """Return the numbers of the leak gate by module and name; tuples and tables are left out."""
    found = {(module, name): getattr(module, name) for module in _modules() for name in _own_names(module)}
    return {key: value for key, value in found.items() if type(value) in {int, float} and value}


@contextmanager
def changed(owner: ModuleType, name: str, value: Number) -> Iterator[None]:
    """Change a number of a module until the block ends, there and in the modules that import it."""
    users = [module for module in _modules() if hasattr(module, name) and name not in _own_names(module)]
    before = [(module, getattr(module, name)) for module in (owner, *users)]
    for module, _ in before:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, old in before:
            setattr(module, name, old)


def _own_names(module: ModuleType) -> list[str]:
    """Return the constants that a module defines itself."""
    targets = [
        target
        for statement in ast.parse(inspect.getsource(module)).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    ]
    names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return [name for name in names if name.isupper()]


def _modules() -> list[ModuleType]:
    names = [module.name for module in pkgutil.iter_modules(gate.__path__)]
    return [importlib.import_module(f"{gate.__name__}.{name}") for name in names]


def _scaled(value: Number, factor: float) -> Number:
    return max(round(value * factor), 1) if isinstance(value, int) else value * factor


def _cases(folder: object, seed: int) -> list[Case]:
    sets, _ = leaks.data_sets(folder, seed)
    planted = leaks.planted_cases(sets, np.random.default_rng([seed, 0]))
    clean = leaks.clean_cases(sets, np.random.default_rng([seed, 1]))
    return [_cut(case) for case in (*planted, *clean)]


def _cut(case: Case) -> Case:
    rows = np.arange(len(case.frame))[:: -(-len(case.frame) // MAX_ROWS)]
    return case if case.tables or case.evidence.held_out is not None else case.with_rows(rows, case.description)


def _counts(cases: list[Case], params: Params) -> dict[str, int]:
    stops = [leaks.judge(case, params).severity == "stop" for case in cases]
    planted = [stop for case, stop in zip(cases, stops, strict=True) if case.suspect is not None]
    return {
        "stopped": sum(planted),
        "planted": len(planted),
        "false_stops": sum(stops) - sum(planted),
        "clean": len(cases) - len(planted),
    }


if __name__ == "__main__":
    main()
