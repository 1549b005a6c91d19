"""The trees of the model: gradient boosting by LightGBM, cross-validated with all folds in parallel.

A fitted booster is LightGBM's model text, from which predictions and exact contributions are computed. The text holds
no value of any lead and no parameter of the fit: fields are named by number, and categories are codes.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from multiprocessing import cpu_count
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from leadml.model.parts.tree_text import weighted_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    import lightgbm

    from leadml.params import ModelParams
    from leadml.types import Floats, Fold, Labels, Mask, Rows


PARAMETER_BLOCK = "\nparameters:"
VALUE_RANGE = re.compile(r"\[[^\[\]\s:]+:[^\[\]\s:]+\]")  # the lowest and the highest value, each of one lead
ROUNDS_PER_BLOCK = 25  # between two checks of the patience; 100 give the same log loss (decision 1)
SEARCH_RATE_FACTOR = 2  # decision 1: halves the rounds of a search; 1 is no better on three of three divisions
MANY_ROWS = 100_000  # from so many on LightGBM's own threads save more time than they cost


@dataclass(frozen=True)
class Trees:
    """Boosted trees as text.

    Parameters
    ----------
    text
        LightGBM's model text without its parameter block.
    threads
        How many threads predict; 0 for all. Changes no number.
    """

    text: str
    threads: int = 0

    @classmethod
    def of(cls, boosters: Sequence[tuple[str, float]], *, threads: int = 0) -> Trees:
        """Return the weighted sum of boosters, given as text and weight, without any value of a lead."""
        text = weighted_sum([(text.partition(PARAMETER_BLOCK)[0], weight) for text, weight in boosters])
        return cls(VALUE_RANGE.sub("[-inf:inf]", text), threads)

    @cached_property
    def booster(self) -> lightgbm.Booster:
        """LightGBM's model. The hash of the text must be checked first: LightGBM crashes on a damaged text."""
        import lightgbm as lgb  # noqa: PLC0415 - slow to import and not always needed

        return lgb.Booster(model_str=self.text)

    def margin(self, fields: Floats) -> Floats:
        """Return log-odds of shape (n_rows,)."""
        raw = self.booster.predict(fields, raw_score=True, num_threads=self.threads)
        return np.asarray(raw, dtype=np.float64)

    def contributions(self, fields: Floats) -> tuple[Floats, float]:
        """Return SHAP values, log-odds of shape (n_rows, n_fields), and the log-odds of the mean lead.

        Notes
        -----
        Path-dependent TreeSHAP of Lundberg et al., "From local explanations to global understanding with explainable
        AI for trees", Nature Machine Intelligence 2 (2020), as LightGBM computes it.
        """
        rows = fields if len(fields) else np.zeros((1, fields.shape[1]))
        raw = np.asarray(self.booster.predict(rows, pred_contrib=True, num_threads=self.threads), dtype=np.float64)
        return raw[: len(fields), :-1], float(raw[0, -1])


@dataclass(frozen=True)
class TreeSettings:
    """A candidate for the trees of a model.

    Parameters
    ----------
    leaves
        Leaves of a tree.
    penalty
        On the squared values of leaves, 0 or more.
    on_linear
        Whether the trees are fitted on top of the linear part, or on nothing.
    """

    leaves: int
    penalty: float
    on_linear: bool

    def __str__(self) -> str:
        """Return the settings in words."""
        return f"{self.leaves} leaves, penalty {self.penalty:g}{', on the linear part' if self.on_linear else ''}"


@dataclass(frozen=True)
class CvResult:
    """The cross-validation of trees with one setting.

    Parameters
    ----------
    settings
        Of the trees.
    rounds
        The number of boosting rounds with the least out-of-fold log loss, at least 1.
    margin
        Out-of-fold log-odds of the trees alone, shape (n_rows,); NaN for rows that no fold is evaluated on.
    loss
        Out-of-fold log loss, with the linear part where the trees are fitted on it.
    gains
        What splits by each field gained in all folds, shape (n_fields,), 0 or more.
    work
        What the cross-validation cost, in billions of values: rows times fields times rounds.
    """

    settings: TreeSettings
    rounds: int
    margin: Floats
    loss: float
    gains: Floats
    work: float


