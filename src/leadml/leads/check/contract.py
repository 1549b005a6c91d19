"""What a lead must look like: its id, its fields, its label.

What enters is params, or what a bundle stored; what leaves is a contract that training and scoring share.
It refuses two fields of one name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from leadml.errors import ParamsError, quoted
from leadml.leads.check.activity_plan import ActivityPlan
from leadml.leads.check.derived_columns import derived_fields
from leadml.leads.check.field import Field
from leadml.leads.read.files import normal_name
from leadml.params import DerivedParams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.params import Params

LEAD_ID = "lead_id"
LABEL = "converted"
CREATED_AT = "created_at"
SPLIT_KEY = "split_key"
AS_OF = "as_of"
MATURE_AT = "mature_at"
RECORDED_AT = "recorded_at"
VALID_FROM = "valid_from"
LEAD_ROLES = ("lead_id", "created_at", "recorded_at", "valid_from", "account")


@dataclass(frozen=True)
class Label:
    """How a file says what became of a lead."""

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True)
class Contract:
    """The columns that leadml reads from a table of leads, and the fields that the model uses.

    Parameters
    ----------
    fields
        In the order of ``params.yaml``, the fit group first.
    lead_id
        Column of the id; where it is None the number of the row serves.
    created_at
        Column of the instant at which the lead came, or None.
    timezone
        Zone of times that have none, or None.
    label
        The label; None where leads are scored, and of dated leads.
    recorded_at, valid_from, account
        Columns of dated leads: when the row was written, from when it holds, whose account it is; or None.
    read_out
        Columns that fields are read out of.
    """

    fields: tuple[Field, ...]
    lead_id: str | None = None
    created_at: str | None = None
    timezone: str | None = None
    label: Label | None = None
    recorded_at: str | None = None
    valid_from: str | None = None
    account: str | None = None
    read_out: DerivedParams = field(default_factory=DerivedParams)

    @classmethod
    def from_params(cls, params: Params) -> Contract:
        """Return the contract that ``params.yaml`` declares."""
        choices = params.features
        read_out = _normal(choices.derived)
        fields = (
            *(Field(normal_name(name), kind, "fit") for name, kind in choices.fit.items()),
            *derived_fields(read_out),
            *(Field(normal_name(name), kind, "engagement") for name, kind in choices.engagement.items()),
        )
        roles: dict[str, Any] = {"timezone": params.data.timezone, "read_out": read_out}
        if params.sources is not None:
            roles |= {role: _name(getattr(params.sources.leads, role)) for role in LEAD_ROLES}
            fields = (*fields, *ActivityPlan.from_params(params).fields)
        else:
            roles |= {"lead_id": _name(params.data.lead_id), "created_at": _name(params.data.created_at)}
        if params.target is not None:
            roles["label"] = Label(normal_name(params.target.column), params.target.positive, params.target.negative)
        _refuse_duplicate_names(fields)
        return cls(fields, **roles)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Contract:
        """Return the contract that `to_json` wrote, without a label."""
        roles = {role: stored[role] for role in (*LEAD_ROLES, "timezone")}
        fields = tuple(Field(*entry) for entry in stored["fields"])
        return cls(fields, **roles, read_out=DerivedParams(**stored["read_out"]))

    def to_json(self) -> dict[str, Any]:
        """Return the contract as plain data, without the label."""
        roles = {role: getattr(self, role) for role in (*LEAD_ROLES, "timezone")}
        fields = [entry.to_json() for entry in self.fields]
        return {"fields": fields, **roles, "read_out": self.read_out.model_dump(mode="json")}

    @property
    def own(self) -> tuple[Field, ...]:
        """The fields that are columns as they are."""
        return tuple(entry for entry in self.fields if entry.source == "column")

    @property
    def of_leads(self) -> tuple[Field, ...]:
        """The fields that a table of leads gives, as they are or read out."""
        return tuple(entry for entry in self.fields if entry.source != "activity")

    @property
    def written(self) -> dict[str, str]:
        """What the file calls the columns of checked leads, the id left out, by their names there."""
        roles = {role: getattr(self, role) for role in (CREATED_AT, RECORDED_AT, VALID_FROM)}
        roles |= {SPLIT_KEY: self.account, LABEL: self.label.column if self.label else None}
        return {
            **{role: name for role, name in roles.items() if name},
            **{entry.name: entry.name for entry in self.of_leads},
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that must be there, each once."""
        roles = (*(getattr(self, role) for role in LEAD_ROLES), self.label.column if self.label else None)
        names = (*(role for role in roles if role), *(entry.name for entry in self.own), *self.read_out.columns)
        return tuple(dict.fromkeys(names))


def _name(name: str | None) -> str | None:
    return name and normal_name(name)


def _normal(choices: DerivedParams) -> DerivedParams:
    plain = choices.model_dump()
    evidence = tuple(normal_name(name) for name in plain.pop("evidence"))
    return DerivedParams(**{role: _name(name) for role, name in plain.items()}, evidence=evidence)


def _refuse_duplicate_names(fields: Sequence[Field]) -> None:
    names = [entry.name for entry in fields]
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        msg = (
            f"every field must have a name of its own, got {quoted(twins[0])} twice; rename the column of features, "
            "or the kind of features.activities.kinds"
        )
        raise ParamsError(msg)
