"""The parameters of the simulated CRM: interest, activities, state transitions, recording lags.

Probabilities that are no probabilities are refused. The rules that use the numbers are in `rates`, `paths` and `truth`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.errors import LeadmlError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

INTERESTS = ("gone", "cold", "warm", "hot", "spam")
SPAM = INTERESTS.index("spam")
STATES = ("lead", "mql", "sal", "rejected", "sql", "opportunity", "customer", "churned", "lost")
LEAD, MQL, SAL, REJECTED, SQL, OPPORTUNITY, CUSTOMER, CHURNED, LOST = range(9)  # positions in STATES
CLOSED = (CHURNED, LOST)
DRIFTS = ("none", "mix", "behaviour", "base_rate")
STATE_GROUPS = ("marketing", "sales", "rejected", "customer")
GROUP_OF_STATE = np.array([0, 0, 1, 2, 1, 1, 3, 3, 0])  # of activities; CLOSED states have none
MARKETING_KINDS = ("page_visit", "pricing_page", "download", "webinar", "email_open", "email_click", "form")
KINDS = (*MARKETING_KINDS, "demo_request", "call", "meeting")
FORM, DEMO_REQUEST = KINDS.index("form"), KINDS.index("demo_request")
WORKED = len(KINDS)  # an activity of sales, not of the lead
LONGEST_LAG = 7  # days from an activity to its record
NO_END = 100_000  # a day after the end of every simulation
FIT_LEVELS = 9  # few, because the truth is computed for each of them
FIT_STEP = 0.5  # levels from -2 to 2; per unit of fit the log hazard changes by fit_coefficient


@dataclass(frozen=True)
class StateTransition:
    """A transition between two states of the funnel, and its hazard.

    Parameters
    ----------
    origin, destination
        Positions in ``STATES``.
    hazard
        Per working day, one for each of ``INTERESTS``, at middle fit.
    fit_coefficient
        Change of the log hazard per unit of fit.
    forward
        Whether the transition advances the lead. A drift of the base rate and the work of sales change these hazards
        only.
    """

    origin: int
    destination: int
    hazard: tuple[float, ...]
    fit_coefficient: float = 0.0
    forward: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the transition as plain data, with the keys of ``simulation.json``."""
        return {
            "origin": STATES[self.origin],
            "to": STATES[self.destination],
            "hazard": list(self.hazard),
            "fit": self.fit_coefficient,
            "forward": self.forward,
        }


@dataclass(frozen=True)
class Target:
    """A target whose probability the truth gives.

    Parameters
    ----------
    name
        The outcome.
    state
        Its position in ``STATES``.
    population
        States of the leads that have a probability of the target.
    horizon
        Days.
    """

    name: str
    state: int
    population: tuple[int, ...]
    horizon: int


TARGETS = (  # a month to qualify, a quarter to buy, a year to leave
    Target("sql", SQL, (LEAD, MQL, SAL), 30),
    Target("customer", CUSTOMER, (LEAD, MQL, SAL, SQL, OPPORTUNITY), 90),
    Target("churned", CHURNED, (CUSTOMER,), 365),
)

STATE_TRANSITIONS = (  # a hot MQL is accepted in 8 days on average (1 / 0.13), a warm one in 20, a gone one hardly
    StateTransition(LEAD, MQL, (0.0003, 0.0028, 0.016, 0.060, 0.06), 0.25, forward=True),
    StateTransition(LEAD, LOST, (0.030, 0.005, 0.0010, 0.0003, 0.03)),
    StateTransition(MQL, SAL, (0.001, 0.010, 0.050, 0.13, 0.0), 0.7, forward=True),
    StateTransition(MQL, REJECTED, (0.060, 0.045, 0.025, 0.012, 0.20), -0.7),
    StateTransition(MQL, LOST, (0.020, 0.004, 0.001, 0.0005, 0.02)),
    StateTransition(SAL, SQL, (0.0003, 0.0025, 0.018, 0.065, 0.0), 0.5, forward=True),
    StateTransition(SAL, LOST, (0.040, 0.014, 0.006, 0.003, 0.05)),
    StateTransition(REJECTED, MQL, (0.0002, 0.002, 0.015, 0.045, 0.0005), 0.2, forward=True),
    StateTransition(REJECTED, LOST, (0.030, 0.012, 0.004, 0.002, 0.05)),
    StateTransition(SQL, OPPORTUNITY, (0.003, 0.020, 0.06, 0.12, 0.0), 0.3, forward=True),
    StateTransition(SQL, LOST, (0.030, 0.010, 0.004, 0.002, 0.05)),
    StateTransition(OPPORTUNITY, CUSTOMER, (0.0008, 0.005, 0.020, 0.05, 0.0), 0.4, forward=True),
    StateTransition(OPPORTUNITY, LOST, (0.040, 0.014, 0.006, 0.003, 0.05)),
    StateTransition(CUSTOMER, CHURNED, (0.0080, 0.0009, 0.00008, 0.00004, 0.0), -0.6),
)

