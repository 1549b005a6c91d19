"""The data sets on which leadml is compared with other models, divided into a training set and a holdout.

The hash of each file is known, so that anyone who has the files compares on the same rows.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from leak_cases import as_case

from leadml.leads.check.contract import AS_OF
from leadml.leads.sources.flat import as_snapshots
from leadml.leads.split import RandomSplit, TimeSplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leadml.leads.check.field import Field
    from leadml.leads.split import Split
    from leadml.params import SplitParams

BUNDLED = Path(__file__).parents[1] / "data" / "raw" / "bank.csv"
LEARN_SHARE = 0.7
SEED = 7  # other models were measured on these divisions
SECOND = 1_000_000  # microseconds
FILES = {
    "bank-additional-full.csv.gz": (
        "74adfc578bf77a7ff4bb1ba4a9f8709d9e3c6907342959c2c8416847e0afb4d8",
        "UCI 222, Moro, Cortez and Rita 2014, CC BY 4.0",
    ),
    "online_shoppers_intention.csv.gz": (
        "b3055ee355f59134d851d32641183cb4a8b45def7124d2f50442a042f358e0d9",
        "UCI 468, Sakar et al. 2019, CC BY 4.0",
    ),
}
READ = (BUNDLED, *FILES)


@dataclass(frozen=True)
class DividedData:
    """A data set, divided into a training set and a holdout.

    Parameters
    ----------
    name
        Of the data set and the division.
    learn, holdout
        Rows with ``lead_id``, ``split_key``, ``converted``, the fields, and with ``as_of`` where they have instants.
    fields
        The fields to learn from.
    """

    name: str
    learn: pd.DataFrame
    holdout: pd.DataFrame
    fields: tuple[Field, ...]

    def split(self, params: SplitParams) -> Split:
        """Return how the training set is divided into folds."""
        return TimeSplit(params) if AS_OF in self.learn else RandomSplit(params)


def divided_data(folder: Path, *, seeds: Sequence[int] = (SEED,)) -> Iterator[DividedData]:
    """Yield every division whose file is there, random ones once for each seed; print which files are missing."""
    for name, (expected, source) in FILES.items():
        path = folder / name
        if not path.exists():
            print(f"{path} is not there, so its data are left out: {source}; sha256 of the csv {expected}")
            continue
        actual = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
        if actual != expected:
            print(f"{path} has other rows than before: its sha256 is {actual}, not {expected}")
        yield from _bank(path, seeds) if name.startswith("bank") else _shoppers(path, seeds)
    table = pd.read_csv(BUNDLED).drop(columns=["id", "duration"])
    case = as_case("bank", table.drop(columns="y"), (table["y"] == "yes").to_numpy())
    yield from _random("bank_small", case.frame, case.fields, seeds)


def _bank(path: Path, seeds: Sequence[int]) -> Iterator[DividedData]:
    table = pd.read_csv(path, sep=";").drop(columns="duration")
    case = as_case("campaigns", table.drop(columns="y"), (table["y"] == "yes").to_numpy())
    yield from _random("bank_random", case.frame, case.fields, seeds)
    dated = case.frame.assign(created_at=np.arange(len(case.frame)) * SECOND)  # the rows are in the order of time
    yield _divided("bank_forward", dated, case.fields)


def _shoppers(path: Path, seeds: Sequence[int]) -> Iterator[DividedData]:
    table = pd.read_csv(path).drop(columns="PageValues")
    coded = ("OperatingSystems", "Browser", "Region", "TrafficType")
    case = as_case("shoppers", table.drop(columns="Revenue"), table["Revenue"].to_numpy(), coded)
    yield from _random("shoppers", case.frame, case.fields, seeds)


def _random(name: str, frame: pd.DataFrame, fields: tuple[Field, ...], seeds: Sequence[int]) -> Iterator[DividedData]:
    for seed in seeds:
        shuffled = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
        yield _divided(name if tuple(seeds) == (SEED,) else f"{name}_{seed}", shuffled, fields)


def _divided(name: str, frame: pd.DataFrame, fields: tuple[Field, ...]) -> DividedData:
    rows = as_snapshots(frame)
    size = int(LEARN_SHARE * len(rows))
    return DividedData(name, rows[:size].reset_index(drop=True), rows[size:].reset_index(drop=True), fields)
