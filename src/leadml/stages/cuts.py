"""Solve the cut of each advised stage, the probability at which it begins, from one rule per stage.

The module refuses a rule that no probability meets, and cuts that do not rise from IQL over MQL to SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from pydantic import TypeAdapter, ValidationError
from scipy.special import ndtri

from leadml.arguments import mapping
from leadml.errors import ModelError, ParamsError, nearest, quoted
from leadml.model.judge.predictions import checked_predictions
from leadml.model.metrics import rate_bound
from leadml.params import RULES, Rule
from leadml.params.cut_rule import CutRule
from leadml.params.rules import DropRule
from leadml.stages.candidates import Candidates
from leadml.stages.cut_figures import cut_figures
from leadml.stages.ladder import ADVISED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike

    from leadml.types import Floats

RULE_KEYS = ("iql", "mql", "sql", "drop")
DROP = "DROP"
SAMPLED_ROWS = 500  # neighbours differ by 2% of the leads they let in, of 100,000: other rules are tried on them
Crossing: TypeAlias = Literal["refuse", "raise", "lower"]
RULE = '{"rule": "share", "top": 0.2}'


@dataclass(frozen=True)
class Cut:
    """The cut of a stage: a lead with this probability or a higher one is in the stage.

    Parameters
    ----------
    stage
        ``IQL``, ``MQL`` or ``SQL``; ``DROP`` for the cut below which leads are dropped.
    probability
        The cut, in (0, 1).
    rule
        The rule in words.
    remark
        What the cut does not give that the rule asks for, or how it was changed; empty if there is nothing to say.
    """

    stage: str
    probability: float
    rule: str
    remark: str = ""

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
    table
        A row for each cut and the columns of `cut_figures`: what it lets in, with 90% intervals. What the cut of
        ``DROP`` lets in are the leads that are not dropped.
    drop
        The cut below which leads are dropped, or None.
    """

    cuts: tuple[Cut, ...]
    candidates: pd.DataFrame
    table: pd.DataFrame
    drop: Cut | None = None

    def __getitem__(self, stage: str) -> float:
        """Return the cut of a stage, as a probability."""
        return {cut.stage: cut.probability for cut in self.cuts}[str(stage).upper()]

    def __iter__(self) -> Iterator[str]:
        """Return the stages, lowest first."""
        return iter([cut.stage for cut in self.cuts])

    def __len__(self) -> int:
        """Return the number of stages."""
        return len(self.cuts)

    def sample_candidates(self, *, max_rows: int = SAMPLED_ROWS) -> pd.DataFrame:
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
        return self.table.to_html(index=False)


