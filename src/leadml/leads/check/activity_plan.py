"""How dated leads are looked at: which activities are counted over which days, and what is predicted.

What enters is params, or what a bundle stored; what leaves is plans that training and scoring share.
All numbers are whole: days, and weights as whole parts of 2^20, so that sums are the same in any order.
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
    """What is computed from activities.

    Parameters
    ----------
    kinds
        The kinds that have features of their own, and what reasons call them.
    windows
        Days, shortest first; none where there are no activities.
    weights
        Whole weight of an activity by its age in whole days, ``WEIGHT_ONE`` at age 0; 0 beyond the end.
    trend
        Days compared with as many before.
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
        """Return the plan that ``features.activities`` declares, or one of no activities where there is no source."""
        choices = params.features.activities
        if params.sources is None or params.sources.activities is None:
            return cls((), (), (), choices.trend, channels=False)
        channels = params.sources.activities.channel is not None
        kinds = tuple((kind, words) for kind, words in choices.kinds.items())
        return cls(kinds, choices.windows, decay_weights(choices.half_life), choices.trend, channels)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> ActivityPlan:
        """Return the plan that `to_json` wrote."""
        kinds = tuple((kind, words) for kind, words in stored["kinds"])
        return cls(kinds, tuple(stored["windows"]), tuple(stored["weights"]), stored["trend"], stored["channels"])

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain data."""
        return asdict(self)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields that the plan makes, in order."""
        return tuple(field for _, field in self.layout)

    @property
    def layout(self) -> tuple[tuple[str, Field], ...]:
        """The fields, and what each is called while it is computed: kinds by number, for they are strangers' words."""
        cells = [(LEAD_AGE, _number(LEAD_AGE, "", "{} days since the lead came"))]
        if not self.windows:
            return tuple(cells)
        for number, (kind, words) in enumerate(self.kinds):
            inner, none = f"k{number}", f"no {words} so far"
            for days in self.windows:
                said = f"{{}} {words} in the last {days} days"
                cells.append((f"{inner}_{days}d", _number(f"{kind}_{days}d", kind, said)))
            last, first = (f"{words}: the {end} {{}} days ago" for end in ("last", "first"))
            decayed = f"{words}: {{}} where old ones count less"
            cells += [
                (f"{inner}{LAST}", _number(f"{kind}{LAST}", kind, last, none)),
                (f"{inner}{FIRST}", _number(f"{kind}{FIRST}", kind, first, none)),
                (f"{inner}{DECAYED}", _number(f"{kind}{DECAYED}", kind, decayed)),
            ]
        overall = [field for days in self.windows for field in self._in_window(days)]
        still = f"not active in the last {2 * self.trend} days"
        against = f"activity of the last {self.trend} days against the {self.trend} before: {{}} (-1 to 1)"
        overall += [
            _number(f"{ACTIVITY}{LAST}", ACTIVITY, "last active {} days ago", "not active so far"),
            _number(f"{ACTIVITY}{DECAYED}", ACTIVITY, "{} activities where old ones count less"),
            _number(TREND, ACTIVITY, against, still),
        ]
        return (*cells, *((field.name, field) for field in overall))

    def _in_window(self, days: int) -> list[Field]:
        active = _number(f"active_days_{days}d", ACTIVITY, f"active on {{}} of the last {days} days")
        channels = _number(f"channels_{days}d", ACTIVITY, f"{{}} channels in the last {days} days")
        return [active, channels] if self.channels else [active]


@dataclass(frozen=True)
class Target:
    """What is predicted of dated leads.

    Parameters
    ----------
    name, outcome
        Of the target, and of the outcome to be reached.
    horizon, settling
        Days after the look within which it must be reached, and days that records are waited for.
    population
        ``open`` or ``customers``.
    again
        Whether it can be reached more than once.
    oldest
        Age in days from which a lead is not looked at, or None.
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
    def matures(self) -> int:
        """Microseconds after a look from which its label is known."""
        return (self.horizon + self.settling) * DAY


def decay_weights(half_life: int) -> tuple[int, ...]:
    """Return whole weights by age in days, halving every ``half_life`` days, down to the last that is not 0.

    Examples
    --------
    >>> weights = decay_weights(1)
    >>> weights[0] == WEIGHT_ONE, weights[1] == WEIGHT_ONE // 2, weights[-1]
    (True, True, 1)
    """
    ages = range(half_life * WEIGHT_ONE.bit_length())
    weights = (round(WEIGHT_ONE * 2.0 ** (-age / half_life)) for age in ages)
    return tuple(weight for weight in weights if weight)


def _number(name: str, topic: str, words: str, without: str = "") -> Field:
    return Field(name, "number", "engagement", "activity", topic, words, without)
