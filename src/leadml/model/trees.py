"""The trees of the model: LightGBM, shallow, with the number of rounds chosen on leads that the trees did not see.

What enters is the encoder's columns and labels; what leaves is LightGBM's own text and exact contributions from it.
The text holds no value of any lead and no parameter of the run: columns are named by number, categories are flags.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import lightgbm
    from numpy.typing import NDArray

    from leadml.leads.split import Fold
    from leadml.params import ModelParams

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int8]

PARAMETER_BLOCK = "\nparameters:"
VALUE_RANGE = re.compile(r"\[[^\[\]\s:]+:[^\[\]\s:]+\]")  # the lowest and the highest value that a lead had
ROUNDS_AT_A_TIME = 25
MANY_LEADS = 100_000  # from so many on LightGBM's own threads gain more than they cost


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

    All folds grow side by side, one thread each, until ``choices.patience`` rounds have brought nothing.

    Returns
    -------
    tuple
        Rounds, at least 1, and log-odds of shape (n_leads,), NaN for leads that judge no fold.
    """
    boosters = [_fold_booster(matrix, label, fold, choices) for fold in folds]
    sizes = [len(judge) for _, judge in folds]
    curve: list[float] = []
    best = 0
    with ThreadPoolExecutor(choices.threads or os.cpu_count(), initializer=_silence) as pool:
        while len(curve) < choices.max_rounds and len(curve) - best < choices.patience:
            block = min(ROUNDS_AT_A_TIME, choices.max_rounds - len(curve))
            losses = list(pool.map(lambda booster: _grow(booster, block), boosters))  # noqa: B023 - run at once
            curve += np.average(losses, axis=0, weights=sizes).tolist()
            best = int(np.argmin(np.round(curve, 9))) + 1
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

    threads = choices.threads if len(label) > MANY_LEADS else 1
    booster = lgb.train(_settings(choices, threads), _dataset(matrix, label, choices, threads), rounds)
    text = booster.model_to_string(num_iteration=rounds).partition(PARAMETER_BLOCK)[0]
    return Trees(VALUE_RANGE.sub("[-inf:inf]", text) + "\n", choices.threads)


def _fold_booster(matrix: Floats, label: Labels, fold: Fold, choices: ModelParams) -> lightgbm.Booster:
    """Return a booster without trees on the leads of a fold, which judges itself by the others."""
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    fit, judge = fold
    known = _dataset(matrix[fit], label[fit], choices, 1)
    booster = lgb.Booster(_settings(choices, 1), known)
    others = lgb.Dataset(matrix[judge], label[judge], reference=known, params=_settings(choices, 1))
    booster.add_valid(others, "judge")
    return booster


def _silence() -> None:
    """Keep LightGBM quiet in this thread: it has a verbosity for each."""
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    lgb.Dataset(np.zeros((2, 1)), params={"verbosity": -1, "min_data_in_bin": 1, "num_threads": 1}).construct()


def _grow(booster: lightgbm.Booster, rounds: int) -> list[float]:
    """Return the log loss of the leads that judge after each of some further rounds."""
    losses = []
    for _ in range(rounds):
        booster.update()
        losses.append(float(booster.eval_valid()[0][2]))
    return losses


def _settings(choices: ModelParams, threads: int) -> dict[str, Any]:
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "num_leaves": choices.leaves,
        "learning_rate": choices.learning_rate,
        "min_data_in_leaf": choices.min_leads_per_leaf,
        "lambda_l2": choices.l2,
        "feature_fraction": choices.field_share,
        "max_bin": choices.bins,
        "num_threads": threads,
        "seed": 0,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
    }


def _dataset(matrix: Floats, label: Labels, choices: ModelParams, threads: int) -> lightgbm.Dataset:
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    names = [f"f{at:04d}" for at in range(matrix.shape[1])]
    return lgb.Dataset(matrix, label, feature_name=names, params=_settings(choices, threads))
