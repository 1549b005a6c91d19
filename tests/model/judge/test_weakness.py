from __future__ import annotations

import numpy as np
import pytest

from leadml.model.judge.evaluation import evaluate
from leadml.model.judge.weakness import weakness

ROWS = 2000


@pytest.fixture(scope="module")
def leads():
    """Return outcomes, the true probabilities and the base rate."""
    random = np.random.default_rng(0)
    true = random.beta(1, 4, ROWS)
    return random.random(ROWS) < true, true, np.full(ROWS, 0.2)


@pytest.mark.parametrize(
    ("model", "others", "why"),
    [
        ("true", {}, ""),
        ("rate", {}, "it cannot be told from the base rate"),
        ("noise", {}, "it is worse than the base rate"),
        ("rate", {"points rule": "true"}, "it is worse than the points rule"),
        ("noise", {"points rule": "true"}, "it is worse than the base rate and the points rule"),
        ("true", {"points rule": "true"}, ""),
    ],
)
def test_a_model_is_weak_if_a_baseline_is_better_or_the_base_rate_as_good(leads, model, others, why):
    """Only the base rate must be beaten: a model that is as good as a rule that a team has is worth using."""
    y, true, rate = leads
    by_name = {"true": true, "rate": rate, "noise": np.random.default_rng(1).permutation(true)}
    baselines = {"base rate": rate} | {name: by_name[other] for name, other in others.items()}
    assert weakness(evaluate(y, by_name[model], baselines=baselines, draws=100)) == why
