"""The trees of the model: gradient boosting by LightGBM, cross-validated with all folds in parallel.

A fitted booster is LightGBM's model text, from which predictions and exact contributions are computed. The text holds
no value of any lead and no parameter of the fit: fields are named by number, and categories are codes.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import cpu_count
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from leadml.model.parts.calibration import log_losses
from leadml.model.parts.tree_text import weighted_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    import lightgbm

    from leadml.params import ModelParams
    from leadml.types import Floats, Fold, Labels, Rows


PARAMETER_BLOCK = "\nparameters:"
VALUE_RANGE = re.compile(r"\[[^\[\]\s:]+:[^\[\]\s:]+\]")  # the lowest and the highest value, each of one lead
# Rounds after which a booster is judged; each is one and a half times the one before, so that two steps beyond the best
# cost about as much as all rounds before it. Beyond the last they go on in the same way.
CHECKPOINTS = (25, 40, 60, 90, 135, 200, 300, 450, 675, 1000)
CHECKPOINT_FACTOR = 1.5  # as between the numbers above
PATIENCE = 2  # checkpoints without a lower log loss, after which no more rounds are added
EXPLAINED = 100  # rows of each fold; means of absolute values are right to a tenth
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
    def of(cls, boosters: Sequence[tuple[str, Sequence[float]]], *, threads: int = 0) -> Trees:
        """Return the weighted sum of boosters, without any value of a lead.

        Parameters
        ----------
        boosters
            Texts and the weights of their trees; see `leadml.model.parts.tree_text.weighted_sum`.
        threads
            How many threads predict; 0 for all.
        """
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
        L2 penalty on the values of leaves, 0 or more.
    half_life
        Share of the rows, the newest, after which the weight of a row is one half; 0 for equal weights.
    """

    leaves: int
    penalty: float
    half_life: float = 0.0

    def __str__(self) -> str:
        """Return the settings in words."""
        half_life = f", half-life {self.half_life:g}" if self.half_life else ""
        return f"{self.leaves} leaves, penalty {self.penalty:g}{half_life}"


