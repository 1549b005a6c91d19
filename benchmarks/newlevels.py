"""What a level that training never saw costs, beside a model that never had the field.

Each level of each category that at least 1% of the leads have is left out of training in turn, with its leads, and the
model is judged on them. So is a model of the same training leads without the field. Data: the bank's campaigns, a
shop's sessions, the bundled leads, and snapshots of a simulated CRM.

- `loss`, `loss_without_field`: log loss summed over the leads of all levels.
- `cases`, and `not_worse`: of how many the log loss is higher by no more than two standard errors of the paired
  difference.

With --only and --keep a set is added to the kept ones.
Run with: python benchmarks/newlevels.py [--json] [--keep] [--recorded] [--data DIR] [--only SET]
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from checkouts_fit import Sections
from compare_data import READ, divided_data
from measure import ROOT, data_folder, finish, options
from truth import prepare, simulated

from leadml.leads.check.contract import LABEL
from leadml.model.fit.estimator import fit_model
from leadml.params import SplitParams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from leadml.leads.check.field import Field
    from leadml.leads.split import Split
    from leadml.types import Floats

SETS = {"bank_random": "bank", "shoppers": "shoppers", "bank_small": "bundled leads"}
SIMULATOR, LEADS, MONTHS = "simulator", 4000, 18
LEAST_SHARE = 0.01
ERRORS = 2.0  # standard errors of the paired difference


def main() -> None:
    """Leave each level out, print a table."""
    files = (ROOT / "params.yaml", *READ)
    chosen = options(__doc__ or "", "newlevels", files, in_parts=True, data=data_folder(), only="")
    by_set: dict[str, Any] = chosen.kept.get("sets", {})
    for name, frame, fields, split in sets(chosen.data):
        if chosen.only in {"", name}:
            table = pd.DataFrame(list(cases(frame, fields, split)))
            print(f"\n{name}\n{table.round(4).to_string(index=False)}", flush=True)
            by_set[name] = summary(table)
    print(pd.DataFrame(by_set).T.round(4).to_string())
    totals = {key: sum(of_set[key] for of_set in by_set.values()) for key in next(iter(by_set.values()))}
    finish("newlevels", {**totals, "sets": by_set}, chosen)


def sets(folder: Path) -> Iterator[tuple[str, pd.DataFrame, tuple[Field, ...], Split]]:
    """Yield each set with all its leads."""
    for data in divided_data(folder):
        if data.name in SETS:
            frame = pd.concat([data.learn, data.holdout], ignore_index=True)
            yield SETS[data.name], frame, data.fields, data.split(SplitParams())
    with TemporaryDirectory() as name:
        found = prepare(Path(name), "sql", simulated(Path(name), leads=LEADS, months=MONTHS, seed=1))
    frame = pd.concat([found.learn, found.holdout[found.learn.columns]], ignore_index=True)
    yield SIMULATOR, frame, found.training.contract.fields, found.training.split


def cases(frame: pd.DataFrame, fields: tuple[Field, ...], split: Split) -> Iterator[dict[str, Any]]:
    """Yield the losses of each level that is left out."""
    for field in (field for field in fields if field.kind == "category"):
        shares = frame[field.name].value_counts(normalize=True)
        for level in sorted(shares.index[shares >= LEAST_SHARE], key=str):
            has = (frame[field.name] == level).to_numpy()
            learn, judge = frame[~has].reset_index(drop=True), frame[has].reset_index(drop=True)
            if learn[field.name].nunique() < 2 or judge[LABEL].nunique() < 2:  # noqa: PLR2004 - a constant, one outcome
                continue
            label = judge[LABEL].to_numpy()
            ours = losses(fit_model(learn, fields, Sections(), split=split).model.predict(judge), label)
            others = tuple(other for other in fields if other != field)
            without = losses(fit_model(learn, others, Sections(), split=split).model.predict(judge), label)
            difference = ours - without
            error = difference.std(ddof=1) / np.sqrt(len(difference))
            yield {
                "field": field.name,
                "level": level,
                "leads": len(judge),
                "loss": ours.mean(),
                "loss_without_field": without.mean(),
                "not_worse": bool(difference.mean() <= ERRORS * error),
            }


def losses(probability: Floats, label: Floats) -> Floats:
    """Return the log loss of each lead."""
    return np.where(label == 1, -np.log(probability), -np.log1p(-probability))


def summary(table: pd.DataFrame) -> dict[str, float]:
    """Return the figures of some cases."""
    return {
        "cases": len(table),
        "not_worse": int(table["not_worse"].sum()),
        "loss": float((table["loss"] * table["leads"]).sum()),
        "loss_without_field": float((table["loss_without_field"] * table["leads"]).sum()),
    }


if __name__ == "__main__":
    main()
