"""Play history as if it were live: one model for good, a model each month, leadml's loop, and an oracle.

The bank's campaigns by month from March 2009, without `duration`; the order of the rows gives the days. Each policy has
only what was known at the time: outcomes become known at the end of the `month`, `week` or `day` of the call. All
leads together: `log_loss`, `auc`, `ece`, `gain`. The oracle knows the level of each month, which nobody can.

`streams` are replays with the same default policy on leads for which nothing was chosen: 10 streams of each kind with a
known truth (replay_streams.py). `above_once` is the log loss of the loop less that of `once`, and `way` how far the
loop comes on the way from `once` to `refit`. An online shop is played by replay_shop.py.

With --fits, fits are kept in a folder, and read again from there.
Run with: python benchmarks/replay.py [--json] [--keep] [--recorded] [--data DIR] [--fits DIR]
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bank_months import month_names
from checkouts import FIT, fitted_by
from compare_data import READ, divided_data
from measure import ROOT, data_folder, finish, options
from replay_streams import of_streams
from scipy.special import logit

from leadml.leads.check.contract import AS_OF, LEAD_ID, MATURE_AT
from leadml.params import SplitParams
from leadml.review.replay.figures import period_figures, pooled_figures
from leadml.review.replay.history import History
from leadml.review.replay.policies import Replay

if TYPE_CHECKING:
    from compare_data import DividedData

FIRST = "2009-03"
GRAINS = ("month", "week", "day")


def main() -> None:
    """Play all grains, print tables."""
    chosen = options(__doc__ or "", "replay", (ROOT / "params.yaml", *READ, FIT), data=data_folder(), fits=Path())
    figures: dict[str, Any] = {}
    [data] = [each for each in divided_data(chosen.data) if each.name == "bank_forward"]
    frame = dated(pd.concat([data.learn, data.holdout], ignore_index=True))
    for labels in GRAINS:
        replay = played(frame, data, labels, chosen.fits)
        table = pooled_figures(replay).set_index("policy").rename(columns={"roc_auc": "auc"})
        print(f"\noutcomes known by {labels}\n{table.round(4).to_string()}", flush=True)
        loop = period_figures(replay).query("policy == 'loop'").drop(columns="policy")
        print(loop.round(3).to_string(index=False), flush=True)
        figures[labels] = table.to_dict("index")
    figures["streams"] = of_streams(chosen.fits)
    finish("replay", figures, chosen)


def dated(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the leads with the day of their call: rows of one weekday that follow each other are of one day."""
    month, changed = month_names(frame["month"]), frame["day_of_week"].to_numpy()
    days = np.empty(len(frame), dtype="datetime64[D]")
    for name in np.unique(month):
        rows = np.flatnonzero(month == name)
        number = np.cumsum(np.append(0, changed[rows][1:] != changed[rows][:-1]))
        first = np.datetime64(f"{name}-01")
        last = (np.datetime64(name) + 1).astype("datetime64[D]") - first
        days[rows] = first + (number * (last.astype(int) / (number[-1] + 1))).astype(int)
    instant = days.astype("datetime64[us]").astype(np.int64)
    return frame.assign(**{AS_OF: instant, MATURE_AT: instant})


def played(frame: pd.DataFrame, data: DividedData, labels: Any, fits: Path) -> Replay:
    """Return the replay of all months."""
    history = History.of(frame, labels)
    split = data.split(SplitParams())

    def fit(known: pd.DataFrame) -> Any:
        probability, *_ = fitted_by(ROOT, known, frame, data.fields, split, fits=fits)
        by_lead = pd.Series(logit(probability), index=frame[LEAD_ID])
        return lambda rows: by_lead[rows[LEAD_ID]].to_numpy()

    replay = Replay.of(history, fit)
    for month in history.months:
        if history.name(month) >= FIRST:
            replay.play(month)
    return replay


if __name__ == "__main__":
    main()
