"""The columns that a table of leads must have: id, fields and label.

Training and scoring share one contract: training builds it from params, scoring reads it from the bundle. Two fields of
one name are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from leadml.errors import ParamsError, quoted
from leadml.leads.check.activity_features import activity_columns
from leadml.leads.check.activity_plan import ActivityPlan
from leadml.leads.check.convert import plain_text
from leadml.leads.check.derived_columns import derived_fields
from leadml.leads.check.field import Field
from leadml.leads.check.time_zones import MICROSECONDS_PER_DAY
from leadml.params import DerivedParams, label_word, normal_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from leadml.params import DateFormat, DateOrder, Params, TargetParams
    from leadml.types import Labels

LEAD_ID = "lead_id"
LABEL = "converted"
CREATED_AT = "created_at"
SPLIT_KEY = "split_key"
AS_OF = "as_of"
MATURE_AT = "mature_at"
RECORDED_AT = "recorded_at"
VALID_FROM = "valid_from"
KEPT = "\0kept "  # no column of a table can begin so
OPEN = 2  # the label of a lead whose outcome is open
LEAD_ROLES = ("lead_id", "created_at", "recorded_at", "valid_from", "account")


@dataclass(frozen=True)
class Label:
    """The column that says whether a lead converted.

    Parameters
    ----------
    column
        Name of the column.
    positive, negative, open
        Values of leads that converted, of leads that did not, and of leads whose outcome is open.
    wait_days
        Days that a lead has to convert, or None; younger leads are open.
    """

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    open: tuple[str, ...] = ()
    wait_days: int | None = None

    @classmethod
    def from_params(cls, target: TargetParams) -> Label:
        """Return the label that ``params.yaml`` declares."""
        column = normal_name(target.column)
        return cls(column, target.positive, target.negative, target.open, target.wait_days)

    @property
    def wait(self) -> int:
        """Microseconds after its creation until the outcome of a lead is known; at least 1."""
        return max(1, (self.wait_days or 0) * MICROSECONDS_PER_DAY)

    def codes(self, words: Sequence[str | None]) -> Labels:
        """Return 1 for leads that converted, 0 for those that did not, `OPEN`, and -1 for a value of none of them.

        Examples
        --------
        >>> Label("stage", ("Won",), ("Lost",), ("",)).codes(["won ", "LOST", None, "?"]).tolist()
        [1, 0, 2, -1]
        """
        lists = ((self.negative, 0), (self.positive, 1), (self.open, OPEN))
        known = {label_word(plain_text(word)): code for words, code in lists for word in words}
        by_word = {word: known.get(label_word(word or ""), -1) for word in set(words)}
        return np.fromiter((by_word[word] for word in words), dtype=np.int8, count=len(words))


@dataclass(frozen=True)
class Contract:
    """The columns that leadml reads from a table of leads, and the fields that the model uses.

    Parameters
    ----------
    fields
        Fields in the order of ``params.yaml``, the fit group first.
    lead_id
        Column of the id; None to use the number of the row as the id.
    created_at
        Column of the instant at which the lead was created, or None.
    timezone
        Zone of times without a zone, or None.
    label
        The label; None for leads to score and for dated leads.
    recorded_at, valid_from, account
        Columns of dated leads, or None: when the row was recorded, from when it is valid, and the account of the lead.
    derived
        Columns from which derived fields are computed.
    date_format
        Order of day and month in dates of three numbers, of all columns or by column, or None.
    kept
        Columns of leads to score that are carried through to the scores as they are written.
    sensitive
        Columns of a training set that are no fields, read to see whether fields betray them.
    """

    fields: tuple[Field, ...]
    lead_id: str | None = None
    created_at: str | None = None
    timezone: str | None = None
    label: Label | None = None
    recorded_at: str | None = None
    valid_from: str | None = None
    account: str | None = None
    derived: DerivedParams = field(default_factory=DerivedParams)
    date_format: DateFormat | None = None
    kept: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()

    @classmethod
    def from_params(cls, params: Params) -> Contract:
        """Return the contract that ``params.yaml`` declares.

        Raises
        ------
        ParamsError
            Where two fields have the same name.
        """
        choices = params.features
        derived = _normalize_names(choices.derived)
        fields = (
            *(Field(normal_name(name), kind, "fit") for name, kind in choices.fit.items()),
            *derived_fields(derived),
            *(Field(normal_name(name), kind, "engagement") for name, kind in choices.engagement.items()),
        )
        date_format = params.data.date_format
        if isinstance(date_format, dict):
            date_format = {normal_name(name): order for name, order in date_format.items()}
        roles: dict[str, Any] = {"timezone": params.data.timezone, "derived": derived, "date_format": date_format}
        if params.sources is not None:
            roles |= {role: _normalize_name(getattr(params.sources.leads, role)) for role in LEAD_ROLES}
            fields = (*fields, *(column.field for column in activity_columns(ActivityPlan.from_params(params))))
        else:
            roles |= {role: _normalize_name(getattr(params.data, role)) for role in (LEAD_ID, CREATED_AT)}
        roles["sensitive"] = tuple(map(normal_name, choices.sensitive))
        if params.target is not None:
            roles["label"] = Label.from_params(params.target)
        _refuse_duplicate_names(fields)
        return cls(fields, **roles)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Contract:
        """Return the contract from the plain data of `to_json`, without a label."""
        roles = {role: stored[role] for role in (*LEAD_ROLES, "timezone", "date_format")}
        fields = tuple(Field(*entry) for entry in stored["fields"])
        return cls(fields, **roles, derived=DerivedParams(**stored["derived"]))

    def to_json(self) -> dict[str, Any]:
        """Return the contract as plain data, without the label."""
        roles = {role: getattr(self, role) for role in (*LEAD_ROLES, "timezone", "date_format")}
        fields = [entry.to_json() for entry in self.fields]
        return {"fields": fields, **roles, "derived": self.derived.model_dump(mode="json")}

    def date_order(self, column: str) -> DateOrder | None:
        """Return whether dates of three numbers in a column have the day or the month first, or None."""
        return self.date_format.get(column) if isinstance(self.date_format, dict) else self.date_format

    @property
    def column_fields(self) -> tuple[Field, ...]:
        """The fields that are columns of the table."""
        return tuple(entry for entry in self.fields if entry.source == "column")

    @property
    def lead_fields(self) -> tuple[Field, ...]:
        """The fields that come from the table of leads: its columns, and the fields derived from them."""
        return tuple(entry for entry in self.fields if entry.source != "activity")

    @property
    def carried(self) -> tuple[str, ...]:
        """The columns that are read as they are written, each once."""
        return tuple(dict.fromkeys((*self.kept, *self.sensitive)))

    @property
    def source_columns(self) -> dict[str, str]:
        """The column of the file for each column of checked leads except the id."""
        roles = {role: getattr(self, role) for role in (CREATED_AT, RECORDED_AT, VALID_FROM)}
        roles |= {SPLIT_KEY: self.account, LABEL: self.label.column if self.label else None}
        return {
            **{role: name for role, name in roles.items() if name},
            **{entry.name: entry.name for entry in self.lead_fields},
        }

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the table must have, each once."""
        roles = (*(getattr(self, role) for role in LEAD_ROLES), self.label.column if self.label else None)
        fields = (entry.name for entry in self.column_fields)
        names = (*(role for role in roles if role), *fields, *self.derived.columns, *self.carried)
        return tuple(dict.fromkeys(names))


