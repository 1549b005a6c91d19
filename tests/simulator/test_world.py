from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import leadml.simulator
from leadml.errors import LeadmlError
from leadml.simulator.world import standard_world

WORLD = standard_world(400)
FOLDER = Path(leadml.simulator.__file__).parent


@pytest.mark.parametrize(
    "name",
    [
        "interest_transition",
        "kind_probability",
        "drifted_kind_probability",
        "activity_lag",
        "outcome_lag",
        "lost_reason",
    ],
)
def test_distributions_that_are_no_probabilities_are_refused(name):
    """Rows must sum to 1 and hold nothing below 0."""
    distribution = getattr(WORLD, name).copy()
    distribution.reshape(-1)[0] += 0.01
    with pytest.raises(LeadmlError, match=f"world.{name} must hold rows of 0 or more that sum to 1"):
        replace(WORLD, **{name: distribution})
    distribution = getattr(WORLD, name).copy()
    row = distribution.reshape(-1, distribution.shape[-1])[0]
    row[0], row[1] = -0.5, row[0] + row[1] + 0.5
    with pytest.raises(LeadmlError, match=f"world.{name} must hold rows of 0 or more"):
        replace(WORLD, **{name: distribution})


def test_activity_rates_of_0_are_refused():
    """An activity of rate 0 has no log-likelihood."""
    message = "world.activity_rate and world.kind_probability must be above 0, got 0; give a small positive number"
    with pytest.raises(LeadmlError, match=message):
        replace(WORLD, activity_rate=np.zeros_like(WORLD.activity_rate))


def test_the_simulator_imports_of_leadml_only_errors_and_checks_of_arguments():
    """Beside NumPy, SciPy, pandas, PyArrow, the standard library and itself."""
    third_party = {"numpy", "scipy", "pandas", "pyarrow", "__future__"}
    standard = {"dataclasses", "typing", "json", "collections", "concurrent", "contextlib", "multiprocessing"}
    standard |= {"pathlib", "functools", "itertools"}
    for path in sorted(FOLDER.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                allowed = name.startswith("leadml.simulator") or name in {"leadml.errors", "leadml.arguments"}
                assert allowed or name.split(".")[0] in third_party | standard, f"{path.name}: {name}"
