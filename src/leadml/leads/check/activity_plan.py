"""Which features are computed from the activities of dated leads, and which target is predicted.

Training and scoring share one plan: training builds it from params, scoring reads it from the bundle. Days and weights
are integers (weights in units of 2^-20), so that sums are the same in any order.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from leadml.leads.check.field import Field

if TYPE_CHECKING:
    from leadml.params import Params

DAY = 86_400_000_000
WEIGHT_ONE = 1 << 20
ACTIVITY = "activity"
LEAD_AGE = "lead_age"
DECAYED, LAST, FIRST = "_decayed", "_last", "_first"
TREND = f"{ACTIVITY}_trend"


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
    """

    kinds: tuple[tuple[str, str], ...]
    windows: tuple[int, ...]
    weights: tuple[int, ...]
    trend: int
    channels: bool

    @classmethod
    def from_params(cls, params: Params) -> ActivityPlan:
        """Return the plan that ``features.activities`` declares; without a source of activities it is empty."""
        choices = params.features.activities
        if params.sources is None or params.sources.activities is None:
            return cls((), (), (), choices.trend, channels=False)
        channels = params.sources.activities.channel is not None
        kinds = tuple((kind, words) for kind, words in choices.kinds.items())
        return cls(kinds, choices.windows, decay_weights(choices.half_life), choices.trend, channels)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> ActivityPlan:
        """Return the plan from the plain data of `to_json`."""
        kinds = tuple((kind, words) for kind, words in stored["kinds"])
        return cls(kinds, tuple(stored["windows"]), tuple(stored["weights"]), stored["trend"], stored["channels"])

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return asdict(self)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields that are computed from activities, in order."""
        return tuple(field for _, field in self.layout)

    @property
    def layout(self) -> tuple[tuple[str, Field], ...]:
        """The internal name and the field of each feature; it numbers the kinds, because their names are untrusted."""
        cells = [(LEAD_AGE, _activity_field(LEAD_AGE, "", "{} days since the lead came"))]
        if not self.windows:
            return tuple(cells)
        for number, (kind, words) in enumerate(self.kinds):
            internal, if_missing = f"k{number}", f"no {words} so far"
            for days in self.windows:
                in_window = f"{{}} {words} in the last {days} days"
                cells.append((f"{internal}_{days}d", _activity_field(f"{kind}_{days}d", kind, in_window)))
            last, first = (f"{words}: the {end} {{}} days ago" for end in ("last", "first"))
            decayed = f"{words}: {{}} where old ones count less"
            cells += [
                (f"{internal}{LAST}", _activity_field(f"{kind}{LAST}", kind, last, if_missing)),
                (f"{internal}{FIRST}", _activity_field(f"{kind}{FIRST}", kind, first, if_missing)),
                (f"{internal}{DECAYED}", _activity_field(f"{kind}{DECAYED}", kind, decayed)),
            ]
        fields = [field for days in self.windows for field in self._window_fields(days)]
        if_inactive = f"not active in the last {2 * self.trend} days"
        trend = f"activity of the last {self.trend} days against the {self.trend} before: {{}} (-1 to 1)"
        fields += [
            _activity_field(f"{ACTIVITY}{LAST}", ACTIVITY, "last active {} days ago", "not active so far"),
            _activity_field(f"{ACTIVITY}{DECAYED}", ACTIVITY, "{} activities where old ones count less"),
            _activity_field(TREND, ACTIVITY, trend, if_inactive),
        ]
        return (*cells, *((field.name, field) for field in fields))

    def _window_fields(self, days: int) -> list[Field]:
        active = _activity_field(f"active_days_{days}d", ACTIVITY, f"active on {{}} of the last {days} days")
        channels = _activity_field(f"channels_{days}d", ACTIVITY, f"{{}} channels in the last {days} days")
        return [active, channels] if self.channels else [active]


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
    """

    name: str
    outcome: str
    horizon: int
    settling: int
    population: str
    again: bool
    oldest: int | None

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


def _activity_field(name: str, topic: str, words: str, words_if_missing: str = "") -> Field:
    return Field(name, "number", "engagement", "activity", topic, words, words_if_missing)
