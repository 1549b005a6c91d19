"""Odoo's predictive lead scoring, to be beaten.

What enters is leads that were won or lost, as values of their fields; what leaves is how often each value was won and
lost, and from that the probability of an open lead.
It is naive Bayes as Odoo computes it, with its smoothing, its pooling of teams and its rule for stages; numbers, which
Odoo cannot count, are not looked at.

Notes
-----
Written from a description of the algorithm of Odoo's CRM ("predictive lead scoring", addons/crm), whose published tests
give the numbers that `tests/model/test_odoo.py` holds.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leadml.leads.check.contract import LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadml.leads.check.field import Field
    from leadml.types import Floats, Objects


STAGE, TAG = "stage_id", "tag_id"
SMALL = 0.1
FEWEST_TAGS = 50
LOWEST, HIGHEST = 0.01, 99.99
NO_TEAM = ""
NEW = "new"


@dataclass(frozen=True)
class OdooLead:
    """A lead as Odoo sees it.

    Parameters
    ----------
    stage
        Its stage, one of those of the `Frequencies`.
    pairs
        Field and value, each value a text; a field that is missing is not there, and a tag is one of several.
    team
        Its sales team; empty where it has none.
    """

    stage: str
    pairs: tuple[tuple[str, str], ...]
    team: str = NO_TEAM


@dataclass(frozen=True)
class Frequencies:
    """How often leads with each value were won and lost.

    Parameters
    ----------
    stages
        Open stages in their order; the won stage is not among them.
    cells
        Won and lost by team, field and value.
    """

    stages: tuple[str, ...]
    cells: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)

    def count(self, lead: OdooLead, *, won: bool, back: bool = False) -> None:
        """Count a lead that was won or lost, or take it back where it is open again.

        A cell begins at 0.1 and is never 0 or less. A lead that is won counts for every stage, one that is lost for
        those up to its own.
        """
        reached = self.stages if won else self.stages[: self.stages.index(lead.stage) + 1]
        for name, value in [*((STAGE, stage) for stage in reached), *lead.pairs]:
            cell = self.cells.setdefault((lead.team, name, value), [SMALL, SMALL])
            cell[0 if won else 1] += -1.0 if back else 1.0
            if cell[0 if won else 1] <= 0:
                cell[0 if won else 1] = SMALL

    def percent(self, lead: OdooLead) -> float:
        """Return the probability that an open lead is won, in percent to two decimals; 0 where nothing is known."""
        table = self.table(lead.team)
        whole = table.get(STAGE, {}).get(self.stages[0])
        if whole is None or not all(whole):
            return 0.0
        score = np.array(whole) / sum(whole)
        for name, value in [(STAGE, lead.stage), *lead.pairs]:
            share = self.share(table, name, value)
            score *= 1.0 if share is None else share
        return float(np.clip(round(100.0 * score[0] / score.sum(), 2), LOWEST, HIGHEST))

    def table(self, team: str) -> dict[str, dict[str, list[float]]]:
        """Return the cells of a team by field and value; of all teams where it has none."""
        own = team != NO_TEAM and any(key[0] == team for key in self.cells)
        table: dict[str, dict[str, list[float]]] = defaultdict(dict)
        for (whose, name, value), (won, lost) in self.cells.items():
            if whose == team or not own:
                cell = table[name].setdefault(value, [0.0, 0.0])
                cell[0] += won
                cell[1] += lost
        return table

    def share(self, table: dict[str, dict[str, list[float]]], name: str, value: str) -> Floats | None:
        """Return the share of the won and of the lost that have a value, shape (2,); None where it is not counted."""
        cell = table.get(name, {}).get(value)
        if cell is None or (name == TAG and sum(cell) < FEWEST_TAGS):
            return None
        whole = table[STAGE][self.stages[0]] if name == STAGE else np.sum(list(table[name].values()), axis=0)
        return np.array(cell) / whole if all(whole) else None


def count_flat(learn: pd.DataFrame, fields: Sequence[Field]) -> Frequencies:
    """Return the frequencies of leads that all stand in the first stage and belong to no team, as new leads do.

    Parameters
    ----------
    learn
        Checked leads with labels; those that did not convert count as lost.
    fields
        The fields of the model; categories and booleans are counted.
    """
    found = Frequencies((NEW,))
    label = learn[LABEL].to_numpy(dtype=np.int64)
    columns = {entry.name: _texts(learn, entry) for entry in _countable(fields)}
    for name, column in {STAGE: np.full(len(learn), NEW, dtype=object), **columns}.items():
        codes, values = pd.factorize(column)
        held = codes >= 0
        leads, won = np.bincount(codes[held]), np.bincount(codes[held], weights=label[held])
        for value, number, winners in zip(values, leads.tolist(), won.tolist(), strict=True):
            found.cells[NO_TEAM, name, str(value)] = [SMALL + winners, SMALL + number - winners]
    return found


def odoo_probabilities(learn: pd.DataFrame, judge: pd.DataFrame, fields: Sequence[Field]) -> Floats:
    """Return the probability that Odoo gives each lead to judge by, shape (n_judged,).

    Parameters
    ----------
    learn, judge
        Checked leads, the former with labels.
    fields
        The fields of the model.
    """
    frequencies = count_flat(learn, fields)
    table = frequencies.table(NO_TEAM)
    whole = np.array(table[STAGE][NEW])
    score = np.tile(whole / whole.sum(), (len(judge), 1))
    for entry in _countable(fields):
        codes, values = pd.factorize(_texts(judge, entry))
        shares = [frequencies.share(table, entry.name, str(value)) for value in values]
        factors = np.array([*(np.ones(2) if share is None else share for share in shares), np.ones(2)])
        score *= factors[codes]  # a missing value has the last, which changes nothing
    percent = np.clip(np.round(100.0 * score[:, 0] / score.sum(axis=1), 2), LOWEST, HIGHEST)
    return np.asarray(percent / 100.0)


def _countable(fields: Sequence[Field]) -> list[Field]:
    return [entry for entry in fields if entry.kind != "number"]


def _texts(frame: pd.DataFrame, entry: Field) -> Objects:
    """Return the values of a field as texts, None where missing."""
    values = frame[entry.name].to_numpy(dtype=object)
    return np.array(
        [None if missing else str(value) for value, missing in zip(values, pd.isna(values), strict=True)], dtype=object
    )
