"""Clean cases, which the leak gate must not stop: real leads without their known leak, and synthetic leads.

Each function draws one case with a generator.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from leak_cases import DAY, START, Case, as_case, creation_dates, flipped
from scipy.special import expit


def some_rows(case: Case, random: np.random.Generator) -> Case:
    """Return a random share of the rows."""
    size = int(len(case.frame) * random.uniform(0.4, 0.9))
    return case.with_rows(np.sort(random.permutation(len(case.frame))[:size]), f"{size:,} of the rows")


def some_fields(case: Case, random: np.random.Generator) -> Case:
    """Return some of the fields."""
    number = int(random.integers(3, len(case.fields)))
    chosen = {int(at) for at in random.permutation(len(case.fields))[:number]}
    return replace(
        case, description=f"{number} of the fields", fields=tuple(f for at, f in enumerate(case.fields) if at in chosen)
    )


def bootstrap_sample(case: Case, random: np.random.Generator) -> Case:
    """Return rows drawn with replacement."""
    return case.with_rows(random.integers(0, len(case.frame), len(case.frame)), "rows drawn with replacement")


def flipped_labels(case: Case, random: np.random.Generator) -> Case:
    """Return the rows with some labels flipped."""
    share = random.uniform(0.02, 0.1)
    return replace(
        case,
        description=f"{share:.0%} of the labels flipped",
        frame=case.frame.assign(converted=flipped(case, random, share)),
    )


def shuffled_labels(case: Case, random: np.random.Generator) -> Case:
    """Return the rows with shuffled labels."""
    return replace(
        case, description="labels shuffled", frame=case.frame.assign(converted=random.permutation(case.label))
    )


def rare_labels(case: Case, random: np.random.Generator) -> Case:
    """Return all leads that did not convert and few converters."""
    share = random.uniform(0.01, 0.03)
    wanted = int(share * (case.label == 0).sum())
    rows = np.r_[np.flatnonzero(case.label == 0), random.permutation(np.flatnonzero(case.label == 1))[:wanted]]
    return case.with_rows(np.sort(rows), f"{share:.1%} converters")


def honest_holdout(case: Case, random: np.random.Generator) -> Case:
    """Hold leads out, with few fields or many: leads with equal values are no copies."""
    number = int(random.integers(2, len(case.fields) + 1))
    chosen = {int(at) for at in random.permutation(len(case.fields))[:number]}
    rows = random.permutation(len(case.frame))
    held_out = case.frame.iloc[rows[: len(rows) // 4]].reset_index(drop=True)
    learn = case.with_rows(np.sort(rows[len(rows) // 4 :]), f"a quarter held out, {number} fields")
    fields = tuple(one for at, one in enumerate(case.fields) if at in chosen)
    return replace(learn, fields=fields, evidence=replace(case.evidence, held_out=held_out))


def honest_changes(case: Case, random: np.random.Generator) -> Case:
    """Change fields at random times, and a little more often shortly before the outcome."""
    size = len(case.frame)
    created, won = creation_dates(case, random), np.flatnonzero(case.label == 1)
    frame = case.frame.assign(created_at=created)
    closed = created[won] + (random.gamma(2, 30, len(won)) * DAY).astype(np.int64)
    changed, ids = random.integers(0, size, 3 * size), frame["lead_id"].to_numpy()
    before = random.random(len(won)) < random.uniform(0.02, 0.15)
    at = np.r_[
        created[changed] + (random.random(len(changed)) * 100 * DAY).astype(np.int64),
        closed[before] - (random.gamma(2, 5, before.sum()) * DAY).astype(np.int64),
    ]
    changes = pd.DataFrame({"lead_id": np.r_[ids[changed], ids[won][before]], "changed_at": at})
    names = np.array([one.name for one in case.fields], dtype=object)
    changes = changes.assign(field=random.choice(names, len(changes)))
    outcomes = pd.DataFrame({"lead_id": ids[won], "occurred_at": closed})
    evidence = replace(case.evidence, changes=changes, outcomes=outcomes)
    return replace(case, description="honest changes", frame=frame, evidence=evidence)


REAL_CLEAN = (
    some_rows, some_fields, bootstrap_sample, flipped_labels, shuffled_labels, rare_labels, honest_holdout,
    honest_changes,
)  # fmt: skip


def synthetic_case(
    description: str, columns: dict[str, np.ndarray], log_odds: np.ndarray, random: np.random.Generator
) -> Case:
    """Return synthetic leads with labels that are drawn from log-odds."""
    label = (random.random(len(log_odds)) < expit(log_odds)).astype(np.int8)
    return replace(as_case("synthetic", pd.DataFrame(columns), label), description=description)


def strong_cause(random: np.random.Generator) -> Case:
    """Return leads with one very strong honest number and several weaker ones."""
    size, strength = int(random.integers(2000, 8000)), random.uniform(1.6, 2.6)
    numbers = random.normal(size=(size, 8))
    weights = np.r_[strength, random.uniform(0.2, 0.9, 7)]
    log_odds = numbers @ weights - random.uniform(1.0, 3.0)
    columns = {f"x{at}": numbers[:, at] for at in range(8)}
    return synthetic_case(f"an honest number of weight {strength:.1f}", columns, log_odds, random)


def correlated_causes(random: np.random.Generator) -> Case:
    """Return leads with several correlated honest numbers."""
    size = int(random.integers(2000, 8000))
    numbers = random.normal(size=(size, 6)) + random.uniform(0.3, 0.8) * random.normal(size=(size, 1))
    log_odds = numbers @ np.r_[random.uniform(1.0, 1.8), random.uniform(0.3, 1.0, 5)] - random.uniform(1.0, 3.0)
    return synthetic_case("correlated honest numbers", {f"x{at}": numbers[:, at] for at in range(6)}, log_odds, random)


def strong_level(random: np.random.Generator) -> Case:
    """Return leads with a level of a category that converts far more often than the others."""
    size, rate = int(random.integers(2000, 8000)), random.uniform(0.5, 0.7)
    source = random.choice(6, size, p=[0.1, 0.3, 0.2, 0.2, 0.1, 0.1])
    numbers = random.normal(size=(size, 4))
    log_odds = np.where(source == 0, np.log(rate / (1 - rate)), -2.4 + 0.2 * source) + numbers @ [0.7, 0.5, 0.3, 0.0]
    levels = np.array(["demo request", "web", "event", "partner", "outbound", "other"], dtype=object)
    columns = {"origin": levels[source]} | {f"x{at}": numbers[:, at] for at in range(4)}
    return synthetic_case(f"a source of which {rate:.0%} convert", columns, log_odds, random)


def rising_rate(random: np.random.Generator) -> Case:
    """Return leads in the order of their dates with a rising conversion rate, and fields that follow time."""
    size = int(random.integers(3000, 8000))
    time = np.sort(random.random(size))
    numbers = random.normal(size=(size, 5))
    log_odds = -3 + random.uniform(2, 4) * time + numbers @ [0.8, 0.5, 0.3, 0.0, 0.0]
    trends = {"index": np.round(time * 12), "price": time + random.normal(0, 0.1, size)}
    case = synthetic_case(
        "a rising rate, and fields that follow time",
        trends | {f"x{at}": numbers[:, at] for at in range(5)},
        log_odds,
        random,
    )
    return replace(case, frame=case.frame.assign(created_at=(START + time * 500 * DAY).astype(np.int64)))


def many_levels(random: np.random.Generator) -> Case:
    """Return leads with categories of many levels, some of them with a high conversion rate."""
    size = int(random.integers(2000, 8000))
    log_odds, columns = np.full(size, -2.0), {}
    for at, levels in enumerate((5, 30, 200, 1500)):
        chosen = np.minimum(random.zipf(1.5, size), levels) - 1
        log_odds += random.normal(0, 0.8, levels)[chosen]
        columns[f"c{at}"] = np.array([f"v{level}" for level in chosen], dtype=object)
    return synthetic_case("categories of up to 1,500 levels", columns, log_odds, random)


def informative_blanks(random: np.random.Generator) -> Case:
    """Return leads with missing values that depend on their interest."""
    size = int(random.integers(2000, 8000))
    interest = random.normal(size=size)
    numbers = interest[:, None] + random.normal(size=(size, 5))
    numbers[random.random((size, 5)) < expit(-1.0 * interest)[:, None]] = np.nan
    columns = {f"x{at}": numbers[:, at] for at in range(5)}
    return synthetic_case("missing values that depend on interest", columns, 1.5 * interest - 2, random)


SYNTHETIC_CLEAN = (strong_cause, correlated_causes, strong_level, rising_rate, many_levels, informative_blanks)
