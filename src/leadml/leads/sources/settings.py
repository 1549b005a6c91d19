"""How a model's snapshots are taken: stored with the model, so that scoring does what training did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadml.errors import LeadmlError, inert
from leadml.leads.check.activity_plan import ACTIVITY, LEAD_AGE, ActivityPlan, Target

if TYPE_CHECKING:
    from leadml.params import Params, SourcesParams


@dataclass(frozen=True)
class SingleSnapshot:
    """Flat leads: each row of the file is the one snapshot of its lead."""

    @property
    def unit(self) -> str:
        """What a row of the training set is called."""
        return "leads"

    @property
    def topic_words(self) -> dict[str, str]:
        """What people call the topics that leadml names itself: there are none."""
        return {}

    def predicts(self, target: str) -> str:
        """Return in words what is predicted."""
        return f"{target}, for each lead, as a calibrated probability"

    def to_json(self) -> dict[str, Any] | None:
        """Return the settings as plain data."""
        return None


@dataclass(frozen=True)
class AsOfSettings:
    """Dated leads: what is predicted from which snapshots.

    Parameters
    ----------
    target
        What is predicted, and how long is waited for it.
    plan
        The features that are computed from activities.
    roles
        The optional sources and columns that were declared: ``activities.channel``, ``leads.valid_from``.
    timezone
        Zone of times that have none, or None.
    """

    target: Target
    plan: ActivityPlan
    roles: tuple[str, ...]
    timezone: str | None

    @classmethod
    def from_params(cls, params: Params, target: str) -> AsOfSettings:
        """Return the settings of one of the targets that ``params.yaml`` declares."""
        plan = ActivityPlan.from_params(params)
        return cls(Target.from_params(params, target), plan, _roles(dated_sources(params)), params.data.timezone)

    @property
    def unit(self) -> str:
        """What a row of the training set is called."""
        return "snapshots"

    @property
    def topic_words(self) -> dict[str, str]:
        """What people call the topics that leadml names itself, by topic."""
        kinds = {kind: inert(words) for kind, words in self.plan.kinds}
        return {ACTIVITY: "activity of any kind", LEAD_AGE: "days since the lead came", **kinds}

    def predicts(self, target: str) -> str:
        """Return in words what is predicted."""
        whose = "open leads" if self.target.population == "open" else "customers"
        return (
            f"{target}: whether {whose} reach {self.target.outcome} within {self.target.horizon} days of the snapshot"
        )

    def check(self, params: Params) -> None:
        """Refuse sources that are declared otherwise than when the model was trained: the same rows would mean another.

        Raises
        ------
        LeadmlError
            Where a source or a column was declared and is not, or the other way round, or the zone is another.
        """
        now = _roles(dated_sources(params))
        moved = sorted({*now} ^ {*self.roles})
        if moved:
            then = "was declared, and is not now" if moved[0] in self.roles else "was not declared, and is now"
            msg = (
                f"sources must be as they were when the model was trained: {moved[0]} {then}; train again, or correct "
                "params.yaml"
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
        """Return the settings as plain data."""
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
    """Return the declared tables of dated leads.

    Raises
    ------
    LeadmlError
        Where leads are flat.
    """
    if params.sources is None:
        msg = "leads must be dated for this, got flat ones; declare sources and targets in params.yaml"
        raise LeadmlError(msg)
    return params.sources


def _roles(sources: SourcesParams) -> tuple[str, ...]:
    """Return the optional sources and columns that are declared."""
    tables = {"leads": sources.leads, "activities": sources.activities, "outcomes": sources.outcomes}
    optional = ("recorded_at", "valid_from", "channel")
    found = ["activities"] if sources.activities is not None else []
    found += [f"{name}.{role}" for name, table in tables.items() for role in optional if getattr(table, role, None)]
    return tuple(sorted(found))