@dataclass(frozen=True)
class BoosterData:
    """What trees are fitted on.

    Parameters
    ----------
    fields
        Of the encoder's `fields_of`, shape (n_rows, n_fields), in the order of the split.
    label
        Array of shape (n_rows,) of 0 and 1.
    directions
        For each field 1 where the log-odds may only rise with it, -1 where they may only fall, else 0.
    base
        Log-odds of shape (n_rows,) to which the trees are added; None where there are none.
    """

    fields: Floats
    label: Labels
    directions: tuple[int, ...]
    base: Floats | None = None

    def subset(self, rows: Rows, base: Floats | None) -> BoosterData:
        """Return some of the rows, with their own base."""
        return BoosterData(self.fields[rows], self.label[rows], self.directions, base)


BoosterSpec: TypeAlias = tuple[BoosterData, TreeSettings, int]
"""Training data, settings and number of rounds of a booster."""


def cross_validate(
    data: BoosterData,
    folds: Sequence[Fold],
    bases: Sequence[tuple[Floats, Floats]] | None,
    settings: TreeSettings,
    params: ModelParams,
    *,
    max_work: float,
    rate_factor: int = SEARCH_RATE_FACTOR,
    allowed_fields: Sequence[Mask] | None = None,
) -> CvResult:
    """Return out-of-fold log-odds of trees, and the number of rounds with the least log loss.

    All folds are fitted in parallel, one thread each, until ``params.patience`` rounds have not lowered the log loss
    or the work is used up. The learning rate is raised to save time, and each round counts as several of the model.

    Parameters
    ----------
    data
        The training set.
    folds
        Rows to fit on and to evaluate on.
    bases
        For each fold the log-odds of the linear part for its rows to fit on and to evaluate on; None without a linear
        part.
    settings
        Size and penalty of the trees.
    params
        Learning rate, rounds and patience.
    max_work
        Billions of values (rows times fields times rounds) that may be used; one block of rounds is always fitted.
    rate_factor
        By how much the learning rate is raised, and so many rounds of the model a round counts for.
    allowed_fields
        For each fold the fields that its trees may use, shape (n_fields,); None for all.
    """
    raised = {"learning_rate": min(rate_factor * params.learning_rate, 1.0)}
    params = params.model_copy(update=raised | {"max_rounds": -(-params.max_rounds // rate_factor)})
    patience = -(-params.patience // rate_factor)

    def make_booster(number: int) -> lightgbm.Booster:
        parts = zip(folds[number], bases[number] if bases else (None, None), strict=True)
        fit, evaluate = (data.subset(rows, base) for rows, base in parts)
        if allowed_fields is not None:
            fit.fields[:, ~allowed_fields[number]] = 0.0  # of a copy; trees cannot use a constant
        return _fold_booster(fit, evaluate, settings, params)

    sizes = [len(evaluate) for _, evaluate in folds]
    curve: list[float] = []
    best = 0
    values = sum(len(fit) for fit, _ in folds) * data.fields.shape[1] / 1e9  # billions, as the budget
    max_rounds = int(min(params.max_rounds, max(ROUNDS_PER_BLOCK, max_work / values)))
    with ThreadPoolExecutor(params.threads or cpu_count(), initializer=_mute_lightgbm) as pool:
        boosters = list(pool.map(make_booster, range(len(folds))))
        while len(curve) < max_rounds and len(curve) - best < patience:
            block = min(ROUNDS_PER_BLOCK, max_rounds - len(curve))
            losses = list(pool.map(lambda booster: _add_rounds(booster, block), boosters))  # noqa: B023 - run at once
            curve += np.average(losses, axis=0, weights=sizes).tolist()
            best = int(np.argmin(np.round(curve, 9))) + 1
    margin = np.full(len(data.label), np.nan)
    for (_, evaluate), booster in zip(folds, boosters, strict=True):
        margin[evaluate] = booster.predict(data.fields[evaluate], raw_score=True, num_iteration=best, num_threads=1)
    gains = np.sum([booster.feature_importance("gain", iteration=best) for booster in boosters], axis=0)
    return CvResult(settings, best * rate_factor, margin, curve[best - 1], gains, values * len(curve))


def fit_boosters(specs: Sequence[BoosterSpec], params: ModelParams) -> list[list[str]]:
    """Return for each spec the texts of several boosters, which differ by the fields that are drawn for their trees.

    Parameters
    ----------
    specs
        Training data, settings and number of rounds, at least 1, of each booster.
    params
        Learning rate and number of boosters.
    """
    import lightgbm as lgb  # noqa: PLC0415 - slow to import and not always needed

    threads = params.threads if len(specs[0][0].label) > MANY_ROWS else 1

    def fit(task: tuple[BoosterSpec, int]) -> str:
        (data, settings, rounds), seed = task
        options = _lightgbm_options(params, settings, data, threads) | {"seed": seed}
        return str(lgb.train(options, _dataset(data, options), rounds).model_to_string(num_iteration=rounds))

    workers = 1 if threads != 1 else params.threads or cpu_count()
    with ThreadPoolExecutor(workers, initializer=_mute_lightgbm) as pool:
        texts = list(pool.map(fit, product(specs, range(params.boosters))))
    return [texts[first : first + params.boosters] for first in range(0, len(texts), params.boosters)]


def _fold_booster(
    fit: BoosterData, evaluate: BoosterData, settings: TreeSettings, params: ModelParams
) -> lightgbm.Booster:
    """Return a booster without trees on the data of a fold."""
    import lightgbm as lgb  # noqa: PLC0415 - slow to import and not always needed

    options = _lightgbm_options(params, settings, fit, 1)
    fitted = _dataset(fit, options)
    booster = lgb.Booster(options, fitted)
    booster.add_valid(_dataset(evaluate, options, reference=fitted), "evaluate")
    return booster


def _add_rounds(booster: lightgbm.Booster, rounds: int) -> list[float]:
    """Return the out-of-fold log loss after each of some further rounds."""
    losses = []
    for _ in range(rounds):
        booster.update()
        losses.append(float(booster.eval_valid()[0][2]))
    return losses


def _mute_lightgbm() -> None:
    """Stop LightGBM from printing in this thread: its verbosity is set by thread."""
    import lightgbm as lgb  # noqa: PLC0415 - slow to import and not always needed

    lgb.Dataset(np.zeros((2, 1)), params={"verbosity": -1, "min_data_in_bin": 1, "num_threads": 1}).construct()


def _lightgbm_options(params: ModelParams, settings: TreeSettings, data: BoosterData, threads: int) -> dict[str, Any]:
    directions = {"monotone_constraints": list(data.directions), "monotone_constraints_method": "intermediate"}
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "num_leaves": settings.leaves,
        "learning_rate": params.learning_rate,
        "min_data_in_leaf": params.min_leads_per_leaf,
        "lambda_l2": settings.penalty,
        "feature_fraction": params.field_share,
        "max_bin": params.bins,
        "num_threads": threads,
        "seed": 0,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
        **(directions if any(data.directions) else {}),
    }


def _dataset(
    data: BoosterData, options: dict[str, Any], *, reference: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    import lightgbm as lgb  # noqa: PLC0415 - slow to import and not always needed

    names = [f"f{index:04d}" for index in range(data.fields.shape[1])]
    return lgb.Dataset(
        data.fields, data.label, init_score=data.base, feature_name=names, params=options, reference=reference
    )