def solve_cuts(
    probability: ArrayLike,
    label: ArrayLike,
    rules: Mapping[str, CutRule | Mapping[str, Any]],
    *,
    groups: ArrayLike | None = None,
    columns: Mapping[str, ArrayLike] | None = None,
    crossing: Crossing = "refuse",
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
        docs/params.md. The key ``drop`` has no rule: ``{"lose_at_most": 0.05, "confidence": 0.9}``.
    groups
        The lead or account of each row, shape (n_rows,), if one has several rows; None if rows are independent.
    columns
        Numbers of each row that rules name, by field, shape (n_rows,) each; NaN where a number is missing.
    crossing
        What is done with a cut that is not above that of the stage below: ``refuse``, ``raise`` (it is raised to it),
        or ``lower`` (that of the stage below is lowered to it).

    Raises
    ------
    ModelError
        If the arrays have other shapes or values, no candidate meets a rule, or the cuts do not rise and are refused.
    ParamsError
        If a rule is not valid, its stage is not known, or a column that it names is not given.

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
    by_stage = read_rules(rules)
    numbers = _numbers(by_stage, columns or {}, len(checked.label))
    candidates = Candidates.of(checked.probability, checked.label, groups=checked.groups, columns=numbers)
    return solve_candidates(candidates, by_stage, crossing=crossing)


def solve_candidates(candidates: Candidates, rules: Mapping[str, CutRule], *, crossing: Crossing) -> Cuts:
    """Return the cuts of rules by stage (``IQL``, ``MQL``, ``SQL``, ``DROP``) among candidates; see `solve_cuts`."""
    cuts = _rising([_solve(stage, rules[stage], candidates) for stage in ADVISED if stage in rules], crossing)
    drop = _solve(DROP, rules[DROP], candidates) if DROP in rules else None
    return Cuts(cuts, candidates.table, cut_table((*cuts, *([drop] if drop else ())), candidates.table), drop)


def cut_table(cuts: Sequence[Cut], candidates: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each cut, with its rule and the columns of `cut_figures`."""
    return pd.DataFrame([{**cut.to_json(), **cut_figures(candidates, cut.probability)} for cut in cuts])


def _solve(stage: str, rule: CutRule, candidates: Candidates) -> Cut:
    """Return the cut that a rule prefers; refuse the rule if no cut meets it."""
    solution = rule.solve(candidates)
    if not len(solution.cuts):
        msg = f"stages.{stage.lower()}: no cut {solution.problem}"
        raise ModelError(msg)
    return Cut(stage, float(solution.cuts[0]), rule.words, solution.remark)


def _rising(cuts: Sequence[Cut], crossing: Crossing) -> tuple[Cut, ...]:
    """Return cuts that rise: as they are, or where two cross, as params say."""
    if crossing == "lower":
        fallen = _rising([replace(cut, probability=-cut.probability) for cut in cuts[::-1]], "raise")
        return tuple(replace(cut, probability=-cut.probability) for cut in fallen[::-1])
    rising: list[Cut] = []
    for cut in cuts:
        below = rising[-1] if rising else None
        if below is None or below.probability < cut.probability:
            rising.append(cut)
            continue
        if crossing == "refuse":
            msg = (
                f"cuts must rise, got {below.stage} at {below.probability:.4f} ({below.rule}) and {cut.stage} at "
                f"{cut.probability:.4f} ({cut.rule}); change stages.{below.stage.lower()} or "
                f"stages.{cut.stage.lower()}, or set stages.crossing to raise or lower"
            )
            raise ModelError(msg)
        remark = f"moved from {abs(cut.probability):.4f} to the cut of {below.stage}, because the cuts cross"
        rising.append(replace(cut, probability=below.probability, remark=remark))
    return tuple(rising)


def _numbers(rules: Mapping[str, CutRule], columns: Mapping[str, ArrayLike], rows: int) -> dict[str, Floats]:
    """Return the columns that the rules name, as numbers."""
    found = {}
    for stage, name in ((stage, name) for stage, rule in rules.items() for name in rule.columns):
        if name not in columns:
            hint = nearest(name, columns)
            msg = f"{stage.lower()}: columns must have {quoted(name)}, which the rule names, got none{hint}"
            raise ParamsError(msg)
        found[name] = np.asarray(columns[name], dtype=np.float64)
        if found[name].shape != (rows,):
            msg = f"columns[{quoted(name)}] must have the shape ({rows},), got {found[name].shape}"
            raise ModelError(msg)
    return found


def read_rules(rules: Mapping[str, CutRule | Mapping[str, Any]]) -> dict[str, CutRule]:
    """Return the rules by stage (``IQL``, ``MQL``, ``SQL``, ``DROP``), from rules or mappings.

    Raises
    ------
    ParamsError
        If a rule is not valid, or its stage is not known.
    """
    by_stage: dict[str, CutRule] = {}
    for stage, rule in mapping(rules, "rules", f'{{"mql": {RULE}}}', error=ParamsError).items():
        if stage.upper() not in {*ADVISED, DROP}:
            hint = nearest(stage, RULE_KEYS)
            msg = f"rules must be of the stages iql, mql and sql, or of drop, got {quoted(stage)}{hint}"
            raise ParamsError(msg)
        try:
            kind: Any = DropRule if stage.upper() == DROP else Rule
            by_stage[stage.upper()] = TypeAdapter[CutRule](kind).validate_python(rule)
        except ValidationError as error:
            raise ParamsError(_rule_fault(stage, error.errors(include_url=False)[0])) from None
    return by_stage


def _rule_fault(stage: str, fault: Any) -> str:
    """Return a fault of a rule as one line."""
    if fault["type"].startswith("union_tag"):
        return f"{stage}: rule must be one of {', '.join(RULES)}, got {quoted(fault['input'].get('rule'))}"
    if not fault["loc"]:
        return f"{stage} must be a rule such as {RULE}, got {quoted(fault['input'])}"
    skipped = 0 if stage.upper() == DROP else 1  # the first part is the name of the rule
    key = ".".join([stage, *(str(part) for part in fault["loc"][skipped:])])
    if fault["type"] == "missing":
        return f"{key} must be set, got nothing; add it"
    if fault["type"] == "extra_forbidden":
        return f"{key}: a rule {fault['loc'][0]} has no such key"
    message = fault["msg"].removeprefix("Value error, ")
    got = "" if "got" in message else f", got {quoted(fault['input'])}"
    return f"{key}: {message[:1].lower()}{message[1:]}{got}"
