"""Judge a challenger beside the version in use, on the same later leads, which neither has learnt from.

A *change* (other fields, params or seed) must win. A *refresh* (the same recipe on newer leads) must not be surely
worse. Harm is said at once. A gain is said once the planned number of leads is known, or before if the capital of bets
on it has grown a hundred times.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

import numpy as np

from leadml.model.judge.calibration_line import CalibrationLine
from leadml.review.performance.paired import Gain, losses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from leadml.params.gate import GateParams
    from leadml.types import Floats, Labels, Objects, Rows

    Kind = Literal["change", "refresh"]
    Answer = Literal["better", "not worse", "worse", "no better", "not enough evidence", "refused"]

NORMAL = NormalDist()
# By the number of looks: at look k of K the one-sided test at 5% asks for a z of this times the root of K / k. Jennison
# and Turnbull, "Group Sequential Methods with Applications to Clinical Trials" (2000), table 2.3.
O_BRIEN_FLEMING = {1: 1.645, 2: 1.678, 3: 1.710, 4: 1.733, 5: 1.751}
# The evidence that lets a change win before the planned number of leads is known: of changes that are no better one in
# a hundred reaches it at most, however often one looks.
EARLY = 100.0
PASSED: tuple[Answer, ...] = ("better", "not worse")


@dataclass(frozen=True)
class Contest:
    """Two versions on the same leads.

    Parameters
    ----------
    label
        Whether each lead converted, shape (n_leads,), in the order in which that became known.
    champion, challenger
        Their probabilities, shape (n_leads,).
    groups
        The group of each lead (the lead itself, or its account), shape (n_leads,); None for independent leads.
    slices
        By name of a field the value of each lead, shape (n_leads,).
    days
        Number of the day of each lead, shape (n_leads,), by which a refresh is judged, too: what moves the level of a
        day moves all its losses, and a model that is not to blame for that would seem worse. None where days do not
        count.
    """

    label: Labels
    champion: Floats
    challenger: Floats
    groups: Rows | None = None
    slices: Mapping[str, Objects] = field(default_factory=dict)
    days: Rows | None = None


@dataclass(frozen=True)
class Judged:
    """What the gate says of a challenger.

    Parameters
    ----------
    answer
        ``better`` and ``not worse`` pass, the latter a refresh.
    reasons
        In sentences.
    figures
        ``leads``, ``needed`` (their number before a change is judged), and once that is reached, or the evidence is
        beyond doubt before, ``gain`` (nats per lead), ``gain_share`` (of the log loss), ``gain_low`` and ``e_value``.
    """

    answer: Answer
    reasons: tuple[str, ...]
    figures: Mapping[str, float]

    @property
    def passes(self) -> bool:
        """Whether the challenger may be put in use."""
        return self.answer in PASSED


def judge(contest: Contest, choices: GateParams, *, kind: Kind, look: int = 1, seed: int = 0) -> Judged:
    """Return what the gate says of a challenger.

    Parameters
    ----------
    contest
        Leads whose outcome is known, that neither version was fitted, calibrated, cut or tuned on.
    choices
        The section ``gate`` of the params.
    kind
        Whether the challenger is a change or a refresh.
    look
        Which of ``choices.looks`` this is, from 1.
    seed
        Of the bootstrap.
    """
    leads = len(contest.label)
    if why := _says_nothing(contest):
        return Judged("not enough evidence", (why,), {"leads": leads})
    if why := unusable(contest.challenger):
        return Judged("refused", (why,), {"leads": leads})
    champion = losses(contest.label, contest.champion)
    if kind == "change":
        contest = replace(contest, days=None)
    gain = Gain.of(champion - losses(contest.label, contest.challenger), contest.groups, contest.days)
    loss, confidence = float(champion.mean()), choices.confidence
    against = (*_calibration(contest, choices), *_slices(contest, choices))
    if gain.is_surely_below(0.0, confidence=confidence):
        return _judged("worse", against, _figures(gain, loss))
    if against:
        return Judged("refused", against, _figures(gain, loss))
    if kind == "refresh":
        return _judged("not worse", (), _figures(gain, loss))
    return _judge_gain(gain, loss, choices, look=look, seed=seed)


def _says_nothing(contest: Contest) -> str:
    """Return why leads say nothing at all, in words; empty if they do."""
    leads = len(contest.label)
    if not leads:
        return "no later lead has a known outcome"
    if not 0 < contest.label.sum() < leads:
        return "all later leads have one outcome"
    return "all later leads are of one account" if contest.groups is not None and np.ptp(contest.groups) == 0 else ""


def _judge_gain(gain: Gain, loss: float, choices: GateParams, *, look: int, seed: int) -> Judged:
    """Return whether a change wins, if there are enough leads to say so."""
    confidence = choices.confidence
    needed = gain.needed(choices.least_gain * loss, confidence=confidence, power=choices.power)
    planned, is_large = int(np.ceil(needed * look / choices.looks)), gain.value >= choices.floor * loss
    evidence = gain.e_value()
    if is_large and evidence >= EARLY:
        return _judged("better", (), _figures(gain, loss) | {"needed": planned, "e_value": evidence})
    if gain.leads < planned:
        reason = f"{planned:,} known outcomes of later leads are needed, and there are {gain.leads:,}"
        return Judged("not enough evidence", (reason,), {"leads": gain.leads, "needed": planned})
    asked = NORMAL.cdf(NORMAL.inv_cdf(confidence) / O_BRIEN_FLEMING[1] * _bound(choices.looks, look))
    figures = _figures(gain, loss) | {"needed": planned, "gain_low": gain.low(asked, seed=seed)}
    is_better = figures["gain_low"] > 0 and is_large
    return _judged("better" if is_better else "no better", (), figures | {"e_value": evidence})


def unusable(probability: Floats) -> str:
    """Return why probabilities cannot be used at all, in words; empty if they can."""
    if np.isnan(probability).any():
        return "some of its probabilities are no numbers"
    if ((probability < 0) | (probability > 1)).any():
        return "some of its probabilities are not between 0 and 1"
    return "it gives all leads the same probability" if np.ptp(probability) == 0 else ""


def _bound(looks: int, look: int) -> float:
    return O_BRIEN_FLEMING[looks] * float(np.sqrt(looks / look))


def _figures(gain: Gain, loss: float) -> dict[str, float]:
    return {"leads": gain.leads, "gain": gain.value, "gain_share": gain.value / loss}


def _judged(answer: Answer, against: tuple[str, ...], figures: dict[str, float]) -> Judged:
    """Return an answer with its reasons: what the log loss says, and what else speaks against the challenger."""
    share = figures["gain_share"]
    said = f"its log loss is {abs(share):.1%} {'lower' if share >= 0 else 'higher'} on {figures['leads']:,} leads"
    reasons = {
        "better": f"{said}, more than chance explains",
        "not worse": f"{said}: not surely worse",
        "worse": f"{said}: surely worse",
        "no better": f"{said}, which chance or another seed explains",
    }
    return Judged(answer, (reasons[answer], *against), figures)


def _calibration(contest: Contest, choices: GateParams) -> Iterator[str]:
    """Yield a sentence if the challenger is surely worse calibrated, by more than the margin.

    Calibration is what the log loss would gain by the best line through the log-odds.
    """
    if np.ptp(contest.champion) == 0:  # of one probability alone no line can be told
        return
    costs = []
    for probability in (contest.champion, contest.challenger):
        line = CalibrationLine.of(contest.label, probability)
        costs.append(losses(contest.label, probability) - losses(contest.label, line.recalibrated(probability)))
    margin = choices.margin * float(losses(contest.label, contest.champion).mean())
    gain = Gain.of(costs[0] - costs[1], contest.groups, contest.days)
    if gain.is_surely_below(margin, confidence=choices.confidence):
        yield "its probabilities are surely worse calibrated"


def _slices(contest: Contest, choices: GateParams) -> Iterator[str]:
    """Yield a sentence for each slice in which the challenger is surely worse by more than the margin.

    Of many slices some are worse by chance: Holm's method keeps the chance of any at that of one test.
    """
    champion = losses(contest.label, contest.champion)
    differences = champion - losses(contest.label, contest.challenger)
    found = []
    for name, values in contest.slices.items():
        for value in np.unique(values):
            rows = np.flatnonzero(values == value)
            if len(rows) < choices.slice_leads or contest.label[rows].sum() < choices.slice_conversions:
                continue
            of_rows = (None if each is None else each[rows] for each in (contest.groups, contest.days))
            gain = Gain.of(differences[rows], *of_rows)
            chance = NORMAL.cdf(gain.value / gain.error) if gain.error else float(gain.value >= 0)
            found.append((chance, f"{name} {value}", gain, float(champion[rows].mean())))
    found.sort(key=lambda each: each[0])
    for rank, (chance, name, gain, loss) in enumerate(found):
        if chance > (1 - choices.confidence) / (len(found) - rank):
            return
        if gain.value < -choices.margin * loss:
            yield f"it is surely worse for {name}: its log loss is {-gain.value / loss:.1%} higher"
