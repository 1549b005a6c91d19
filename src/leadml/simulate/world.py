"""The numbers of the simulated world.

What enters is nothing; what leaves is one `World`: how interest moves, what each interest does, and how fast the funnel
turns.
It refuses tables whose shapes or sums cannot be probabilities, and holds no rule: `chain` and `people` apply it.
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
LEAD, MQL, SAL, REJECTED, SQL, OPPORTUNITY, CUSTOMER, CHURNED, LOST = range(9)
CLOSED = (CHURNED, LOST)
DRIFTS = ("none", "mix", "behaviour", "base_rate")
GROUPS = ("marketing", "sales", "rejected", "customer")
GROUP_OF_STATE = np.array([0, 0, 1, 2, 1, 1, 3, 3, 0])
KINDS = (
    "page_visit",
    "pricing_page",
    "download",
    "webinar",
    "email_open",
    "email_click",
    "form",
    "demo_request",
    "call",
    "meeting",
)
FORM, DEMO_REQUEST = KINDS.index("form"), KINDS.index("demo_request")
WORKED = len(KINDS)  # the flag that sales leaves, no act of the lead
LONGEST_LAG = 7
LONGEST_DAYS = 100_000
FIT_LEVELS = 9
FIT_STEP = 0.5


@dataclass(frozen=True)
class Move:
    """One way through the funnel.

    Parameters
    ----------
    origin, to
        Positions in ``STATES``.
    hazard
        Per working day, one number for each of ``INTERESTS``.
    fit
        By how much a unit of fit raises the log of the hazard.
    forward
        Whether drift of the base rate and the work of sales change it.
    """

    origin: int
    to: int
    hazard: tuple[float, ...]
    fit: float = 0.0
    forward: bool = False


@dataclass(frozen=True)
class Target:
    """What the truth is about.

    Parameters
    ----------
    name
        The outcome.
    state
        Its position in ``STATES``.
    population
        States of the leads that are asked about.
    horizon
        Days.
    """

    name: str
    state: int
    population: tuple[int, ...]
    horizon: int


TARGETS = (
    Target("sql", SQL, (LEAD, MQL, SAL), 30),
    Target("customer", CUSTOMER, (LEAD, MQL, SAL, SQL, OPPORTUNITY), 90),
    Target("churned", CHURNED, (CUSTOMER,), 365),
)

MOVES = (
    Move(LEAD, MQL, (0.0003, 0.0028, 0.016, 0.060, 0.06), 0.25, forward=True),
    Move(LEAD, LOST, (0.030, 0.005, 0.0010, 0.0003, 0.03)),
    Move(MQL, SAL, (0.001, 0.010, 0.050, 0.13, 0.0), 0.7, forward=True),
    Move(MQL, REJECTED, (0.060, 0.045, 0.025, 0.012, 0.20), -0.7),
    Move(MQL, LOST, (0.020, 0.004, 0.001, 0.0005, 0.02)),
    Move(SAL, SQL, (0.0003, 0.0025, 0.018, 0.065, 0.0), 0.5, forward=True),
    Move(SAL, LOST, (0.040, 0.014, 0.006, 0.003, 0.05)),
    Move(REJECTED, MQL, (0.0002, 0.002, 0.015, 0.045, 0.0005), 0.2, forward=True),
    Move(REJECTED, LOST, (0.030, 0.012, 0.004, 0.002, 0.05)),
    Move(SQL, OPPORTUNITY, (0.003, 0.020, 0.06, 0.12, 0.0), 0.3, forward=True),
    Move(SQL, LOST, (0.030, 0.010, 0.004, 0.002, 0.05)),
    Move(OPPORTUNITY, CUSTOMER, (0.0008, 0.005, 0.020, 0.05, 0.0), 0.4, forward=True),
    Move(OPPORTUNITY, LOST, (0.040, 0.014, 0.006, 0.003, 0.05)),
    Move(CUSTOMER, CHURNED, (0.0080, 0.0009, 0.00008, 0.00004, 0.0), -0.6),
)

_PROSPECT = (
    (0.9980, 0.0012, 0.0005, 0.0003, 0.0),
    (0.0130, 0.9782, 0.0075, 0.0013, 0.0),
    (0.0060, 0.0350, 0.9450, 0.0140, 0.0),
    (0.0040, 0.0080, 0.0480, 0.9400, 0.0),
    (0.0, 0.0, 0.0, 0.0, 1.0),
)
_CLIENT = (
    (0.9975, 0.0020, 0.0005, 0.0000, 0.0),
    (0.0030, 0.9930, 0.0035, 0.0005, 0.0),
    (0.0003, 0.0047, 0.9930, 0.0020, 0.0),
    (0.0002, 0.0008, 0.0190, 0.9800, 0.0),
    (0.0, 0.0, 0.0, 0.0, 1.0),
)
_RATES = (
    (0.0010, 0.26, 0.90, 2.30, 3.0),
    (0.0010, 0.30, 1.05, 2.60, 3.0),
    (0.0010, 0.14, 0.60, 1.60, 3.0),
    (0.0010, 0.08, 0.45, 1.10, 3.0),
)
# One row an interest; columns as in KINDS.
_PROSPECT_KINDS = (
    (0.300, 0.010, 0.020, 0.010, 0.580, 0.030, 0.010, 0.005, 0.025, 0.010),
    (0.290, 0.025, 0.040, 0.030, 0.450, 0.090, 0.022, 0.003, 0.040, 0.010),
    (0.330, 0.070, 0.075, 0.045, 0.270, 0.110, 0.035, 0.010, 0.040, 0.015),
    (0.320, 0.140, 0.075, 0.040, 0.160, 0.110, 0.045, 0.030, 0.050, 0.030),
    (0.030, 0.005, 0.010, 0.005, 0.020, 0.010, 0.900, 0.010, 0.005, 0.005),
)
_SALES_KINDS = (
    (0.250, 0.010, 0.020, 0.010, 0.500, 0.030, 0.010, 0.005, 0.135, 0.030),
    (0.230, 0.030, 0.040, 0.020, 0.330, 0.080, 0.020, 0.005, 0.205, 0.040),
    (0.240, 0.070, 0.060, 0.030, 0.210, 0.090, 0.025, 0.015, 0.190, 0.070),
    (0.220, 0.120, 0.060, 0.030, 0.130, 0.090, 0.030, 0.030, 0.180, 0.110),
    (0.030, 0.005, 0.010, 0.005, 0.020, 0.010, 0.900, 0.010, 0.005, 0.005),
)
_DRIFTED_KINDS = (
    (0.300, 0.010, 0.020, 0.010, 0.580, 0.030, 0.010, 0.005, 0.025, 0.010),
    (0.180, 0.060, 0.030, 0.020, 0.560, 0.060, 0.027, 0.008, 0.045, 0.010),
    (0.220, 0.140, 0.050, 0.030, 0.370, 0.080, 0.040, 0.015, 0.040, 0.015),
    (0.230, 0.190, 0.060, 0.030, 0.250, 0.080, 0.045, 0.035, 0.050, 0.030),
    (0.030, 0.005, 0.010, 0.005, 0.020, 0.010, 0.900, 0.010, 0.005, 0.005),
)
_DRIFTED_RATE = (1.0, 1.6, 1.35, 0.8, 1.0)
_AT_ONCE = (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_LAGS = {
    "webinar": (0.25, 0.35, 0.18, 0.10, 0.05, 0.03, 0.02, 0.02),
    "call": (0.50, 0.22, 0.10, 0.06, 0.04, 0.03, 0.03, 0.02),
    "meeting": (0.30, 0.26, 0.14, 0.10, 0.07, 0.05, 0.04, 0.04),
}
_OUTCOME_LAG = (0.40, 0.20, 0.12, 0.08, 0.05, 0.04, 0.03, 0.03, 0.02, 0.02, 0.01)
REASONS = ("not interested", "wrong person", "no budget", "bad timing", "spam", "competitor", "no answer")
_REJECTED_REASON = (
    (0.45, 0.18, 0.15, 0.12, 0.005, 0.045, 0.05),
    (0.33, 0.22, 0.20, 0.17, 0.005, 0.035, 0.04),
    (0.16, 0.25, 0.27, 0.26, 0.005, 0.035, 0.02),
    (0.08, 0.27, 0.30, 0.29, 0.005, 0.045, 0.01),
    (0.05, 0.03, 0.01, 0.01, 0.880, 0.005, 0.015),
)
_LOST_REASON = (
    (0.12, 0.06, 0.08, 0.06, 0.005, 0.075, 0.60),
    (0.22, 0.06, 0.15, 0.12, 0.005, 0.145, 0.30),
    (0.18, 0.04, 0.25, 0.15, 0.005, 0.275, 0.10),
    (0.10, 0.04, 0.28, 0.15, 0.005, 0.375, 0.05),
    (0.04, 0.02, 0.01, 0.01, 0.900, 0.005, 0.015),
)


@dataclass(frozen=True, eq=False)
class World:
    """All numbers by which leads live.

    Parameters
    ----------
    days
        Length of the simulation.
    transition
        Shape (groups, interests, interests): a day's move of interest; each row sums to 1.
    rate, drifted_rate
        Shape (groups, interests): acts on a working day, before and after behaviour has drifted.
    kinds, drifted_kinds
        Shape (groups, interests, kinds): what an act is; each row sums to 1.
    lag
        Shape (kinds, 8): after how many days an act is recorded; each row sums to 1.
    moves
        Ways through the funnel.
    outcome_lag
        Shape (states, days): after how many days an outcome is recorded; each row sums to 1.
    rejected_reason, lost_reason
        Shape (interests, reasons): why; each row sums to 1. Positions in ``REASONS``.
    restated, filled
        Chances that a day with a form restates the timeline, and that a blank budget is filled with it.
    drift, drift_day
        ``none``, ``mix``, ``behaviour`` or ``base_rate``, and the first day of it.
    drift_factor
        By what forward hazards are multiplied after a drift of the base rate.
    campaign
        First day and first day after of the campaign that form spam comes from; the same where there is none.
    worked_share
        Share of a team's leads that are worked each Monday, 0 where nobody works them.
    worked_until
        The first day on which sales works nobody any more.
    work_days, work_factor
        For how many days forward hazards of a worked lead are multiplied, and by what.
    """

    days: int
    transition: Floats
    rate: Floats
    kinds: Floats
    drifted_rate: Floats
    drifted_kinds: Floats
    lag: Floats
    moves: tuple[Move, ...]
    outcome_lag: Floats
    rejected_reason: Floats
    lost_reason: Floats
    restated: float = 0.25
    filled: float = 0.5
    drift: str = "none"
    drift_day: int = 0
    drift_factor: float = 0.55
    campaign: tuple[int, int] = (0, 0)
    worked_share: float = 0.0
    worked_until: int = LONGEST_DAYS
    work_days: int = 14
    work_factor: float = 1.8

    def __post_init__(self) -> None:
        """Refuse tables that are no probabilities."""
        sums = {name: getattr(self, name).sum(axis=-1) for name in _TABLES}
        for name, total in sums.items():
            if not np.allclose(total, 1.0, atol=1e-9) or getattr(self, name).min() < 0:
                msg = f"world.{name} must hold rows of 0 or more that sum to 1, got sums of {total.ravel().tolist()}"
                raise LeadmlError(msg)
        if min(self.rate.min(), self.drifted_rate.min(), self.kinds.min(), self.drifted_kinds.min()) <= 0:
            msg = "world.rate and world.kinds must be above 0, got 0; an act that cannot be has no likelihood"
            raise LeadmlError(msg)

    @cached_property
    def hazards(self) -> Floats:
        """Hazards of moves that nothing changes and of forward ones, shape (2, states, states, levels, interests)."""
        hazard = np.zeros((2, len(STATES), len(STATES), FIT_LEVELS, len(INTERESTS)))
        fit = FIT_STEP * (np.arange(FIT_LEVELS) - FIT_LEVELS // 2)
        for move in self.moves:
            hazard[int(move.forward), move.origin, move.to] = np.outer(np.exp(move.fit * fit), move.hazard)
        return hazard

    def to_json(self) -> dict[str, Any]:
        """Return all numbers as plain data."""
        held = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in held.items()}
        plain["moves"] = [
            {**vars(move), "origin": STATES[move.origin], "to": STATES[move.to], "hazard": list(move.hazard)}
            for move in self.moves
        ]
        return plain


_TABLES = ("transition", "kinds", "drifted_kinds", "lag", "outcome_lag", "rejected_reason", "lost_reason")


def standard_world(days: int) -> World:
    """Return the world as it is unless a test makes another.

    Examples
    --------
    >>> standard_world(30).transition.shape
    (4, 5, 5)
    """
    rate = np.array(_RATES)
    kinds = np.array([_PROSPECT_KINDS, _SALES_KINDS, _PROSPECT_KINDS, _SALES_KINDS])
    drifted = np.array([_DRIFTED_KINDS, _SALES_KINDS, _DRIFTED_KINDS, _SALES_KINDS])
    outcome_lag = np.zeros((len(STATES), len(_OUTCOME_LAG)))
    outcome_lag[:, 0] = 1.0
    outcome_lag[[CUSTOMER, CHURNED]] = _OUTCOME_LAG
    return World(
        days=days,
        transition=np.array([_PROSPECT, _PROSPECT, _PROSPECT, _CLIENT]),
        rate=rate,
        kinds=kinds,
        drifted_rate=rate * np.array(_DRIFTED_RATE),
        drifted_kinds=drifted,
        lag=np.array([_LAGS.get(kind, _AT_ONCE) for kind in KINDS]),
        moves=MOVES,
        outcome_lag=outcome_lag,
        rejected_reason=np.array(_REJECTED_REASON),
        lost_reason=np.array(_LOST_REASON),
    )
