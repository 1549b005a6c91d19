"""The leads on which leadml is compared with others, and how they are divided.

What enters is a folder of data sets; what leaves is cases: leads to learn from and leads that judge, with their fields.
The files are named with the hash of what they hold, so that anyone who has them compares on the same rows.
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from leadml.leads.check.field import Field

BUNDLED = Path(__file__).parents[1] / "data" / "raw" / "bank.csv"
LEARN_SHARE = 0.7
SEED = 7  # of the splits that others were measured on
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
class Split:
    """Leads to learn from and leads that judge, with ``lead_id``, ``converted`` and perhaps ``created_at``."""

    name: str
    learn: pd.DataFrame
    judge: pd.DataFrame
    fields: tuple[Field, ...]


def splits(folder: Path, *, seeds: Sequence[int] = (SEED,)) -> Iterator[Split]:
    """Yield every split whose file is there, random ones once for each seed, and say which files are not there."""
    for name, (expected, source) in FILES.items():
        path = folder / name
        if not path.exists():
            print(f"{path} is not there, so its splits are left out: {source}; sha256 of the csv {expected}")
            continue
        found = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
        if found != expected:
            print(f"{path} holds other rows than were compared on before: its sha256 is {found}, not {expected}")
        yield from _bank(path, seeds) if name.startswith("bank") else _shoppers(path, seeds)
    table = pd.read_csv(BUNDLED).drop(columns=["id", "duration"])
    case = as_case("bank", table.drop(columns="y"), (table["y"] == "yes").to_numpy())
    yield from _random("bank_small", case.frame, case.fields, seeds)


def _bank(path: Path, seeds: Sequence[int]) -> Iterator[Split]:
    table = pd.read_csv(path, sep=";").drop(columns="duration")
    case = as_case("campaigns", table.drop(columns="y"), (table["y"] == "yes").to_numpy())
    yield from _random("bank_random", case.frame, case.fields, seeds)
    dated = case.frame.assign(created_at=np.arange(len(case.frame)) * SECOND)  # the order of the file is that of time
    size = int(LEARN_SHARE * len(dated))
    yield Split("bank_forward", dated[:size], dated[size:].reset_index(drop=True), case.fields)


def _shoppers(path: Path, seeds: Sequence[int]) -> Iterator[Split]:
    table = pd.read_csv(path).drop(columns="PageValues")
    coded = ("OperatingSystems", "Browser", "Region", "TrafficType")
    case = as_case("shoppers", table.drop(columns="Revenue"), table["Revenue"].to_numpy(), coded)
    yield from _random("shoppers", case.frame, case.fields, seeds)


def _random(name: str, frame: pd.DataFrame, fields: tuple[Field, ...], seeds: Sequence[int]) -> Iterator[Split]:
    for seed in seeds:
        shuffled = frame.sample(frac=1, random_state=seed).reset_index(drop=True)
        size = int(LEARN_SHARE * len(shuffled))
        told = name if tuple(seeds) == (SEED,) else f"{name}_{seed}"
        yield Split(told, shuffled[:size], shuffled[size:].reset_index(drop=True), fields)
