"""Solve the cut of each advised stage, the probability at which it begins, from one rule per stage.

The module refuses a rule that no probability meets, and cuts that do not rise from IQL over MQL to SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError
from scipy.special import ndtri

from leadml.arguments import mapping
from leadml.errors import ModelError, ParamsError, nearest, quoted
from leadml.model.judge.predictions import checked_predictions
from leadml.model.metrics import rate_bound
from leadml.params import RULES, CapacityRule, FixedRule, PrecisionRule, RecallRule, Rule, ShareRule, ValueRule
from leadml.stages.candidates import candidate_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike

    from leadml.types import Floats

STAGES = ("IQL", "MQL", "SQL")
RULE_KEYS = ("iql", "mql", "sql")
RULE = '{"rule": "share", "top": 0.2}'
MIN_LEADS = 20
WALKS, WALK_POINTS = 4000, 64


@dataclass(frozen=True)
class Cut:
    """The cut of a stage: a lead with this probability or a higher one is in the stage.

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


@dataclass(frozen=True, repr=False, eq=False)
class Cuts(Mapping[str, float]):
    """The cuts of all advised stages, lowest first, and the candidates that they were chosen from.

    As a mapping it gives the probability of each stage: ``cuts["MQL"]``, ``dict(cuts)``.

    Parameters
    ----------
    cuts
        One cut per stage.
    candidates
        The table of `candidate_table`, one row for each distinct probability.
    """

    cuts: tuple[Cut, ...]
    candidates: pd.DataFrame

    def __getitem__(self, stage: str) -> float:
        """Return the cut of a stage, as a probability."""
        return {cut.stage: cut.probability for cut in self.cuts}[str(stage).upper()]

    def __iter__(self) -> Iterator[str]:
        """Return the stages, lowest first."""
        return iter([cut.stage for cut in self.cuts])

    def __len__(self) -> int:
        """Return the number of stages."""
        return len(self.cuts)

    def sample_candidates(self, *, max_rows: int = 200) -> pd.DataFrame:
        """Return a sample of the candidates with 95% bounds of the precision, densest at the highest cuts."""
        table = self.candidates.iloc[::-1]
        rows = np.unique(np.geomspace(1, len(table), max_rows).astype(np.intp)) - 1
        table = table.iloc[rows[::-1]].reset_index(drop=True)
        leads = table["independent_leads"].to_numpy()
        conversions = table["precision"].to_numpy() * leads
        z = float(ndtri(0.975))
        low, failure_low = rate_bound(conversions, leads, z=z), rate_bound(leads - conversions, leads, z=z)
        return table.assign(precision_low=low, precision_high=1 - failure_low)

    def __repr__(self) -> str:
        """Return the cuts and their rules in one line."""
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
    """Return the cut of each stage, solved from a rule that says what the team wants.

    Parameters
    ----------
    probability
        Calibrated probabilities in [0, 1] of rows that the model was not fitted on, shape (n_rows,).
    label
        Whether each row converted, 0 or 1, shape (n_rows,).
    rules
        One rule per stage, by ``iql``, ``mql``, ``sql`` or some of them: a mapping such as
        ``{"rule": "precision", "at_least": 0.4, "confidence": 0.8}``. The rules are those of ``stages`` in
        docs/params.md.
    groups
        The lead or account of each row, shape (n_rows,), if one has several rows; None if rows are independent.

    Raises
    ------
    ModelError
        If the arrays have other shapes or values, no candidate meets a rule, or the cuts do not rise.
    ParamsError
        If a rule is not valid, or its stage is not known.

    Examples
    --------
    >>> probability = np.linspace(0.01, 0.9, 90)
    >>> converted = (np.arange(90) % 10 < 10 * probability).astype(int)
    >>> solve_cuts(probability, converted, {"mql": {"rule": "share", "top": 0.2}})
    <cuts: MQL from 0.7300 (the best 20% of leads)>
    """
    checked = checked_predictions(
        label, probability, groups=groups, cuts={}, baselines={}, names=("label", "probability")
    )
    table = candidate_table(checked.probability, checked.label, groups=checked.groups)
    by_stage = read_rules(rules)
    cuts = tuple(
        Cut(stage, _solve(stage, by_stage[stage], table), rule_text(by_stage[stage]))
        for stage in STAGES
        if stage in by_stage
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
    """Return the rules by stage (``IQL``, ``MQL``, ``SQL``), from rules or mappings.

    Raises
    ------
    ParamsError
        If a rule is not valid, or its stage is not known.
    """
    by_stage: dict[str, Rule] = {}
    for stage, rule in mapping(rules, "rules", f'{{"mql": {RULE}}}', error=ParamsError).items():
        if stage.upper() not in STAGES:
            msg = f"rules must be of the stages iql, mql and sql, got {quoted(stage)}{nearest(stage, RULE_KEYS)}"
            raise ParamsError(msg)
        try:
            by_stage[stage.upper()] = TypeAdapter[Rule](Rule).validate_python(rule)
        except ValidationError as error:
            raise ParamsError(_rule_fault(stage, error.errors(include_url=False)[0])) from None
    return by_stage


def _rule_fault(stage: str, fault: Any) -> str:
    """Return a fault of a rule as one line."""
    if fault["type"].startswith("union_tag"):
        return f"{stage}: rule must be one of {', '.join(RULES)}, got {quoted(fault['input'].get('rule'))}"
    if not fault["loc"]:
        return f"{stage} must be a rule such as {RULE}, got {quoted(fault['input'])}"
    key = ".".join([stage, *(str(part) for part in fault["loc"][1:])])  # the first part is the name of the rule
    if fault["type"] == "missing":
        return f"{key} must be set, got nothing; add it"
    if fault["type"] == "extra_forbidden":
        return f"{key}: a rule {fault['loc'][0]} has no such key"
    message = fault["msg"].removeprefix("Value error, ")
    got = "" if "got" in message else f", got {quoted(fault['input'])}"
    return f"{key}: {message[:1].lower()}{message[1:]}{got}"


def quantile_of_maximum(confidence: float, *, min_leads: int, max_leads: int) -> float:
    """Return how many standard errors a rate must exceed its floor by, when the best of all cuts is chosen.

    Choosing the best of many cuts makes its rate look too good. The leads above a cut are also above every lower cut,
    so the standardised rates of all cuts behave like a random walk divided by its own standard deviation. The result
    is a quantile, by simulation, of the maximum of such a walk between ``min_leads`` and ``max_leads`` leads. With it
    the floor holds with the given confidence, whichever cut is chosen.

    Parameters
    ----------
    confidence
        Probability that the floor holds, in (0, 1).
    min_leads, max_leads
        The smallest and the largest number of leads above a cut.

    Examples
    --------
    >>> ndtri(0.9) < quantile_of_maximum(0.9, min_leads=20, max_leads=2000) < 3.5
    True
    """
    steps = np.diff(np.geomspace(max(min_leads, 1), max(max_leads, min_leads + 1), WALK_POINTS), prepend=0.0)
    random = np.random.default_rng(0)
    walk = np.cumsum(random.standard_normal((WALKS, WALK_POINTS)) * np.sqrt(steps), axis=1)
    return float(np.quantile((walk / np.sqrt(np.cumsum(steps))).max(axis=1), confidence))


def rule_text(rule: Rule) -> str:
    """Return a rule in words, for the report and for messages."""
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
        z = quantile_of_maximum(rule.confidence, min_leads=MIN_LEADS, max_leads=int(leads.max()))
        bound = rate_bound(table["precision"].to_numpy() * leads, leads, z=z)
        bound = np.where(table["accounts"].to_numpy() >= MIN_LEADS, bound, 0.0)
        allowed = table["cut"].to_numpy()[bound >= rule.at_least]
        return _first_cut(stage, rule, allowed, f"the highest lower bound is {bound.max():.1%}")
    if isinstance(rule, RecallRule):
        converters = table["independent_conversions"].to_numpy()
        bound = rate_bound(table["recall"].to_numpy() * converters, converters, z=float(ndtri(rule.confidence)))
        allowed = table["cut"].to_numpy()[bound >= rule.at_least][::-1]
        return _first_cut(stage, rule, allowed, f"the highest lower bound is {bound.max():.1%}")
    share = rule.top if isinstance(rule, ShareRule) else rule.leads_per_week / rule.incoming_per_week
    allowed = table["cut"].to_numpy()[table["share"].to_numpy() <= share]
    return _first_cut(stage, rule, allowed, f"the smallest share is {100 * table['share'].min():.4g}%")


def _first_cut(stage: str, rule: Rule, allowed: Floats, limit: str) -> float:
    """Return the first of the cuts that meet a rule; refuse the rule if there is none."""
    if len(allowed):
        return float(allowed[0])
    msg = f"stages.{stage.lower()}: no cut gives {rule_text(rule)}: {limit}; ask for less or bring more leads"
    raise ModelError(msg)


def _value_cut(stage: str, rule: ValueRule, table: pd.DataFrame) -> float:
    """Return the cost divided by the value: with calibrated probabilities no other cut earns more."""
    cut = rule.contact_cost / rule.won_value
    above = table[table["cut"] >= cut]
    profit = (above["conversions"] * rule.won_value - above["leads"] * rule.contact_cost).max()
    if above.empty or profit <= 0:
        msg = (
            f"stages.{stage.lower()}: no cut earns more than it costs where {rule_text(rule)}: contacts pay from a "
            f"probability of {cut:.3f} on, and the highest is {table['cut'].max():.3f}; lower contact_cost or raise "
            "won_value"
        )
        raise ModelError(msg)
    return cut
