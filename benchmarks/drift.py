"""Judge whether reviews notice that the world has moved, name what is to be done, and are quiet where nothing moved.

Each run has a stream of its own, of 8 fields, and leadml's model with default choices as champion: fitted on 20,000
leads, its errors judged on 5,000 others (the reference). Then 100 leads a day have their outcomes known, and each day a
review looks at all of them. With a drift, it begins on day 120.

- `named_rightly`: runs whose first RECALIBRATE or REFIT is the right one and comes within 60 days of the drift: for
  `odds` RECALIBRATE, for `effects` REFIT, for `mix`, which the model covers, neither.
- `false_alarm_years`: years without a drift in which RECALIBRATE or REFIT is said: `healthy`, and `noisy`, whose level
  changes by 0.1 log-odds from day to day.
- `low_rate`: the same at a rate of 5.5%, and how often there is too little evidence to say anything.
- `ordinary_test_years`: healthy years in which a daily look at the newest 30 days by an ordinary test (|z| > 1.96)
  alarms at least once; with the true probabilities, so that every alarm is false.

Run with: python benchmarks/drift.py [--runs N] [--low N] [--seed S] [--json] [--keep] [--recorded]
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
from measure import finish, options
from scipy.special import logit

from leadml.model.classifier import LeadClassifier
from leadml.model.judge.null_interval import Reference
from leadml.model.predict.explain import explain_leads
from leadml.model.predict.parts import part_log_odds, strongest_parts
from leadml.params.review import ReviewParams
from leadml.review.evidence.e_detectors import JudgedScores, level_evidence, ranking_evidence
from leadml.review.verdict import alarm
from leadml.simulator.stream import Stream

if TYPE_CHECKING:
    import pandas as pd

    from leadml.model.predict.explain import Explanation

DRIFT_DAY, PERIODS_LATER, YEAR = 120, 60, 365
FITTED, REFERENCE = 20_000, 5_000
LOW_RATE = 0.055
KEEP, FEW = "KEEP", "INSUFFICIENT EVIDENCE"
RIGHT = {"odds": ("RECALIBRATE",), "mix": (KEEP, FEW), "effects": ("REFIT",)}
QUIET = {"healthy": 0.0, "noisy": 0.1}
WINDOW, Z = 30, 1.96


@dataclass(frozen=True)
class Champion:
    """A model in use, with what its evaluation says of its errors."""

    classifier: LeadClassifier
    parts: list[str]
    reference: Reference


def main() -> None:
    """Run all streams and count the verdicts."""
    chosen = options(__doc__ or "", "drift", (), runs=100, low=40, seed=0)
    seeds = np.random.SeedSequence(chosen.seed).generate_state(chosen.runs + chosen.low).tolist()
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        runs = list(pool.map(partial(one_run, rate=Stream().rate), seeds[: chosen.runs]))
        low = list(pool.map(partial(one_run, rate=LOW_RATE), seeds[chosen.runs :]))
    figures = summary(runs)
    print_summary("rate 12.5%", figures)
    figures["low_rate"] = summary(low)
    print_summary("rate 5.5%", figures["low_rate"])
    ordinary = sum(ordinary_alarm(seed) for seed in seeds[: chosen.runs])
    print(f"an ordinary test alarms in {ordinary} of {chosen.runs} healthy years")
    finish("drift", {**figures, "ordinary_test_years": ordinary}, chosen)


def one_run(seed: int, *, rate: float) -> dict[str, Any]:
    """Return the first verdict of each kind of stream, and the day of outcomes on which it was said."""
    champion = fitted(seed, rate)
    found: dict[str, Any] = {}
    for drift in RIGHT:
        stream = Stream(rate=rate, drift=drift, drift_day=DRIFT_DAY)
        found[drift] = first_verdict(champion, stream, DRIFT_DAY + PERIODS_LATER, seed=seed + 2)
    for name, noise in QUIET.items():
        found[name] = first_verdict(champion, Stream(rate=rate, level_noise=noise), YEAR, seed=seed + 3)
    return found


def fitted(seed: int, rate: float) -> Champion:
    """Return a model that is fitted on some leads and judged on others."""
    stream = Stream(rate=rate)
    learn, held_out = stream.before(FITTED, seed=seed), stream.before(REFERENCE, seed=seed + 1)
    classifier = LeadClassifier().fit(learn[stream.names], learn["converted"])
    explained = explain(classifier, held_out[stream.names])
    parts = strongest_parts(explained)
    values = dict(zip(parts, part_log_odds(explained, parts).T, strict=True))
    reference = Reference.of(logit(explained.probability), held_out["converted"].to_numpy(), values)
    return Champion(classifier, parts, reference)


def explain(classifier: LeadClassifier, fields: pd.DataFrame) -> Explanation:
    """Return the scores of leads with the contributions of all fields."""
    return explain_leads(classifier.model_, classifier.model_.encoder.fields_of(fields))


def first_verdict(champion: Champion, stream: Stream, days: int, *, seed: int) -> tuple[str, int]:
    """Return the first RECALIBRATE or REFIT of daily reviews and its day, or the verdict of the last day."""
    leads = stream.days(days, seed=seed)
    explained = explain(champion.classifier, leads[stream.names])
    scores = JudgedScores(
        day=leads["day"].to_numpy(),
        log_odds=logit(explained.probability),
        parts=part_log_odds(explained, champion.parts),
        label=leads["converted"].to_numpy(),
        rank=np.arange(len(leads)),
        since=0,
    )
    level, ranking = level_evidence(scores, champion.reference), ranking_evidence(scores, champion.reference)
    choices = ReviewParams()
    found = alarm(level, ranking, false_alarms=choices.false_alarms)
    if found.verdict is not None and found.day is not None:
        return found.verdict, found.day
    newest = leads.loc[leads["day"] >= days - 2 * choices.period_days, "converted"].sum()
    return (KEEP if newest >= choices.min_conversions else FEW), -1


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of some runs."""
    verdicts = {kind: dict(Counter(said(run[kind], kind) for run in runs)) for kind in (*RIGHT, *QUIET)}
    days = {
        kind: [run[kind][1] - DRIFT_DAY for run in runs if run[kind][1] >= 0 and said(run[kind], kind) in right]
        for kind, right in RIGHT.items()
    }
    quiet = {kind: sum(verdicts[kind].get(word, 0) for word in (KEEP, FEW)) for kind in QUIET}
    return {
        "runs": len(runs),
        "named_rightly": {kind: sum(verdicts[kind].get(word, 0) for word in right) for kind, right in RIGHT.items()},
        "false_alarm_years": {kind: len(runs) - quiet[kind] for kind in QUIET},
        "verdicts": verdicts,
        "days": {kind: spread(each) for kind, each in days.items() if each},
    }


