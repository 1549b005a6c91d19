"""Whether a model is worth using: a weak one is worse than a baseline, or cannot be told from the base rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadml.model.judge.baselines import BASE_RATE
from leadml.model.judge.evaluation import UNCLEAR, WORSE

if TYPE_CHECKING:
    from leadml.model.judge.evaluation import Evaluation


def weakness(evaluation: Evaluation) -> str:
    """Return in words why nobody should use a model without a reason of their own; empty if it is worth using.

    Parameters
    ----------
    evaluation
        On leads that the model was not fitted on, beside the baselines.

    Examples
    --------
    >>> import numpy as np
    >>> from leadml import evaluate
    >>> y, rate = np.arange(300) % 3 == 0, np.full(300, 1 / 3)
    >>> weakness(evaluate(y, np.where(y, 0.6, 0.2), baselines={"base rate": rate}))
    ''
    >>> weakness(evaluate(y, np.where(y, 0.2, 0.4), baselines={"base rate": rate}))
    'it is worse than the base rate'
    """
    rivals = evaluation.rivals()
    if worse := [name for name, answer in rivals.items() if answer == WORSE]:
        return f"it is worse than the {' and the '.join(worse)}"
    return f"it cannot be told from the {BASE_RATE}" if rivals.get(BASE_RATE) == UNCLEAR else ""
