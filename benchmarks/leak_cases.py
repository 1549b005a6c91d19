"""Cases for the benchmark of the leak gate: labelled leads, their fields, and the leak that was planted in them.

Each data set is a function of a folder and a seed. This module has the flat data sets; `leak_dated` has those with
dates.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import AS_OF, CREATED_AT, LABEL, LEAD_ID, SPLIT_KEY
from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import Clock, LeakEvidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from leadml.leads.check.field import FieldSource
    from leadml.params import Kind

ROOT = Path(__file__).parents[1]
DAY = 86_400_000_000  # microseconds
START = 1_750_000_000_000_000
PLANTED_FIELD = "warmth"
READ = (ROOT / "data" / "raw" / "bank.csv", "online_shoppers_intention.csv.gz", "bank-additional-full.csv.gz")


@dataclass(frozen=True)
class DatedTables:
    """The tables of dated leads as they are today, after the snapshots.

    Parameters
    ----------
    activities
        ``lead_id``, ``occurred_at`` (microseconds) and ``kind`` of each activity.
    outcomes
        ``lead_id``, ``occurred_at`` and ``outcome``.
    changes
        ``lead_id``, ``field`` and ``changed_at`` of each change of an attribute; None where there is no history.
    conversions
        ``lead_id`` and ``occurred_at`` of each lead that reached the target within the horizon of its snapshot.
    observed_until
        The end of the observed time, microseconds.
    """

    activities: pd.DataFrame
    outcomes: pd.DataFrame
    changes: pd.DataFrame | None
    conversions: pd.DataFrame
    observed_until: int


@dataclass(frozen=True)
class Case:
    """Leads that the leak gate judges.

    Parameters
    ----------
    source, description
        The data set, and what was planted or changed in it.
    frame, fields
        Labelled leads, with ``as_of`` or ``created_at`` where they have dates, and the fields of the model.
    evidence
        The evidence without the clock; see `gate_evidence`.
    suspect
        The name under which a planted leak must be found; None in clean leads.
    tables
        The tables of dated leads; None for flat leads.
    """

    source: str
    description: str
    frame: pd.DataFrame
    fields: tuple[Field, ...]
    evidence: LeakEvidence = field(default_factory=LeakEvidence)
    suspect: str | None = None
    tables: DatedTables | None = None

    @property
    def label(self) -> np.ndarray:
        """Array of shape (n_rows,) of 0 and 1."""
        return self.frame[LABEL].to_numpy(dtype=np.int8)

    @property
    def gate_frame(self) -> pd.DataFrame:
        """The rows with the group of each: its account where leads have one, else its lead."""
        return self.frame if SPLIT_KEY in self.frame else self.frame.assign(**{SPLIT_KEY: self.frame[LEAD_ID]})

    @property
    def gate_evidence(self) -> LeakEvidence:
        """The evidence with the clock of the rows, where they have dates."""
        for name in (AS_OF, CREATED_AT):
            if name in self.frame:
                return replace(self.evidence, clock=Clock(self.frame[name].to_numpy(), name, is_limit=name == AS_OF))
        return self.evidence

    def with_field(
        self, values: object, kind: Kind, description: str, *, name: str = PLANTED_FIELD, source: FieldSource = "column"
    ) -> Case:
        """Return the case with one more field, which is the suspect."""
        fields = (*self.fields, Field(name, kind, "engagement", source))
        frame = self.frame.assign(**{name: values})
        return replace(self, description=description, frame=frame, fields=fields, suspect=name)

    def without_field(self, name: str) -> Case:
        """Return the case without a field."""
        fields = tuple(field for field in self.fields if field.name != name)
        return replace(self, frame=self.frame.drop(columns=name), fields=fields)

    def with_rows(self, rows: np.ndarray, description: str) -> Case:
        """Return the case with some of its rows; flat leads get new ids, so a repeated row is another lead."""
        frame = self.frame.iloc[rows].reset_index(drop=True)
        frame = frame if self.tables else frame.assign(**{LEAD_ID: _ids(len(frame))})
        return replace(self, description=description, frame=frame)


def _ids(size: int) -> list[str]:
    return [f"L{number:06d}" for number in range(size)]


def as_case(source: str, table: pd.DataFrame, label: np.ndarray, categories: tuple[str, ...] = ()) -> Case:
    """Return a table as a case: numbers stay numbers, truth values are booleans, everything else is a category."""
    fields, frame = [], {LEAD_ID: _ids(len(table)), LABEL: label.astype(np.int8)}
    for name in table.columns:
        numeric = pd.api.types.is_numeric_dtype(table[name]) and name not in categories
        kind = "boolean" if table[name].dtype == bool else "number" if numeric else "category"
        fields.append(Field(name, kind, "fit"))
        frame[name] = table[name].astype(float) if numeric else table[name].astype(str).astype(object)
    return Case(source, "unchanged", pd.DataFrame(frame), tuple(fields))


def flipped(case: Case, random: np.random.Generator, share: float) -> np.ndarray:
    """Return the labels with a share of them flipped."""
    return np.where(random.random(len(case.label)) < share, 1 - case.label, case.label)


def creation_dates(case: Case, random: np.random.Generator) -> np.ndarray:
    """Return when leads were created, microseconds: random instants of 300 days where the leads have no dates."""
    drawn = (START + random.random(len(case.frame)) * 300 * DAY).astype(np.int64)
    return case.frame[CREATED_AT].to_numpy() if CREATED_AT in case.frame else drawn


def bank(_: Path, __: int) -> Case:
    """Return the bundled prospects of a bank."""
    table = pd.read_csv(ROOT / "data" / "raw" / "bank.csv").drop(columns="id")
    return as_case("bank", table.drop(columns="y"), (table["y"] == "yes").to_numpy())


def shoppers(folder: Path, _: int) -> Case:
    """Return sessions of a shop, UCI 468."""
    table = pd.read_csv(folder / "online_shoppers_intention.csv.gz")
    coded = ("OperatingSystems", "Browser", "Region", "TrafficType")
    return as_case("shoppers", table.drop(columns="Revenue"), table["Revenue"].to_numpy(), coded)


def campaigns(folder: Path, _: int) -> Case:
    """Return all prospects of the bank, in the order of their dates, UCI 222."""
    table = pd.read_csv(folder / "bank-additional-full.csv.gz", sep=";")
    return as_case("campaigns", table.drop(columns="y"), (table["y"] == "yes").to_numpy())


KNOWN_LEAKS = {"bank": "duration", "shoppers": "PageValues", "campaigns": "duration"}
FLAT_SOURCES: tuple[Callable[[Path, int], Case], ...] = (bank, shoppers, campaigns)
