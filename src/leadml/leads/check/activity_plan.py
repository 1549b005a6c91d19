"""Which features are computed from the activities of dated leads, and which target is predicted.

Training and scoring share one plan: training builds it from params, scoring reads it from the bundle. Days, weights
and values are integers (weights in units of 2^-20, values of 1/10,000), so that sums are the same in any order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from leadml.params import MachineParams

if TYPE_CHECKING:
    from leadml.params import Params

DAY = 86_400_000_000  # microseconds: 24 * 60 * 60 * 1,000,000
WEIGHT_ONE = 1 << 20  # decision 10; a weight is exact to 1 in a million, and 2^43 weights of a lead add up in 64 bits
VALUE_ONE = 10_000  # amounts of money have at most four decimals (ISO 4217)
ACTIVITY = "activity"
LEAD_AGE = "lead_age"


@dataclass(frozen=True)
class ActivityPlan:
    """The features that are computed from activities.

    Parameters
    ----------
    kinds
        Each kind of activity with features of its own, and its name in explanations.
    windows
        Windows in days, shortest first; empty where there are no activities.
    weights
        Integer weight of an activity by its age in whole days: ``WEIGHT_ONE`` at age 0, 0 beyond the last entry.
    trend
        Days of the trend, which are compared with as many days before them.
    channels
        Whether activities have a channel.
    values
        Names of the columns of numbers that activities have, such as ``amount``.
    machines
        How acts of machines are recognised, or None.
    tells
        Which of ``message``, ``agent`` and ``address`` activities have, for the recognition.
    """

    kinds: tuple[tuple[str, str], ...]
    windows: tuple[int, ...]
    weights: tuple[int, ...]
    trend: int
    channels: bool
    values: tuple[str, ...] = ()
    machines: MachineParams | None = None
    tells: tuple[str, ...] = ()

    @classmethod
    def from_params(cls, params: Params) -> ActivityPlan:
        """Return the plan that ``features.activities`` declares; without a source of activities it is empty."""
        choices = params.features.activities
        if params.sources is None or params.sources.activities is None:
            return cls((), (), (), choices.trend, channels=False)
        source, kinds = params.sources.activities, tuple(choices.kinds.items())
        weights, has_channels = decay_weights(choices.half_life), source.channel is not None
        machines, values = choices.machines, tuple(source.values)
        tells = tuple(name for name in ("message", "agent", "address") if machines and getattr(source, name))
        return cls(kinds, choices.windows, weights, choices.trend, has_channels, values, machines, tells)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> ActivityPlan:
        """Return the plan from the plain data of `to_json`."""
        lists = {name: tuple(stored.get(name, ())) for name in ("windows", "weights", "values", "tells")}
        kinds = tuple((kind, words) for kind, words in stored["kinds"])
        machines = None if stored["machines"] is None else MachineParams(**stored["machines"])
        return cls(kinds=kinds, trend=stored["trend"], channels=stored["channels"], machines=machines, **lists)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        machines = None if self.machines is None else self.machines.model_dump(mode="json")
        return {**asdict(replace(self, machines=None)), "machines": machines}


@dataclass(frozen=True)
class Target:
    """The target that is predicted for dated leads.

    Parameters
    ----------
    name
        Name of the target.
    outcome
        Name of the outcome that a lead must reach.
    horizon
        Days after as_of within which the lead must reach the outcome.
    settling
        Days after the horizon in which late records may still arrive.
    population
        ``open`` or ``customers``.
    again
        Whether a lead can reach the outcome more than once.
    oldest
        Largest age of a lead in days at which it has snapshots, or None.
    once
        Whether a lead has one snapshot, at the first midnight after it came.
    """

    name: str
    outcome: str
    horizon: int
    settling: int
    population: str
    again: bool
    oldest: int | None
    once: bool = False

    @classmethod
    def from_params(cls, params: Params, name: str) -> Target:
        """Return one of the targets that ``params.yaml`` declares."""
        choices = params.targets[name]
        return cls(
            name=name,
            outcome=choices.outcome,
            horizon=choices.horizon,
            settling=choices.settling,
            population=choices.population,
            again=choices.again,
            oldest=params.snapshots.oldest,
            once=params.snapshots.every == "once",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the target as plain data."""
        return asdict(self)

    @property
    def maturity(self) -> int:
        """Microseconds from as_of until the label is mature: horizon plus settling."""
        return (self.horizon + self.settling) * DAY


def decay_weights(half_life: int) -> tuple[int, ...]:
    """Return the integer weight of an activity for each age in whole days, down to the last weight above 0.

    Parameters
    ----------
    half_life
        Days in which the weight halves.

    Notes
    -----
    The weight at age a is 2^20 * 2^(-a / half_life), rounded.

    Examples
    --------
    >>> weights = decay_weights(1)
    >>> weights[0] == WEIGHT_ONE, weights[1] == WEIGHT_ONE // 2, weights[-1]
    (True, True, 1)
    """
    ages = range(half_life * WEIGHT_ONE.bit_length())
    weights = (round(WEIGHT_ONE * 2.0 ** (-age / half_life)) for age in ages)
    return tuple(weight for weight in weights if weight)
