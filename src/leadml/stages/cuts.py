"""Solve the probability at which each advised stage begins, from one rule a stage.

A rule that the data cannot support is refused, and so are cuts that would not rise from IQL over MQL to SQL.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError
from scipy.special import ndtri

from leadml.errors import ModelError, ParamsError, nearest, quoted
from leadml.model.metrics import rate_bound
from leadml.params import CapacityRule, FixedRule, PrecisionRule, RecallRule, Rule, ShareRule, ValueRule
from leadml.stages.candidates import candidate_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from leadml.types import Floats, Labels

ADVISED = ("IQL", "MQL", "SQL")
DRIVEN = ("iql", "mql", "sql")
FEWEST_LEADS = 20
PATHS, INSTANTS = 4000, 64


@dataclass(frozen=True)
class Cut:
    """Where a stage begins: a lead with this probability or more is in.

    Parameters
    ----------
    stage
        ``IQL``, ``MQL`` or ``SQL``.
    probability
        The cut, in (0, 1).
    rule
        The rule in words.
    """

    stage: str
    probability: float
    rule: str

    def to_json(self) -> dict[str, Any]:
        """Return the cut as plain data."""
        return asdict(self)


@dataclass(frozen=True, repr=False)
class Cuts:
    """The cuts of all advised stages, lowest first, and the candidates they were chosen from.

    Parameters
    ----------
    cuts
        One a stage.
    candidates
        One row for each distinct probability: what a cut there would let in, as `candidate_table` returns it.
    """

    cuts: tuple[Cut, ...]
    candidates: pd.DataFrame

    def __getitem__(self, stage: str) -> float:
        """Return the probability at which a stage begins."""
        return {cut.stage: cut.probability for cut in self.cuts}[stage.upper()]

    def shown(self, *, most: int = 200) -> pd.DataFrame:
        """Return some of the candidates, dense where few leads are let in, with 95% bounds of the precision."""
        table = self.candidates.iloc[::-1]
        rows = np.unique(np.geomspace(1, len(table), most).astype(np.intp)) - 1
        table = table.iloc[rows[::-1]].reset_index(drop=True)
        leads = table["independent_leads"].to_numpy()
        conversions = table["precision"].to_numpy() * leads
        z = float(ndtri(0.975))
        low, failing = rate_bound(conversions, leads, z=z), rate_bound(leads - conversions, leads, z=z)
        return table.assign(precision_low=low, precision_high=1 - failing)

    def __repr__(self) -> str:
        """Return where each stage begins, in one line."""
        stages = ", ".join(f"{cut.stage} from {cut.probability:.4f} ({cut.rule})" for cut in self.cuts)
        return f"<cuts: {stages or 'none'}>"

    def _repr_html_(self) -> str:
        """Return the cuts as a table, for notebooks."""
        return pd.DataFrame([asdict(cut) for cut in self.cuts]).to_html(index=False)


def solve_cuts(
    probability: ArrayLike,
    label: ArrayLike,
    rules: Mapping[str, Rule | Mapping[str, Any]],
    *,
    groups: ArrayLike | None = None,
) -> Cuts:
    """Return the probability at which each stage begins, solved from what the team wants.

    Parameters
    ----------
    probability
        Calibrated, in (0, 1), of rows that the model was not fitted on, shape (n_rows,).
    label
        Whether each row converted, 0 or 1, shape (n_rows,).
    rules
        One rule a stage, by ``iql``, ``mql``, ``sql`` or some of them: a mapping such as
        ``{"rule": "precision", "at_least": 0.4, "confidence": 0.8}``. The rules are those of ``stages`` in
        docs/params.md.
    groups
        The lead or account of each row, shape (n_rows,), where one has many rows; None where rows are independent.

    Raises
    ------
    ModelError
        Where the arrays are of other shapes or values, no candidate meets a rule, or the cuts do not rise.
    ParamsError
        Where a rule cannot be read, or its stage is not known.

    Examples
    --------
    >>> probability = np.linspace(0.01, 0.9, 90)
    >>> converted = (np.arange(90) % 10 < 10 * probability).astype(int)
    >>> solve_cuts(probability, converted, {"mql": {"rule": "share", "top": 0.2}})
    <cuts: MQL from 0.7300 (the best 20% of leads)>
    """
    said, outcome = _checked(probability, label)
    known = None if groups is None else np.asarray(groups)
    table = candidate_table(said, outcome, groups=known)
    read = read_rules(rules)
    cuts = tuple(
        Cut(stage, _solve(stage, read[stage], table), rule_text(read[stage])) for stage in ADVISED if stage in read
    )
    for lower, higher in pairwise(cuts):
        if not lower.probability < higher.probability:
            msg = (
                f"cuts must rise, got {lower.stage} at {lower.probability:.4f} ({lower.rule}) and {higher.stage} at "
                f"{higher.probability:.4f} ({higher.rule}); change stages.{lower.stage.lower()} or "
                f"stages.{higher.stage.lower()}"
            )
            raise ModelError(msg)
    return Cuts(cuts, table)


def read_rules(rules: Mapping[str, Rule | Mapping[str, Any]]) -> dict[str, Rule]:
    """Return rules by stage, ``IQL``, ``MQL`` or ``SQL``, from rules or mappings.

    Raises
    ------
    ParamsError
        Where a rule cannot be read, or its stage is not known.
    """
    read: dict[str, Rule] = {}
    for stage, rule in rules.items():
        if stage.upper() not in ADVISED:
            msg = f"rules must be of the stages iql, mql and sql, got {quoted(stage)}{nearest(stage, DRIVEN)}"
            raise ParamsError(msg)
        try:
            read[stage.upper()] = TypeAdapter[Rule](Rule).validate_python(rule)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join([stage, *(str(part) for part in first["loc"])])
            msg = f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}, got {quoted(first['input'])}"
            raise ParamsError(msg) from None
    return read


def _checked(probability: ArrayLike, label: ArrayLike) -> tuple[Floats, Labels]:
    """Return probabilities and outcomes as arrays."""
    said, outcome = np.asarray(probability, dtype=np.float64), np.asarray(label)
    if said.ndim != 1 or said.shape != outcome.shape or not len(said):
        msg = f"probability and label must be of one shape (n_rows,), got {said.shape} and {outcome.shape}"
        raise ModelError(msg)
    if not ((said >= 0) & (said <= 1)).all():
        msg = "every probability must lie between 0 and 1, got one that does not"
        raise ModelError(msg)
    if not np.isin(outcome, (0, 1)).all():
        msg = "every label must be 0 or 1, got another value"
        raise ModelError(msg)
    return said, outcome.astype(np.int8)


def quantile_over_all(confidence: float, *, fewest: int, most: int) -> float:
    """Return by how many standard errors a rate must clear its floor, where the best of all cuts is chosen.

    Leads at or above a cut are leads at or above every lower cut, so that the standardised rates of all cuts are a
    random walk over its own spread. The quantile is that of the walk's highest point between ``fewest`` and ``most``
    leads: with it the floor holds at whichever cut is chosen, with the given confidence.

    Examples
    --------
    >>> ndtri(0.9) < quantile_over_all(0.9, fewest=20, most=2000) < 3.5
    True
    """
    steps = np.diff(np.geomspace(max(fewest, 1), max(most, fewest + 1), INSTANTS), prepend=0.0)
    random = np.random.default_rng(0)
    walk = np.cumsum(random.standard_normal((PATHS, INSTANTS)) * np.sqrt(steps), axis=1)
    return float(np.quantile((walk / np.sqrt(np.cumsum(steps))).max(axis=1), confidence))


def rule_text(rule: Rule) -> str:
    """Return a rule in words, as people read it in the report."""
    if isinstance(rule, PrecisionRule):
        return f"at least {100 * rule.at_least:g}% convert, with {100 * rule.confidence:g}% confidence"
    if isinstance(rule, RecallRule):
        return f"at least {100 * rule.at_least:g}% of the converters, with {100 * rule.confidence:g}% confidence"
    if isinstance(rule, CapacityRule):
        return f"at most {rule.leads_per_week:g} of {rule.incoming_per_week:g} leads a week"
    if isinstance(rule, ShareRule):
        return f"the best {100 * rule.top:g}% of leads"
    if isinstance(rule, ValueRule):
        return f"a contact costs {rule.contact_cost:g}, a conversion brings {rule.won_value:g}"
    return f"fixed at {rule.probability:g}"


def _solve(stage: str, rule: Rule, table: pd.DataFrame) -> float:
    if isinstance(rule, FixedRule):
        return rule.probability
    if isinstance(rule, ValueRule):
        return _value_cut(stage, rule, table)
    if isinstance(rule, PrecisionRule):
        leads = table["independent_leads"].to_numpy()
        z = quantile_over_all(rule.confidence, fewest=FEWEST_LEADS, most=int(leads.max()))
        bound = rate_bound(table["precision"].to_numpy() * leads, leads, z=z)
        bound = np.where(table["accounts"].to_numpy() >= FEWEST_LEADS, bound, 0.0)
        good = table["cut"].to_numpy()[bound >= rule.at_least]
        return _first(stage, rule, good, f"the best bound is {bound.max():.1%}")
    if isinstance(rule, RecallRule):
        converters = table["independent_conversions"].to_numpy()
        bound = rate_bound(table["recall"].to_numpy() * converters, converters, z=float(ndtri(rule.confidence)))
        good = table["cut"].to_numpy()[bound >= rule.at_least][::-1]
        return _first(stage, rule, good, f"the best bound is {bound.max():.1%}")
    share = rule.top if isinstance(rule, ShareRule) else rule.leads_per_week / rule.incoming_per_week
    good = table["cut"].to_numpy()[table["share"].to_numpy() <= share]
    return _first(stage, rule, good, f"the smallest share is {100 * table['share'].min():.4g}%")


def _first(stage: str, rule: Rule, good: Floats, best: str) -> float:
    if len(good):
        return float(good[0])
    msg = f"stages.{stage.lower()}: no cut gives {rule_text(rule)}: {best}; ask for less or bring more leads"
    raise ModelError(msg)


def _value_cut(stage: str, rule: ValueRule, table: pd.DataFrame) -> float:
    """Return cost over value: with calibrated probabilities no other cut earns more."""
    cut = rule.contact_cost / rule.won_value
    inside = table[table["cut"] >= cut]
    earned = (inside["conversions"] * rule.won_value - inside["leads"] * rule.contact_cost).max()
    if inside.empty or earned <= 0:
        msg = (
            f"stages.{stage.lower()}: no lead is worth its contact where {rule_text(rule)}, so from a probability of "
            f"{cut:.3f}; the highest is {table['cut'].max():.3f}"
        )
        raise ModelError(msg)
    return cut
