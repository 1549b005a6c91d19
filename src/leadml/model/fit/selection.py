"""Choose the two parts of a model on leads that neither saw.

What enters is leads, labels and folds; what leaves is which linear part, which trees and what each weighs, with the
log-odds that the folds gave to leads kept from them.
Everything is judged by log loss of the whole it would be part of; nothing looks at leads that are kept aside.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from multiprocessing import cpu_count
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from leadml.errors import ModelError, nearest
from leadml.model.parts.calibration import losses
from leadml.model.parts.linear import fit_lines, margins, plan_terms
from leadml.model.parts.trees import BoosterData, CvResult, TreeSettings, grow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leadml.leads.check.field import Field
    from leadml.model.parts.encode import Encoder
    from leadml.model.parts.linear import Term
    from leadml.params import ModelParams
    from leadml.types import Floats, Fold, Integers, Labels, Mask, Progress, Rows


STEPS = 20  # of a weight
FARTHEST = 100.0
NOTHING = 1e-12


@dataclass(frozen=True)
class FitData:
    """Leads to learn from, in the order of their ids.

    Parameters
    ----------
    encoder
        From fields to columns.
    fields
        Of the encoder's `fields_of`, shape (n_leads, n_fields).
    label
        Array of shape (n_leads,) of 0 and 1.
    clock
        Instants of shape (n_leads,); None where leads have none.
    directions
        Of each field, from `directions_of`.
    folds
        Rows to fit on, and to judge by.
    halves
        Which leads are of some halves of the accounts or leads, shape (n_halves, n_leads).
    """

    encoder: Encoder
    fields: Floats
    label: Labels
    clock: Integers | None
    directions: tuple[int, ...]
    folds: Sequence[Fold]
    halves: Mask

    @property
    def judged(self) -> Rows:
        """Rows that judge some fold, each once, ascending."""
        return np.unique(np.concatenate([judge for _, judge in self.folds]))

    @property
    def growth(self) -> float:
        """How many times the leads that a fold is fitted on all leads are: so many times the rounds suit them."""
        sizes = [len(judge) for _, judge in self.folds]
        return len(self.label) / float(np.average([len(fit) for fit, _ in self.folds], weights=sizes))

    def weight(self, half_life: float, rows: Rows | slice = slice(None)) -> Floats | None:
        """Return what some leads count by their age; None where all count alike."""
        return recency(self.clock[rows], half_life) if half_life and self.clock is not None else None

    def terms(self, matrix: Floats) -> tuple[Term, ...]:
        """Return the terms that the columns of some of the leads call for."""
        return plan_terms(matrix, self.encoder.is_flag, np.array(self.directions, dtype=np.intp)[self.encoder.owners])


@dataclass(frozen=True)
class LinearCandidate:
    """A kind of linear part as the folds saw it.

    Parameters
    ----------
    strength
        Inverse penalty.
    half_life
        Share of the leads after which one counts half; 0 where all count alike.
    bases
        Of each fold the log-odds of the leads it was fitted on and of those that judge it.
    margin
        Log-odds of shape (n_leads,), NaN for leads that judge no fold.
    loss
        Log loss of the leads that judge.
    """

    strength: float
    half_life: float
    bases: list[tuple[Floats, Floats]]
    margin: Floats
    loss: float


@dataclass(frozen=True)
class Selection:
    """Parts and what each weighs; the weights add up to 1.

    Parameters
    ----------
    lines
        Linear parts and their weights: one for itself, and one that trees stand on.
    growths
        Trees and their weights: those that stand alone, and those on the linear part.
    lift
        Log-odds that all together lack: with them the probabilities of the leads that judge add up to the conversions.
        0 where leads have dates: there the sum tells what changed since the leads that were learned from.
    margin
        Log-odds of all together, lifted, shape (n_leads,), NaN for leads that judge no fold.
    loss
        Log loss of the leads that judge.
    tried
        All trees that were tried.
    """

    lines: tuple[tuple[LinearCandidate, float], ...]
    growths: tuple[tuple[CvResult, float], ...]
    lift: float
    margin: Floats
    loss: float
    tried: list[CvResult]


def select_parts(leads: FitData, choices: ModelParams, progress: Progress) -> Selection:
    """Return the linear part, the trees and the weights that lose least together on leads that they did not see.

    Parameters
    ----------
    leads
        To learn from.
    choices
        What to choose from, and the budget.
    progress
        Told what is tried.
    """
    progress("choosing the linear part")
    lines = _try_lines(leads, choices)
    base = min(lines, key=lambda line: line.loss)
    soil = BoosterData(leads.fields, leads.label, leads.directions)
    growths: list[CvResult] = []
    left = choices.budget
    for kind in _kinds(choices):
        if growths and left <= 0:
            break
        progress(f"choosing trees: {kind}")
        growths.append(grow(soil, leads.folds, base.bases if kind.on_linear else None, kind, choices, budget=left))
        left -= growths[-1].work
    return _weigh(leads, lines, base, growths)


def directions_of(fields: Sequence[Field], declared: Mapping[str, str]) -> tuple[int, ...]:
    """Return for each field 1 where the log-odds may only rise with it, -1 where they may only fall, else 0.

    Raises
    ------
    ModelError
        Where a direction is declared of a category or of no field.
    """
    kinds = {field.name: field.kind for field in fields}
    for name in declared:
        if kinds.get(name, "category") == "category":
            what = "a category" if name in kinds else f"no field{nearest(name, kinds)}"
            msg = f"model.directions must name numbers and booleans, got {name!r}, which is {what}"
            raise ModelError(msg)
    return tuple({"rises": 1, "falls": -1}.get(declared.get(field.name, ""), 0) for field in fields)


def recency(clock: Integers, half_life: float) -> Floats:
    """Return what leads count by their age, shape (n_leads,), mean 1.

    Parameters
    ----------
    clock
        Instants of shape (n_leads,).
    half_life
        Share of the leads, the newest, after which a lead counts half.

    Examples
    --------
    >>> recency(np.array([1, 2, 3, 4]), 0.5).round(2).tolist()
    [0.55, 0.78, 1.1, 1.56]
    """
    ordered = np.sort(clock)
    newer = 1.0 - np.searchsorted(ordered, clock, side="right") / len(clock)
    weight = np.exp2(-newer / half_life)
    return np.asarray(weight / weight.mean())


def log_loss(margin: Floats, label: Labels) -> float:
    """Return the mean log loss of log-odds, 0 or more."""
    return float(losses(margin, label).mean())


def _kinds(choices: ModelParams) -> list[TreeSettings]:
    """Return the trees to choose from, the plainest first: few leaves, strong penalties."""
    sizes, penalties = sorted(set(choices.leaves)), sorted(set(choices.leaf_penalties), reverse=True)
    return [
        TreeSettings(leaves, penalty, on == "linear")
        for leaves, penalty, on in product(sizes, penalties, choices.bases)
    ]


def _try_lines(leads: FitData, choices: ModelParams) -> list[LinearCandidate]:
    """Return linear parts to choose from: of each strength, and of each half-life with the best strength."""
    half_lives = choices.half_lives if leads.clock is not None else (0.0,)
    lines = _fit_lines(leads, [(strength, half_lives[0]) for strength in choices.linear_strengths], choices)
    best = min(lines, key=lambda line: line.loss)
    return lines + _fit_lines(leads, [(best.strength, half_life) for half_life in half_lives[1:]], choices)


def _fit_lines(leads: FitData, kinds: list[tuple[float, float]], choices: ModelParams) -> list[LinearCandidate]:
    """Return the linear parts of some strengths and half-lives; all folds are fitted side by side."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - the door opens without it

    matrix = leads.encoder.columns_of(leads.fields)

    def fit(fold: Fold) -> list[tuple[Floats, Floats]]:
        rows, judge = fold
        known, asked = matrix[rows], matrix[judge]
        terms = leads.terms(known)
        weighted = [(strength, leads.weight(half_life, rows)) for strength, half_life in kinds]
        parts = fit_lines(known, leads.label[rows], terms, weighted)
        return list(zip(margins(parts, known), margins(parts, asked), strict=True))

    with threadpool_limits(1), ThreadPoolExecutor(choices.threads or cpu_count()) as pool:
        found = list(pool.map(fit, leads.folds))
    lines = []
    for number, (strength, half_life) in enumerate(kinds):
        bases = [pairs[number] for pairs in found]
        margin = np.full(len(leads.label), np.nan)
        for (_, judge), (_, said) in zip(leads.folds, bases, strict=True):
            margin[judge] = said
        lines.append(LinearCandidate(strength, half_life, bases, margin, _loss_of(margin, leads)))
    return lines


