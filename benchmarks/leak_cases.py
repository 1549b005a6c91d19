"""Leads to be judged by the gate, and the data sets they are drawn from.

What enters is files of real leads; what leaves is a case: a frame, its fields and what was planted.
The sources are a list of functions of a folder and a seed, so that a further data set needs one function more; those
with dates are in `leak_dated`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.field import Field
from leadml.leads.judge.evidence import LeakEvidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from leadml.leads.check.field import FieldSource
    from leadml.params import Kind

ROOT = Path(__file__).parents[1]
DAY = 86_400_000_000  # microseconds
BEGINNING = 1_750_000_000_000_000
PLANTED = "warmth"
READ = (ROOT / "data" / "raw" / "bank.csv", "online_shoppers_intention.csv.gz", "bank-additional-full.csv.gz")


@dataclass(frozen=True)
class Past:
    """The tables that dated leads were looked at in, as they are today.

    Parameters
    ----------
    acts
        ``lead_id``, ``occurred_at`` (microseconds) and ``kind`` of each activity.
    outcomes
        ``lead_id``, ``occurred_at`` and ``outcome``.
    changes
        ``lead_id``, ``field`` and ``changed_at`` of each change of an attribute; None where there is no history.
    reached
        ``lead_id`` and ``occurred_at`` of each lead that reached the target after the look.
    today
        The end of what was observed, microseconds.
    """

    acts: pd.DataFrame
    outcomes: pd.DataFrame
    changes: pd.DataFrame | None
    reached: pd.DataFrame
    today: int


@dataclass(frozen=True)
class Case:
    """Leads to be judged.

    Parameters
    ----------
    source, what
        Which leads, and what was planted or changed in them.
    frame, fields
        As the gate takes them.
    evidence
        What else the gate is given.
    suspect
        The name under which a planted leak must be found; None in clean leads.
    past
        The tables of dated leads; None of flat ones.
    """

    source: str
    what: str
    frame: pd.DataFrame
    fields: tuple[Field, ...]
    evidence: LeakEvidence = field(default_factory=LeakEvidence)
    suspect: str | None = None
    past: Past | None = None

    @property
    def label(self) -> np.ndarray:
        """Array of shape (n_leads,) of 0 and 1."""
        return self.frame["converted"].to_numpy(dtype=np.int8)

    def with_field(
        self, values: object, kind: Kind, what: str, *, name: str = PLANTED, source: FieldSource = "column"
    ) -> Case:
        """Return the case with one field more, a suspect."""
        fields = (*self.fields, Field(name, kind, "engagement", source))
        return replace(self, what=what, frame=self.frame.assign(**{name: values}), fields=fields, suspect=name)

    def without(self, name: str) -> Case:
        """Return the case with one field less."""
        kept = tuple(one for one in self.fields if one.name != name)
        return replace(self, frame=self.frame.drop(columns=name), fields=kept)

    def rows(self, chosen: np.ndarray, what: str) -> Case:
        """Return the case with some of its rows, which become leads of their own; dated ones keep their ids."""
        frame = self.frame.iloc[chosen].reset_index(drop=True)
        return replace(self, what=what, frame=frame if self.past else frame.assign(lead_id=_ids(len(frame))))


def _ids(size: int) -> list[str]:
    return [f"L{number:06d}" for number in range(size)]


def as_case(source: str, table: pd.DataFrame, label: np.ndarray, categories: tuple[str, ...] = ()) -> Case:
    """Return a table as a case: numbers as they are, truth values as booleans, everything else as categories."""
    fields, frame = [], {"lead_id": _ids(len(table)), "converted": label.astype(np.int8)}
    for name in table.columns:
        numeric = pd.api.types.is_numeric_dtype(table[name]) and name not in categories
        kind = "boolean" if table[name].dtype == bool else "number" if numeric else "category"
        fields.append(Field(name, kind, "fit"))
        frame[name] = table[name].astype(float) if numeric else table[name].astype(str).astype(object)
    return Case(source, "as they are", pd.DataFrame(frame), tuple(fields))


def flipped(case: Case, random: np.random.Generator, share: float) -> np.ndarray:
    """Return labels of which a share is turned round."""
    return np.where(random.random(len(case.label)) < share, 1 - case.label, case.label)


def beginnings(case: Case, random: np.random.Generator) -> np.ndarray:
    """Return when leads came, microseconds: within 300 days, where they do not say."""
    made_up = (BEGINNING + random.random(len(case.frame)) * 300 * DAY).astype(np.int64)
    return case.frame["created_at"].to_numpy() if "created_at" in case.frame else made_up


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
FLAT: tuple[Callable[[Path, int], Case], ...] = (bank, shoppers, campaigns)
