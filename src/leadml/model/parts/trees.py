"""The trees of the model: LightGBM, shallow, grown side by side in folds and added up at the end.

What enters is fields of leads, numbers and codes, with labels; what leaves is LightGBM's own text and exact
contributions from it.
The text holds no value of any lead and no parameter of the run: fields are named by number, categories are codes.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from multiprocessing import cpu_count
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.model.parts.tree_text import weighted_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    import lightgbm

    from leadml.params import ModelParams
    from leadml.types import Floats, Fold, Labels, Mask, Rows


PARAMETER_BLOCK = "\nparameters:"
VALUE_RANGE = re.compile(r"\[[^\[\]\s:]+:[^\[\]\s:]+\]")  # the lowest and the highest value that a lead had
ROUNDS_AT_A_TIME = 25
BILLION = 1e9
STRIDE = 2
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

    @classmethod
    def of(cls, boosters: Sequence[tuple[str, float]], *, threads: int = 0) -> Trees:
        """Return the sum of some boosters, each times its weight, without any value of a lead."""
        text = weighted_sum([(text.partition(PARAMETER_BLOCK)[0], weight) for text, weight in boosters])
        return cls(VALUE_RANGE.sub("[-inf:inf]", text), threads)

    @cached_property
    def booster(self) -> lightgbm.Booster:
        """LightGBM's model. The text must have been checked: LightGBM ends the process on a damaged one."""
        import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

        return lgb.Booster(model_str=self.text)

    def margin(self, fields: Floats) -> Floats:
        """Return log-odds of shape (n_leads,)."""
        raw = self.booster.predict(fields, raw_score=True, num_threads=self.threads)
        return np.asarray(raw, dtype=np.float64)

    def contributions(self, fields: Floats) -> tuple[Floats, float]:
        """Return log-odds of shape (n_leads, n_fields) by TreeSHAP, and those of the mean lead.

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
    """A kind of trees that may be chosen.

    Parameters
    ----------
    leaves
        Leaves of a tree.
    penalty
        On the squared values of leaves, 0 or more.
    on_line
        Whether the trees are grown on the linear part, to add what it lacks, or alone.
    """

    leaves: int
    penalty: float
    on_linear: bool

    def __str__(self) -> str:
        """Return the kind in words."""
        return f"{self.leaves} leaves, penalty {self.penalty:g}{', on the linear part' if self.on_linear else ''}"


@dataclass(frozen=True)
class CvResult:
    """Trees of one kind as the folds saw them.

    Parameters
    ----------
    kind
        Of the trees.
    rounds
        How many rounds of the model lose least on leads that the trees did not see, at least 1.
    margin
        What the trees give those leads, log-odds of shape (n_leads,), NaN for leads that judge no fold.
    loss
        Log loss of those leads, the linear part included where the trees stand on it.
    gains
        What each field brought to the trees, shape (n_fields,), 0 or more.
    work
        Values that were looked at, in billions: leads times fields times rounds.
    """

    kind: TreeSettings
    rounds: int
    margin: Floats
    loss: float
    gains: Floats
    work: float


@dataclass(frozen=True)
class BoosterData:
    """What trees are grown on.

    Parameters
    ----------
    fields
        Of the encoder's `fields_of`, shape (n_leads, n_fields), rows in the order of the ids.
    label
        Array of shape (n_leads,) of 0 and 1.
    directions
        For each field 1 where the trees may only rise with it, -1 where they may only fall, else 0.
    base
        Log-odds of shape (n_leads,) to start from; None where the trees stand alone.
    """

    fields: Floats
    label: Labels
    directions: tuple[int, ...]
    base: Floats | None = None

    def part(self, rows: Rows, base: Floats | None) -> BoosterData:
        """Return some of the leads, with another base."""
        return BoosterData(self.fields[rows], self.label[rows], self.directions, base)


def grow(
    soil: BoosterData,
    folds: Sequence[Fold],
    bases: Sequence[tuple[Floats, Floats]] | None,
    kind: TreeSettings,
    choices: ModelParams,
    *,
    budget: float,
    stride: int = STRIDE,
    shown: Sequence[Mask] | None = None,
) -> CvResult:
    """Return the trees of a kind as leads see them that they were not grown on.

    All folds grow side by side, one thread each, until ``choices.patience`` rounds have brought nothing or the budget
    is spent. A round is as long a step as some of those that the model will have, and counts for as many.

    Parameters
    ----------
    soil
        All leads.
    folds
        Rows to fit on, and to judge by.
    bases
        Of each fold the linear part's log-odds of both; None where the trees stand alone.
    kind
        Which trees.
    choices
        Size and speed.
    budget
        Billions of values that may be looked at; some rounds are grown in any case.
    stride
        Steps of the model that a round here stands for.
    shown
        For each fold which fields its trees may test, shape (n_fields,); None for all.
    """
    longer = {"learning_rate": min(stride * choices.learning_rate, 1.0)}
    choices = choices.model_copy(update=longer | {"max_rounds": -(-choices.max_rounds // stride)})
    patience = -(-choices.patience // stride)

    def plant(at: int) -> lightgbm.Booster:
        parts = zip(folds[at], bases[at] if bases else (None, None), strict=True)
        fit, judge = (soil.part(rows, base) for rows, base in parts)
        if shown is not None:
            fit.fields[:, ~shown[at]] = 0.0  # a copy of its own; trees cannot test what is the same for all
        return _fold_booster(fit, judge, kind, choices)

    sizes = [len(judge) for _, judge in folds]
    curve: list[float] = []
    best = 0
    values = sum(len(fit) for fit, _ in folds) * soil.fields.shape[1] / BILLION
    most = int(min(choices.max_rounds, max(ROUNDS_AT_A_TIME, budget / values)))
    with ThreadPoolExecutor(choices.threads or cpu_count(), initializer=_silence) as pool:
        boosters = list(pool.map(plant, range(len(folds))))
        while len(curve) < most and len(curve) - best < patience:
            block = min(ROUNDS_AT_A_TIME, most - len(curve))
            losses = list(pool.map(lambda booster: _add_rounds(booster, block), boosters))  # noqa: B023 - run at once
            curve += np.average(losses, axis=0, weights=sizes).tolist()
            best = int(np.argmin(np.round(curve, 9))) + 1
    margin = np.full(len(soil.label), np.nan)
    for (_, judge), booster in zip(folds, boosters, strict=True):
        margin[judge] = booster.predict(soil.fields[judge], raw_score=True, num_iteration=best, num_threads=1)
    gains = np.sum([booster.feature_importance("gain", iteration=best) for booster in boosters], axis=0)
    return CvResult(kind, best * stride, margin, curve[best - 1], gains, values * len(curve))


def fit_boosters(orders: Sequence[tuple[BoosterData, TreeSettings, int]], choices: ModelParams) -> list[list[str]]:
    """Return for each order the texts of some boosters, which differ by the fields that their trees may use.

    Parameters
    ----------
    orders
        Leads to learn from, which trees, and how many a booster has, at least 1.
    choices
        Size, speed and number of boosters.
    """
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    threads = choices.threads if len(orders[0][0].label) > MANY_LEADS else 1

    def fit(work: tuple[tuple[BoosterData, TreeSettings, int], int]) -> str:
        (soil, kind, rounds), seed = work
        settings = _settings(choices, kind, soil, threads) | {"seed": seed}
        return str(lgb.train(settings, _dataset(soil, settings), rounds).model_to_string(num_iteration=rounds))

    workers = 1 if threads != 1 else choices.threads or cpu_count()
    with ThreadPoolExecutor(workers, initializer=_silence) as pool:
        texts = list(pool.map(fit, product(orders, range(choices.boosters))))
    return [texts[at : at + choices.boosters] for at in range(0, len(texts), choices.boosters)]


def _fold_booster(fit: BoosterData, judge: BoosterData, kind: TreeSettings, choices: ModelParams) -> lightgbm.Booster:
    """Return a booster without trees on the leads of a fold, which judges itself by the others."""
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    settings = _settings(choices, kind, fit, 1)
    known = _dataset(fit, settings)
    booster = lgb.Booster(settings, known)
    booster.add_valid(_dataset(judge, settings, reference=known), "judge")
    return booster


def _add_rounds(booster: lightgbm.Booster, rounds: int) -> list[float]:
    """Return the log loss of the leads that judge after each of some further rounds."""
    losses = []
    for _ in range(rounds):
        booster.update()
        losses.append(float(booster.eval_valid()[0][2]))
    return losses


def _silence() -> None:
    """Keep LightGBM quiet in this thread: it has a verbosity for each."""
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    lgb.Dataset(np.zeros((2, 1)), params={"verbosity": -1, "min_data_in_bin": 1, "num_threads": 1}).construct()


def _settings(choices: ModelParams, kind: TreeSettings, soil: BoosterData, threads: int) -> dict[str, Any]:
    directions = {"monotone_constraints": list(soil.directions), "monotone_constraints_method": "intermediate"}
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "num_leaves": kind.leaves,
        "learning_rate": choices.learning_rate,
        "min_data_in_leaf": choices.min_leads_per_leaf,
        "lambda_l2": kind.penalty,
        "feature_fraction": choices.field_share,
        "max_bin": choices.bins,
        "num_threads": threads,
        "seed": 0,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
        **(directions if any(soil.directions) else {}),
    }


def _dataset(
    soil: BoosterData, settings: dict[str, Any], *, reference: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    import lightgbm as lgb  # noqa: PLC0415 - the door opens without it

    names = [f"f{at:04d}" for at in range(soil.fields.shape[1])]
    return lgb.Dataset(
        soil.fields, soil.label, init_score=soil.base, feature_name=names, params=settings, reference=reference
    )