def _loss_of(margin: Floats, leads: FitData) -> float:
    return log_loss(margin[leads.judged], leads.label[leads.judged])


def _weigh(leads: FitData, lines: list[LinearCandidate], base: LinearCandidate, growths: list[CvResult]) -> Selection:
    """Return the linear part, trees that stand alone and trees on the linear part, with their weights.

    Every linear part is tried with weights in steps of a twentieth; of equal losses the first is taken.
    """
    rows = leads.judged
    whole = [
        (growth, growth.margin[rows] + (base.margin[rows] if growth.kind.on_linear else 0.0)) for growth in growths
    ]
    divided = ([one for one in whole if one[0].kind.on_linear == on_linear] for on_linear in (False, True))
    best = [_plainest(some, leads.label[rows]) for some in divided if some]
    margins = [margin for _, margin in best]
    steps = [parts for parts in product(range(STEPS + 1), repeat=len(best)) if sum(parts) <= STEPS]
    options = [(line, np.array((STEPS - sum(parts), *parts)) / STEPS) for line in lines for parts in steps]

    def mix(line: LinearCandidate, weights: Floats) -> Floats:
        total = weights[0] * line.margin[rows]
        for weight, some in zip(weights[1:], margins, strict=True):
            total += weight * some
        return np.asarray(total)

    lost = [round(log_loss(mix(*option), leads.label[rows]), 9) for option in options]
    line, weights = options[int(np.argmin(lost))]
    margin = np.full(len(leads.label), np.nan)
    mixed = mix(line, weights)
    lift = _lacking(mixed, leads.label[rows]) if leads.clock is None else 0.0
    margin[rows] = mixed + lift
    chosen = [(growth, float(weight)) for (growth, _), weight in zip(best, weights[1:], strict=True)]
    stood_on = sum(weight for growth, weight in chosen if growth.kind.on_linear)
    loss = log_loss(margin[rows], leads.label[rows])
    return Selection(((line, float(weights[0])), (base, stood_on)), tuple(chosen), lift, margin, loss, growths)


def _lacking(margin: Floats, label: Labels) -> float:
    """Return the log-odds to add for the probabilities to add up to the conversions; 0 where all leads are of one kind.

    A mean of log-odds says less than the mean of their probabilities where most leads do not convert, and a penalty on
    leaves holds the sum back as well.
    """
    rate = float(label.mean())
    if not 0 < rate < 1 or abs(expit(margin).mean() - rate) < NOTHING:
        return 0.0
    return float(brentq(lambda lift: expit(margin + lift).mean() - rate, -FARTHEST, FARTHEST))


def _plainest(some: list[tuple[CvResult, Floats]], label: Labels) -> tuple[CvResult, Floats]:
    """Return the first of some trees, and their log-odds, that lose no more than the best by a standard error.

    Notes
    -----
    The rule of one standard error of Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees" (1984),
    with the error of the difference on the same leads.
    """
    lost = [losses(margin, label) for _, margin in some]
    best = min(lost, key=lambda one: round(float(one.mean()), 9))
    gaps = [one - best for one in lost]
    return next(one for one, gap in zip(some, gaps, strict=True) if gap.mean() <= gap.std() / np.sqrt(len(label)))