# One row per interest of a day; columns: the interest of the next day.
_PROSPECT_INTEREST = (
    (0.9980, 0.0012, 0.0005, 0.0003, 0.0),
    (0.0130, 0.9782, 0.0075, 0.0013, 0.0),
    (0.0060, 0.0350, 0.9450, 0.0140, 0.0),
    (0.0040, 0.0080, 0.0480, 0.9400, 0.0),
    (0.0, 0.0, 0.0, 0.0, 1.0),
)
_CUSTOMER_INTEREST = (  # it lasts: warm for 143 days on average (1 / 0.007), prospects for 18 (1 / 0.055)
    (0.9975, 0.0020, 0.0005, 0.0000, 0.0),
    (0.0030, 0.9930, 0.0035, 0.0005, 0.0),
    (0.0003, 0.0047, 0.9930, 0.0020, 0.0),
    (0.0002, 0.0008, 0.0190, 0.9800, 0.0),
    (0.0, 0.0, 0.0, 0.0, 1.0),
)
# Activities per working day: one row per state group, columns as in INTERESTS.
_ACTIVITY_RATE = (
    (0.0010, 0.26, 0.90, 2.30, 3.0),
    (0.0010, 0.30, 1.05, 2.60, 3.0),
    (0.0010, 0.14, 0.60, 1.60, 3.0),
    (0.0010, 0.08, 0.45, 1.10, 3.0),
)
# One row per interest; columns as in KINDS.
_PROSPECT_KINDS = (
    (0.300, 0.010, 0.020, 0.010, 0.580, 0.030, 0.010, 0.005, 0.025, 0.010),
    (0.290, 0.025, 0.040, 0.030, 0.450, 0.090, 0.022, 0.003, 0.040, 0.010),
    (0.330, 0.070, 0.075, 0.045, 0.270, 0.110, 0.035, 0.010, 0.040, 0.015),
    (0.320, 0.140, 0.075, 0.040, 0.160, 0.110, 0.045, 0.030, 0.050, 0.030),
    (0.030, 0.005, 0.010, 0.005, 0.020, 0.010, 0.900, 0.010, 0.005, 0.005),
)
_SALES_KINDS = (  # with sales, calls and meetings take the place of e-mail
    (0.250, 0.010, 0.020, 0.010, 0.500, 0.030, 0.010, 0.005, 0.135, 0.030),
    (0.230, 0.030, 0.040, 0.020, 0.330, 0.080, 0.020, 0.005, 0.205, 0.040),
    (0.240, 0.070, 0.060, 0.030, 0.210, 0.090, 0.025, 0.015, 0.190, 0.070),
    (0.220, 0.120, 0.060, 0.030, 0.130, 0.090, 0.030, 0.030, 0.180, 0.110),
    (0.030, 0.005, 0.010, 0.005, 0.020, 0.010, 0.900, 0.010, 0.005, 0.005),
)
_DRIFTED_KINDS = (  # after a drift of behaviour, warm leads open more e-mail and see prices earlier
    (0.300, 0.010, 0.020, 0.010, 0.580, 0.030, 0.010, 0.005, 0.025, 0.010),
    (0.180, 0.060, 0.030, 0.020, 0.560, 0.060, 0.027, 0.008, 0.045, 0.010),
    (0.220, 0.140, 0.050, 0.030, 0.370, 0.080, 0.040, 0.015, 0.040, 0.015),
    (0.230, 0.190, 0.060, 0.030, 0.250, 0.080, 0.045, 0.035, 0.050, 0.030),
    (0.030, 0.005, 0.010, 0.005, 0.020, 0.010, 0.900, 0.010, 0.005, 0.005),
)
# Cold and warm leads are more active, hot ones less, so that counts mean less.
_DRIFTED_RATE_FACTOR = (1.0, 1.6, 1.35, 0.8, 1.0)
# Probabilities of the days from an activity or outcome to its record, 0 first.
_NO_LAG = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_ACTIVITY_LAG = {  # webinars are imported, calls and meetings written down later; websites record at once
    "webinar": (0.25, 0.35, 0.18, 0.10, 0.05, 0.03, 0.02, 0.02),
    "call": (0.50, 0.22, 0.10, 0.06, 0.04, 0.03, 0.03, 0.02),
    "meeting": (0.30, 0.26, 0.14, 0.10, 0.07, 0.05, 0.04, 0.04),
}
# Contracts and terminations reach the CRM late, up to ten days.
_OUTCOME_LAG = (0.40, 0.20, 0.12, 0.08, 0.05, 0.04, 0.03, 0.03, 0.02, 0.02, 0.01)
REASONS = ("not interested", "wrong person", "no budget", "bad timing", "spam", "competitor", "no answer")
# One row per interest; columns as in REASONS.
_REJECTED_REASON = (
    (0.45, 0.18, 0.15, 0.12, 0.005, 0.045, 0.05),
    (0.33, 0.22, 0.20, 0.17, 0.005, 0.035, 0.04),
    (0.16, 0.25, 0.27, 0.26, 0.005, 0.035, 0.02),
    (0.08, 0.27, 0.30, 0.29, 0.005, 0.045, 0.01),
    (0.05, 0.03, 0.01, 0.01, 0.880, 0.005, 0.015),
)
_LOST_REASON = (  # gone leads do not answer, hot ones are lost to a competitor or for money
    (0.12, 0.06, 0.08, 0.06, 0.005, 0.075, 0.60),
    (0.22, 0.06, 0.15, 0.12, 0.005, 0.145, 0.30),
    (0.18, 0.04, 0.25, 0.15, 0.005, 0.275, 0.10),
    (0.10, 0.04, 0.28, 0.15, 0.005, 0.375, 0.05),
    (0.04, 0.02, 0.01, 0.01, 0.900, 0.005, 0.015),
)


