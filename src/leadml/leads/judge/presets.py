"""Know the exports of CRMs by the names of their columns, and which of these columns a CRM fills in later.

What is known of a CRM is data: one file for each in the folder ``crm``. It only prefers columns; whether a column holds
an id, a time or outcomes is still decided by its values.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from leadml.leads.judge.name_words import name_words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

CRMS = ("dynamics", "hubspot", "pipedrive", "salesforce", "zoho")
# Of the names by which a CRM is recognised, which have ten or more: two, such as an id and a date, are a coincidence.
LEAST_NAMES = 3


@dataclass(frozen=True)
class KnownLabel:
    """A column of a CRM that says what became of leads, and what its values mean there.

    Parameters
    ----------
    column
        Name of the column.
    positive, negative, open
        Values that mean converted, not converted, and not yet known; others are told by their words.
    """

    column: str
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    open: tuple[str, ...]


@dataclass(frozen=True)
class Preset:
    """What is known of the exports of a CRM.

    Parameters
    ----------
    name
        Name of the CRM.
    recognised_by
        Names of columns, of which an export has some.
    lead_id, created_at
        Names of the columns of the id and of the creation, the first that an export has.
    labels
        Columns that say what became of leads, the surest first.
    later
        Columns that are filled in after the lead came: because it converted, or as people worked on it.
    """

    name: str
    recognised_by: tuple[str, ...]
    lead_id: tuple[str, ...]
    created_at: tuple[str, ...]
    labels: tuple[KnownLabel, ...]
    later: tuple[str, ...]

    def is_later(self, name: str) -> bool:
        """Return whether the CRM fills a column in later."""
        return _letters(name) in {_letters(each) for each in self.later}

    def first(self, wanted: Sequence[str], names: Collection[str]) -> str | None:
        """Return the first of some wanted columns that an export has, by its name there, or None."""
        by_letters = {_letters(name): name for name in names}
        return next((by_letters[_letters(each)] for each in wanted if _letters(each) in by_letters), None)


@cache
def presets() -> tuple[Preset, ...]:
    """Return what is known of each CRM."""
    folder = files("leadml.leads.judge") / "crm"
    return tuple(_preset((folder / f"{crm}.json").read_text(encoding="utf-8")) for crm in CRMS)


def find_preset(names: Collection[str]) -> Preset | None:
    """Return the CRM whose export has some columns, or None.

    Parameters
    ----------
    names
        Names of the columns; how words are divided, and upper and lower case, make no difference.

    Examples
    --------
    >>> find_preset(["record_id", "create_date", "lifecycle_stage", "Industry"]).name
    'HubSpot'
    >>> find_preset(["id", "created_at", "source"]) is None
    True
    """
    present = {_letters(name) for name in names}
    found = [
        (len(present & {_letters(each) for each in preset.recognised_by}), -place, preset)
        for place, preset in enumerate(presets())
    ]
    number, _, preset = max(found, key=lambda each: each[:2])
    return preset if number >= LEAST_NAMES else None


def _letters(name: str) -> str:
    """Return a name without what divides its words: warehouses write CREATEDDATE for CreatedDate."""
    return "".join(name_words(name))


def _preset(text: str) -> Preset:
    known = json.loads(text)
    labels = tuple(
        KnownLabel(each["column"], tuple(each["positive"]), tuple(each["negative"]), tuple(each["open"]))
        for each in known["labels"]
    )
    lists = {key: tuple(known[key]) for key in ("recognised_by", "lead_id", "created_at", "later")}
    return Preset(known["name"], labels=labels, **lists)
