"""Frames as a source of leads gives them, from frames written by hand, and frames of scores from CSV files."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from leadml.leads.check.contract import AS_OF, CREATED_AT, MATURE_AT
from leadml.leads.judge.evidence import Clock, LeakEvidence
from leadml.leads.sources.flat import as_snapshots
from leadml.leads.split import GroupTimeSplit, Holdout, RandomSplit, Split, TimeSplit, holdout_since
from leadml.params import SplitParams

if TYPE_CHECKING:
    from pathlib import Path


def rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return leads with their group, and with instants in the columns of snapshots."""
    return frame if AS_OF in frame else as_snapshots(frame)


def read_scores(path: Path) -> pd.DataFrame:
    """Return a CSV file of scores with the numbers that it has to the last digit, which pandas 2 does not read."""
    frame = pd.read_csv(path, dtype={"lead_id": str, "model_version": str})
    texts = pd.read_csv(path, dtype=str)
    floats = {name: texts[name].astype(float) for name in frame.select_dtypes("float").columns}
    return frame.assign(**floats)


def split_of(frame: pd.DataFrame, choices: SplitParams, *, copies: bool = False) -> Split:
    """Return the split that a source would choose for such rows: dated rows have groups that are not their ids."""
    if AS_OF not in frame:
        return RandomSplit(choices, copies=copies)
    once = (frame[MATURE_AT] - frame[AS_OF] == 1).all() and frame["lead_id"].is_unique
    return TimeSplit(choices, copies=copies) if once else GroupTimeSplit(choices)


def holdout_of(frame: pd.DataFrame, choices: SplitParams) -> Holdout:
    """Return the rule that holds rows out, by the split that a source would choose."""
    split = split_of(frame, choices)
    if isinstance(split, RandomSplit):
        return split.holdout()
    if isinstance(split, TimeSplit):
        return split.holdout(frame)
    return holdout_since(*np.unique(frame[AS_OF].to_numpy(), return_counts=True), choices, by_group=True)


def evidence_of(frame: pd.DataFrame, **known: Any) -> LeakEvidence:
    """Return the evidence that a source would give of such rows, and what else is known."""
    clock = None
    if AS_OF in frame:
        is_limit = CREATED_AT in frame or not (frame.get(MATURE_AT, frame[AS_OF]) - frame[AS_OF] == 1).all()
        clock = Clock(frame[AS_OF].to_numpy(), AS_OF if is_limit else CREATED_AT, is_limit=is_limit)
    return LeakEvidence(clock=clock, **known)


FORMULAS = ["=1+1", "+49 30 1", "-2", "@SUM(A1)", "\tx", "\rx", " =1", "\u00a0=1", "\uff1d1", "\ufeff=1"]
OTHER_TEXTS = ["Ada", "a=b", "1-2", "", "'quoted'", 'a "b", c', "line\nbreak", "ünï"]


def of_texts(texts: list[str]) -> pd.DataFrame:
    """Return a frame of texts and numbers, as sinks get them."""
    return pd.DataFrame({"lead_id": np.array(texts, dtype=object), "points": np.arange(len(texts)) - 1.5})


def first_column(path: Path) -> list[str]:
    """Return the first column of a CSV file, without its header, as it is written."""
    with path.open(encoding="utf-8", newline="") as file:
        return [row[0] for row in csv.reader(file)][1:]