# Keys of `simulation.json` for the fields of a world that have another name there.
_JSON_KEYS = {
    "interest_transition": "transition",
    "activity_rate": "rate",
    "kind_probability": "kinds",
    "drifted_activity_rate": "drifted_rate",
    "drifted_kind_probability": "drifted_kinds",
    "activity_lag": "lag",
    "state_transitions": "moves",
    "restate_probability": "restated",
    "fill_probability": "filled",
}
_DISTRIBUTIONS = (
    "interest_transition",
    "kind_probability",
    "drifted_kind_probability",
    "activity_lag",
    "outcome_lag",
    "rejected_reason",
    "lost_reason",
)


@dataclass(frozen=True, eq=False)
class World:
    """The parameters of a simulation.

    Parameters
    ----------
    days
        Length of the simulation.
    interest_transition
        Shape (state groups, interests, interests): daily transition probabilities of the interest; each row sums to 1.
    activity_rate, drifted_activity_rate
        Shape (state groups, interests): expected activities on a working day, before and after a drift of behaviour.
    kind_probability, drifted_kind_probability
        Shape (state groups, interests, kinds): probabilities of the kind of an activity; each row sums to 1.
    activity_lag
        Shape (kinds, 8): probabilities of the days until an activity is recorded; each row sums to 1.
    state_transitions
        The possible transitions in the funnel.
    outcome_lag
        Shape (states, days): probabilities of the days until an outcome is recorded; each row sums to 1.
    rejected_reason, lost_reason
        Shape (interests, reasons): probabilities of the reason, positions in ``REASONS``; each row sums to 1.
    restate_probability
        Probability that a lead restates its timeline on a day with a form or demo request.
    fill_probability
        Probability that a restatement also fills a blank budget.
    drift, drift_day
        ``none``, ``mix``, ``behaviour`` or ``base_rate``, and the first day of it.
    drift_factor
        Factor of the forward hazards after a drift of the base rate.
    campaign
        First day of the campaign that brings form spam, and first day after it; equal where there is none.
    worked_share
        Number of leads that sales works each Monday, as a share of the leads of a chunk; 0 for none.
    worked_until
        First day on which sales works no lead any more.
    work_days, work_factor
        Number of days for which work raises the forward hazards of a lead, and the factor.

    Raises
    ------
    LeadmlError
        Where the rows of a distribution do not sum to 1, a probability is negative, or a rate is 0.
    """

    days: int
    interest_transition: Floats
    activity_rate: Floats
    kind_probability: Floats
    drifted_activity_rate: Floats
    drifted_kind_probability: Floats
    activity_lag: Floats
    state_transitions: tuple[StateTransition, ...]
    outcome_lag: Floats
    rejected_reason: Floats
    lost_reason: Floats
    restate_probability: float = 0.25
    fill_probability: float = 0.5
    drift: str = "none"
    drift_day: int = 0
    drift_factor: float = 0.55
    campaign: tuple[int, int] = (0, 0)
    worked_share: float = 0.0
    worked_until: int = NO_END
    work_days: int = 14
    work_factor: float = 1.8

    def __post_init__(self) -> None:
        """Refuse distributions that do not sum to 1, and activities without a likelihood."""
        for name in _DISTRIBUTIONS:
            total = getattr(self, name).sum(axis=-1)
            if not np.allclose(total, 1.0, atol=1e-9) or getattr(self, name).min() < 0:
                msg = f"world.{name} must hold rows of 0 or more that sum to 1, got sums of {total.ravel().tolist()}"
                raise LeadmlError(msg)
        values = (self.activity_rate, self.drifted_activity_rate, self.kind_probability, self.drifted_kind_probability)
        if min(value.min() for value in values) <= 0:  # an activity of rate 0 has no log-likelihood
            msg = "world.activity_rate and world.kind_probability must be above 0, got 0; give a small positive number"
            raise LeadmlError(msg)

    @cached_property
    def hazards(self) -> Floats:
        """Hazards of other and of forward transitions, shape (2, states, states, fit levels, interests)."""
        hazard = np.zeros((2, len(STATES), len(STATES), FIT_LEVELS, len(INTERESTS)))
        fit = FIT_STEP * (np.arange(FIT_LEVELS) - FIT_LEVELS // 2)
        for transition in self.state_transitions:
            by_level = np.outer(np.exp(transition.fit_coefficient * fit), transition.hazard)
            hazard[int(transition.forward), transition.origin, transition.destination] = by_level
        return hazard

    def to_json(self) -> dict[str, Any]:
        """Return all parameters as plain data, with the keys of ``simulation.json``."""
        values = {_JSON_KEYS.get(entry.name, entry.name): getattr(self, entry.name) for entry in fields(self)}
        plain = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in values.items()}
        plain["moves"] = [transition.to_json() for transition in self.state_transitions]
        return plain