def kept_name(column: str) -> str:
    """Return the column of checked leads that holds a kept column, which may also be a field."""
    return f"{KEPT}{column}"


def kept_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns of checked leads that hold kept columns."""
    return [name for name in map(str, frame.columns) if name.startswith(KEPT)]


def _normalize_name(name: str | None) -> str | None:
    return name and normal_name(name)


def _normalize_names(choices: DerivedParams) -> DerivedParams:
    columns = choices.model_dump()
    evidence = tuple(normal_name(name) for name in columns.pop("evidence"))
    return DerivedParams(**{role: _normalize_name(name) for role, name in columns.items()}, evidence=evidence)


def _refuse_duplicate_names(fields: Sequence[Field]) -> None:
    names = [entry.name for entry in fields]
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        msg = (
            f"every field must have a name of its own, got {quoted(duplicates[0])} twice; rename the column of "
            "features, or the kind of features.activities.kinds"
        )
        raise ParamsError(msg)
    topics = {entry.topic for entry in fields}
    shared = [entry.name for entry in fields if not entry.topic and entry.name in topics]
    if shared:
        msg = (
            f"a column and a kind of activity must have different names, or reasons could not tell them apart, got "
            f"{quoted(shared[0])} for both; rename the column"
        )
        raise ParamsError(msg)
