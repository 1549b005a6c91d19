"""What a lead must look like: its id, its fields, its label.

What enters is params, or what a bundle stored; what leaves is a contract that training and scoring share.
It refuses files without the columns it needs, and names the nearest that is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from leadml.errors import DataError, Fault, nearest, quoted
from leadml.leads.ingest import normal_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.params import Group, Kind, Params

LEAD_ID = "lead_id"
LABEL = "converted"
CREATED_AT = "created_at"
SPLIT_KEY = "split_key"


@dataclass(frozen=True)
class Field:
    """One column that the model uses.

    Parameters
    ----------
    name
        As the file has it.
    kind
        ``number``, ``category`` or ``boolean``.
    group
        ``fit`` (what the lead is) or ``engagement`` (what the lead does).
    """

    name: str
    kind: Kind
    group: Group


@dataclass(frozen=True)
class Label:
    """How a file says what became of a lead."""

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]


@dataclass(frozen=True)
class Contract:
    """The columns that leadml reads from a file of leads.

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
        The label; None where leads are scored.
    """

    fields: tuple[Field, ...]
    lead_id: str | None = None
    created_at: str | None = None
    timezone: str | None = None
    label: Label | None = None

    @classmethod
    def from_params(cls, params: Params) -> Contract:
        """Return the contract that ``params.yaml`` declares."""
        fit = (Field(normal_name(name), kind, "fit") for name, kind in params.features.fit.items())
        engagement = (Field(normal_name(name), kind, "engagement") for name, kind in params.features.engagement.items())
        label = Label(normal_name(params.target.column), params.target.positive, params.target.negative)
        lead_id, created_at = (name and normal_name(name) for name in (params.data.lead_id, params.data.created_at))
        return cls((*fit, *engagement), lead_id, created_at, params.data.timezone, label)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Contract:
        """Return the contract that `to_json` wrote, without a label."""
        fields = tuple(Field(*cast("tuple[str, Kind, Group]", tuple(entry))) for entry in stored["fields"])
        return cls(fields, stored["lead_id"], stored["created_at"], stored["timezone"])

    def to_json(self) -> dict[str, Any]:
        """Return the contract as plain data, without the label."""
        fields = [[field.name, field.kind, field.group] for field in self.fields]
        return {
            "fields": fields,
            "lead_id": self.lead_id,
            "created_at": self.created_at,
            "timezone": self.timezone,
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        roles = (self.lead_id, self.created_at, self.label.column if self.label else None)
        return (*(role for role in roles if role), *(field.name for field in self.fields))

    def check_columns(self, names: Sequence[str], *, source: str) -> None:
        """Refuse a file that lacks a column.

        Raises
        ------
        DataError
            One line a missing column, with the nearest name that is there.
        """
        faults = []
        for column in self.columns:
            if column not in names:
                hint = nearest(column, names) or f"; it has {len(names)} others"
                faults.append(Fault(source, f"must have a column {quoted(column)}, got none{hint}"))
        if faults:
            raise DataError(faults)