def spread(days: list[int]) -> dict[str, float]:
    """Return the median of some days, and the day by which nine of ten are over."""
    return {"median": float(np.median(days)), "nine_of_ten": float(np.quantile(days, 0.9))}


def said(verdict: tuple[str, int], kind: str) -> str:
    """Return a verdict in words; one from before the drift is a false alarm."""
    word, day = verdict
    return f"{word} before the drift" if kind in RIGHT and 0 <= day < DRIFT_DAY else word


def print_summary(title: str, figures: dict[str, Any]) -> None:
    """Print the figures of some runs."""
    print(f"{title}, {figures['runs']} runs: named rightly {figures['named_rightly']}")
    print(f"  false alarms {figures['false_alarm_years']}; days {figures['days']}")
    print(f"  first verdicts {figures['verdicts']}")


def ordinary_alarm(seed: int) -> bool:
    """Return whether an ordinary test alarms on some day of a healthy year, with the true probabilities."""
    leads = Stream().days(YEAR, seed=seed)
    by_day = (
        leads.assign(variance=leads["probability"] * (1 - leads["probability"])).groupby("day").sum(numeric_only=True)
    )
    window = by_day[["converted", "probability", "variance"]].rolling(WINDOW).sum().dropna()
    z = (window["converted"] - window["probability"]) / np.sqrt(window["variance"])
    return bool((z.abs() > Z).any())


if __name__ == "__main__":
    main()