@dataclass(frozen=True)
class CvResult:
    """The cross-validation of trees with one setting.

    Parameters
    ----------
    settings
        Of the trees.
    rounds
        The numbers of rounds after which the trees were judged, rising.
    margins
        Out-of-fold log-odds after each of these, shape (n_checkpoints, n_rows); NaN for rows that no fold is evaluated
        on.
    losses
        Out-of-fold log loss after each, shape (n_checkpoints,).
    importance
        What each field adds to the log-odds of some rows that a fold is evaluated on, the mean of absolute values after
        the best number of rounds, shape (n_folds, n_fields).
    """

    settings: TreeSettings
    rounds: tuple[int, ...]
    margins: Floats
    losses: Floats
    importance: Floats

    @property
    def loss(self) -> float:
        """The least out-of-fold log loss."""
        return float(self.losses.min())


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
    weight
        Weight of each row, shape (n_rows,); None for equal weights.
    """

    fields: Floats
    label: Labels
    directions: tuple[int, ...]
    weight: Floats | None = None


BoosterSpec: TypeAlias = tuple[BoosterData, TreeSettings, int]
"""Training data, settings and number of rounds of a booster."""


def cross_validate(
    data: BoosterData,
    folds: Sequence[Fold],
    settings: TreeSettings,
    params: ModelParams,
    *,
    weights: Sequence[Floats | None] | None = None,
) -> CvResult:
    """Return the out-of-fold log-odds of trees after some numbers of rounds.

    All folds are fitted in parallel, one thread each, until two numbers of rounds have not lowered the log loss.

    Parameters
    ----------
    data
        The training set.
    folds
        Rows to fit on and to evaluate on.
    settings
        Size and penalty of the trees.
    params
        Learning rate and rounds.
    weights
        For each fold the weight of its rows to fit on; None for equal weights.
    """

    def make_booster(number: int) -> lightgbm.Booster:
        rows, _ = folds[number]
        weight = None if weights is None else weights[number]
        fold = BoosterData(data.fields[rows], data.label[rows], data.directions, weight)
        return _empty_booster(fold, settings, params)

    rounds: list[int] = []
    losses: list[float] = []
    margins: list[Floats] = []
    evaluated = np.concatenate([evaluate for _, evaluate in folds])
    with ThreadPoolExecutor(params.threads or cpu_count(), initializer=_mute_lightgbm) as pool:
        boosters = list(pool.map(make_booster, range(len(folds))))
        for count in checkpoints(params.max_rounds):
            added = count - (rounds[-1] if rounds else 0)

            def advance(number: int, added: int = added) -> Floats:
                for _ in range(added):
                    boosters[number].update()
                return np.asarray(
                    boosters[number].predict(data.fields[folds[number][1]], raw_score=True, num_threads=1)
                )

            margin = np.full(len(data.label), np.nan)
            for (_, evaluate), values in zip(folds, pool.map(advance, range(len(folds))), strict=True):
                margin[evaluate] = values
            rounds.append(count)
            margins.append(margin)
            losses.append(float(log_losses(margin[evaluated], data.label[evaluated]).mean()))
            if len(losses) - 1 - int(np.argmin(np.round(losses, 9))) >= PATIENCE:
                break
        best = rounds[int(np.argmin(np.round(losses, 9)))]

        def explain(number: int) -> Floats:
            rows = some_rows(folds[number][1])
            raw = boosters[number].predict(data.fields[rows], pred_contrib=True, num_iteration=best, num_threads=1)
            return np.asarray(np.abs(np.asarray(raw)[:, :-1]).mean(axis=0))

        importance = np.array(list(pool.map(explain, range(len(folds)))))
    return CvResult(settings, tuple(rounds), np.array(margins), np.array(losses), importance)


def some_rows(rows: Rows) -> Rows:
    """Return a hundred rows or fewer, at even distances: enough for the means of what fields add."""
    return rows[:: -(-len(rows) // EXPLAINED)]


def checkpoints(max_rounds: int) -> list[int]:
    """Return the numbers of rounds after which a booster is judged, rising; the last is the largest number.

    Examples
    --------
    >>> checkpoints(100), checkpoints(2000)[-3:]
    ([25, 40, 60, 90, 100], [1000, 1500, 2000])
    """
    counts = list(CHECKPOINTS)
    while counts[-1] < max_rounds:
        counts.append(round(counts[-1] * CHECKPOINT_FACTOR))
    return [count for count in counts if count < max_rounds] + [max_rounds]


def fit_boosters(specs: Sequence[BoosterSpec], params: ModelParams) -> list[str]:
    """Return the text of the booster of each spec.

    Parameters
    ----------
    specs
        Training data, settings and number of rounds, at least 1, of each booster.
    params
        Learning rate.
    """
    import lightgbm as lgb  # noqa: PLC0415 - slow to import and not always needed

    threads = params.threads if len(specs[0][0].label) > MANY_ROWS else 1

    def fit(spec: BoosterSpec) -> str:
        data, settings, rounds = spec
        options = _lightgbm_options(params, settings, data, threads)
        return str(lgb.train(options, _dataset(data, options), rounds).model_to_string(num_iteration=rounds))

    workers = 1 if threads != 1 else params.threads or cpu_count()
    with ThreadPoolExecutor(workers, initializer=_mute_lightgbm) as pool:
        return list(pool.map(fit, specs))


def _empty_booster(data: BoosterData, settings: TreeSettings, params: ModelParams) -> lightgbm.Booster:
    """Return a booster without trees."""
    import lightgbm as lgb  # noqa: PLC0415 - slow to import and not always needed

    options = _lightgbm_options(params, settings, data, 1)
    return lgb.Booster(options, _dataset(data, options))


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
        "seed": settings.leaves + int(settings.penalty),  # other draws of fields: the mean of candidates varies less
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
        **(directions if any(data.directions) else {}),
    }


def _dataset(data: BoosterData, options: dict[str, Any]) -> lightgbm.Dataset:
    import lightgbm as lgb  # noqa: PLC0415 - slow to import and not always needed

    names = [f"f{index:04d}" for index in range(data.fields.shape[1])]
    return lgb.Dataset(data.fields, data.label, weight=data.weight, feature_name=names, params=options)