def standard_world(days: int) -> World:
    """Return the default parameters, without drift, campaign and work of sales.

    Parameters
    ----------
    days
        Length of the simulation.

    Examples
    --------
    >>> standard_world(30).interest_transition.shape
    (4, 5, 5)
    """
    rate = np.array(_ACTIVITY_RATE)
    outcome_lag = np.zeros((len(STATES), len(_OUTCOME_LAG)))
    outcome_lag[:, 0] = 1.0
    outcome_lag[[CUSTOMER, CHURNED]] = _OUTCOME_LAG
    return World(
        days=days,
        interest_transition=np.array([_PROSPECT_INTEREST, _PROSPECT_INTEREST, _PROSPECT_INTEREST, _CUSTOMER_INTEREST]),
        activity_rate=rate,
        kind_probability=np.array([_PROSPECT_KINDS, _SALES_KINDS, _PROSPECT_KINDS, _SALES_KINDS]),
        drifted_activity_rate=rate * np.array(_DRIFTED_RATE_FACTOR),
        drifted_kind_probability=np.array([_DRIFTED_KINDS, _SALES_KINDS, _DRIFTED_KINDS, _SALES_KINDS]),
        activity_lag=np.array([_ACTIVITY_LAG.get(kind, _NO_LAG) for kind in KINDS]),
        state_transitions=STATE_TRANSITIONS,
        outcome_lag=outcome_lag,
        rejected_reason=np.array(_REJECTED_REASON),
        lost_reason=np.array(_LOST_REASON),
    )
