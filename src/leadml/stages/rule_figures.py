"""Judge the business's own rules by outcomes: how the leads convert that each rule moves, and whether rules help.

A rule that lifts leads into a stage earns its place if they convert more often than the cut of the stage asks, because
the model would let in any lead at the cut. A rule that keeps leads out earns it if they convert less often than that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.model.metrics import rate_interval
from leadml.params.cut_rule import MIN_ACCOUNTS
from leadml.stages.ladder import STAGES, Ranks, ranks_of
from leadml.stages.lifecycle import KnownStages, Lifecycle, give_stages
from leadml.stages.rules import RuleBook, rule_limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from leadml.stages.cuts import Cut
    from leadml.types import Floats, Labels, Mask, Rows

EARNS, FAILS, UNCLEAR, IDLE = "earns its place", "does not earn its place", "too few leads to tell", "moves no lead"
NO_CUT = "the target has no cut of its stage"
SILENCE = "silence"
MODEL, RULES, BOTH = "model alone", "rules alone", "both"


@dataclass(frozen=True)
class JudgedLeads:
    """Leads that the model was not fitted on, with their outcomes.

    Parameters
    ----------
    probability, label
        Probability and outcome of each row, shape (n_rows,).
    frame
        The fields that rules test, of the same rows.
    groups
        The number of the lead or account of each row, from 0, shape (n_rows,).
    cuts
        The cuts of the target, rising.
    """

    probability: Floats
    label: Labels
    frame: pd.DataFrame
    groups: Rows
    cuts: Sequence[Cut]

    @property
    def ladder(self) -> list[int]:
        """Ranks of the stages that may be advised, rising, from that of a lead without one."""
        return [0, *(STAGES.index(cut.stage) for cut in self.cuts)]

    def advised(self, lifecycle: Lifecycle) -> Ranks:
        """Return the stage that model and rules advise for leads of which nothing else is known."""
        known = KnownStages.nothing(len(self.probability))
        return ranks_of(give_stages(self.probability, self.cuts, self.frame, known, lifecycle).advised)

    def independent(self, rows: Mask) -> float:
        """Return how many leads or accounts of equal size some rows are worth (Kish, *Survey Sampling*, 1965)."""
        sizes = np.bincount(self.groups[rows]).astype(np.float64)
        return float(sizes.sum() ** 2 / (sizes**2).sum()) if rows.any() else 0.0


def moved_table(leads: JudgedLeads, lifecycle: Lifecycle, *, confidence: float) -> pd.DataFrame:
    """Return what each rule does, beside all the others, and how the leads convert that it moves.

    Parameters
    ----------
    leads
        Leads with outcomes.
    lifecycle
        The rules, of which there must be one, and the choices of silence.
    confidence
        Of the intervals, in (0, 1).

    Returns
    -------
    frame
        One row per rule, and one for silence: ``stage, kind, rule``; ``leads`` (rows whose advice is another without
        the rule) and their ``share`` of all, ``conversions``, ``rate`` with Wilson's interval ``rate_low, rate_high``
        over the number of independent leads (NaN if there are none), ``cut`` (the probability that the cut of the
        stage asks for, NaN if the target has no cut of it) and ``verdict``.
    """
    with_all, rows = leads.advised(lifecycle), []
    for name, others in _without_each(lifecycle):
        without = leads.advised(others)
        moved = without != with_all
        lifts = name["kind"] == "overriding"
        cut = _cut_of(leads.cuts, name["stage"], without[moved])
        found = _rate(leads, moved, confidence=confidence)
        rows.append({**name, **found, "cut": cut, "verdict": _verdict(found, cut, lifts=lifts)})
    return pd.DataFrame(rows)


def ways_table(leads: JudgedLeads, lifecycle: Lifecycle, *, draws: int, confidence: float, seed: int) -> pd.DataFrame:
    """Return for each stage what the model alone, the rules alone and both let in, and whether rules are better.

    Ways let in different numbers of leads, so each is compared with the model at a cut of its own that lets in as many.

    Parameters
    ----------
    leads
        Leads with outcomes.
    lifecycle
        The rules, and the choices of silence.
    draws, seed
        Number and seed of the bootstrap draws, of whole leads or accounts.
    confidence
        Of the intervals, in (0, 1).

    Returns
    -------
    frame
        One row per stage and way: ``stage, way, leads, share, conversions, precision, recall``; ``model_precision``
        (that of as many leads with the highest probabilities), the ``difference`` of both precisions with the interval
        ``difference_low, difference_high`` of paired draws, and ``verdict``; there is none from fewer than 20
        independent leads, whose draws are too much alike. The rules alone let in whom an overriding
        rule names, or who meets all that is required if anything is, but for whom is excluded; a stage without such
        rules has no such row.
    """
    by_model, by_both = leads.advised(Lifecycle()), leads.advised(lifecycle)
    ways: list[tuple[str, str, Floats]] = []
    for cut in leads.cuts:
        rank = STAGES.index(cut.stage)
        by_rules = _by_rules(leads, lifecycle.rules, rank)
        found = {MODEL: by_model >= rank, RULES: by_rules, BOTH: by_both >= rank}
        ways += [(cut.stage, way, inside.astype(np.float64)) for way, inside in found.items() if inside is not None]
    same = [_as_many_by_model(leads.probability, inside) for _, _, inside in ways]
    drawn = _drawn_precision(leads, [inside for _, _, inside in ways] + same, draws=draws, seed=seed)
    differences = drawn[:, : len(ways)] - drawn[:, len(ways) :]
    rows = []
    for (stage, way, inside), as_many, difference in zip(ways, same, differences.T, strict=True):
        compared = _compared(leads, inside, as_many, difference, confidence=confidence)
        verdict = "" if way == MODEL else _comparison(compared, leads.independent(inside > 0))
        rows.append({"stage": stage, "way": way, **compared, "verdict": verdict})
    return pd.DataFrame(rows)


def _without_each(lifecycle: Lifecycle) -> Iterator[tuple[dict[str, str], Lifecycle]]:
    """Yield the name of each rule with all the others; silence is one of them."""
    rules, choices = lifecycle.rules.applied, lifecycle.choices
    for at, rule in enumerate(rules):
        others = replace(lifecycle.rules, applied=(*rules[:at], *rules[at + 1 :]))
        yield {"stage": rule.stage, "kind": rule.kind, "rule": rule.test.words}, replace(lifecycle, rules=others)
    if choices.silence_days is not None:
        name = {"stage": "", "kind": SILENCE, "rule": f"{choices.silence_field} from {choices.silence_days}"}
        yield name, replace(lifecycle, choices=choices.model_copy(update={"silence_days": None}))


def _cut_of(cuts: Sequence[Cut], stage: str, moved_from: Ranks) -> float:
    """Return the cut of the stage of a rule; for silence, the mean of the cuts of the stages that leads lose."""
    by_stage = {cut.stage: cut.probability for cut in cuts}
    if stage:
        return by_stage.get(stage, np.nan)
    return float(np.mean([by_stage[STAGES[rank]] for rank in moved_from])) if len(moved_from) else np.nan


def _rate(leads: JudgedLeads, rows: Mask, *, confidence: float) -> dict[str, float]:
    """Return how some rows convert, with the interval."""
    number, conversions = int(rows.sum()), int(leads.label[rows].sum())
    rate, low, high = np.nan, np.nan, np.nan
    if number:
        rate = conversions / number
        low, high = rate_interval(rate, leads.independent(rows), confidence=confidence)
    share = number / len(rows)
    return {
        "leads": number,
        "share": share,
        "conversions": conversions,
        "rate": rate,
        "rate_low": low,
        "rate_high": high,
    }


def _verdict(found: Mapping[str, float], cut: float, *, lifts: bool) -> str:
    """Return whether a rule earns its place, by the rate of the leads that it moves."""
    if not found["leads"] or np.isnan(cut):
        return NO_CUT if found["leads"] else IDLE
    above, below = found["rate_low"] > cut, found["rate_high"] < cut
    if above or below:
        return EARNS if above == lifts else FAILS
    return UNCLEAR


def _by_rules(leads: JudgedLeads, rules: RuleBook, rank: int) -> Mask | None:
    """Return whom the rules alone let into a stage; None if they say nothing of it."""
    asking = [rule for rule in rules.applied if rule.kind == "overriding" and STAGES.index(rule.stage) >= rank]
    requiring = [rule for rule in rules.applied if rule.kind == "required" and STAGES.index(rule.stage) == rank]
    if not asking and not requiring:
        return None
    limits = rule_limits(rules.applied, leads.frame, leads.ladder)
    inside = limits.overriding >= rank
    if requiring:
        inside |= limits.required >= rank
    return np.asarray(inside & (limits.excluded >= rank))


def _as_many_by_model(probability: Floats, inside: Floats) -> Floats:
    """Return how much of each row the model lets in at a cut that lets in as many; of ties each has the same part."""
    number = int(inside.sum())
    if not number:
        return inside
    last = np.sort(probability)[len(inside) - number]
    above, tied = probability > last, probability == last
    return np.asarray(above + tied * ((number - above.sum()) / tied.sum()), dtype=np.float64)


def _compared(
    leads: JudgedLeads, inside: Floats, as_many: Floats, differences: Floats, *, confidence: float
) -> dict[str, float]:
    """Return what a way lets in, and how much more precise it is than the model with as many leads."""
    number, conversions = int(inside.sum()), int(leads.label @ inside)
    tail, known = (1 - confidence) / 2, differences[~np.isnan(differences)]
    low, high = np.quantile(known, [tail, 1 - tail]) if len(known) else (np.nan, np.nan)
    precision, model = (float(leads.label @ rows / number) if number else np.nan for rows in (inside, as_many))
    return {
        "leads": number,
        "share": number / len(inside),
        "conversions": conversions,
        "precision": precision,
        "recall": conversions / max(int(leads.label.sum()), 1),
        "model_precision": model,
        "difference": precision - model,
        "difference_low": float(low),
        "difference_high": float(high),
    }


def _drawn_precision(leads: JudgedLeads, sets: Sequence[Floats], *, draws: int, seed: int) -> Floats:
    """Return the precision of each set of rows in each draw, shape (n_draws, n_sets); NaN in a draw without any."""
    random, groups = np.random.default_rng(seed), int(leads.groups.max(initial=-1)) + 1
    sums = np.array([np.bincount(leads.groups, weights=rows, minlength=groups) for rows in sets])
    won = np.array([np.bincount(leads.groups, weights=rows * leads.label, minlength=groups) for rows in sets])
    drawn = np.full((draws, len(sets)), np.nan)
    for draw in drawn:
        weight = np.bincount(random.integers(0, groups, groups), minlength=groups).astype(np.float64)
        total = sums @ weight
        np.divide(won @ weight, total, out=draw, where=total > 0)
    return drawn


def _comparison(compared: Mapping[str, float], independent: float) -> str:
    """Return in words whether a way is better than the model with as many leads."""
    if independent < MIN_ACCOUNTS:
        return UNCLEAR
    if compared["difference_low"] > 0:
        return "better than the model"
    return "worse than the model" if compared["difference_high"] < 0 else "no difference shown"
