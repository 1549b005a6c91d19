"""Judge what the gate lets pass: challengers that are better, equal or worse, and twelve that were sabotaged.

Two models of which each lacks a part of what decides, so that its log loss is so much above that of the truth (excess);
both are calibrated, and the truth has a log loss of about .28. Each of 100 runs has leads of its own.

- `better_promoted`, `better_promoted_5000`: the challenger has 1% excess and the champion 3%, on 8,000 and 5,000 leads.
- `worse_promoted`: the other way round, on 8,000 leads.
- `equal_promoted`: both have 2%.
- `seed_only_promoted`: gradient boosting of 12,000 leads against the same with another seed, on 8,000 others;
  `seed_only_leadml` of 20: leadml's own models of 4,000 leads.
- `years_with_promotion`: years in which any of 12 challengers that differ in the seed alone passes, the cap lifted.
- `sabotaged_refused` of 12: challengers in a project of a stream, each refused, by the gate or by the training, for its
  own reason.

Run with: python benchmarks/gate.py [--json] [--keep] [--recorded] [--runs N]
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from gate_sabotage import sabotaged
from lightgbm import LGBMClassifier
from measure import finish, options
from scipy.optimize import brentq
from scipy.special import expit

from leadml import LeadClassifier
from leadml.params.gate import GateParams
from leadml.review.gate.judge import Contest, judge
from leadml.simulator.stream import Stream

if TYPE_CHECKING:
    from leadml.types import Floats

CHOICES = GateParams()
CENTER, KNOWN = -2.7, 1.3  # mean and standard deviation of the log-odds that both models know: a log loss of about .28
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
PILOT = 400_000  # leads on which the size of a missing part is solved
FITTED, JUDGED, ATTEMPTS = 12_000, 8_000, 12
FEW, PAIRS = 4_000, 20


def main() -> None:
    """Judge, print a table."""
    chosen = options(__doc__ or "", "gate", runs=100)
    sizes = {share: part_for(share) for share in (0.01, 0.02, 0.03)}
    pairs = {
        "better_promoted": (0.03, 0.01, 8_000),
        "better_promoted_5000": (0.03, 0.01, 5_000),
        "worse_promoted": (0.01, 0.03, 8_000),
        "equal_promoted": (0.02, 0.02, 8_000),
    }
    figures: dict[str, Any] = {"runs": chosen.runs}
    for name, (champion, challenger, leads) in pairs.items():
        run = partial(passes, parts=(sizes[champion], sizes[challenger]), leads=leads)
        figures[name] = sum(map(run, range(chosen.runs)))
        print(f"{name:24} {figures[name]:4} of {chosen.runs}", flush=True)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        years = np.array(list(pool.map(seeds_of_a_year, range(chosen.runs))))
        own = list(pool.map(leadml_seeds, range(PAIRS)))
    figures |= {"seed_only_promoted": int(years[:, 0].sum()), "seed_only_leadml": sum(own), "pairs": PAIRS}
    figures["years_with_promotion"] = int(years.any(axis=1).sum())
    reasons = sabotaged()
    figures |= {"sabotaged": len(reasons), "sabotaged_refused": sum(bool(why) for why in reasons.values())}
    print(pd.Series({name: value for name, value in figures.items() if name not in pairs}).to_string())
    for name, why in reasons.items():
        print(f"  {name:14} {why or 'NOT REFUSED'}")
    finish("gate", {**figures, "reasons": reasons}, chosen)


def part_for(excess: float) -> float:
    """Return the standard deviation of the log-odds that a model must lack to have so much excess log loss."""
    random = np.random.default_rng(12345)
    known, other = CENTER + KNOWN * random.normal(size=PILOT), random.normal(size=PILOT)

    def above(size: float) -> float:
        truth = expit(known + size * other)
        said = without(known, size)
        loss = -(truth * np.log(truth) + (1 - truth) * np.log1p(-truth)).mean()
        more = -(truth * np.log(said) + (1 - truth) * np.log1p(-said)).mean()
        return float(more / loss - 1 - excess)

    return float(brentq(above, 0.01, 3.0, xtol=1e-4))


def without(log_odds: Floats, size: float) -> Floats:
    """Return the probabilities of leads by a calibrated model that lacks a normal part of their log-odds."""
    return np.asarray(expit(log_odds[:, None] + size * NODES) @ WEIGHTS)


def passes(seed: int, parts: tuple[float, float], leads: int) -> bool:
    """Return whether a challenger passes, where each of both models lacks a part that the other one knows."""
    random = np.random.default_rng(seed)
    known = CENTER + KNOWN * random.normal(size=leads)
    of_champion, of_challenger = (size * random.normal(size=leads) for size in parts)
    label = (random.random(leads) < expit(known + of_champion + of_challenger)).astype(np.int8)
    champion, challenger = without(known + of_challenger, parts[0]), without(known + of_champion, parts[1])
    return judge(Contest(label, champion, challenger), CHOICES, kind="change", seed=seed).passes


def seeds_of_a_year(seed: int) -> list[bool]:
    """Return which of a year's challengers pass that differ from the champion in their seed alone."""
    stream = Stream()
    learn = stream.before(FITTED, seed=seed)
    fields = [name for name in learn if name.startswith("field_")]

    def fitted(number: int) -> LGBMClassifier:
        choices = {"subsample": 0.8, "subsample_freq": 1, "colsample_bytree": 0.8, "learning_rate": 0.05}
        model = LGBMClassifier(n_estimators=150, num_leaves=8, n_jobs=1, verbosity=-1, random_state=number, **choices)
        return model.fit(learn[fields], learn["converted"])

    champion, found = fitted(0), []
    for attempt in range(1, ATTEMPTS + 1):
        later = stream.before(JUDGED, seed=10_000 * attempt + seed)
        said = [model.predict_proba(later[fields])[:, 1] for model in (champion, fitted(attempt))]
        contest = Contest(later["converted"].to_numpy(dtype=np.int8), *said)
        found.append(judge(contest, CHOICES, kind="change", seed=seed).passes)
    return found


def leadml_seeds(seed: int) -> bool:
    """Return whether a model of leadml passes beside one whose leads were divided by another seed."""
    stream = Stream()
    learn, later = stream.before(FEW, seed=seed), stream.before(JUDGED, seed=10_000 + seed)
    fields = [name for name in learn if name.startswith("field_")]
    models = [LeadClassifier(split={"seed": number}).fit(learn[fields], learn["converted"]) for number in (0, 1)]
    said = [model.predict_proba(later[fields])[:, 1] for model in models]
    if np.array_equal(*said):
        msg = "another seed must give another model"
        raise RuntimeError(msg)
    return judge(Contest(later["converted"].to_numpy(dtype=np.int8), *said), CHOICES, kind="change", seed=seed).passes


if __name__ == "__main__":
    main()
