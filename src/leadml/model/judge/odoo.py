"""Odoo's predictive lead scoring, as a baseline.

It is naive Bayes as Odoo computes it: counts of won and lost leads by value, with Odoo's smoothing, its pooling of
teams and its rule for stages. Numbers, which Odoo cannot count, are ignored.

Notes
-----
Written from a description of the algorithm of Odoo's CRM ("predictive lead scoring", addons/crm), whose published tests
give the numbers in `tests/model/judge/test_odoo.py`.
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
SMOOTHING = 0.1  # Odoo's: what a count starts at
MIN_TAGS = 50  # Odoo's: a tag of fewer leads is ignored
MIN_PERCENT, MAX_PERCENT = 0.01, 99.99  # Odoo's bounds
NO_TEAM = ""
NEW = "new"


@dataclass(frozen=True)
class OdooLead:
    """A lead with what Odoo counts.

    Parameters
    ----------
    stage
        Its stage, one of those of the `Frequencies`.
    pairs
        Field and value, each value a text. A missing field has no pair, and each tag is a pair of its own.
    team
        Its sales team; empty where it has none.
    """

    stage: str
    pairs: tuple[tuple[str, str], ...]
    team: str = NO_TEAM


@dataclass(frozen=True)
class Frequencies:
    """How many leads with each value were won and lost.

    Parameters
    ----------
    stages
        Open stages in their order, without the stage of won leads.
    cells
        Won and lost by team, field and value.
    """

    stages: tuple[str, ...]
    cells: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)

    def count(self, lead: OdooLead, *, won: bool, back: bool = False) -> None:
        """Count a lead that was won or lost, or subtract it where it is open again.

        A count starts at 0.1 and stays above 0. A won lead counts for every stage, a lost one for the stages up to its
        own.
        """
        stages = self.stages if won else self.stages[: self.stages.index(lead.stage) + 1]
        for name, value in [*((STAGE, stage) for stage in stages), *lead.pairs]:
            cell = self.cells.setdefault((lead.team, name, value), [SMOOTHING, SMOOTHING])
            cell[0 if won else 1] += -1.0 if back else 1.0
            if cell[0 if won else 1] <= 0:
                cell[0 if won else 1] = SMOOTHING

    def percent(self, lead: OdooLead) -> float:
        """Return the probability that an open lead is won, in percent to two decimals; 0 where nothing is counted."""
        counts = self.counts(lead.team)
        total = counts.get(STAGE, {}).get(self.stages[0])
        if total is None or not all(total):
            return 0.0
        score = np.array(total) / sum(total)
        for name, value in [(STAGE, lead.stage), *lead.pairs]:
            share = self.share(counts, name, value)
            score *= 1.0 if share is None else share
        return float(np.clip(round(100.0 * score[0] / score.sum(), 2), MIN_PERCENT, MAX_PERCENT))

    def counts(self, team: str) -> dict[str, dict[str, list[float]]]:
        """Return won and lost of a team by field and value; of all teams where it has none."""
        has_own = team != NO_TEAM and any(key[0] == team for key in self.cells)
        counts: dict[str, dict[str, list[float]]] = defaultdict(dict)
        for (cell_team, name, value), (won, lost) in self.cells.items():
            if cell_team == team or not has_own:
                cell = counts[name].setdefault(value, [0.0, 0.0])
                cell[0] += won
                cell[1] += lost
        return counts

    def share(self, counts: dict[str, dict[str, list[float]]], name: str, value: str) -> Floats | None:
        """Return the share of the won and of the lost that have a value, shape (2,); None where it is not counted."""
        cell = counts.get(name, {}).get(value)
        if cell is None or (name == TAG and sum(cell) < MIN_TAGS):
            return None
        total = counts[STAGE][self.stages[0]] if name == STAGE else np.sum(list(counts[name].values()), axis=0)
        return np.array(cell) / total if all(total) else None


def count_flat(learn: pd.DataFrame, fields: Sequence[Field]) -> Frequencies:
    """Return the frequencies of leads that are all in the first stage and belong to no team, as new leads are.

    Parameters
    ----------
    learn
        Checked rows with labels; those that did not convert count as lost.
    fields
        The fields of the model; categories and booleans are counted.
    """
    frequencies = Frequencies((NEW,))
    label = learn[LABEL].to_numpy(dtype=np.int64)
    columns = {entry.name: _texts(learn, entry) for entry in _countable(fields)}
    for name, column in {STAGE: np.full(len(learn), NEW, dtype=object), **columns}.items():
        codes, values = pd.factorize(column)
        is_present = codes >= 0
        leads = np.bincount(codes[is_present])
        won = np.bincount(codes[is_present], weights=label[is_present])
        for value, number, winners in zip(values, leads.tolist(), won.tolist(), strict=True):
            frequencies.cells[NO_TEAM, name, str(value)] = [SMOOTHING + winners, SMOOTHING + number - winners]
    return frequencies


def odoo_probabilities(learn: pd.DataFrame, holdout: pd.DataFrame, fields: Sequence[Field]) -> Floats:
    """Return the probabilities of Odoo's scoring for the holdout, shape (n_holdout,).

    Parameters
    ----------
    learn, holdout
        Checked rows, the former with labels.
    fields
        The fields of the model.
    """
    frequencies = count_flat(learn, fields)
    counts = frequencies.counts(NO_TEAM)
    total = np.array(counts[STAGE][NEW])
    score = np.tile(total / total.sum(), (len(holdout), 1))
    for entry in _countable(fields):
        codes, values = pd.factorize(_texts(holdout, entry))
        shares = [frequencies.share(counts, entry.name, str(value)) for value in values]
        factors = np.array([*(np.ones(2) if share is None else share for share in shares), np.ones(2)])
        score *= factors[codes]  # the code of a missing value is -1: the last factor, which is 1
    percent = np.clip(np.round(100.0 * score[:, 0] / score.sum(axis=1), 2), MIN_PERCENT, MAX_PERCENT)
    return np.asarray(percent / 100.0)


def _countable(fields: Sequence[Field]) -> list[Field]:
    return [entry for entry in fields if entry.kind != "number"]


def _texts(frame: pd.DataFrame, entry: Field) -> Objects:
    """Return the values of a field as texts, None where missing."""
    values = frame[entry.name].to_numpy(dtype=object)
    return np.array(
        [None if missing else str(value) for value, missing in zip(values, pd.isna(values), strict=True)], dtype=object
    )
