"""Whether performance that is estimated before outcomes are known is what comes, and what happens if the world changes.

Without drift: leads of `leadml.simulator.stream`, with eight fields and a known probability to convert. Each of 20
models is fitted with default params on 20,000 leads; 5,000 others are its reference, from which the cut of MQL is
solved (the best fifth) and the calibration is judged. Then come 5 periods of 3,000 leads, for each of which the ROC AUC
and the precision at the cut are estimated from the probabilities, the reference and the outcomes of the periods before.
Outcomes are drawn a thousand times with the true probabilities. The mean of the realised figures is their expectation;
the middle 90% of them is the width of sampling alone.

- `held`: periods whose 90% interval holds the expectation of the realised figure, of both figures the lower number.
- `width`: the mean width of the intervals over the width of sampling alone, of both figures the larger.
- `held_realised`: the share of the realised figures that the intervals hold; the interval is made for these.
- `sampling_only`: the same for intervals that take the probabilities as they are, as if nothing had to be estimated.

With drift: bank-additional-full.csv.gz in its order of time. Of the first 70% a seventh, drawn at random, is the
reference, and the model is fitted on the others. Each later month with 200 leads or more is estimated, by the reference
and the outcomes of the months before it, and compared with what came.
Run with: python benchmarks/estimate.py [--champions N] [--data DIR] [--json] [--keep] [--recorded]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from bank_months import month_names
from compare_data import divided_data
from measure import data_folder, finish, options

import leadml
from leadml.leads.check.contract import LABEL
from leadml.model.judge.calibration_line import CalibrationLine
from leadml.model.metrics import roc_auc
from leadml.review.performance.beside import estimated_beside_realised, estimates_held
from leadml.review.performance.estimated import ScoredLeads, estimated_performance
from leadml.review.performance.lines import lines_as_known
from leadml.review.performance.realised import JudgedLeads, realised_performance
from leadml.simulator.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from leadml.types import Floats, Labels

CHAMPIONS, PERIODS = 20, 5
FITTED, REFERENCE, PERIOD = 20_000, 5_000, 3_000
OUTCOMES = 1_000  # draws of a period's outcomes: the expectation is known to 3% of the spread of one draw
DRAWS, CONFIDENCE = 500, 0.9
RULE = {"mql": {"rule": "share", "top": 0.2}}
FIGURES = {"roc_auc": "", "precision": "MQL"}
BANK, FORWARD, MIN_MONTH, REFERENCE_PART = "bank-additional-full.csv.gz", "bank_forward", 200, 7


@dataclass(frozen=True)
class Champion:
    """A fitted model with the cut of MQL and the calibration on its reference."""

    model: leadml.LeadClassifier
    cuts: Mapping[str, float]
    line: CalibrationLine

    @classmethod
    def of(cls, model: leadml.LeadClassifier, reference: Any, label: Labels) -> Champion:
        """Return a model judged on its reference."""
        probability = model.predict_proba(reference)[:, 1]
        cuts = dict(leadml.solve_cuts(probability, label, RULE))
        return cls(model, cuts, CalibrationLine.of(label, probability))


def main() -> None:
    """Estimate without and with drift, print tables."""
    chosen = options(__doc__ or "", "estimate", (BANK,), champions=CHAMPIONS, data=data_folder())
    rows = [row for seed in range(chosen.champions) for row in of_champion(seed)]
    table = pd.DataFrame(rows)
    figures: dict[str, Any] = {"champions": chosen.champions, "periods": chosen.champions * PERIODS}
    by_figure = {name: summary(table[table["figure"] == name], "") for name in FIGURES}
    alone = {name: summary(table[table["figure"] == name], "alone_") for name in FIGURES}
    figures |= {"figures": by_figure, "sampling_only": alone}
    figures["held"] = min(each["held"] for each in by_figure.values())
    figures["width"] = max(each["width"] for each in by_figure.values())
    print(pd.DataFrame(by_figure).drop(index="held_by_champion").to_string())
    print(pd.DataFrame(alone).drop(index="held_by_champion").to_string())
    figures["drift"] = with_drift(chosen.data)
    print(pd.DataFrame(figures["drift"].get("figures", {})).to_string())
    print(pd.json_normalize(figures["drift"].get("months", [])).round(3).to_string())
    print(f"held {figures['held']} of {figures['periods']}, width {figures['width']:.2f}")
    finish("estimate", figures, chosen)


def of_champion(seed: int) -> list[dict[str, Any]]:
    """Return a row for each period and figure of one model."""
    random, stream = np.random.default_rng(seed), Stream(leads_a_day=PERIOD)
    learn, reference = stream.before(FITTED, seed=2 * seed), stream.before(REFERENCE, seed=2 * seed + 1)
    model = leadml.LeadClassifier().fit(learn[stream.names], learn["converted"])
    champion = Champion.of(model, reference[stream.names], reference["converted"].to_numpy())
    days = stream.days(PERIODS, seed=seed)
    said = champion.model.predict_proba(days[stream.names])[:, 1]
    came = JudgedLeads(days["day"].to_numpy(), said, days["converted"].to_numpy(dtype=np.int8))
    lines = lines_as_known(champion.line, came, range(PERIODS), lag=1)
    rows = []
    for period in range(PERIODS):
        of_period = (days["day"] == period).to_numpy()
        true, probability = days.loc[of_period, "probability"].to_numpy(), said[of_period]
        drawn = realised_figures(probability, true, champion.cuts["MQL"], random)
        tables = {"": lines[period], "alone_": CalibrationLine(0.0, 1.0, np.zeros((2, 2)), 1.0)}
        estimates = {name: estimate(probability, champion.cuts, line, seed) for name, line in tables.items()}
        for at, figure in enumerate(FIGURES):
            expected, ends = drawn[:, at].mean(), np.quantile(drawn[:, at], [0.05, 0.95])
            row = {"champion": seed, "period": period, "figure": figure, "sampling": float(np.diff(ends)[0])}
            for name, (value, low, high) in ((kind, table.loc[figure]) for kind, table in estimates.items()):
                row |= {f"{name}held": low <= expected <= high, f"{name}width": high - low}
                row |= {f"{name}error": value - expected}
                row |= {f"{name}realised": float(((low <= drawn[:, at]) & (drawn[:, at] <= high)).mean())}
            rows.append(row)
    held = sum(row["held"] for row in rows)
    print(
        f"model {seed}: level {champion.line.level:+.3f}, slope {champion.line.slope:.3f}, held {held} of {len(rows)}"
    )
    return rows


def realised_figures(probability: Floats, true: Floats, cut: float, random: np.random.Generator) -> Floats:
    """Return the ROC AUC and the precision of many draws of the outcomes, shape (n_draws, 2)."""
    inside, ones = probability >= cut, np.ones(len(true))
    drawn = []
    for _ in range(OUTCOMES):
        label = (random.random(len(true)) < true).astype(np.int8)
        drawn.append((roc_auc(label, probability, ones), float(label[inside].mean())))
    return np.array(drawn)


def estimate(probability: Floats, cuts: Mapping[str, float], line: CalibrationLine, seed: int) -> pd.DataFrame:
    """Return value and interval of the ROC AUC and of the precision."""
    leads = ScoredLeads(np.repeat("period", len(probability)), probability)
    table = estimated_performance(leads, cuts, {"period": line}, draws=DRAWS, confidence=CONFIDENCE, seed=seed)
    wanted = [table[(table["figure"] == name) & (table["stage"] == stage)] for name, stage in FIGURES.items()]
    return pd.concat(wanted).set_index("figure")[["value", "low", "high"]]


def summary(table: pd.DataFrame, kind: str) -> dict[str, Any]:
    """Return how often and how narrowly the intervals of one figure held, in all and by model."""
    by_champion = table.groupby("champion")
    errors = by_champion[f"{kind}error"].mean()
    return {
        "held": int(table[f"{kind}held"].sum()),
        "held_by_champion": [int(held) for held in by_champion[f"{kind}held"].sum()],
        "held_realised": float(table[f"{kind}realised"].mean()),
        "held_realised_lowest": float(by_champion[f"{kind}realised"].mean().min()),
        "width": float(table[f"{kind}width"].mean() / table["sampling"].mean()),
        "mean_width": float(table[f"{kind}width"].mean()),
        "mean_error": float(errors.mean()),
        "spread_of_errors": float(errors.std()),
        "largest_error": float(errors.abs().max()),
    }


def with_drift(folder: Path) -> dict[str, Any]:
    """Return how the months of the bank's campaigns were estimated and came; nothing if the file is absent."""
    if not (folder / BANK).exists():
        print(f"{folder / BANK} is not there, so nothing is estimated with drift")
        return {}
    data = next(data for data in divided_data(folder) if data.name == FORWARD)
    leads = pd.concat([data.learn, data.holdout], ignore_index=True)
    fields, label = leads[[field.name for field in data.fields]], leads[LABEL].to_numpy(dtype=np.int8)
    learn = len(data.learn)
    reference = np.random.default_rng(0).permutation(learn)[: learn // REFERENCE_PART]
    fitted = np.setdiff1d(np.arange(learn), reference)
    model = leadml.LeadClassifier().fit(fields.iloc[fitted], label[fitted], created_at=fitted)
    champion = Champion.of(model, fields.iloc[reference], label[reference])
    months = month_names(leads["month"])
    later = np.arange(learn, len(leads))
    sizes = pd.Series(months[later]).value_counts()
    judged = later[np.isin(months[later], sizes.index[sizes >= MIN_MONTH])]
    probability = model.predict_proba(fields.iloc[judged])[:, 1]
    choices = {"draws": DRAWS, "confidence": CONFIDENCE, "seed": 0}
    names, number = np.unique(months[judged], return_inverse=True)
    came = JudgedLeads(number, probability, label[judged])
    lines = lines_as_known(champion.line, came, range(len(names)), lag=1)
    then = estimated_performance(ScoredLeads(number, probability), champion.cuts, lines, **choices)
    now = realised_performance(came, champion.cuts, **choices)
    beside = estimated_beside_realised(then, now)
    beside["period"] = names[beside["period"].to_numpy()]
    held = estimates_held(beside).set_index("figure").drop(columns="stage").drop(index="recall")
    return {
        "level": champion.line.level,
        "slope": champion.line.slope,
        "rate_of_training": float(label[:learn].mean()),
        "figures": held.to_dict("index"),
        "months": [month_row(str(month), int(sizes[month]), rows) for month, rows in beside.groupby("period")],
    }


def month_row(month: str, leads: int, rows: pd.DataFrame) -> dict[str, Any]:
    """Return what was estimated and what came in a month."""
    row: dict[str, Any] = {"month": month, "leads": leads}
    for each in rows[rows["figure"] != "recall"].itertuples():
        row[str(each.figure)] = {
            "estimated": float(each.estimated),
            "low": float(each.estimated_low),
            "high": float(each.estimated_high),
            "realised": float(each.realised),
            "held": bool(each.held),
        }
    return row


if __name__ == "__main__":
    main()
