"""How snapshots are taken: stored with the model, so that scoring takes them as training did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.errors import LeadmlError, inert, quoted
from leadml.leads.check.activity_plan import ACTIVITY, DAY, LEAD_AGE, ActivityPlan, Target
from leadml.leads.check.instants import instant, shown_instant
from leadml.leads.split import GroupTimeSplit, TimeSplit
from leadml.params import OUTCOMES

if TYPE_CHECKING:
    from leadml.leads.split import Split
    from leadml.params import Params, SourcesParams, SplitParams
    from leadml.types import Floats, Integers, Mask


@dataclass(frozen=True)
class SingleSnapshot:
    """Settings of flat leads: each row of the file is the only snapshot of its lead."""

    @property
    def unit(self) -> str:
        """The name of the rows of a training set."""
        return "leads"

    @property
    def topic_labels(self) -> dict[str, str]:
        """Labels of topics whose names leadml made: none."""
        return {}

    def predicts(self, target: str) -> str:
        """Return the prediction in words."""
        return f"{target}, for each lead, as a calibrated probability"

    @property
    def is_repeated(self) -> bool:
        """Whether a lead has many snapshots, whose outcomes are due at a known time: not flat leads."""
        return False

    @property
    def maturity_days(self) -> int:
        """Days from a snapshot until its outcome is due: 0, as a file says nothing of it."""
        return 0

    def split(self, choices: SplitParams, *, copies: bool) -> Split:
        """Return how labelled rows with dates are divided into folds."""
        return TimeSplit(choices, copies=copies)

    def known_at(self, as_of: Integers, mature_at: Integers, days: int) -> Integers:  # noqa: ARG002 - a file has none
        """Return when the outcomes of rows are known, microseconds: some days after the creation of the lead."""
        return as_of + days * DAY

    def is_within(self, as_of: Integers, begin: Floats, end: Floats, first: float) -> Mask:  # noqa: ARG002 - one row
        """Return which leads were created after the first instant of all, microseconds, shape (n_rows,)."""
        return np.asarray(as_of >= first)

    def matures_at(self, as_of: str | None) -> str | None:  # noqa: ARG002 - a file says nothing of when
        """Return when the outcomes of leads are known: not known for flat leads."""
        return None

    def to_json(self) -> dict[str, Any] | None:
        """Return the settings as values that JSON can store."""
        return None


@dataclass(frozen=True)
class AsOfSettings:
    """Settings of dated leads: the target, and the fields that are computed from activities.

    Parameters
    ----------
    target
        The outcome that is predicted, its horizon and its population.
    plan
        The fields that are computed from activities.
    roles
        The optional sources and columns that are declared, such as ``activities.channel`` or ``leads.valid_from``.
    timezone
        Time zone of times without a zone, or None.
    """

    target: Target
    plan: ActivityPlan
    roles: tuple[str, ...]
    timezone: str | None

    @classmethod
    def from_params(cls, params: Params, target: str) -> AsOfSettings:
        """Return the settings of a target that ``params.yaml`` declares."""
        plan = ActivityPlan.from_params(params)
        return cls(Target.from_params(params, target), plan, _roles(dated_sources(params)), params.data.timezone)

    @property
    def unit(self) -> str:
        """The name of the rows of a training set."""
        return "snapshots"

    @property
    def topic_labels(self) -> dict[str, str]:
        """Labels in plain words of topics whose names leadml made, by topic."""
        kinds = {kind: inert(label) for kind, label in self.plan.kinds}
        return {ACTIVITY: "activity of any kind", LEAD_AGE: "days since the lead came", **kinds}

    def predicts(self, target: str) -> str:
        """Return the prediction in words."""
        population = "open leads" if self.target.population == "open" else "customers"
        return (
            f"{target}: whether {population} reach {self.target.outcome} within {self.target.horizon} days of the "
            + ("first midnight after they came" if self.target.once else "snapshot")
        )

    @property
    def is_repeated(self) -> bool:
        """Whether a lead has many snapshots, whose outcomes are due at a known time."""
        return True

    @property
    def maturity_days(self) -> int:
        """Days from a snapshot until its outcome is due: the horizon and the settling."""
        return self.target.horizon + self.target.settling

    def split(self, choices: SplitParams, *, copies: bool) -> Split:  # noqa: ARG002 - dated leads have ids
        """Return how labelled rows are divided into folds."""
        return GroupTimeSplit(choices)

    def known_at(self, as_of: Integers, mature_at: Integers, days: int) -> Integers:  # noqa: ARG002 - not the days
        """Return when the outcomes of rows are known, microseconds: after the horizon and the settling."""
        return mature_at

    def is_within(self, as_of: Integers, begin: Floats, end: Floats, first: float) -> Mask:  # noqa: ARG002 - not first
        """Return which snapshots are as of ``begin`` or later and before ``end``, microseconds, shape (n_rows,)."""
        return np.asarray((as_of >= begin) & ~(as_of >= end))

    def matures_at(self, as_of: str | None) -> str | None:
        """Return when the outcomes of snapshots are known, in ISO 8601: after the horizon and the settling."""
        if as_of is None:
            return None
        return shown_instant(instant(as_of, timezone=self.timezone or "UTC") + self.maturity_days * DAY)

    def check(self, params: Params) -> None:
        """Refuse sources that are declared differently than when the model was trained.

        Raises
        ------
        LeadmlError
            If an optional source or column is declared now and was not then, or the reverse, if the zone differs, or if
            no word means the outcome any more.
        """
        names = {*OUTCOMES, *dated_sources(params).outcomes.names.values()}
        if self.target.outcome not in names:
            msg = (
                f"sources.outcomes.names must have a word for {quoted(self.target.outcome)}, which the model predicts, "
                "got none; train again, or correct params.yaml"
            )
            raise LeadmlError(msg)
        roles = _roles(dated_sources(params))
        changed = sorted({*roles} ^ {*self.roles})
        if changed:
            change = "was declared, and is not now" if changed[0] in self.roles else "was not declared, and is now"
            msg = (
                f"sources must be as they were when the model was trained: {changed[0]} {change}; train again, or "
                "correct params.yaml"
            )
            raise LeadmlError(msg)
        if params.data.timezone != self.timezone:
            got = f"{self.timezone}, and is {params.data.timezone} now"
            msg = (
                f"data.timezone must be as it was when the model was trained: it was {got}; train again, or correct "
                "params.yaml"
            )
            raise LeadmlError(msg)

    def to_json(self) -> dict[str, Any] | None:
        """Return the settings as values that JSON can store."""
        target, plan = self.target.to_json(), self.plan.to_json()
        return {"target": target, "plan": plan, "roles": list(self.roles), "timezone": self.timezone}


SnapshotSettings = SingleSnapshot | AsOfSettings


def settings_from_params(params: Params, target: str) -> SnapshotSettings:
    """Return the settings that ``params.yaml`` declares for a target."""
    return SingleSnapshot() if params.sources is None else AsOfSettings.from_params(params, target)


def settings_from_json(stored: dict[str, Any] | None) -> SnapshotSettings:
    """Return the settings that ``to_json`` wrote."""
    if stored is None:
        return SingleSnapshot()
    plan = ActivityPlan.from_json(stored["plan"])
    return AsOfSettings(Target(**stored["target"]), plan, tuple(stored["roles"]), stored["timezone"])


def dated_sources(params: Params) -> SourcesParams:
    """Return the declared sources of dated leads.

    Raises
    ------
    LeadmlError
        If leads are flat.
    """
    if params.sources is None:
        msg = "leads must be dated for this, got flat ones; declare sources and targets in params.yaml"
        raise LeadmlError(msg)
    return params.sources


def _roles(sources: SourcesParams) -> tuple[str, ...]:
    """Return the optional sources and columns that are declared."""
    tables = {"leads": sources.leads, "activities": sources.activities, "outcomes": sources.outcomes}
    optional = ("recorded_at", "valid_from", "channel")
    roles = ["activities"] if sources.activities is not None else []
    roles += [f"{name}.{role}" for name, table in tables.items() for role in optional if getattr(table, role, None)]
    roles += [f"activities.values.{name}" for name in (sources.activities.values if sources.activities else ())]
    return tuple(sorted(roles))
