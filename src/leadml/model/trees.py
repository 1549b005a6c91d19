"""The trees of the model: LightGBM, shallow, with the number of rounds chosen on leads that the trees did not see.

What enters is the encoder's columns and labels; what leaves is LightGBM's own text and exact contributions from it.
The text holds no value of any lead and no parameter of the run: columns are named by number, categories are flags.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import lightgbm
    from numpy.typing import NDArray

    from leadml.leads.split import Fold
    from leadml.params import ModelParams

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int8]

PARAMETER_BLOCK = "\nparameters:"
VALUE_RANGE = re.compile(r"\[[^\[\]\s:]+:[^\[\]\s:]+\]")  # the lowest and the highest value that a lead had
SMALLEST_GAIN = 1e-9


@dataclass(frozen=True)
class Trees:
    """Boosted trees as text.

    Parameters
    ----------
    text
        LightGBM's model text without its parameter block.
    threads
        How many threads predict; 0 for all. Does not change any number.
    """

    text: str
    threads: int = 0

    @cached_property
    def booster(self) -> lightgbm.Booster:
        """LightGBM's model. The text must have been checked: LightGBM ends the process on a damaged one."""
        import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

        return lgb.Booster(model_str=self.text)

    def margin(self, matrix: Floats) -> Floats:
        """Return log-odds of shape (n_leads,)."""
        raw = self.booster.predict(matrix, raw_score=True, num_threads=self.threads)
        return np.asarray(raw, dtype=np.float64)

    def contributions(self, matrix: Floats) -> tuple[Floats, float]:
        """Return log-odds of shape (n_leads, n_columns) by TreeSHAP, and those of the mean lead.

        Notes
        -----
        Path-dependent TreeSHAP of Lundberg et al., "From local explanations to global understanding with explainable
        AI for trees", Nature Machine Intelligence 2 (2020), as LightGBM computes it.
        """
        rows = matrix if len(matrix) else np.zeros((1, matrix.shape[1]))
        raw = np.asarray(self.booster.predict(rows, pred_contrib=True, num_threads=self.threads), dtype=np.float64)
        return raw[: len(matrix), :-1], float(raw[0, -1])


def choose_rounds(matrix: Floats, label: Labels, folds: Sequence[Fold], choices: ModelParams) -> tuple[int, Floats]:
    """Return how many rounds lose least on leads that the trees did not see, and those leads' log-odds.

    All folds grow side by side until ``choices.patience`` rounds have brought nothing.

    Returns
    -------
    tuple
        Rounds, at least 1, and log-odds of shape (n_leads,), NaN for leads that judge no fold.
    """
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    settings = _settings(choices)
    boosters = [lgb.Booster(settings, _dataset(matrix[fit], label[fit], choices)) for fit, _ in folds]
    judges = [(matrix[judge], label[judge]) for _, judge in folds]
    watches = [_watch(*rows, booster, choices.threads) for rows, booster in zip(judges, boosters, strict=True)]
    best, least = 1, np.inf
    for rounds in range(1, choices.max_rounds + 1):
        loss = sum(watch(rounds) for watch in watches) / sum(len(judge) for _, judge in folds)
        if loss < least - SMALLEST_GAIN:
            best, least = rounds, loss
        if rounds - best >= choices.patience:
            break
    margin = np.full(len(label), np.nan)
    for (_, judge), booster in zip(folds, boosters, strict=True):
        margin[judge] = booster.predict(matrix[judge], raw_score=True, num_iteration=best, num_threads=choices.threads)
    return best, margin


def fit_trees(matrix: Floats, label: Labels, choices: ModelParams, *, rounds: int) -> Trees:
    """Return the trees of so many rounds.

    Parameters
    ----------
    matrix
        Columns of shape (n_leads, n_columns), rows in the order of the ids.
    label
        Array of shape (n_leads,) of 0 and 1.
    choices
        Size, speed and penalties.
    rounds
        Number of trees, at least 1.
    """
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    booster = lgb.train(_settings(choices), _dataset(matrix, label, choices), rounds)
    text = booster.model_to_string(num_iteration=rounds).partition(PARAMETER_BLOCK)[0]
    return Trees(VALUE_RANGE.sub("[-inf:inf]", text) + "\n", choices.threads)


def _settings(choices: ModelParams) -> dict[str, Any]:
    return {
        "objective": "binary",
        "metric": "none",
        "num_leaves": choices.leaves,
        "learning_rate": choices.learning_rate,
        "min_data_in_leaf": choices.min_leads_per_leaf,
        "lambda_l2": choices.l2,
        "feature_fraction": choices.field_share,
        "max_bin": choices.bins,
        "num_threads": choices.threads,
        "seed": 0,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
    }


def _dataset(matrix: Floats, label: Labels, choices: ModelParams) -> lightgbm.Dataset:
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    names = [f"f{at:04d}" for at in range(matrix.shape[1])]
    return lgb.Dataset(matrix, label, feature_name=names, params=_settings(choices))


def _watch(matrix: Floats, label: Labels, booster: lightgbm.Booster, threads: int) -> Callable[[int], float]:
    """Return a function that grows a booster by one round and returns its summed log loss on other leads."""
    signs = np.where(label == 1, -1.0, 1.0)
    margin = np.zeros(len(label))

    def grow(rounds: int) -> float:
        booster.update()
        one = {"start_iteration": rounds - 1, "num_iteration": 1, "num_threads": threads}
        latest = booster.predict(matrix, raw_score=True, **one)
        np.add(margin, latest, out=margin)
        return float(np.logaddexp(0.0, signs * margin).sum())

    return grow
